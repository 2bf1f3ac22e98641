// Random years of nightly runs: people who retire, approve, reject, hold and lift, policies that
// change, clocks that jump, machines that fall; and what must never come of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

#include "fault/support/crashes.h"
#include "lifecycle/enforcing.h"

namespace aierase::test {
namespace {

using domain::AssetState;
using std::chrono::hours;

constexpr hours kDay{24};
constexpr std::uint64_t kBrakeItems = 4;
const domain::Actor kCarol = person(1002, "carol");
const domain::Actor kNightly = person(990, "aierase-enforce");

std::string policy_of(std::uint64_t days) {
  return "[class.logs]\nmatch = [\"name=log-*\"]\nerase-after = \"" + std::to_string(days) +
         " days\"\n[class.kept]\nmatch = [\"name=kept-*\"]\nretain-for = \"2 years\"\n"
         "[brake]\nitems = " +
         std::to_string(kBrakeItems) + "\npercent = 100\n";
}

class Nights {
 public:
  explicit Nights(std::uint64_t seed) : random_(seed) {}

  void live(std::size_t acts) {
    ASSERT_TRUE(done(world_.init(domain::PeopleRule::two_person)));
    ASSERT_TRUE(done(world_.open()));
    load();
    for (std::size_t i = 0; i < acts; ++i) {
      SCOPED_TRACE("act " + std::to_string(i));
      act();
      if (::testing::Test::HasFailure()) return;
      judge();
      if (::testing::Test::HasFailure()) return;
    }
  }
  std::size_t erased_by_run() const { return erased_by_run_; }
  std::size_t erased_by_people() const { return erased_by_people_; }
  std::size_t falls() const { return falls_; }
  std::size_t jumps() const { return jumps_; }

 private:
  std::uint64_t roll(std::uint64_t sides) { return random_() % sides; }
  UtcTime true_now() const { return world_.clock.now() - offset_; }

  void act() {
    if (offset_ != hours(0) && roll(6) == 0) return jump();  // people notice a wrong clock
    const std::uint64_t dice = roll(100);
    if (dice < 18 || born_.size() < 4) return import();
    if (dice < 38) return pass_time(hours(1 + roll(96)));
    if (dice < 58) return run();
    if (dice < 78) return decide();
    if (dice < 82) return hold();
    if (dice < 86) return lift();
    if (dice < 89) return load();
    if (dice < 92) return retire();
    if (dice < 95) return jump();
    fall();
  }

  void import() {
    const char* kinds[] = {"log-", "log-", "log-", "kept-", "model-"};
    const std::string name = kinds[roll(5)] + std::to_string(++names_);
    ImportWish wish = small_asset(name, random_());
    wish.custodians.push_back({domain::CustodianKind::user, "carol", 1002});
    if (offset_ != hours(0)) return;  // dates of a wrong clock are another test's
    ASSERT_TRUE(done(world_.import(wish)));
    born_[world_.asset(name).id] = {name, true_now()};
  }
  void pass_time(hours by) { world_.clock.advance(by); }

  Status run_to_the_end() {
    lifecycle::EnforceRun run(*world_.store, {kNightly, lifecycle::Persist::yes, std::nullopt});
    while (true) {
      ASSIGN_OR_RETURN(const bool more, run.step());
      if (!more) return {};
    }
  }
  // Now and then the machine falls in its midst.
  void run() {
    const bool falls = roll(4) == 0;
    if (falls) world_.disk.stop_at(1 + roll(120));
    const Status ran = run_to_the_end();
    EXPECT_TRUE(ran.ok() || falls) << ran.error().message;
    if (falls) fall();
  }

  void decide() {
    const auto plans = world_.store->list_plans("", 12);
    ASSERT_TRUE(done(plans));
    if (plans->rows.empty()) return;
    const domain::Plan& plan = plans->rows[roll(plans->rows.size())];
    const std::uint64_t dice = roll(20);
    if (dice == 0) {
      static_cast<void>(world_.store->reject(bob(), plan.id, "not now").ok());
    } else if (dice == 1) {
      static_cast<void>(world_.store->cancel(alice(), plan.id).ok());
    } else {
      const domain::Actor who = dice < 11 ? bob() : kCarol;
      static_cast<void>(world_.store->approve(who, plan.id, to_hex(plan.digest)).ok());
    }
    static_cast<void>(world_.execute().ok());
  }

  Uuid any() {
    auto at = born_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(roll(born_.size())));
    return at->first;
  }
  void hold() {
    const Uuid id = any();
    if (world_.hold({"asset=" + domain::id_text(domain::IdType::asset, id)}).ok()) ++held_[id];
  }
  void lift() {
    const auto holds = world_.store->list_holds("", 100);
    ASSERT_TRUE(done(holds));
    for (const lifecycle::HoldView& view : holds->rows) {
      if (view.hold.lifted) continue;
      const auto shown = world_.store->show_hold(view.hold.id);
      ASSERT_TRUE(done(shown));
      if (shown->assets.empty()) continue;
      const Uuid bound = shown->assets.front().asset;
      ASSERT_TRUE(done(world_.store->lift_hold(bob(), view.hold.id, "settled")));
      --held_[bound];
      return;
    }
  }
  void load() {
    ceiling_ = kDay * static_cast<int>(5 + roll(15));
    const auto days = static_cast<std::uint64_t>(ceiling_.count() / 24);
    shortest_ = std::min(shortest_, ceiling_);
    ASSERT_TRUE(done(world_.store->load_policy(
        {kCarol, {{"rules.toml", policy_of(days)}}, "as agreed", lifecycle::Persist::yes})));
  }
  void retire() {
    lifecycle::RetireRequest request;
    request.actor = alice();
    request.assets = {any()};
    request.reason = "superseded";
    static_cast<void>(world_.store->retire(request).ok());
  }

