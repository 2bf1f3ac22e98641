#include "fault/support/crashes.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace aierase::test {
namespace {

using lifecycle::EraseStep;

// `turn` counts the stops that were looked at: with it neighbours see different falls, whatever
// the stride is.
std::vector<Crash> falls(std::uint64_t turn, std::uint64_t n) {
  using Kind = Crash::Kind;
  const std::vector<Crash> all{
      {Kind::killed, Cut::lose_all, n},         {Kind::power_cut, Cut::lose_all, n},
      {Kind::power_cut, Cut::tear, n},          {Kind::power_cut, Cut::scatter, n},
      {Kind::power_cut, Cut::keep_all, n},      {Kind::power_cut, Cut::tear, n + 1000},
      {Kind::power_cut, Cut::scatter, n + 1000}};
  if (test_all()) return all;
  return {all[turn % all.size()], all[(turn + 3) % all.size()]};
}

struct Running {
  World& world;
  const StopPlan& plan;
  std::size_t futures = 0;

  void recover_and_check() {
    ++futures;
    const Status recovered = plan.recover(world);
    ASSERT_TRUE(recovered.ok()) << recovered.error().message;
    plan.check(world);
  }

  // Stops the recovery at every operation (or at some), then recovers for good.
  void stop_recovery(std::uint64_t n) {
    const auto fallen = world.keep();
    const std::uint64_t step = test_all() ? 1 : 9;
    for (std::uint64_t m = test_all() ? 1 : 1 + n % step;; m += step) {
      world.go_back(*fallen);
      world.disk.stop_at(m);
      const Status ignored = plan.recover(world);
      if (!world.disk.stopped()) break;
      const Crash again = falls(n + m, n + m)[m % 2];
      SCOPED_TRACE("recovery stopped at " + std::to_string(m) + " in " + world.disk.stopped_in() +
                   ", then " + to_string(again));
      world.crash(again);
      recover_and_check();
      if (::testing::Test::HasFailure()) return;
    }
    world.close();
  }
};

}  // namespace

bool test_all() {
  const char* all = std::getenv("AIERASE_TEST_ALL");
  return all != nullptr && std::string(all) == "1";
}

void Watch::look(EraseStep step) {
  seen.reached.insert(step);
  if (!world_.store) return;  // inside open(): recovery
  if (wish_ && wish_->second == step) {
    const Uuid asset = world_.asset(wish_->first).id;
    const auto placed = world_.hold({"asset=" + domain::id_text(domain::IdType::asset, asset)});
    if (placed.ok()) seen.held.insert(asset);
    if (!placed.ok() && placed.error().code == Errc::erased) ++seen.refused_holds;
  }
  if (step != EraseStep::zero_slot && step != EraseStep::unlink) return;
  for (const Imported& asset : world_.assets) {
    const auto view = world_.store->show_asset(asset.id);
    if (!view.ok()) continue;
    if (step == EraseStep::zero_slot && view->asset.state == domain::AssetState::erasing) {
      seen.doomed.insert(asset.id);
    }
    if (step != EraseStep::unlink || !view->certificate) continue;
    const auto row = world_.store->show_certificate(*view->certificate);
    if (row.ok()) seen.statements[asset.id] = row->statement;
  }
}

namespace {

void expect_erased(World& world, const Seen& seen, const Imported& asset,
                   const lifecycle::AssetView& view, const std::set<Uuid>& stolen) {
  SCOPED_TRACE(asset.name + " is erased");
  EXPECT_EQ(seen.held.count(asset.id), 0U) << "a durable hold was lost";
  EXPECT_EQ(stolen.count(asset.id), 0U) << "certified, and still readable";
  EXPECT_FALSE(view.asset.leaf.has_value());
  const Status read = world.read_back(asset);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, Errc::erased) << read.error().message;
  ASSERT_TRUE(view.certificate.has_value()) << "destroyed without a certificate";
  const auto row = world.store->show_certificate(*view.certificate);
  ASSERT_TRUE(row.ok()) << row.error().message;
  const auto known = seen.statements.find(asset.id);
  if (known != seen.statements.end()) {
    EXPECT_EQ(row->statement, known->second) << "the statement changed after TX3";
  }
  // Step 4 had begun and TX3 was not durable: another process read the zeros back.
  const bool recovered = row->statement.find("\"course\":\"recovered\"") != std::string::npos;
  if (known != seen.statements.end()) return;
  if (seen.reached.count(EraseStep::zero_slot) != 0 && seen.reached.count(EraseStep::tx3) == 0) {
    EXPECT_TRUE(recovered);
  }
}

