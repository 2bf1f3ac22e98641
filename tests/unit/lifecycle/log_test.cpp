// The log in public: what is signed, when, and what is never signed.
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/lifecycle/published_log.h"

namespace aierase::test {
namespace {

using certificate::CheckResult;

TEST_F(APublishedLog, HasNothingInItBeforeSomethingIsErasedOrAskedFor) {
  EXPECT_FALSE(published_head(world));
  ASSERT_TRUE(done(publish(world)));
  ASSERT_TRUE(published_head(world));
  EXPECT_EQ(published_head(world)->size, log_size());
  EXPECT_TRUE(verified(verify_published(world)));
}

TEST_F(APublishedLog, HasEveryLeafOnceTheDaemonIsIdleAfterAnErasure) {
  ASSERT_TRUE(done(world.erase({"model:1"})));
  ASSERT_TRUE(published_head(world));
  EXPECT_EQ(published_head(world)->size, log_size());
  EXPECT_TRUE(verified(verify_published(world)));
}

TEST_F(APublishedLog, IsSignedAnewOnlyWhenItHasGrown) {
  ASSERT_TRUE(done(publish(world)));
  const auto generation = world.store->status()->state.generation;
  ASSERT_TRUE(done(publish(world)));
  EXPECT_EQ(world.store->status()->state.generation, generation);
}

TEST_F(APublishedLog, GivesEachCertificateAProofThatIsTheSameForEver) {
  ASSERT_TRUE(done(world.erase({"model:1"})));
  const std::string bundle = bundle_of("model:1");
  const auto report = certificate::verify_bundle(bundle, trust_in(world));
  EXPECT_TRUE(verified(report));
  EXPECT_EQ(report.checks.back().name, "log");
  EXPECT_EQ(report.checks.back().result, CheckResult::passed);
  ASSERT_TRUE(done(world.erase({"model:2"})));
  world.close();
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(bundle_of("model:1"), bundle);
  EXPECT_TRUE(verified(certificate::verify_bundle(bundle_of("model:2"), trust_in(world))));
}

TEST_F(APublishedLog, ContinuesEachHeadThatItHadBefore) {
  ASSERT_TRUE(done(world.erase({"model:1"})));
  const auto before = published_head(world);
  ASSERT_TRUE(done(world.erase({"model:2"})));
  certificate::Continuity kept(*before);
  EXPECT_TRUE(verified(verify_published(world, &kept)));
  const auto log = log_head(world, before->size);
  ASSERT_TRUE(done(log));
  EXPECT_TRUE(translog::is_consistent(before->size, before->root, log->head.size, log->head.root,
                                      log->consistency));
  EXPECT_EQ(log_head(world, log->head.size + 1).error().code, Errc::verification_failed);
}

TEST_F(APublishedLog, WhoseFilesAreGoneIsWrittenAgainFromTheDatabase) {
  ASSERT_TRUE(done(world.erase({"model:1"})));
  const std::string bundle = bundle_of("model:1");
  const auto head = published_head(world);
  for (const char* name : {"/tile/0", "/tile/entries"}) {
    const std::string folder = std::string(kLogDirectory) + name;
    const auto tiles = world.disk.list(folder);
    for (const std::string& tile : *tiles) {
      const auto parts = world.disk.list(folder + "/" + tile);
      for (const std::string& part : *parts) {
        ASSERT_TRUE(done(world.disk.unlink(folder + "/" + tile + "/" + part)));
      }
    }
  }
  EXPECT_FALSE(verify_published(world).verified);
  EXPECT_EQ(bundle_of("model:1"), bundle);
  EXPECT_TRUE(verified(verify_published(world)));
  world.close();
  ASSERT_TRUE(done(world.disk.unlink(std::string(kLogDirectory) + "/checkpoint")));
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(published_head(world)->root, head->root);
}

TEST_F(APublishedLog, WhoseDirectoryIsRemovedIsWrittenAgainWithoutARestart) {
  ASSERT_TRUE(done(world.erase({"model:1"})));
  const std::string bundle = bundle_of("model:1");
  remove_all(kLogDirectory);
  EXPECT_EQ(bundle_of("model:1"), bundle);
  EXPECT_TRUE(verified(verify_published(world))) << "and its head with it";
  ASSERT_TRUE(done(world.read_back(world.asset("model:2"))));
  remove_all(std::string(kLogDirectory) + "/tile");
  EXPECT_FALSE(publish(world).ok()) << "nobody can have expected that";
  ASSERT_TRUE(done(publish(world)));
  EXPECT_TRUE(verified(verify_published(world)));
}

// The row is durable, its file is not there: whoever publishes next writes it.
TEST_F(APublishedLog, WhoseHeadCouldNotBeWrittenShowsItLater) {
  ASSERT_TRUE(done(publish(world)));
  ASSERT_TRUE(done(world.read_back(world.asset("model:1"))));
  world.close();
  const auto before = world.keep();
  ASSERT_TRUE(done(world.open()));
  world.disk.clear_log();
  ASSERT_TRUE(done(publish(world)));
  const std::vector<Operation> operations = world.disk.log();
  const auto shown = std::find_if(operations.begin(), operations.end(), [](const Operation& one) {
    return one.name == "rename" && one.path.ends_with("/checkpoint");
  });
  ASSERT_NE(shown, operations.end());
  const auto number = static_cast<std::uint64_t>(shown - operations.begin()) + 1;
  world.go_back(*before);
  ASSERT_TRUE(done(world.open()));
  world.disk.fail_operation_at(number);
  ASSERT_FALSE(publish(world).ok());
  EXPECT_NE(published_head(world)->size, log_size());
  ASSERT_TRUE(done(publish(world)));
  EXPECT_EQ(published_head(world)->size, log_size());
}

// A daemon serves others between two calls: none of them may go through a whole log.
TEST_F(APublishedLog, IsSignedAndMendedInSlices) {
  while (log_size() <= 1'100) ASSERT_TRUE(done(world.read_back(world.asset("model:1"))));
  const auto early = world.store->prove(1'050);
  ASSERT_TRUE(done(early));
  EXPECT_FALSE(*early);
  EXPECT_FALSE(published_head(world)) << "a thousand leaves are not signed in one call";
  ASSERT_TRUE(done(prove(world, 1'050)));
  remove_all(std::string(kLogDirectory) + "/tile/0/000");
  int calls = 1;
  for (auto proof = world.store->prove(3); !proof->has_value(); proof = world.store->prove(3)) {
    ASSERT_TRUE(done(proof));
    ++calls;
  }
  EXPECT_EQ(calls, 4) << "the miss, two slices of writing, the proof";
  EXPECT_TRUE(verified(verify_published(world)));
}

TEST_F(APublishedLog, ThatCannotBeReadNowIsNotWrittenAgain) {
  ASSERT_TRUE(done(world.erase({"model:1"})));
  const auto leaf = certificate_of(world, "model:1").log_index;
  const std::string tile =
      std::string(kLogDirectory) + "/tile/0/000.p/" + std::to_string(log_size());
  world.disk.fail_reads_of(tile);
  world.disk.clear_log();
  const auto proof = prove(world, leaf);
  ASSERT_FALSE(proof.ok());
  EXPECT_EQ(proof.error().code, Errc::io);
  EXPECT_EQ(world.disk.operations(), 0U);
  world.disk.fail_reads_of({});
  EXPECT_TRUE(done(prove(world, leaf)));
}

TEST_F(APublishedLog, IsTriedAgainAfterTenMinutesThoughTheClockWasSetBack) {
  const std::string in_the_way = std::string(kLogDirectory) + "/checkpoint";
  ASSERT_TRUE(done(world.disk.make_directory(kLogDirectory, 0755)));
  ASSERT_TRUE(done(world.disk.make_directory(in_the_way, 0755)));
  ASSERT_TRUE(done(world.erase({"model:1"})));
  EXPECT_EQ(finding_about("log"), "log-unpublished");
  ASSERT_TRUE(done(world.disk.remove_directory(in_the_way)));
  world.clock.set_wall(world.clock.now() - std::chrono::hours(24));
  world.clock.advance(std::chrono::minutes(9));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_FALSE(published_head(world));
  world.clock.advance(std::chrono::minutes(1));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_TRUE(published_head(world));
  EXPECT_EQ(finding_about("log"), "");
}

// As after the database was exchanged for one with another history.
TEST_F(APublishedLog, ThatWouldContradictItsLastHeadIsNotSigned) {
  ASSERT_TRUE(done(world.erase({"model:1"})));
  const auto head = published_head(world);
  world.close();
  ASSERT_TRUE(done(sql(world.disk, "UPDATE signed_head SET root = zeroblob(32);")));
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(publish(world).error().code, Errc::damaged);
  ASSERT_TRUE(done(world.erase({"model:2"})));
  EXPECT_EQ(published_head(world)->size, head->size) << "a head was signed over other leaves";
  EXPECT_EQ(finding_about("log"), "log-unpublished");
}

TEST_F(APublishedLog, OfWhichALeafWasChangedIsNotSigned) {
  ASSERT_TRUE(done(world.erase({"model:1"})));
  const auto head = published_head(world);
  ASSERT_TRUE(done(world.read_back(world.asset("model:2"))));
  world.close();
  ASSERT_TRUE(done(sql(world.disk, "UPDATE log_leaf SET leaf_hash = zeroblob(32) WHERE id = " +
                                       std::to_string(head->size) + ";")));
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(publish(world).error().code, Errc::damaged);
  EXPECT_EQ(published_head(world)->size, head->size);
}

TEST_F(APublishedLog, HasNoPartialTilesOfThoseThatAreFull) {
  ASSERT_TRUE(done(publish(world)));
  while (log_size() <= 300) ASSERT_TRUE(done(world.read_back(world.asset("model:1"))));
  EXPECT_TRUE(world.disk.stat(std::string(kLogDirectory) + "/tile/0/000.p")->has_value());
  ASSERT_TRUE(done(publish(world)));
  EXPECT_TRUE(verified(verify_published(world)));
  EXPECT_FALSE(world.disk.stat(std::string(kLogDirectory) + "/tile/0/000.p")->has_value());
  EXPECT_FALSE(world.disk.stat(std::string(kLogDirectory) + "/tile/entries/000.p")->has_value());
}

// What is there under a name for good is never written over, whoever changed it.
TEST_F(APublishedLog, WhoseFullTileSaysOtherwiseIsNotWrittenOver) {
  while (log_size() <= 300) ASSERT_TRUE(done(world.read_back(world.asset("model:1"))));
  ASSERT_TRUE(done(publish(world)));
  const std::string tile = std::string(kLogDirectory) + "/tile/0/000";
  world.close();
  overwrite(tile, Bytes(32, std::byte{7}));
  const Bytes changed = world.disk.content(tile);
  ASSERT_TRUE(done(world.open()));
  const auto proof = prove(world, 3);
  ASSERT_FALSE(proof.ok());
  EXPECT_EQ(proof.error().code, Errc::damaged);
  EXPECT_EQ(proof.error().subject, tile);
  EXPECT_EQ(finding_about("log"), "log-unpublished");
  EXPECT_EQ(world.disk.content(tile), changed);
}

}  // namespace
}  // namespace aierase::test
