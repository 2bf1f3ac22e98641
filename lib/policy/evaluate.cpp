#include "policy/evaluate.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "policy/sentences.h"

namespace aierase::policy {
namespace {

using domain::Reason;
using domain::Verdict;

// A machine that was never used counts from its import, and an import dated later than a use (a
// corrected clock) counts as the later of the two.
std::optional<UtcTime> event_of(const Facts& facts, Trigger trigger) {
  const Events& events = facts.events;
  switch (trigger) {
    case Trigger::created:
      return facts.asset->created;
    case Trigger::last_used:
      return std::max(facts.asset->created, events.last_used.value_or(facts.asset->created));
    case Trigger::retired:
      return events.retired;
    case Trigger::superseded:
      return events.superseded;
    case Trigger::placed_on_market:
      return events.placed_on_market;
  }
  return std::nullopt;
}

Rule new_rule(const RetentionClass& value, const Duration& period, const Facts& facts) {
  Rule rule;
  rule.retention_class = value.name;
  rule.trigger = value.trigger;
  rule.period = period;
  rule.event = event_of(facts, value.trigger);
  if (rule.event) rule.moment = add(*rule.event, period);
  if (rule.event) rule.standing = Standing::outranked;
  return rule;
}

Rule floor_of(const RetentionClass& value, const Facts& facts) {
  Rule rule = new_rule(value, *value.retain_for, facts);
  if (!rule.event && value.trigger == Trigger::placed_on_market) rule.standing = Standing::open;
  return rule;
}

// Among the newest as far as is known: where the rank is missing, it is taken for one of them.
bool is_exempt(const RetentionClass& value, const Facts& facts) {
  if (!value.keep_last) return false;
  const auto rank = facts.ranks.find(value.name);
  return rank == facts.ranks.end() || rank->second < *value.keep_last;
}

Rule ceiling_of(const RetentionClass& value, const Facts& facts) {
  Rule rule = new_rule(value, *value.erase_after, facts);
  if (!rule.event) return rule;
  if (value.trigger == Trigger::last_used && facts.exports_outstanding > 0) {
    rule.standing = Standing::unknown;
  } else if (is_exempt(value, facts)) {
    rule.standing = Standing::exempt;
  }
  return rule;
}

bool counts(const Rule& rule) {
  return rule.standing == Standing::outranked || rule.standing == Standing::decides;
}

template <typename Earlier>
void let_decide(std::vector<Rule>& rules, Earlier earlier) {
  std::stable_sort(rules.begin(), rules.end(), [&](const Rule& a, const Rule& b) {
    if (counts(a) != counts(b)) return counts(a);
    return counts(a) && earlier(*a.moment, *b.moment);
  });
  if (!rules.empty() && counts(rules.front())) rules.front().standing = Standing::decides;
}

// Open floors keep without an end: they stand before all that have one.
void let_floors_decide(std::vector<Rule>& floors) {
  let_decide(floors, [](UtcTime a, UtcTime b) { return a > b; });
  const auto is_open = [](const Rule& rule) { return rule.standing == Standing::open; };
  if (std::none_of(floors.begin(), floors.end(), is_open)) return;
  for (Rule& rule : floors) {
    if (rule.standing == Standing::decides) rule.standing = Standing::outranked;
  }
  std::stable_partition(floors.begin(), floors.end(), is_open);
}

void add_once(std::vector<std::string>& texts, const std::string& text) {
  if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
}

void combine(const RetentionClass& value, UtcTime now, Terms& terms) {
  if (add(now, value.grace) > add(now, terms.grace)) terms.grace = value.grace;
  if (value.allow_now == AllowNow::no) terms.allow_now = AllowNow::no;
  terms.approvals = std::max(terms.approvals, value.approvals);
  terms.validation = std::max(terms.validation, value.validation);
  terms.require_assurance = std::max(terms.require_assurance, value.require_assurance);
  terms.on_conflict = std::max(terms.on_conflict, value.on_conflict);
  for (const std::string& custodian : value.custodians) add_once(terms.custodians, custodian);
  if (!value.basis.empty()) add_once(terms.bases, value.basis);
}

// The asset's own class, then those whose match fits, in order of names.
std::vector<const RetentionClass*> applying(const PolicySet& set, const Facts& facts) {
  std::vector<const RetentionClass*> classes;
  if (const RetentionClass* own = set.find(facts.asset->retention)) classes.push_back(own);
  for (const RetentionClass& value : set.classes()) {
    if (value.name != facts.asset->retention && applies(value, facts)) classes.push_back(&value);
  }
  return classes;
}

class Evaluation {
 public:
  Evaluation(const PolicySet& set, const Facts& facts, UtcTime now, Detail detail)
      : set_(set), facts_(facts), now_(now), detail_(detail) {}

  Decision decide() {
    gather();
    let_floors_decide(out_.floors);
    let_decide(out_.ceilings, [](UtcTime a, UtcTime b) { return a < b; });
    date();
    judge();
    if (detail_ == Detail::sentences) explain();
    return std::move(out_);
  }

 private:
  void gather() {
    const std::vector<const RetentionClass*> classes = applying(set_, facts_);
    own_class_missing_ = classes.empty() || classes.front()->name != facts_.asset->retention;
    if (!own_class_missing_) {  // else the terms begin with the usual ones, and nothing goes at
                                // once
      out_.terms.grace = classes.front()->grace;
      out_.terms.allow_now = AllowNow::yes;
    }
    for (const RetentionClass* value : classes) {
      out_.classes.push_back(value->name);
      combine(*value, now_, out_.terms);
      if (value->retain_for) out_.floors.push_back(floor_of(*value, facts_));
      if (value->erase_after) out_.ceilings.push_back(ceiling_of(*value, facts_));
      if (detail_ == Detail::sentences) say(*value);
    }
  }

