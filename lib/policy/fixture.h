// Fixtures: cases that say what a policy has to decide, for `policy test` in people's own CI.
//
// Contract: pure. A fixture file is TOML with [[case]] tables: facts of an asset, a moment, and
// what is expected. Every error of the file is a finding with its place. Specified in:
// aierase-policy(5) FIXTURES.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/evaluate.h"

namespace aierase::policy {

// "none" and "open" are expectations, too.
struct ExpectedMoment {
  enum class Kind { none, open, at } kind = Kind::none;
  UtcTime at{};
};

// What is not set is not compared.
struct Expectation {
  std::optional<domain::Verdict> verdict;
  std::optional<std::vector<std::string>> classes;
  std::optional<ExpectedMoment> floor, due, next_change;
  std::optional<std::string> floor_class, due_class;  // whose rule decides
  std::optional<Duration> grace;
  std::optional<AllowNow> allow_now;
  std::optional<std::uint32_t> approvals;
  std::optional<ValidationRule> validation;
  std::optional<domain::Level> require_assurance;
  std::vector<std::string> reasons;  // each a part of some sentence of the explanation
};

struct Case {
  std::string name;
  Place place;
  UtcTime at{};
  domain::Asset asset;
  Events events;
  std::uint64_t exports_outstanding = 0;
  domain::Ancestry ancestry;
  std::optional<std::size_t> newer_versions;  // the place for every class with keep-last
  Expectation expect;
};

struct ParsedFixture {
  std::vector<Case> cases;
  std::vector<Finding> findings;
};
ParsedFixture parse_fixture(std::string_view text, const std::string& file);

struct CaseResult {
  Decision decision;
  std::vector<std::string> differences;  // empty: as expected
  bool passed() const { return differences.empty(); }
};
CaseResult run_case(const PolicySet& set, const Case& one);

// "NAME.test.toml" beside "NAME.toml".
std::string fixture_of(std::string_view policy_file);

}  // namespace aierase::policy
