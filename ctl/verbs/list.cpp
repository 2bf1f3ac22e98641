#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "ctl/describe.h"
#include "ctl/matching.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {
namespace {

struct Noun {
  std::string_view interface;
  std::string_view method;
  std::string_view plural, singular;
  std::string (*table)(const Json&, const Output&);
};
constexpr Noun kNouns[] = {
    {"Asset", "List", "assets", "asset", asset_table},
    {"Plan", "List", "plans", "plan", plan_table},
    {"Certificate", "List", "certificates", "certificate", certificate_table},
    {"Hold", "List", "holds", "hold", hold_table},
    {"Plan", "ListApprovals", "approvals", "approval", standing_table}};

const Noun* find_noun(std::string_view word) {
  for (const Noun& noun : kNouns) {
    if (noun.plural == word || noun.singular == word) return &noun;
  }
  return nullptr;
}

void print_page(Output& out, const Noun& noun, const Json& rows) {
  for (const Json& row : rows) {
    if (out.form() == Form::json_lines) {
      out.print_json("list", {{std::string(noun.singular), row}});
    } else {
      out.print(printable(text_at(row, "id")) + "\n");
    }
  }
}

}  // namespace

Result<int> run_list(Session& session) {
  Output& out = session.out();
  const auto& operands = session.arguments().operands();
  const Noun* noun = find_noun(operands.empty() ? "assets" : operands[0]);
  if (noun == nullptr) {
    return make_error(Errc::usage, "there is no list of " + quoted(operands[0]),
                      "assets, plans, certificates, holds and approvals have one");
  }
  const auto matches = session.arguments().all("match");
  if (!matches.empty() && noun->singular != "asset") {
    return make_error(Errc::usage, "--match selects assets, not " + std::string(noun->plural),
                      "leave it out, or list assets");
  }
  ASSIGN_OR_RETURN(const Json match, read_matches(matches));
  Json options = {{"limit", limits::kListPageRows}};
  if (!match.empty()) options["match"] = match;
  const bool at_once = out.form() == Form::json_lines || (out.for_people() && out.quiet());
  Json all = Json::array();
  for (;;) {
    ASSIGN_OR_RETURN(const Json page, session.call(noun->interface, noun->method, {}, options));
    const Json& rows = list_at(page, noun->plural);
    if (at_once) {
      print_page(out, *noun, rows);
    } else {
      for (const Json& row : rows) all.push_back(row);
    }
    const std::string next = text_at(page, "next");
    if (next.empty()) break;
    options["cursor"] = next;
  }
  if (at_once) return 0;
  if (out.form() == Form::json) {
    out.print_json("list", {{std::string(noun->plural), std::move(all)}});
  } else if (all.empty()) {
    out.remark("no " + std::string(noun->plural) + (matches.empty() ? "" : " match"));
  } else {
    out.print(noun->table(all, out));
  }
  return 0;
}

}  // namespace aierase::ctl