void expect_living(World& world, const Seen& seen, const Imported& asset,
                   const lifecycle::AssetView& view, const std::set<Uuid>& stolen, Look look) {
  SCOPED_TRACE(asset.name + " is " + std::string(domain::to_text(view.asset.state)));
  EXPECT_FALSE(view.certificate.has_value()) << "a certificate, and nothing destroyed";
  EXPECT_NE(view.asset.state, domain::AssetState::erasing);
  EXPECT_EQ(seen.doomed.count(asset.id), 0U) << "past the point of no return, and alive";
  EXPECT_EQ(seen.statements.count(asset.id), 0U) << "a certificate was lost";
  EXPECT_EQ(stolen.count(asset.id), 1U) << "the adversary should read what lives";
  if (look == Look::quick || view.asset.state != domain::AssetState::active) return;
  const Status read = world.read_back(asset);
  EXPECT_TRUE(read.ok()) << read.error().message;
}

void expect_check_finds_nothing(World& world) {
  lifecycle::CheckRun run(*world.store, {}, lifecycle::CheckDepth::deep);
  while (true) {
    const Result<bool> more = run.step();
    ASSERT_TRUE(more.ok()) << more.error().message;
    if (!*more) break;
  }
  for (const lifecycle::Finding& finding : run.findings()) {
    EXPECT_EQ(finding.severity, lifecycle::Finding::Severity::note)
        << finding.code << " " << finding.subject << ": " << finding.text;
  }
}

}  // namespace

void expect_sound(World& world, const Seen& seen, Look look) {
  ASSERT_TRUE(world.store);
  const auto status = world.store->status();
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_FALSE(status->round.has_value());
  const std::set<Uuid> stolen = world.stolen();
  for (const Imported& asset : world.assets) {
    const auto view = world.store->show_asset(asset.id);
    ASSERT_TRUE(view.ok()) << asset.name << ": " << view.error().message;
    if (view->asset.state == domain::AssetState::erased) {
      expect_erased(world, seen, asset, *view, stolen);
    } else {
      expect_living(world, seen, asset, *view, stolen, look);
    }
  }
  if (look == Look::thorough) expect_check_finds_nothing(world);
}

std::size_t stop_everywhere(World& world, const World::Moment& start, const StopPlan& plan) {
  Running running{world, plan};
  const std::uint64_t stride = test_all() ? 1 : plan.stride;
  std::uint64_t turn = 0;
  for (std::uint64_t n = 1;; n += stride, ++turn) {
    world.go_back(start);
    world.disk.stop_at(n);
    plan.act(world);
    const bool stopped = world.disk.stopped();
    SCOPED_TRACE(stopped ? "stopped at " + std::to_string(n) + " in " + world.disk.stopped_in()
                         : "not stopped");
    world.close();
    const auto wreck = world.keep();
    const std::vector<Crash> chosen_falls = falls(turn, n);
    for (const Crash& fall : chosen_falls) {
      SCOPED_TRACE(to_string(fall));
      world.go_back(*wreck);
      world.crash(fall);
      const auto fallen = world.keep();
      running.recover_and_check();
      if (::testing::Test::HasFailure()) return running.futures;
      const bool chosen = test_all() || (turn % 4 == 1 && &fall == &chosen_falls.front());
      if (plan.nested == StopPlan::Nested::yes && stopped && chosen) {
        world.go_back(*fallen);
        running.stop_recovery(n);
      }
      if (::testing::Test::HasFailure()) return running.futures;
    }
    if (!stopped) return running.futures;
  }
}

}  // namespace aierase::test
