#include <nlohmann/json.hpp>
#include <vector>

#include "ctl/describe.h"
#include "ctl/render.h"

namespace aierase::ctl {
namespace {

std::vector<std::string> lease_row(const std::string& first, const Json& lease) {
  return {"  " + first, decider_text(lease), text_at(lease, "pid"),
          printable(text_at(lease, "unit")), printable(text_at(lease, "since"))};
}

}  // namespace

std::string leases_text(const Json& asset, const Output& out) {
  Table table({"  MOUNTED AT", "BY", "PROCESS", "UNIT", "SINCE"});
  for (const Json& lease : list_at(asset, "leases")) {
    table.add(lease_row(printable(text_at(lease, "mount_point")), lease));
  }
  return table.empty()
             ? std::string()
             : "\nMounted views, which end when it is retired\n" + table.text(out.width());
}

std::string item_leases_text(const Json& plan, const Output& out) {
  Table table({"  ASSET", "BY", "PROCESS", "UNIT", "SINCE"});
  for (const Json& item : list_at(plan, "items")) {
    for (const Json& lease : list_at(item, "leases")) {
      table.add(lease_row(short_id(text_at(item, "asset")), lease));
    }
  }
  return table.empty()
             ? std::string()
             : "\nMounted views, which end with the last approval\n" + table.text(out.width());
}

}  // namespace aierase::ctl
