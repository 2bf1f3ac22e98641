// The audit in the store: durable with the first effect, or there is none.
#include "domain/ids.h"
#include "unit/lifecycle/life.h"

namespace aierase::test {
namespace {

using domain::AuditRow;
using domain::IdType;
using lifecycle::AuditTrail;
using Part = AuditTrail::Part;

class TheAudit : public ::testing::Test {
 protected:
  void SetUp() override {
    world.audit = &trail;
    ASSERT_TRUE(done(world.init()));
    ASSERT_TRUE(done(world.open()));
    ASSERT_TRUE(done(world.import(small_asset("acme/llama:1", 1))));
  }

  AuditRow call(const std::string& method, IdType type, const Uuid& subject) {
    AuditRow row;
    row.time = row.last = world.clock.now();
    row.actor = alice();
    row.action = "export";
    row.method = method;
    row.subjects = {{domain::id_text(type, subject), ""}};
    row.outcome = domain::kAuditOk;
    return row;
  }
  AuditRow call(const std::string& method) {
    return call(method, IdType::asset, world.asset("acme/llama:1").id);
  }
  // It names a row that is not there: the catalog refuses it.
  AuditRow unwritable() {
    AuditRow row = call("Asset.Show");
    row.begun = 999'999;
    return row;
  }
  // Of calls; notices have tests of their own.
  std::vector<AuditRow> rows(const lifecycle::Store::AuditRequest& request = {}) {
    auto page = world.store->audit(request, "", 200);
    EXPECT_TRUE(done(page));
    if (!page.ok()) return {};
    std::erase_if(page->rows, [](const AuditRow& row) { return row.notice.has_value(); });
    return std::move(page->rows);
  }
  void reopen() {
    trail = AuditTrail();
    world.crash({});
    ASSERT_TRUE(done(world.open()));
  }
  std::size_t exports() {
    const auto view = world.store->show_asset(world.asset("acme/llama:1").id);
    EXPECT_TRUE(done(view));
    return view.ok() ? view->exports.size() : 0;
  }

