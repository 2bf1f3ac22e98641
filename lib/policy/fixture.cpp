#include "policy/fixture.h"

#include <algorithm>

#include "base/json.h"

namespace aierase::policy {
namespace {

// Gathers where the decision is not what was expected.
class Comparison {
 public:
  void text(std::string_view what, const std::optional<std::string>& expected,
            const std::string& found) {
    if (!expected || *expected == found) return;
    differences_.push_back(std::string(what) + " is " + found + ", expected " + *expected);
  }

  template <typename Value, typename ToText>
  void value(std::string_view what, const std::optional<Value>& expected, const Value& found,
             ToText to_words) {
    if (!expected || *expected == found) return;
    text(what, std::string(to_words(*expected)), std::string(to_words(found)));
  }

  void moment(std::string_view what, const std::optional<ExpectedMoment>& expected,
              const std::string& found) {
    if (!expected) return;
    switch (expected->kind) {
      case ExpectedMoment::Kind::none:
        return text(what, "none", found);
      case ExpectedMoment::Kind::open:
        return text(what, "open", found);
      case ExpectedMoment::Kind::at:
        return text(what, to_rfc3339(expected->at), found);
    }
  }

  void reason(const std::string& part, const std::vector<std::string>& sentences) {
    const bool said = std::any_of(
        sentences.begin(), sentences.end(),
        [&](const std::string& sentence) { return sentence.find(part) != std::string::npos; });
    if (!said) differences_.push_back("no reason says " + quoted(part));
  }

  std::vector<std::string> differences() && { return std::move(differences_); }

 private:
  std::vector<std::string> differences_;
};

std::string moment_text(const std::optional<UtcTime>& moment) {
  return moment ? to_rfc3339(*moment) : std::string("none");
}

std::string deciding_class(const std::vector<Rule>& rules) {
  for (const Rule& rule : rules) {
    if (rule.standing == Standing::decides || rule.standing == Standing::open) {
      return rule.retention_class;
    }
  }
  return "none";
}

std::string joined(const std::vector<std::string>& texts) {
  std::string text;
  for (const std::string& one : texts) text += (text.empty() ? "" : ", ") + one;
  return text.empty() ? "none" : text;
}

std::vector<std::string> sorted(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  return texts;
}

void compare_terms(const Expectation& expect, const Terms& terms, Comparison& comparison) {
  comparison.value("grace", expect.grace, terms.grace, to_words);
  comparison.value("allow-now", expect.allow_now, terms.allow_now,
                   [](AllowNow allow) { return allow == AllowNow::yes ? "true" : "false"; });
  comparison.value("approvals", expect.approvals, terms.approvals,
                   [](std::uint32_t count) { return std::to_string(count); });
  comparison.value("validation", expect.validation, terms.validation,
                   [](ValidationRule rule) { return to_text(rule); });
  comparison.value("require-assurance", expect.require_assurance, terms.require_assurance,
                   [](domain::Level level) { return domain::to_text(level); });
}

}  // namespace

CaseResult run_case(const PolicySet& set, const Case& one) {
  Facts facts;
  facts.asset = &one.asset;
  facts.events = one.events;
  facts.exports_outstanding = one.exports_outstanding;
  facts.ancestry = one.ancestry;
  for (const RetentionClass& value : set.classes()) {
    if (one.newer_versions && value.keep_last) facts.ranks[value.name] = *one.newer_versions;
  }
  CaseResult result;
  result.decision = evaluate(set, facts, one.at);
  const Decision& decision = result.decision;
  const Expectation& expect = one.expect;
  Comparison comparison;
  comparison.value("verdict", expect.verdict, decision.verdict,
                   [](domain::Verdict verdict) { return domain::to_text(verdict); });
  if (expect.classes) {
    comparison.text("classes", joined(sorted(*expect.classes)), joined(sorted(decision.classes)));
  }
  comparison.moment("floor", expect.floor,
                    decision.floor_open ? std::string("open") : moment_text(decision.floor));
  comparison.moment("due", expect.due, moment_text(decision.due));
  comparison.moment("next-change", expect.next_change, moment_text(decision.next_change));
  comparison.text("floor-class", expect.floor_class, deciding_class(decision.floors));
  comparison.text("due-class", expect.due_class, deciding_class(decision.ceilings));
  compare_terms(expect, decision.terms, comparison);
  for (const std::string& part : expect.reasons) comparison.reason(part, decision.explanation);
  result.differences = std::move(comparison).differences();
  return result;
}

}  // namespace aierase::policy
