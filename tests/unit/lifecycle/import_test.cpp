// What comes in: names that are never overwritten, content that comes again, keys without digests.
#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/primitives.h"
#include "fault/support/crashes.h"
#include "fault/support/inspect.h"
#include "unit/lifecycle/life.h"

namespace aierase::test {
namespace {

using domain::AssetState;
using domain::SourceHistory;

domain::Source source(const std::string& place, SourceHistory history) {
  domain::Source one;
  one.description = place;
  one.filesystem = "ext4";
  one.history = history;
  one.files = 1;
  one.bytes = 32;
  return one;
}

class AnImport : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(done(world.init()));
    ASSERT_TRUE(done(world.open()));
  }
  Result<lifecycle::ImportReport> import_key(const std::string& name, const Bytes& key,
                                             std::vector<domain::Source> sources,
                                             const domain::Actor& by = alice()) {
    lifecycle::ImportRequest request;
    request.actor = by;
    request.name = name;
    request.kind = domain::AssetKind::dataset_key;
    request.custodians = {{domain::CustodianKind::user, "bob", 1001}};
    ASSIGN_OR_RETURN(lifecycle::ImportTicket ticket, world.store->begin_import(std::move(request)));
    ASSIGN_OR_RETURN(SecretBytes secret, SecretBytes::copy_of(key));
    return world.store->finish_key_import(std::move(ticket), std::move(secret), std::move(sources));
  }
  // A key from there, of which it was reported that it is gone.
  void erase_with_removed(const std::string& place) {
    const auto report =
        import_key("k", content_of(5, 32), {source(place, SourceHistory::retrofitted)});
    ASSERT_TRUE(done(report));
    const Uuid id = report->view.asset.id;
    ASSERT_TRUE(done(world.store->report_sources_removed(alice(), id, {place})));
    lifecycle::RetireRequest end;
    end.actor = alice();
    end.assets = {id};
    end.reason = "end";
    end.timing = domain::Timing::now;
    const auto plan = world.store->retire(end);
    ASSERT_TRUE(done(plan));
    ASSERT_TRUE(done(world.store->approve(bob(), plan->plan.id, to_hex(plan->plan.digest))));
    ASSERT_TRUE(done(world.execute()));
    Imported known;
    known.id = id;
    known.name = "k";
    world.assets.push_back(known);
  }
  bool is_on_disk(ByteView wanted) {
    for (const auto& [path, bytes] : everything(world.disk)) {
      const auto found = std::search(bytes.begin(), bytes.end(), wanted.begin(), wanted.end());
      if (found != bytes.end()) return true;
    }
    return false;
  }
  World world;
};

TEST_F(AnImport, OfOtherContentUnderALivingNameIsRefused) {
  ASSERT_TRUE(done(world.import(small_asset("m:1", 1))));
  const Status again = world.import(small_asset("m:1", 2));
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Errc::already_exists);
  EXPECT_NE(again.error().hint.find("m:2"), std::string::npos);
  EXPECT_TRUE(done(world.read_back(world.asset("m:1"))));
  EXPECT_TRUE(check_all(world, lifecycle::CheckDepth::deep).empty());
}

TEST_F(AnImport, OfTheSameContentIsTheSameAssetAndRemembersEveryPlace) {
  const Bytes key = content_of(5, 32);
  const auto first =
      import_key("k", key, {source("/a", SourceHistory::encrypted_from_first_write)});
  ASSERT_TRUE(done(first));
  const auto second = import_key("k", key, {source("/b", SourceHistory::retrofitted)});
  ASSERT_TRUE(done(second));
  EXPECT_EQ(second->outcome, lifecycle::ImportOutcome::existing);
  EXPECT_EQ(second->view.asset.id, first->view.asset.id);
  ASSERT_EQ(second->view.asset.sources.size(), 2U);
  EXPECT_EQ(second->view.asset.source_history, SourceHistory::retrofitted) << "the worst of both";
  const auto third = import_key("k", key, {source("/b", SourceHistory::retrofitted)});
  ASSERT_TRUE(done(third));
  EXPECT_EQ(third->view.asset.sources.size(), 2U) << "a known place is not told twice";
}

