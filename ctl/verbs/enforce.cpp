#include <array>
#include <nlohmann/json.hpp>

#include "ctl/moment.h"
#include "ctl/progress.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {
namespace {

struct End {
  std::string_view word;
  int exit_code;
  std::string_view next;  // who does what
};

// A brake or a clock that is not believed is told before everything that waits for people.
constexpr std::array kEnds{
    End{"clear", 0, "Nobody needs to act.\n"},
    End{"waiting", 9,
        "Next: custodians approve or reject the plans:\n"
        "  aierase list plans\n"},
    End{"blocked", 8,
        "Next: somebody decides about what is kept although it is due. To see the rules:\n"
        "  aierase show ASSET\n"},
    End{"braked", 13,
        "Next: the brake has tripped, and executes nothing. Look at what the plans name; where it\n"
        "is right, one person more than usual approves each: aierase show PLAN\n"
        "Where it is not: aierase cancel PLAN, and mend the policy.\n"},
    End{"clock", 13,
        "Next: no plan was made, and nothing is erased unattended. If the clock of this host is\n"
        "right, a custodian says so: aierase enforce --confirm-clock\n"},
    End{"partial", 14,
        "Next: the reasons stand in the table; the rest went on. To look for damage:\n"
        "  aierase check\n"},
};

const End& end_of(const Json& report) {
  const std::string word = text_at(report, "end");
  for (const End& end : kEnds) {
    if (end.word == word) return end;
  }
  return kEnds.back();
}

std::string items_text(const Json& report, const Output& out) {
  const Json& items = list_at(report, "items");
  if (items.empty()) return {};
  Table table({"ASSET", "NAME", "CLASS", "DUE SINCE", "WHAT", "ERASED AT", "PLAN", "WHY"});
  for (const Json& item : items) {
    const std::string outcome = text_at(item, "outcome");
    table.add({short_id(text_at(item, "asset")), printable(text_at(item, "name")),
               printable(text_at(item, "class")), printable(text_at(item, "due")),
               printable(outcome), printable(text_at(item, "erasure")),
               short_id(text_at(item, "plan")), printable(text_at(item, "reason"))});
  }
  return table.text(out.width());
}

std::string sentence(const Json& report) {
  struct Part {
    const char* key;
    const char* words;
  };
  constexpr std::array kParts{Part{"waiting", "waiting for approvals"},
                              Part{"braked", "held by the brake"},
                              Part{"in_grace", "in grace"},
                              Part{"held", "under legal hold"},
                              Part{"floored", "kept by a floor"},
                              Part{"conflict", "in conflict"},
                              Part{"blocked", "blocked"},
                              Part{"refused", "refused by a custodian"},
                              Part{"failed", "failed"}};
  std::string text;
  for (const Part& part : kParts) {
    const std::uint64_t count = number_at(report, part.key);
    if (count == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + part.words;
  }
  return text.empty() ? "nothing is due" : text;
}

std::string report_text(const Json& report, const Output& out) {
  std::string text = items_text(report, out);
  std::uint64_t all = 0;
  for (const char* key : {"waiting", "braked", "in_grace", "held", "floored", "conflict", "blocked",
                          "refused", "failed"}) {
    all += number_at(report, key);
  }
  const std::size_t shown = list_at(report, "items").size();
  if (all > shown) text += "and " + counted(all - shown, "more asset") + "\n";
  if (!text.empty()) text += "\n";
  text += "By " + printable(text_at(report, "moment")) + ": " + sentence(report) + ".\n";
  for (const char* key : {"clock", "brake"}) {
    for (const Json& why : list_at(report, key)) {
      if (why.is_string())
        text += wrapped(printable(why.get<std::string>()), out.width(), 2) + "\n";
    }
  }
  if (number_at(report, "overdue") > 0) {
    text += counted(number_at(report, "overdue"), "asset") +
            " overdue: due, and waiting for people for more than a day.\n";
  }
  const std::string expires = text_at(report, "approval_expires");
  if (!expires.empty()) text += "The first request expires at " + printable(expires) + ".\n";
  if (holds(report, "dry_run")) {
    return text +
           "This was a dry run: nothing was written. It says what the policy decides; holds, plans "
           "and\napprovals are those of now.\n";
  }
  text += "Erased since the run before: " + std::to_string(number_at(report, "erased")) +
          "; plans made: " + std::to_string(list_at(report, "plans").size()) + ".\n";
  return text + std::string(end_of(report).next);
}

Result<int> confirm(Session& session) {
  Output& out = session.out();
  ASSIGN_OR_RETURN(Json answer, session.call("Policy", "ConfirmClock", {}, Json::object()));
  if (!out.for_people()) {
    out.print_json("enforce", {{"clock", std::move(answer)}});
  } else if (!out.quiet()) {
    out.print("By your word it is " + printable(text_at(answer, "time")) +
              ": what waited for a confirmed clock goes on.\n"
              "To see what goes on: aierase list plans\n");
  }
  return 0;
}

Result<Json> enforce_options(const Arguments& given) {
  Json options = Json::object();
  if (given.has("dry-run")) options["dry_run"] = "yes";
  if (!given.has("at")) return options;
  const UtcTime now =
      std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  ASSIGN_OR_RETURN(const UtcTime at, parse_moment("at", given.value_or("at", ""),
                                                  DayEdge::first_second, now, Tense::future));
  options["at"] = to_rfc3339(at);
  return options;
}

}  // namespace

Result<int> run_enforce(Session& session) {
  Output& out = session.out();
  const Arguments& given = session.arguments();
  if (given.has("confirm-clock")) {
    if (!given.has("dry-run") && !given.has("at")) return confirm(session);
    return make_error(Errc::usage, "--confirm-clock goes alone",
                      "confirm the clock first, then run enforce");
  }
  ASSIGN_OR_RETURN(const Json options, enforce_options(given));
  ASSIGN_OR_RETURN(Job job, session.start("Policy", "Enforce", {}, options));
  Json report;
  {
    Progress progress(out, "Looking at what is due", 0);
    ASSIGN_OR_RETURN(report, job.wait([&](std::uint64_t bytes) { progress.update(bytes); }));
  }
  const int code = end_of(report).exit_code;
  if (!out.for_people()) {
    out.print_json("enforce", std::move(report));
  } else if (out.quiet()) {
    for (const Json& plan : list_at(report, "plans")) {
      if (plan.is_string()) out.print(printable(plan.get<std::string>()) + "\n");
    }
  } else {
    out.print(report_text(report, out));
  }
  return code;
}

}  // namespace aierase::ctl
