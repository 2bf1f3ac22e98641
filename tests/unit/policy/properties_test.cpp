// Whatever the rules, the facts and the moment: what must never come out.
#include <algorithm>
#include <random>

#include "unit/policy/policy_facts.h"

namespace aierase::policy {
namespace {

using domain::Verdict;

class World {
 public:
  explicit World(unsigned seed) : random_(seed) {}

  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
  bool chance(unsigned percent) { return below(100) < percent; }

  UtcTime moment() { return at("2026-01-01") + std::chrono::seconds(below(20U * 31'536'000U)); }

  Duration some_period() {
    constexpr Duration::Unit kUnits[] = {Duration::Unit::days, Duration::Unit::weeks,
                                         Duration::Unit::months, Duration::Unit::years};
    return {below(15) + 1, kUnits[below(4)]};
  }

  RetentionClass some_class(unsigned number) {
    RetentionClass value;
    value.name = "c" + std::to_string(number);
    if (chance(60)) {
      value.match = {domain::parse_selector(chance(50) ? "kind=model" : "label.x=y").value()};
    }
    if (chance(60)) value.retain_for = some_period();
    if (chance(60)) value.erase_after = some_period();
    value.trigger = static_cast<Trigger>(below(5));
    if (value.erase_after && chance(30)) value.keep_last = below(4) + 1;
    value.grace = {below(40), Duration::Unit::days};
    value.approvals = below(4) + 1;
    value.allow_now = chance(50) ? AllowNow::yes : AllowNow::no;
    return value;
  }

  std::vector<RetentionClass> some_classes() {
    std::vector<RetentionClass> classes;
    const unsigned count = below(5);
    for (unsigned i = 0; i < count; ++i) classes.push_back(some_class(i));
    return classes;
  }

  void fill(Subject& subject) {
    subject.asset.created = moment();
    subject.asset.retention = chance(40) ? "default" : "c" + std::to_string(below(5));
    if (chance(50)) subject.asset.labels["x"] = "y";
    Events& events = subject.facts.events;
    for (auto* event :
         {&events.last_used, &events.retired, &events.superseded, &events.placed_on_market}) {
      if (chance(50)) *event = moment();
    }
    subject.facts.exports_outstanding = below(2);
    for (unsigned i = 0; i < 5; ++i) {
      if (chance(70)) subject.facts.ranks["c" + std::to_string(i)] = below(5);
    }
  }

