// Every other act of people, stopped at every operation: it is there whole or not at all, and what
// was answered with yes stays.
#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/primitives.h"
#include "fault/support/crashes.h"
#include "fault/support/inspect.h"
#include "lifecycle/standing.h"

namespace aierase::test {
namespace {

using lifecycle::Store;

template <typename Outcome>
Status status_of(const Outcome& outcome) {
  return outcome.ok() ? Status() : Status(outcome.error());
}

Result<Uuid> newest_plan(World& world) {
  ASSIGN_OR_RETURN(const auto plans, world.store->list_plans("", 1));
  if (plans.rows.empty()) return make_error(Errc::not_found, "no plan");
  return plans.rows.front().id;
}

Status approve(World& world) {
  ASSIGN_OR_RETURN(const Uuid id, newest_plan(world));
  ASSIGN_OR_RETURN(const lifecycle::PlanView view, world.store->show_plan(id));
  return status_of(world.store->approve(bob(), id, to_hex(view.plan.digest).substr(0, 16)));
}

Status request_two(World& world) {
  return status_of(world.request({"model-0", "model-1"}));
}

Status request_and_approve(World& world) {
  RETURN_IF_ERROR(request_two(world));
  return approve(world);
}

Status nothing(World&) {
  return {};
}

Status export_model(World& world) {
  lifecycle::ExportRequest request;
  request.actor = alice();
  request.asset = world.asset("model-0").id;
  request.destination = "standard output";
  return status_of(world.store->begin_export(std::move(request)));
}

Status release_key(World& world) {
  lifecycle::ExportRequest request;
  request.actor = alice();
  request.asset = world.asset("corpus-key").id;
  request.destination = "a descriptor";
  return status_of(world.store->begin_export(std::move(request)));
}

Status suspend(World& world) {
  return status_of(world.store->suspend_asset(alice(), world.asset("model-0").id, "a finding"));
}

Status resume(World& world) {
  return status_of(world.store->resume_asset(alice(), world.asset("model-0").id, "cleared"));
}

Status set(World& world) {
  Store::Changes changes;
  changes.labels = {{"team", "vision"}, {"stage", "retired-soon"}, {"gone", std::nullopt}};
  changes.custodians = {{domain::CustodianKind::user, "bob", 1001},
                        {domain::CustodianKind::group, "owners", 2000}};
  changes.reason = "reorganised";
  return status_of(world.store->set_asset(bob(), world.asset("model-0").id, changes));
}

Status label(World& world) {
  Store::Changes changes;
  changes.labels = {{"gone", "soon"}};
  changes.reason = "first";
  return status_of(world.store->set_asset(bob(), world.asset("model-0").id, changes));
}

Status reject(World& world) {
  ASSIGN_OR_RETURN(const Uuid id, newest_plan(world));
  return status_of(world.store->reject(bob(), id, "still in use"));
}

Status cancel(World& world) {
  ASSIGN_OR_RETURN(const Uuid id, newest_plan(world));
  return status_of(world.store->cancel(alice(), id));
}

Status hold(World& world) {
  return world.hold({"name=model-0"});
}

Status tighten(World& world) {
  return world.store->tighten_people_rule(alice());
}

Status expire(World& world) {
  world.clock.advance(std::chrono::hours(31 * 24));
  return status_of(world.store->execute_due());
}

Status execute_once(World& world) {
  return status_of(world.store->execute_due());
}

Status load_policy(World& world) {
  return status_of(world.store->load_policy(
      {alice(),
       {{"rules.toml", "[class.drafts]\nmatch = [\"name=model-*\"]\nerase-after = \"30 days\"\n"}},
       "agreed"}));
}

Status approve_in_advance(World& world) {
  return status_of(world.store->approve_standing(
      {bob(), "drafts", world.clock.now() + std::chrono::hours(100 * 24)}));
}

Status policy_and_approval(World& world) {
  RETURN_IF_ERROR(load_policy(world));
  return approve_in_advance(world);
}

Status revoke_in_advance(World& world) {
  return status_of(world.store->revoke_standing({bob(), "drafts", "not these"}));
}

Status until_due(World& world) {
  RETURN_IF_ERROR(policy_and_approval(world));
  world.clock.advance(std::chrono::hours(31 * 24));
  return {};
}

// Made, approved in advance and retired in one act.
Status request_by_night(World& world) {
  lifecycle::RetireRequest request;
  request.actor = person(900, "aierase-enforce");
  request.assets = {world.asset("model-0").id, world.asset("model-1").id};
  request.reason = "due";
  request.origin = domain::PlanOrigin::enforce;
  return status_of(world.store->retire(request));
}

// Asked for without grace, which the policy that comes meanwhile gives.
Status calm_policy(World& world) {
  lifecycle::RetireRequest request;
  request.actor = alice();
  request.assets = {world.asset("model-0").id, world.asset("model-1").id};
  request.reason = "superseded";
  request.timing = domain::Timing::now;
  RETURN_IF_ERROR(status_of(world.store->retire(request)));
  return status_of(world.store->load_policy(
      {alice(),
       {{"rules.toml", "[class.calm]\nmatch = [\"name=model-*\"]\ngrace = \"2 days\"\n"}},
       "agreed"}));
}

Status find_stale(World& world) {
  const Status approved = approve(world);
  return !approved.ok() && approved.error().code == Errc::plan_stale ? Status() : approved;
}

// One is erased for good, the other waits for a hold.
Status erase_the_first(World& world) {
  RETURN_IF_ERROR(request_and_approve(world));
  RETURN_IF_ERROR(world.hold({"name=model-1"}));
  world.clock.advance(std::chrono::hours(8 * 24));
  return world.execute();
}

// Both have fallen out, and the plan is still to end.
Status let_all_fall_out(World& world) {
  RETURN_IF_ERROR(request_two(world));
  ImportWish late = small_asset("late", 77);
  late.lineage = {{domain::Relation::derived_from, "model-0"},
                  {domain::Relation::derived_from, "model-1"}};
  RETURN_IF_ERROR(world.import(late));
  RETURN_IF_ERROR(approve(world));
  world.clock.advance(std::chrono::hours(8 * 24));
  return execute_once(world);
}

Status erase_one(World& world) {
  return world.erase({"model-0"});
}

Result<Uuid> certificate_of_one(World& world) {
  ASSIGN_OR_RETURN(const lifecycle::AssetView view,
                   world.store->show_asset(world.asset("model-0").id));
  if (view.certificate) return *view.certificate;
  return make_error(Errc::not_found, "no certificate");
}

Status validate(World& world) {
  lifecycle::ValidateRequest request;
  request.actor = bob();
  ASSIGN_OR_RETURN(request.certificate, certificate_of_one(world));
  return status_of(world.store->validate(request));
}

Status amend(World& world) {
  lifecycle::AmendRequest request;
  request.actor = bob();
  ASSIGN_OR_RETURN(request.certificate, certificate_of_one(world));
  request.evidence =
      domain::EvidenceFile{"tapes.pdf", crypto::sha256(as_bytes("tapes")), 5, "application/pdf"};
  request.closes = {"plaintext-elsewhere"};
  request.reason = "the tapes were burnt";
  return status_of(world.store->amend(request));
}

Status erase_and_validate(World& world) {
  RETURN_IF_ERROR(erase_one(world));
  return validate(world);
}

struct ActCase {
  const char* name;
  Status (*prepare)(World&);
  Status (*act)(World&);
};
void PrintTo(const ActCase& one, std::ostream* out) {
  *out << one.name;
}

std::shared_ptr<const World::Moment> prepared(World& world, const ActCase& what) {
  EXPECT_TRUE(done(world.init()));
  EXPECT_TRUE(done(world.open()));
  for (int i = 0; i < 3; ++i) {
    const auto seed = static_cast<std::uint64_t>(10 * i + 1);
    EXPECT_TRUE(done(world.import(small_asset("model-" + std::to_string(i), seed))));
  }
  EXPECT_TRUE(done(world.import_key("corpus-key", content_of(99, 32))));
  EXPECT_TRUE(done(what.prepare(world)));
  world.close();
  world.disk.power_cut(Cut::keep_all, 1);
  return world.keep();
}

// What is so, and what the log says of how it came about: of one act never the one without the
// other.
std::string all_that_is_so(World& world) {
  std::string text = fingerprint(world);
  const auto rule = world.store->people_rule();
  text += rule == domain::PeopleRule::two_person ? "two people\n" : "one operator\n";
  world.close();
  for (const std::string& type : log_types(world.disk)) text += type + " ";
  EXPECT_TRUE(done(world.open()));
  return text;
}

class AnAct : public ::testing::TestWithParam<ActCase> {};

TEST_P(AnAct, MayBeStoppedAnywhereAndIsThereWholeOrNotAtAll) {
  World world;
  const auto start = prepared(world, GetParam());
  ASSERT_TRUE(done(world.open()));
  const std::string before = all_that_is_so(world);
  ASSERT_TRUE(done(GetParam().act(world)));
  const std::string after = all_that_is_so(world);
  ASSERT_NE(before, after) << "the act does nothing that this test sees";
  bool promised = false;
  std::size_t not_there = 0;
  std::size_t there = 0;
  StopPlan plan;
  plan.stride = 3;
  plan.act = [&](World& w) { promised = w.open().ok() && GetParam().act(w).ok(); };
  plan.check = [&](World& w) {
    const std::string now = all_that_is_so(w);
    if (now == after) {
      ++there;
    } else {
      ++not_there;
      EXPECT_EQ(now, before) << "half of the act";
      EXPECT_FALSE(promised) << "the act had been answered with yes";
    }
    expect_sound(w, Seen(), test_all() ? Look::thorough : Look::quick);
  };
  stop_everywhere(world, *start, plan);
  EXPECT_GT(not_there, 3U);
  EXPECT_GT(there, 0U);
}

TEST_P(AnAct, IsNotAnsweredWithYesWhenASyncFailed) {
  World world;
  const auto start = prepared(world, GetParam());
  ASSERT_TRUE(done(world.open()));
  const std::string before = all_that_is_so(world);
  ASSERT_TRUE(done(GetParam().act(world)));
  const std::string after = all_that_is_so(world);
  for (std::uint64_t n = 1;; ++n) {
    SCOPED_TRACE("failed sync " + std::to_string(n));
    world.go_back(*start);
    ASSERT_TRUE(done(world.open()));
    world.disk.fail_sync_at(n);
    const Status acted = GetParam().act(world);
    if (acted.ok()) break;
    EXPECT_TRUE(world.store->must_stop()) << acted.error().message;
    EXPECT_FALSE(world.import_key("another", std::nullopt).ok());
    world.crash({Crash::Kind::power_cut, n % 2 == 0 ? Cut::lose_all : Cut::tear, n});
    ASSERT_TRUE(done(world.open()));
    const std::string now = all_that_is_so(world);
    EXPECT_TRUE(now == before || now == after) << now;
    expect_sound(world, Seen(), Look::quick);
    ASSERT_FALSE(HasFailure());
  }
}

INSTANTIATE_TEST_SUITE_P(
    OfPeople, AnAct,
    ::testing::Values(
        ActCase{"export", nothing, export_model}, ActCase{"key release", nothing, release_key},
        ActCase{"suspend", nothing, suspend}, ActCase{"resume", suspend, resume},
        ActCase{"set", label, set}, ActCase{"retire", nothing, request_two},
        ActCase{"approve", request_two, approve}, ActCase{"reject", request_two, reject},
        ActCase{"cancel what is requested", request_two, cancel},
        ActCase{"cancel what is approved", request_and_approve, cancel},
        ActCase{"hold", nothing, hold}, ActCase{"tighten", nothing, tighten},
        ActCase{"approve in advance", load_policy, approve_in_advance},
        ActCase{"revoke in advance", policy_and_approval, revoke_in_advance},
        ActCase{"a plan of the night", until_due, request_by_night},
        ActCase{"expire", request_two, expire}, ActCase{"find stale", calm_policy, find_stale},
        ActCase{"cancel what has begun", erase_the_first, cancel},
        ActCase{"end what failed", let_all_fall_out, execute_once},
        ActCase{"validate", erase_one, validate}, ActCase{"amend", erase_and_validate, amend}));

// Ended without the signer's key: its record is signed by the start that has it, once.
TEST(ARecordThatWaits, IsSignedOnceWhereverTheStartIsStopped) {
  World world;
  prepared(world, {"", request_two, nothing});
  constexpr const char* kKey = "/slot-dir/signer.key";
  ASSERT_TRUE(done(world.disk.rename(kKey, "/elsewhere")));
  ASSERT_TRUE(done(world.open()));
  const auto plan = newest_plan(world);
  ASSERT_TRUE(done(plan));
  ASSERT_TRUE(done(world.store->cancel(alice(), *plan)));
  const auto waiting = world.store->show_plan(*plan);
  ASSERT_TRUE(waiting->refusal && waiting->refusal->signature.empty());
  world.close();
  ASSERT_TRUE(done(world.disk.rename("/elsewhere", kKey)));
  world.disk.power_cut(Cut::keep_all, 1);
  const auto start = world.keep();
  StopPlan stops;
  stops.stride = 3;
  stops.act = [](World& w) { static_cast<void>(w.open().ok()); };
  stops.check = [&](World& w) {
    const auto record = w.store->show_refusal(*plan);
    ASSERT_TRUE(done(record));
    EXPECT_EQ(record->issued, waiting->refusal->issued);
    w.close();
    const auto types = log_types(w.disk);
    EXPECT_EQ(std::count(types.begin(), types.end(), "refusal"), 1);
    ASSERT_TRUE(done(w.open()));
    expect_sound(w, Seen(), Look::quick);
  };
  stop_everywhere(world, *start, stops);
}

// A verdict that was given without the signer's key: its amendment is signed by the start that has
// it, once.
TEST(AVerdictThatWaits, IsSignedOnceWhereverTheStartIsStopped) {
  World world;
  prepared(world, {"", erase_one, nothing});
  constexpr const char* kKey = "/slot-dir/signer.key";
  ASSERT_TRUE(done(world.disk.rename(kKey, "/elsewhere")));
  ASSERT_TRUE(done(world.open()));
  const auto id = certificate_of_one(world);
  ASSERT_TRUE(done(id));
  ASSERT_TRUE(done(validate(world)));
  ASSERT_TRUE(world.store->amendments(*id)->empty());
  EXPECT_EQ(amend(world).error().code, Errc::wrong_state);
  world.close();
  ASSERT_TRUE(done(world.disk.rename("/elsewhere", kKey)));
  world.disk.power_cut(Cut::keep_all, 1);
  const auto start = world.keep();
  StopPlan stops;
  stops.stride = 3;
  stops.act = [](World& w) { static_cast<void>(w.open().ok()); };
  stops.check = [&](World& w) {
    const auto said = w.store->amendments(*id);
    ASSERT_TRUE(done(said));
    ASSERT_EQ(said->size(), 1U);
    EXPECT_EQ(w.store->validations(*id)->front().amendment, 1U);
    w.close();
    const auto types = log_types(w.disk);
    EXPECT_EQ(std::count(types.begin(), types.end(), "amendment"), 1);
    ASSERT_TRUE(done(w.open()));
    expect_sound(w, Seen(), Look::quick);
  };
  stop_everywhere(world, *start, stops);
}

// I6: the record is durable before the first byte leaves; the power goes at that very moment.
TEST(AnExport, IsOnRecordWhenItsFirstByteWasHandedOut) {
  World world;
  const auto start = prepared(world, {"", nothing, nothing});
  for (const Cut cut : {Cut::lose_all, Cut::scatter, Cut::tear}) {
    world.go_back(*start);
    ASSERT_TRUE(done(world.open()));
    ASSERT_TRUE(done(world.read_back(world.asset("model-1"))));
    world.crash({Crash::Kind::power_cut, cut, 3});
    ASSERT_TRUE(done(world.open()));
    const auto view = world.store->show_asset(world.asset("model-1").id);
    ASSERT_TRUE(done(view));
    ASSERT_EQ(view->exports.size(), 1U);
    EXPECT_EQ(view->exports.front().actor.login, "alice");
    EXPECT_EQ(view->exports.front().destination, "standard output");
  }
}

}  // namespace
}  // namespace aierase::test
