#include <nlohmann/json.hpp>

#include "ctl/render.h"
#include "ctl/verbs/policy.h"
#include "ctl/verbs/verbs.h"
#include "policy/describe.h"

namespace aierase::ctl {
namespace {

std::string meaning_text(const policy::PolicySet& set, std::size_t width) {
  std::string text;
  for (const policy::RetentionClass& value : set.classes()) {
    text += "class " + value.name + "\n";
    for (const std::string& sentence : policy::describe(value)) {
      text += wrapped(printable(sentence), width, 2) + "\n";
    }
    text += "\n";
  }
  text += "brake\n" + wrapped(policy::describe(set.brake()), width, 2) + "\n\n";
  const std::size_t count = set.classes().size();
  return text + std::to_string(count) + (count == 1 ? " class" : " classes") +
         ", version sha256:" + to_hex(set.version()) + "\n";
}

Json meaning_json(const policy::PolicySet& set) {
  Json object = Json::object();
  for (const policy::RetentionClass& value : set.classes()) {
    object[value.name] = policy::describe(value);
  }
  return object;
}

Json check_json(const policy::ParsedPolicy& parsed) {
  Json object{{"valid", parsed.set.has_value()}, {"findings", findings_json(parsed.findings)}};
  if (!parsed.set) return object;
  object["version"] = Json{{"sha256", to_hex(parsed.set->version())}};
  object["policy"] = Json::parse(parsed.set->canonical());
  object["meaning"] = meaning_json(*parsed.set);
  object["brake_meaning"] = policy::describe(parsed.set->brake());
  return object;
}

}  // namespace

Result<int> run_policy_check(Session& session) {
  Output& out = session.out();
  ASSIGN_OR_RETURN(const std::vector<policy::PolicyText> texts,
                   read_policy_files(session.arguments().operands()));
  const policy::ParsedPolicy parsed = policy::parse_policy(texts);
  const std::size_t errors = count_errors(parsed.findings);
  if (!out.for_people()) {
    out.print_json("policy check", check_json(parsed));
    return errors == 0 ? 0 : info(Errc::invalid_input).exit_code;
  }
  out.print(findings_text(parsed.findings, out));
  if (errors > 0) {
    return make_error(Errc::invalid_input, "the policy has " + counted(errors, "error"),
                      "mend them and check again; aierase-policy(5) explains each key");
  }
  if (out.quiet()) {
    out.print(to_hex(parsed.set->version()) + "\n");
  } else {
    out.print((parsed.findings.empty() ? "" : "\n") + meaning_text(*parsed.set, out.width()));
  }
  return 0;
}

}  // namespace aierase::ctl
