#include <pwd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/limits.h"
#include "base/spelling.h"
#include "ctl/describe_audit.h"
#include "ctl/interrupt.h"
#include "ctl/moment.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"
#include "domain/audit.h"

namespace aierase::ctl {
namespace {

// How often a follower asks: the daemon tells nobody by itself who called what.
constexpr std::chrono::milliseconds kLookEvery{1000};

// `known` has them all; a word that is none is not "no such calls".
Status check_word(std::string_view option, const std::string& word,
                  const std::vector<std::string_view>& known, const std::string& which) {
  if (std::find(known.begin(), known.end(), word) != known.end()) return {};
  const std::string meant(nearest(word, known));
  return make_error(Errc::usage, "--" + std::string(option) + " does not know " + quoted(word),
                    meant.empty() ? which : "is it " + meant + "? " + which);
}

std::vector<std::string_view> words_in(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

Status check_words(const Arguments& given) {
  if (const std::string* action = given.find("action")) {
    const auto* option = std::find_if(kAuditOptions.begin(), kAuditOptions.end(),
                                      [](const Option& one) { return one.name == "action"; });
    RETURN_IF_ERROR(check_word("action", *action, words_in(option->words),
                               "there is " + std::string(option->words)));
  }
  if (const std::string* outcome = given.find("outcome")) {
    std::vector<std::string_view> known{domain::kAuditOk, domain::kAuditBegun,
                                        domain::kAuditNotice};
    for (int code = 0; code <= static_cast<int>(Errc::busy); ++code) {
      known.push_back(info(static_cast<Errc>(code)).name);
    }
    RETURN_IF_ERROR(check_word("outcome", *outcome, known,
                               "ok, begun, notice, or the code of an error as --json prints it"));
  }
  return {};
}

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
  RETURN_IF_ERROR(check_words(given));
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

// A login that was deleted has its calls still, and so has somebody who only signs.
bool is_no_account(const std::string& who) {
  const bool uid = who.find_first_not_of("0123456789") == std::string::npos;
  return !uid && getpwnam(who.c_str()) == nullptr;
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
  void finish(const CommandLine& line) {
    if (out_.form() == Form::json) out_.print_json("audit", {{"calls", std::move(all_)}});
    if (count_ > 0) return;
    const std::string who = line.arguments.value_or("who", "");
    out_.remark("no such calls");
    if (line.host.empty() && is_no_account(who)) {
      out_.remark("hint: no account of this host is called " + quoted(who));
    }
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
  listing.finish(session.line());
  return 0;
}

}  // namespace aierase::ctl
