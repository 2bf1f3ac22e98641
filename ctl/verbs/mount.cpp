#include <nlohmann/json.hpp>

#include "bus/notify.h"
#include "ctl/interrupt.h"
#include "ctl/mounting.h"
#include "ctl/outcome.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {
namespace {

constexpr const char* kDeviceName = "device";

// What the daemon says of it, where it has not taken the view over; otherwise nothing yet.
Status hand_over(Job& job, Mount& mount) {
  {
    const UniqueFd device = mount.take_device();
    RETURN_IF_ERROR(job.add_files({{kDeviceName, device.get()}}));
    RETURN_IF_ERROR(job.commit());
  }
  if (mount.wait_until_served().ok()) return {};
  const Result<Json> result = job.wait({});
  if (!result.ok()) return result.error();
  return make_error(Errc::unexpected, "the mount ended before it was served");
}

void tell_ready(Output& out, const Json& asset, const std::string& directory) {
  const std::string name = printable(text_at(asset, "name"));
  if (!out.for_people()) {
    out.print_json("mount", Json{{"asset", text_at(asset, "id")},
                                 {"name", text_at(asset, "name")},
                                 {"mount_point", directory}});
  } else if (!out.quiet()) {
    out.print("Mounted " + name + " at " + printable(directory) +
              ", read-only.\nIt ends with this program (Ctrl-C), or when the asset is retired or "
              "suspended.\n");
  }
  out.push_out();
  bus::notify_ready(name + " at " + printable(directory));
}

}  // namespace

Result<int> run_mount(Session& session) {
  ASSIGN_OR_RETURN(const std::string directory, Mount::directory(session.operand(1)));
  ASSIGN_OR_RETURN(const Json asset, show_asset(session, session.operand(0), Files::first));
  CallArguments arguments;
  arguments.texts = {text_at(asset, "id")};
  const Json options{{"mount_point", is_printable_utf8(directory) ? directory : quoted(directory)}};
  // The daemon agrees before anything is mounted.
  ASSIGN_OR_RETURN(Job job, session.start("Asset", "Mount", std::move(arguments), options));
  ASSIGN_OR_RETURN(Mount mount, Mount::mount(directory, text_at(asset, "name")));
  RETURN_IF_ERROR(hand_over(job, mount));
  tell_ready(session.out(), asset, directory);
  const Result<Json> ended = job.wait({});
  bus::notify_stopping();
  if (Interrupt::asked()) return 0;  // as it should end; job and mount go in this order
  if (!ended.ok()) return ended.error();
  session.out().remark("The mount was taken away.");
  return 0;
}

}  // namespace aierase::ctl