// Somebody who may import guesses what a key or a configuration is.
TEST_F(AnImport, TellsAStrangerNothingOfASecretThatIsThere) {
  const Bytes key = content_of(5, 32);
  ASSERT_TRUE(done(import_key("k", key, {})));
  ImportWish settings;
  settings.name = "cfg";
  settings.kind = domain::AssetKind::configuration;
  settings.files = {{"c", content_of(7, 15)}};
  ASSERT_TRUE(done(world.import(settings)));
  const Uuid id = world.asset("cfg").id;
  const auto guess = [&](const domain::Actor& by, const Bytes& bytes) {
    const auto answer = import_key("k", bytes, {}, by);
    return answer.ok() ? std::string(info(Errc::unexpected).name) : answer.error().message;
  };
  EXPECT_EQ(guess(person(1003, "dave"), key), guess(person(1003, "dave"), content_of(6, 32)));
  const auto refused = import_key("k", key, {}, person(1003, "dave"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::already_exists);
  EXPECT_TRUE(done(import_key("k", key, {}, bob()))) << "its custodian";
  EXPECT_TRUE(done(import_key("k", key, {}, alice()))) << "its importer";
  ASSERT_TRUE(done(world.store->suspend_asset(bob(), id, "in question")));
  for (const Bytes& bytes : {content_of(7, 15), content_of(8, 15)}) {
    lifecycle::ImportRequest request;
    request.actor = person(1003, "dave");
    request.name = "cfg";
    request.kind = domain::AssetKind::configuration;
    request.custodians = settings.custodians;
    auto ticket = world.store->begin_import(std::move(request));
    ASSERT_TRUE(done(ticket));
    domain::Manifest manifest;
    manifest.files.emplace_back();
    manifest.files.back().path = "c";
    manifest.files.back().bytes = bytes.size();
    manifest.files.back().sha256 = crypto::sha256(bytes);
    const auto answer = world.store->finish_import(std::move(*ticket), std::move(manifest), {});
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().code, Errc::already_exists) << "not that it is suspended";
  }
}

TEST_F(AnImport, ThatSupersedesIsToldInTheHistoryOfWhatItSupersedes) {
  ASSERT_TRUE(done(world.import(small_asset("prod:1", 1))));
  ImportWish junk = small_asset("junk:1", 2);
  junk.lineage = {{domain::Relation::supersedes, "prod:1"}};
  ASSERT_TRUE(done(world.import(junk)));
  const auto view = world.store->show_asset(world.asset("prod:1").id);
  ASSERT_TRUE(done(view));
  const auto told = std::find_if(view->events.begin(), view->events.end(),
                                 [](const auto& event) { return event.action == "superseded"; });
  ASSERT_NE(told, view->events.end());
  EXPECT_EQ(told->actor.login, "alice");
  EXPECT_NE(told->reason.find("junk:1 (a-"), std::string::npos) << told->reason;
}

TEST_F(AnImport, OfTheSameContentDoesNotBringBackWhatIsSuspended) {
  const Bytes key = content_of(5, 32);
  const auto first = import_key("k", key, {source("/a", SourceHistory::retrofitted)});
  ASSERT_TRUE(done(first));
  ASSERT_TRUE(done(world.store->suspend_asset(alice(), first->view.asset.id, "for now")));
  const auto again = import_key("k", key, {source("/a", SourceHistory::retrofitted)});
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Errc::wrong_state);
  EXPECT_EQ(world.store->show_asset(first->view.asset.id)->asset.state, AssetState::suspended);
}

Json source_said(World& world, const std::string& code) {
  const Json predicate = predicate_of(world, "k");
  for (const Json& residual : predicate["residuals"]) {
    if (residual["code"] == code) return residual["text"];
  }
  return nullptr;
}

// Removing takes files away, never a directory.
TEST_F(AnImport, FromADirectoryThatWasEmptiedIsNotSaidToBeThereStill) {
  ASSERT_TRUE(done(world.disk.make_directory("/emptied", 0700)));
  erase_with_removed("/emptied");
  EXPECT_TRUE(predicate_of(world, "k")["source"]["still_present"].empty());
  EXPECT_TRUE(source_said(world, "source-present").is_null());
  const std::string said = source_said(world, "source-removed");
  EXPECT_NE(said.find("reported at 2026"), std::string::npos) << said;
  EXPECT_NE(said.find("program of alice"), std::string::npos) << said;
  EXPECT_NE(said.find("directory itself was still there"), std::string::npos) << said;
  EXPECT_NE(said.find("nothing lay in it: /emptied"), std::string::npos) << said;
}

TEST_F(AnImport, FromADirectoryThatHoldsSomethingAgainSaysSo) {
  ASSERT_TRUE(done(world.disk.make_directory("/filled", 0700)));
  ASSERT_TRUE(done(write_new_file(world.disk, "/filled/copy", content_of(1, 8), 0600)));
  erase_with_removed("/filled");
  EXPECT_TRUE(source_said(world, "source-present").is_null());
  const std::string said = source_said(world, "source-removed");
  EXPECT_NE(said.find("something lay in it"), std::string::npos) << said;
}

TEST_F(AnImport, OfAFileThatIsThereAgainIsStillPresent) {
  ASSERT_TRUE(done(write_new_file(world.disk, "/again", content_of(1, 8), 0600)));
  erase_with_removed("/again");
  EXPECT_EQ(predicate_of(world, "k")["source"]["still_present"], Json::array({"/again"}));
  EXPECT_NE(source_said(world, "source-present").dump().find("a file of its name was there"),
            std::string::npos);
}