  AuditTrail trail;
  World world;
};

TEST_F(TheAudit, OfAnExportIsDurableWithItsRecordAndTellsWhatTheDaemonDidNotLiveToSee) {
  trail.begin(1, call("Asset.Export"));
  ASSERT_TRUE(done(world.read_back(world.asset("acme/llama:1"))));
  reopen();
  ASSERT_EQ(rows().size(), 1u);
  EXPECT_EQ(rows()[0].outcome, domain::kAuditBegun);
  EXPECT_EQ(rows()[0].method, "Asset.Export");
  EXPECT_EQ(rows()[0].actor.uid, alice().uid);
  EXPECT_EQ(rows()[0].actor.audit_login_uid, alice().audit_login_uid);
}

TEST_F(TheAudit, OfACallThatHasEndedIsToldByItsLastRowAlone) {
  trail.begin(1, call("Asset.Export"));
  ASSERT_TRUE(done(world.read_back(world.asset("acme/llama:1"))));
  trail.end(1, call("Asset.Export"));
  ASSERT_TRUE(done(world.store->flush_audit(Part::due)));
  ASSERT_EQ(rows().size(), 1u);
  EXPECT_EQ(rows()[0].outcome, domain::kAuditOk);
  EXPECT_TRUE(rows()[0].begun);
  EXPECT_TRUE(done(world.store->flush_audit(Part::all)));
  EXPECT_EQ(rows().size(), 1u);
}

TEST_F(TheAudit, ThatCannotBeWrittenKeepsEveryByteInside) {
  trail.end(0, unwritable());
  trail.begin(1, call("Asset.Export"));
  EXPECT_FALSE(world.read_back(world.asset("acme/llama:1")).ok());
  EXPECT_FALSE(world.store->flush_audit(Part::due).ok());
  reopen();
  EXPECT_EQ(exports(), 0u);
  EXPECT_TRUE(rows().empty());
  EXPECT_TRUE(done(world.read_back(world.asset("acme/llama:1"))));
}

TEST_F(TheAudit, ThatCannotBeWrittenKeepsEveryKeyAlive) {
  ASSERT_TRUE(done(world.retire({"acme/llama:1"})));
  trail.end(0, unwritable());
  trail.begin(1, call("Daemon.ExecuteDue"));
  EXPECT_FALSE(world.execute().ok());
  EXPECT_EQ(world.stolen().size(), 1u);  // who has the slot as it is now reads it still
  EXPECT_EQ(state_of(world, "acme/llama:1"), domain::AssetState::retired);
  reopen();
  ASSERT_TRUE(done(world.execute()));
  EXPECT_TRUE(world.stolen().empty());
  EXPECT_EQ(state_of(world, "acme/llama:1"), domain::AssetState::erased);
}

TEST_F(TheAudit, ThatFailsAfterThePointOfNoReturnKeepsNoCertificateBack) {
  ASSERT_TRUE(done(world.retire({"acme/llama:1"})));
  trail.begin(1, call("Daemon.ExecuteDue"));
  world.hook = [&](lifecycle::EraseStep step) {
    if (step == lifecycle::EraseStep::zero_slot) trail.end(0, unwritable());
  };
  static_cast<void>(world.execute().ok());
  EXPECT_EQ(state_of(world, "acme/llama:1"), domain::AssetState::erased);
  EXPECT_FALSE(certificate_of(world, "acme/llama:1").statement.empty());
  reopen();
  ASSERT_EQ(rows().size(), 1u);
  EXPECT_EQ(rows()[0].outcome, domain::kAuditBegun);
}

TEST_F(TheAudit, OnAFullDiskWaitsAndErasureGoesOn) {
  ASSERT_TRUE(done(world.retire({"acme/llama:1"})));
  for (int i = 0; i < 10; ++i) trail.end(0, call("Asset.Show" + std::to_string(i)));
  trail.begin(1, call("Daemon.ExecuteDue"));
  constexpr std::uint64_t kNoLimit = 1ULL << 40U;
  const auto free = world.disk.free_space(kStoreDirectory);
  ASSERT_TRUE(done(free));
  world.disk.set_capacity(kNoLimit - *free);
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state_of(world, "acme/llama:1"), domain::AssetState::erased);
  EXPECT_TRUE(trail.waits());
  world.disk.set_capacity(kNoLimit);
  ASSERT_TRUE(done(world.store->flush_audit(Part::all)));
  EXPECT_EQ(rows().size(), 11u);
}

TEST_F(TheAudit, OfAnAssetHasItsPlansItsHoldsAndItsCertificate) {
  ASSERT_TRUE(done(world.import(small_asset("other:1", 2))));
  const Uuid other = world.asset("other:1").id;
  ASSERT_TRUE(done(world.hold({"name=other"})));
  const auto holds = world.store->list_holds("", 1);
  ASSERT_TRUE(done(holds));
  ASSERT_TRUE(done(world.erase({"acme/llama:1"})));
  const Uuid plan = latest_plan(world).plan.id;
  const Uuid certificate = certificate_of(world, "acme/llama:1").id;

  trail.end(0, call("Plan.Approve", IdType::plan, plan));
  trail.end(0, call("Certificate.Show", IdType::certificate, certificate));
  trail.end(0, call("Hold.Place", IdType::hold, holds->rows.at(0).hold.id));
  trail.end(0, call("Asset.Show", IdType::asset, other));
  AuditRow guess = call("Asset.Retire");
  guess.subjects = {{"", "other:1"}};
  trail.end(0, guess);
  ASSERT_TRUE(done(world.store->flush_audit(Part::all)));

  lifecycle::Store::AuditRequest request;
  request.asset = {world.asset("acme/llama:1").id, "acme/llama:1"};
  ASSERT_EQ(rows(request).size(), 2u);
  EXPECT_EQ(rows(request)[0].method, "Plan.Approve");
  EXPECT_EQ(rows(request)[1].method, "Certificate.Show");
  request.asset = {other, "other:1"};
  ASSERT_EQ(rows(request).size(), 3u);
  EXPECT_EQ(rows(request)[2].method, "Asset.Retire");
}

TEST_F(TheAudit, ComesInPagesByPersonOutcomeAndTime) {
  for (int minute = 0; minute < 5; ++minute) {
    AuditRow row = call("Asset.Show");
    row.actor = minute % 2 == 0 ? alice() : bob();
    row.outcome = minute == 4 ? "access_denied" : "ok";
    trail.end(0, row);
    world.clock.advance(std::chrono::minutes(2));
  }
  ASSERT_TRUE(done(world.store->flush_audit(Part::all)));
  const auto first = world.store->audit({}, "", 2);
  ASSERT_TRUE(done(first));
  EXPECT_EQ(first->rows.size(), 2u);
  const auto second = world.store->audit({}, first->next, 200);
  ASSERT_TRUE(done(second));
  EXPECT_EQ(second->rows.size(), 3u);
  EXPECT_TRUE(second->next.empty());
  EXPECT_TRUE(world.store->audit({}, std::to_string(second->newest), 200)->rows.empty());

  lifecycle::Store::AuditRequest request;
  request.query.uid = alice().uid;
  EXPECT_EQ(rows(request).size(), 3u);
  request.query.outcome = "access_denied";
  EXPECT_EQ(rows(request).size(), 1u);
  request.query = {};
  request.query.login = "bob";
  request.query.since = second->rows.back().time - std::chrono::minutes(3);
  EXPECT_EQ(rows(request).size(), 1u);
  request.query.until = *request.query.since - std::chrono::minutes(1);
  EXPECT_TRUE(rows(request).empty());
  EXPECT_FALSE(world.store->audit({}, "x", 2).ok());
}

TEST_F(TheAudit, IsCountedBesideTheOtherMeasures) {
  trail.end(0, call("Asset.Show"));
  ASSERT_TRUE(done(world.erase({"acme/llama:1"})));
  ASSERT_TRUE(done(world.store->flush_audit(Part::all)));
  const auto measures = world.store->measures();
  ASSERT_TRUE(done(measures));
  EXPECT_EQ(measures->counted.audit_rows, 3) << "the call, and that plan and validation wait";
  EXPECT_EQ(measures->counted.certificates.at("awaiting"), 1u);
  EXPECT_EQ(measures->counted.plans.at("done"), 1u);
  EXPECT_TRUE(measures->counted.last_erasure);
  EXPECT_FALSE(measures->counted.oldest_open_plan);
  ASSERT_TRUE(done(world.import(small_asset("later:1", 3))));
  ASSERT_TRUE(done(world.request({"later:1"})));
  EXPECT_TRUE(world.store->measures()->counted.oldest_open_plan);
}

}  // namespace
}  // namespace aierase::test
