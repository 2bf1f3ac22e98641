#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/limits.h"
#include "ctl/describe_audit.h"
#include "ctl/interrupt.h"
#include "ctl/moment.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {
namespace {

// How often a follower asks: the daemon tells nobody by itself who called what.
constexpr std::chrono::milliseconds kLookEvery{1000};

Result<Json> read_filters(const Session& session) {
  const Arguments& given = session.arguments();
  const UtcTime now = SystemClock().now();
  Json options = {{"limit", limits::kListPageRows}};
  if (const std::string* since = given.find("since")) {
    ASSIGN_OR_RETURN(const UtcTime time, parse_moment("since", *since, DayEdge::first_second, now));
    options["since"] = to_rfc3339(time);
  }
  if (const std::string* until = given.find("until")) {
    ASSIGN_OR_RETURN(const UtcTime time, parse_moment("until", *until, DayEdge::last_second, now));
    options["until"] = to_rfc3339(time);
  }
  if (options.contains("since") && options.contains("until") &&
      options["since"].get<std::string>() > options["until"].get<std::string>()) {
    return make_error(Errc::usage, "the period ends before it begins");
  }
  for (const char* key : {"who", "action", "outcome"}) {
    if (const std::string* value = given.find(key)) options[key] = *value;
  }
  if (const std::string* after = given.find("after")) {
    if (after->empty() || after->size() > 18 ||
        after->find_first_not_of("0123456789") != std::string::npos) {
      return make_error(Errc::usage, "--after takes the number of a row, not " + quoted(*after));
    }
    options["cursor"] = *after;
  }
  if (!given.operands().empty()) options["asset"] = given.operands().front();
  return options;
}

class Listing {
 public:
  explicit Listing(Output& out) : out_(out), table_(out) {}

  void add(const Json& calls) {
    if (calls.empty()) return;
    count_ += calls.size();
    if (out_.form() == Form::json) {
      for (const Json& call : calls) all_.push_back(call);
    } else if (out_.form() == Form::json_lines) {
      for (const Json& call : calls) out_.print_json("audit", {{"call", call}});
    } else if (out_.quiet()) {
      for (const Json& call : calls) out_.print(text_at(call, "number") + "\n");
    } else {
      out_.print(table_.lines(calls));
    }
  }
  void finish() {
    if (out_.form() == Form::json) out_.print_json("audit", {{"calls", std::move(all_)}});
    if (count_ == 0) out_.remark("no such calls");
  }

 private:
  Output& out_;
  AuditTable table_;
  Json all_ = Json::array();
  std::size_t count_ = 0;
};

// All that is there behind the cursor in `options`, which stands behind the last row then.
Status read_pages(Session& session, Json& options, Listing& listing) {
  for (;;) {
    ASSIGN_OR_RETURN(const Json page, session.call("Log", "Audit", {}, options));
    listing.add(list_at(page, "calls"));
    const std::string next = text_at(page, "next");
    options["cursor"] = next.empty() ? text_at(page, "newest") : next;
    if (next.empty()) return {};
  }
}

Result<int> follow(Session& session, Json options) {
  Output& out = session.out();
  Listing listing(out);
  if (!options.contains("since") && !options.contains("cursor")) {  // from now on
    ASSIGN_OR_RETURN(const Json page, session.call("Log", "Audit", {}, Json{{"limit", 1}}));
    options["cursor"] = text_at(page, "newest");
  }
  for (;;) {
    RETURN_IF_ERROR(read_pages(session, options, listing));
    if (!out.push_out()) return 0;  // finish() tells why nobody reads any more
    Status waited = session.wait_for_change(kLookEvery);
    if (Interrupt::asked()) return kInterruptedExit;
    RETURN_IF_ERROR(std::move(waited));
  }
}

}  // namespace

Result<int> run_audit(Session& session) {
  ASSIGN_OR_RETURN(Json options, read_filters(session));
  if (session.arguments().has("follow")) {
    if (session.out().form() == Form::json) {
      return make_error(Errc::usage, "what has no end is no one JSON object",
                        "use --json-lines with --follow");
    }
    if (session.arguments().has("until")) {
      return make_error(Errc::usage, "--follow and --until exclude each other");
    }
    return follow(session, std::move(options));
  }
  Listing listing(session.out());
  RETURN_IF_ERROR(read_pages(session, options, listing));
  listing.finish();
  return 0;
}

}  // namespace aierase::ctl
