// Short ways to write policies, assets and moments in the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "policy/evaluate.h"
#include "policy/policy_set.h"

namespace aierase::policy {

inline UtcTime at(const std::string& text) {
  const auto time = from_rfc3339(text.size() == 10 ? text + "T00:00:00Z" : text);
  EXPECT_TRUE(time.has_value()) << text;
  return time.value_or(UtcTime{});
}

inline Duration period(std::string_view text) {
  return parse_duration(text).value();
}

inline PolicySet policy_of(const std::string& text) {
  ParsedPolicy parsed = parse_policy({{"p.toml", text}});
  for (const Finding& finding : parsed.findings) {
    if (finding.severity == Severity::error) ADD_FAILURE() << finding.message;
  }
  return parsed.set ? *parsed.set : PolicySet::built_in();
}

// "LINE:COLUMN message | hint" of every finding.
inline std::vector<std::string> findings_of(const std::vector<PolicyText>& texts) {
  std::vector<std::string> lines;
  for (const Finding& finding : parse_policy(texts).findings) {
    lines.push_back(std::to_string(finding.place.line) + ":" +
                    std::to_string(finding.place.column) + " " + finding.message +
                    (finding.hint.empty() ? "" : " | " + finding.hint));
  }
  return lines;
}
inline std::vector<std::string> findings_of(const std::string& text) {
  return findings_of(std::vector<PolicyText>{{"p.toml", text}});
}
inline std::string only_finding(const std::string& text) {
  const std::vector<std::string> lines = findings_of(text);
  EXPECT_EQ(lines.size(), 1u) << (lines.size() > 1 ? lines[1] : "");
  return lines.empty() ? std::string() : lines[0];
}

// Owns what its Facts point to.
struct Subject {
  domain::Asset asset;
  Facts facts;

  explicit Subject(const std::string& created = "2026-01-31", const std::string& own = "default") {
    asset.name = domain::AssetName::parse("acme/gauss:1").value();
    asset.created = at(created);
    asset.retention = own;
    facts.asset = &asset;
  }
  Subject(const Subject& other) : asset(other.asset), facts(other.facts) { facts.asset = &asset; }
  Subject& operator=(const Subject&) = delete;

  Decision decide(const PolicySet& set, const std::string& when) const {
    return evaluate(set, facts, at(when));
  }
  domain::Verdict verdict(const PolicySet& set, const std::string& when) const {
    return decide(set, when).verdict;
  }
};

inline bool says(const Decision& decision, std::string_view part) {
  for (const std::string& sentence : decision.explanation) {
    if (sentence.find(part) != std::string::npos) return true;
  }
  return false;
}

}  // namespace aierase::policy
