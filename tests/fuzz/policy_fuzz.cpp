// Policies and fixtures as anybody may have written them. Both readers get the same bytes; what is
// accepted is evaluated, and its canonical text has to be the same at the second reading.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "policy/compare.h"
#include "policy/describe.h"
#include "policy/fixture.h"

namespace {

using namespace aierase;

void require(bool holds) {
  if (!holds) std::abort();
}

void evaluate_at_some_moments(const policy::PolicySet& set) {
  domain::Asset asset;
  asset.name = domain::AssetName::parse("acme/gauss:1").value();
  asset.created = from_unix(1'800'000'000);
  policy::Facts facts;
  facts.asset = &asset;
  for (const policy::RetentionClass& value : set.classes()) {
    static_cast<void>(policy::describe(value));
    asset.retention = value.name;
    const policy::Decision before = policy::evaluate(set, facts, asset.created);
    const policy::Decision after = policy::evaluate(set, facts, kEndOfTime);
    require(before.terms.approvals >= 1);
    require(after.verdict != domain::Verdict::due || after.floors_in_force.empty());
    static_cast<void>(policy::compare(before, after));
  }
}

void read_policy(const std::string& text) {
  const policy::ParsedPolicy parsed = policy::parse_policy({{"fuzz.toml", text}});
  bool broken = false;
  for (const policy::Finding& finding : parsed.findings) {
    broken = broken || finding.severity == policy::Severity::error;
  }
  require(broken != parsed.set.has_value());
  require(policy::load_policy({{"fuzz.toml", text}}).ok() == parsed.set.has_value());
  if (!parsed.set) return;
  require(policy::parse_policy({{"again.toml", text}}).set->version() == parsed.set->version());
  evaluate_at_some_moments(*parsed.set);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  read_policy(text);
  const policy::PolicySet set = policy::PolicySet::built_in();
  const policy::ParsedFixture fixture = policy::parse_fixture(text, "fuzz.test.toml");
  if (!fixture.findings.empty()) return 0;
  for (const policy::Case& one : fixture.cases) static_cast<void>(policy::run_case(set, one));
  return 0;
}