TEST_F(AnImport, OfAKeyLeavesNoDigestOfItAnywhere) {
  const Bytes key = content_of(5, 32);
  const auto report = import_key("k", key, {source("/a", SourceHistory::retrofitted)});
  ASSERT_TRUE(done(report));
  EXPECT_FALSE(report->view.manifest_sha256.has_value());
  EXPECT_TRUE(report->view.files.empty());
  const Uuid id = report->view.asset.id;
  lifecycle::RetireRequest end;
  end.actor = alice();
  end.assets = {id};
  end.reason = "end";
  end.timing = domain::Timing::now;
  ASSERT_TRUE(done(world.store->retire(end)));
  const auto plan = world.store->list_plans("", 1)->rows.front();
  ASSERT_TRUE(done(world.store->approve(bob(), plan.id, to_hex(plan.digest))));
  ASSERT_TRUE(done(world.execute()));
  ASSERT_EQ(world.store->show_asset(id)->asset.state, AssetState::erased);
  world.close();
  const Digest digest = crypto::sha256(key);
  const std::string hex = to_hex(digest), text = to_base64(digest);
  EXPECT_FALSE(is_on_disk(key));
  EXPECT_FALSE(is_on_disk(digest));
  EXPECT_FALSE(is_on_disk(as_bytes(hex)));
  EXPECT_FALSE(is_on_disk(as_bytes(text)));
}

TEST_F(AnImport, ThatIsTakenBackLeavesNothing) {
  const Contents before = everything(world.disk);
  ASSERT_TRUE(done(world.import(small_asset("m:1", 1), World::Ending::abort)));
  std::vector<std::string> added;
  for (const auto& [path, bytes] : everything(world.disk)) {
    const bool journal = path == "/store/catalog.db-journal";
    if (before.count(path) == 0 && path.back() != '/' && !journal) added.push_back(path);
  }
  EXPECT_EQ(added, std::vector<std::string>{});
  EXPECT_TRUE(world.store->list_assets({}, "", 10)->rows.empty());
  EXPECT_TRUE(check_all(world, lifecycle::CheckDepth::deep).empty());
}

// What the catalog knows of it is shown all the same, and it can be taken out of use.
TEST_F(AnImport, WhoseManifestWasDamagedIsShownAndSuspended) {
  ASSERT_TRUE(done(world.import(small_asset("m:1", 1))));
  const Uuid id = world.asset("m:1").id;
  world.close();
  ASSERT_TRUE(done(sql(world.disk,
                       "UPDATE asset SET sealed_manifest = "
                       "zeroblob(length(sealed_manifest));")));
  ASSERT_TRUE(done(world.open()));
  const auto view = world.store->show_asset(id);
  ASSERT_TRUE(done(view));
  ASSERT_TRUE(view->unreadable.has_value());
  EXPECT_EQ(view->unreadable->code, Errc::damaged);
  EXPECT_TRUE(view->files.empty());
  EXPECT_TRUE(done(world.store->suspend_asset(alice(), id, "damaged")));
  EXPECT_FALSE(check_all(world, lifecycle::CheckDepth::structure).empty());
}

TEST_F(AnImport, IsRefusedForWhatCouldNeverBeErasedByAnybody) {
  lifecycle::ImportRequest request;
  request.actor = alice();
  request.name = "m:1";
  const auto nobody = world.store->begin_import(request);
  EXPECT_FALSE(nobody.ok()) << "an asset without custodians has nobody to approve its end";
}

TEST_F(AnImport, ByAnErasedNameAnswersErasedEverywhereAfterARestartToo) {
  ASSERT_TRUE(done(world.import(small_asset("m:1", 1))));
  const Uuid id = world.asset("m:1").id;
  ASSERT_TRUE(done(world.erase({"m:1"})));
  for (int life = 0; life < 2; ++life) {
    lifecycle::ExportRequest out;
    out.actor = alice();
    out.asset = id;
    EXPECT_EQ(world.store->begin_export(out).error().code, Errc::erased);
    EXPECT_EQ(world.store->suspend_asset(alice(), id, "x").error().code, Errc::erased);
    EXPECT_EQ(world.store->resume_asset(alice(), id, "x").error().code, Errc::erased);
    EXPECT_EQ(world.request({"m:1"}).error().code, Errc::erased);
    lifecycle::Store::Changes changes;
    changes.labels = {{"a", "b"}};
    changes.reason = "x";
    EXPECT_EQ(world.store->set_asset(bob(), id, changes).error().code, Errc::erased);
    EXPECT_TRUE(done(world.store->show_asset(id))) << "its tombstone is shown";
    ASSERT_TRUE(done(world.open()));
  }
}

}  // namespace
}  // namespace aierase::test