  // Wrong for a while, in either direction, then right again; a person confirms only what is right.
  void jump() {
    ++jumps_;
    const hours by = roll(2) == 0 ? kDay * static_cast<int>(1 + roll(1'000))
                                  : -kDay * static_cast<int>(1 + roll(5));
    if (offset_ == hours(0)) {
      offset_ = by;
      world_.clock.set_wall(world_.clock.now() + by);
      return;
    }
    world_.clock.set_wall(true_now());
    offset_ = hours(0);
    ASSERT_TRUE(done(world_.store->confirm_clock(bob())));
    of_this_day_.clear();  // a new count of time begins by that person's word
  }

  void fall() {
    ++falls_;
    const Cut cuts[] = {Cut::lose_all, Cut::keep_all, Cut::scatter, Cut::tear};
    world_.crash({Crash::Kind::power_cut, cuts[roll(4)], random_() % 1'000'000});
    world_.disk.stop_at(0);
    ASSERT_TRUE(done(world_.open()));
  }

  // What is erased since the last look: by whose word, and whether it was time.
  void judge() {
    std::uint64_t unattended = 0;  // for plans of the nightly run,
    std::uint64_t unreleased = 0;  // and for those of them that nobody released
    for (const auto& [id, born] : born_) {
      if (gone_.count(id) != 0) continue;
      const auto asset = world_.store->glance_at_asset(id);
      ASSERT_TRUE(done(asset));
      if (asset->state != AssetState::erased) continue;
      const auto view = world_.store->show_asset(id);
      ASSERT_TRUE(done(view));
      gone_.insert(id);
      SCOPED_TRACE(born.name);
      EXPECT_EQ(held_[id], 0) << "erased under a legal hold";
      const auto row = world_.store->show_certificate(*view->certificate);
      ASSERT_TRUE(done(row));
      const auto plan = world_.store->show_plan(row->plan);
      ASSERT_TRUE(done(plan));
      judge_one(born.name, true_now() - born.at, plan->plan);
      if (plan->plan.origin == domain::PlanOrigin::person) continue;
      ++unattended;
      if (plan->plan.brake.empty()) ++unreleased;
    }
    judge_brake(unattended, unreleased);
  }

  void judge_one(const std::string& name, std::chrono::seconds age, const domain::Plan& plan) {
    std::set<std::uint32_t> people;
    for (const domain::Approval& approval : plan.approvals) people.insert(approval.actor.uid);
    EXPECT_EQ(people.count(plan.requester.uid), 0U) << "by one person alone";
    EXPECT_GE(people.size(), plan.brake.empty() ? 1U : 2U) << "without its approvals";
    if (name.starts_with("kept-")) {
      EXPECT_GE(age, kDay * 730) << "below a floor";
    }
    if (plan.origin == domain::PlanOrigin::person) {
      ++erased_by_people_;
      return;
    }
    ++erased_by_run_;
    EXPECT_TRUE(name.starts_with("log-")) << "no rule makes it due";
    EXPECT_GE(age, shortest_ + 7 * kDay) << "younger than its class says, and its grace";
  }

  void judge_brake(std::uint64_t unattended, std::uint64_t unreleased) {
    if (unattended == 0) return;
    while (!of_this_day_.empty() && of_this_day_.front().first + kDay <= true_now()) {
      of_this_day_.pop_front();
    }
    std::uint64_t before = 0;
    for (const auto& [when, count] : of_this_day_) before += count;
    if (unreleased > 0) {
      EXPECT_LE(before + unreleased, kBrakeItems) << "more than the brake allows within a day";
    }
    of_this_day_.emplace_back(true_now(), unattended);
  }

  struct Born {
    std::string name;
    UtcTime at{};
  };
  World world_;
  std::mt19937_64 random_;
  std::map<Uuid, Born> born_;
  std::set<Uuid> gone_;
  std::map<Uuid, int> held_;
  hours offset_{0}, ceiling_{0}, shortest_{24 * 1'000};
  std::deque<std::pair<UtcTime, std::uint64_t>> of_this_day_;
  std::size_t names_ = 0, erased_by_run_ = 0, erased_by_people_ = 0, falls_ = 0, jumps_ = 0;
};

class RandomNights : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomNights, EraseNothingHeldOrYoungOrUnapprovedOrBeyondTheBrake) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  Nights nights(GetParam());
  nights.live(1'200);
  if (HasFailure()) return;
  EXPECT_GT(nights.erased_by_run(), 5U) << "it was a history at all";
  EXPECT_GT(nights.falls(), 5U);
  EXPECT_GT(nights.jumps(), 3U);
}

INSTANTIATE_TEST_SUITE_P(OfManySeeds, RandomNights,
                         ::testing::Range<std::uint64_t>(1, test_all() ? 101 : 7));

}  // namespace
}  // namespace aierase::test
