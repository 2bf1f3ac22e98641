// A store with logs that the policy erases after six months, and the run that does it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fault/support/inspect.h"
#include "lifecycle/enforcing.h"
#include "lifecycle/standing.h"
#include "unit/lifecycle/life.h"

namespace aierase::test {

inline constexpr std::chrono::hours kDay{24};
inline constexpr const char* kLogsGo =
    "[class.logs]\nmatch = [\"name=log-*\"]\nerase-after = \"6 months\"\n";

inline domain::Actor carol() {
  return person(1002, "carol");
}
inline domain::Actor nightly() {
  return person(990, "aierase-enforce");
}

// Of which bob and carol are custodians.
inline ImportWish log_named(const std::string& name, std::uint64_t seed) {
  ImportWish wish = small_asset(name, seed);
  wish.custodians = {{domain::CustodianKind::user, "bob", 1001},
                     {domain::CustodianKind::user, "carol", 1002}};
  return wish;
}

inline Result<lifecycle::EnforceReport> enforce(
    World& world, lifecycle::Persist persist = lifecycle::Persist::yes,
    std::optional<UtcTime> at = std::nullopt) {
  lifecycle::EnforceRequest request{nightly(), persist, at};
  RETURN_IF_ERROR(lifecycle::check_request(*world.store, request));
  lifecycle::EnforceRun run(*world.store, request);
  while (true) {
    ASSIGN_OR_RETURN(const bool more, run.step());
    if (!more) return run.report();
  }
}

class ANightlyRun : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(done(world.init(domain::PeopleRule::two_person)));
    ASSERT_TRUE(done(world.open()));
  }
  void import(const std::string& name) {
    ASSERT_TRUE(done(world.import(log_named(name, ++seed)))) << name;
  }
  // Logs that are due, and a younger one, so that the class is never emptied.
  void due_logs(int count) {
    ASSERT_TRUE(done(load(kLogsGo)));
    for (int i = 1; i <= count; ++i) import("log-" + std::to_string(i));
    world.clock.advance(181 * kDay);  // 2026-07-01, six months after the imports
    import("log-young");
  }
  Status load(const std::string& text) {
    const auto loaded = world.store->load_policy({carol(), {{"rules.toml", text}}, "as agreed"});
    return loaded.ok() ? Status() : Status(loaded.error());
  }
  lifecycle::EnforceReport run(lifecycle::Persist persist = lifecycle::Persist::yes,
                               std::optional<UtcTime> at = std::nullopt) {
    auto report = enforce(world, persist, at);
    EXPECT_TRUE(done(report));
    return report.ok() ? std::move(*report) : lifecycle::EnforceReport();
  }
  Status approve(const domain::Actor& who) { return approve(who, latest_plan(world)); }
  Status approve(const domain::Actor& who, const lifecycle::PlanView& view) {
    const auto answer = world.store->approve(who, view.plan.id, to_hex(view.plan.digest));
    return answer.ok() ? Status() : Status(answer.error());
  }
  std::size_t plan_count() {
    const auto plans = world.store->list_plans("", 1'000);
    EXPECT_TRUE(done(plans));
    return plans.ok() ? plans->rows.size() : 0;
  }
  bool doctor_says(const std::string& code) {
    const auto findings = world.store->doctor();
    EXPECT_TRUE(done(findings));
    return findings.ok() &&
           std::any_of(findings->begin(), findings->end(),
                       [&](const lifecycle::Finding& one) { return one.code == code; });
  }

  World world;
  std::uint64_t seed = 0;
};

}  // namespace aierase::test