 private:
  std::mt19937 random_;
};

bool keeps(const Rule& rule, UtcTime now) {
  return rule.standing == Standing::open || (rule.moment && now < *rule.moment);
}

template <typename Check>
void for_many_worlds(const Check& check) {
  for (unsigned seed = 1; seed <= 4'000; ++seed) {
    World world(seed);
    const PolicySet set = PolicySet::of(world.some_classes(), Brake());
    Subject subject;
    world.fill(subject);
    SCOPED_TRACE("seed " + std::to_string(seed) + " " + set.canonical());
    check(world, set, subject);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(Nothing, IsDueBelowAFloorOrWithoutAnEarlierCeilingOrInAnUnknownClass) {
  std::size_t due = 0, conflicts = 0;
  for_many_worlds([&](World& world, const PolicySet& set, const Subject& subject) {
    const UtcTime now = world.moment();
    const Decision decision = evaluate(set, subject.facts, now);
    if (decision.verdict == Verdict::conflict) ++conflicts;
    if (decision.verdict != Verdict::due) return;
    ++due;
    EXPECT_TRUE(decision.floors_in_force.empty());
    EXPECT_TRUE(decision.conflicts.empty());
    EXPECT_NE(set.find(subject.asset.retention), nullptr);
    ASSERT_TRUE(decision.due && *decision.due <= now);
    for (const Rule& rule : decision.floors) {
      EXPECT_FALSE(keeps(rule, now));
      if (rule.moment && rule.trigger != Trigger::retired) {
        EXPECT_LE(*rule.moment, *decision.due);
      }
    }
    const Rule& ceiling = decision.ceilings.front();
    EXPECT_EQ(ceiling.standing, Standing::decides);
    const RetentionClass& value = *set.find(ceiling.retention_class);
    if (value.keep_last) {
      EXPECT_GE(subject.facts.ranks.at(value.name), *value.keep_last);
    }
    if (value.trigger == Trigger::last_used) {
      EXPECT_EQ(subject.facts.exports_outstanding, 0u);
    }
  });
  EXPECT_GT(due, 100u);
  EXPECT_GT(conflicts, 100u);
}

TEST(ADecision, StaysAsItIsUntilItsNextChangeAndThenChanges) {
  std::size_t changes = 0;
  for_many_worlds([&](World& world, const PolicySet& set, const Subject& subject) {
    const UtcTime now = world.moment();
    const Decision decision = evaluate(set, subject.facts, now);
    const UtcTime end = decision.next_change.value_or(kEndOfTime);
    ASSERT_GT(end, now);
    for (int i = 0; i < 8; ++i) {
      const auto span = static_cast<std::uint64_t>((end - now).count());
      const auto offset = static_cast<std::int64_t>(world.below(1U << 30) % span);
      const UtcTime then =
          i == 0 ? end - std::chrono::seconds(1) : now + std::chrono::seconds(offset);
      const Decision later = evaluate(set, subject.facts, then);
      EXPECT_EQ(later.verdict, decision.verdict) << to_rfc3339(now) << " " << to_rfc3339(then);
      EXPECT_EQ(later.floors_in_force, decision.floors_in_force);
      EXPECT_EQ(later.conflicts, decision.conflicts);
    }
    if (!decision.next_change) return;
    const Decision next = evaluate(set, subject.facts, *decision.next_change);
    if (next.verdict != decision.verdict || next.floors_in_force != decision.floors_in_force) {
      ++changes;
    }
  });
  EXPECT_GT(changes, 500u);
}

TEST(OneMoreClass, NeverLetsAnAssetGoEarlierFromAPersonNorWithFewerApprovals) {
  for_many_worlds([](World& world, const PolicySet& set, const Subject& subject) {
    const UtcTime now = world.moment();
    std::vector<RetentionClass> classes = set.classes();
    classes.push_back(world.some_class(9));
    const Decision fewer = evaluate(set, subject.facts, now);
    const Decision more = evaluate(PolicySet::of(std::move(classes), Brake()), subject.facts, now);
    EXPECT_GE(more.floors_in_force.size(), fewer.floors_in_force.size());
    EXPECT_GE(more.floor.value_or(UtcTime::min()), fewer.floor.value_or(UtcTime::min()));
    EXPECT_GE(more.terms.approvals, fewer.terms.approvals);
    EXPECT_LE(more.terms.allow_now, fewer.terms.allow_now);
    EXPECT_FALSE(can_outlast(fewer.terms.grace, more.terms.grace));
  });
}

TEST(TheOrderOfClasses, MeansNothing) {
  for_many_worlds([](World& world, const PolicySet& set, const Subject& subject) {
    std::vector<RetentionClass> classes = set.classes();
    std::reverse(classes.begin(), classes.end());
    const PolicySet other = PolicySet::of(std::move(classes), Brake());
    EXPECT_EQ(other.version(), set.version());
    const UtcTime now = world.moment();
    EXPECT_EQ(evaluate(other, subject.facts, now).explanation,
              evaluate(set, subject.facts, now).explanation);
  });
}

TEST(ASweepWithoutSentences, DecidesTheSame) {
  for_many_worlds([](World& world, const PolicySet& set, const Subject& subject) {
    const UtcTime now = world.moment();
    const Decision full = evaluate(set, subject.facts, now);
    const Decision lean = evaluate(set, subject.facts, now, Detail::verdicts);
    EXPECT_EQ(lean.verdict, full.verdict);
    EXPECT_EQ(lean.due, full.due);
    EXPECT_EQ(lean.next_change, full.next_change);
    EXPECT_EQ(lean.floors_in_force.size(), full.floors_in_force.size());
    EXPECT_EQ(lean.conflicts.size(), full.conflicts.size());
    EXPECT_TRUE(lean.explanation.empty());
  });
}

TEST(Time, OnlyEndsFloorsAndNeverBeginsOne) {
  for_many_worlds([](World& world, const PolicySet& set, const Subject& subject) {
    const UtcTime now = world.moment();
    const UtcTime later = now + std::chrono::seconds(world.below(1U << 30));
    EXPECT_GE(evaluate(set, subject.facts, now).floors_in_force.size(),
              evaluate(set, subject.facts, later).floors_in_force.size());
  });
}

}  // namespace
}  // namespace aierase::policy