  // Of the rules that were added last, both of this class.
  void say(const RetentionClass& value) {
    if (value.retain_for) out_.floors.back().sentence = floor_sentence(value, out_.floors.back());
    if (value.erase_after) {
      out_.ceilings.back().sentence = ceiling_sentence(value, out_.ceilings.back(), facts_);
    }
  }

  void date() {
    for (const Rule& rule : out_.floors) {
      if (rule.standing == Standing::open) out_.floor_open = true;
      if (counts(rule)) out_.floor = std::max(out_.floor.value_or(UtcTime::min()), *rule.moment);
      if (rule.standing != Standing::waiting || rule.trigger != Trigger::retired) continue;
      const auto& longest = out_.retain_after_retirement;
      if (!longest || add(now_, rule.period) > add(now_, *longest)) {
        out_.retain_after_retirement = rule.period;
      }
    }
    if (!out_.ceilings.empty() && counts(out_.ceilings.front())) {
      out_.due = out_.ceilings.front().moment;
    }
    if (out_.due) expect_change(*out_.due);
    for (const Rule& rule : out_.floors) {
      if (counts(rule)) expect_change(*rule.moment);
    }
  }

  void expect_change(UtcTime moment) {
    if (moment <= now_) return;
    out_.next_change = std::min(out_.next_change.value_or(UtcTime::max()), moment);
  }

  // The floor that speaks against the ceiling, or none. One that counts from the retirement only
  // prolongs the grace of what is on its way out.
  const Rule* contradicting_floor() const {
    if (!out_.due) return nullptr;
    for (const Rule& rule : out_.floors) {
      if (rule.standing == Standing::open && *out_.due <= now_) return &rule;
      const bool later = counts(rule) && *rule.moment > *out_.due;
      if (later && rule.trigger != Trigger::retired) return &rule;
    }
    return nullptr;
  }

  bool in_force(const Rule& floor) const {
    return floor.standing == Standing::open || (counts(floor) && now_ < *floor.moment);
  }

  void judge() {
    for (const Rule& rule : out_.floors) {
      if (in_force(rule)) out_.floors_in_force.push_back({Errc::retention_floor, rule.sentence});
    }
    const Rule* against = contradicting_floor();
    const bool kept = !out_.floors_in_force.empty();
    if (own_class_missing_) out_.conflicts.push_back({Errc::policy_conflict, missing_class()});
    if (against != nullptr) {
      contradiction_ = "the rules contradict each other: " + against->sentence + "; " +
                       out_.ceilings.front().sentence;
      // Once the floor is over nothing keeps it from a person; unattended it never goes.
      if (kept) out_.conflicts.push_back({Errc::policy_conflict, contradiction_});
    }
    if (own_class_missing_ || against != nullptr) {
      out_.verdict = Verdict::conflict;
    } else if (kept) {
      out_.verdict = Verdict::blocked;
    } else {
      out_.verdict = out_.due && now_ >= *out_.due ? Verdict::due : Verdict::eligible;
    }
  }

  std::string missing_class() const {
    return "its class " + quoted(facts_.asset->retention) +
           " is not in the policy in force, so nobody knows how long it has to be kept";
  }

  void explain() {
    std::vector<std::string>& lines = out_.explanation;
    for (const Reason& reason : out_.conflicts) lines.push_back(reason.text);
    if (out_.conflicts.empty() && !contradiction_.empty()) {
      lines.push_back(contradiction_ + "; a person may retire it, no run will");
    }
    for (const Rule& rule : out_.floors) {
      const bool over = counts(rule) && now_ >= *rule.moment;
      lines.push_back(rule.sentence + (over ? "; that is over" : ""));
    }
    for (const Rule& rule : out_.ceilings) lines.push_back(rule.sentence);
    if (lines.empty()) lines.push_back("no rule keeps it, and none makes it due");
    for (const auto* rules : {&out_.floors, &out_.ceilings}) {
      for (const Rule& rule : *rules) doubt(rule);
    }
  }

  // Dates that the store noted itself cannot lie in the future while its clock is right.
  void doubt(const Rule& rule) {
    const bool own = rule.trigger != Trigger::placed_on_market;
    if (!own || !rule.event || *rule.event <= now_) return;
    add_once(out_.explanation, std::string(event_words(rule.trigger)) + " is dated " +
                                   to_rfc3339(*rule.event) +
                                   ", in the future: the clock was wrong then, or is now");
  }

  const PolicySet& set_;
  const Facts& facts_;
  UtcTime now_;
  Detail detail_;
  bool own_class_missing_ = false;
  std::string contradiction_;
  Decision out_;
};

}  // namespace

std::string_view to_text(Standing standing) noexcept {
  constexpr std::array<std::string_view, 6> kWords{"decides", "outranked", "open",
                                                   "waiting", "exempt",    "unknown"};
  const auto index = static_cast<std::size_t>(standing);
  return index < kWords.size() ? kWords[index] : std::string_view("unknown");
}

bool applies(const RetentionClass& value, const Facts& facts) {
  if (value.name == facts.asset->retention) return true;
  return !value.match.empty() && domain::matches_all(value.match, *facts.asset, {facts.ancestry});
}

Decision evaluate(const PolicySet& set, const Facts& facts, UtcTime now, Detail detail) {
  return Evaluation(set, facts, now, detail).decide();
}

}  // namespace aierase::policy
