// Rows of the catalog and blobs that are missing, exchanged or damaged: the asset that they belong
// to is named and not read, the others are served, and nothing living goes with an erasure.
#include <gtest/gtest.h>

#include <algorithm>

#include "blob/layout.h"
#include "fault/support/refusals.h"

namespace aierase::test {
namespace {

using lifecycle::CheckDepth;
using lifecycle::Finding;

class DamagedRows : public ARefusal {
 protected:
  void change(const std::string& statements) { ASSERT_TRUE(done(sql(world.disk, statements))); }

  // Exchanges columns of model-1 and model-2; a second time puts them back.
  void exchange(const std::vector<std::string>& columns) {
    std::string text =
        "CREATE TEMP TABLE t AS SELECT * FROM asset WHERE name LIKE 'model-1%' OR "
        "name LIKE 'model-2%'; UPDATE asset SET leaf = leaf + 100000 "
        "WHERE id IN (SELECT id FROM t);";
    for (const std::string& column : columns) {
      text += "UPDATE asset SET " + column + " = (SELECT t." + column +
              " FROM t WHERE t.id <> asset.id) WHERE id IN (SELECT id FROM t);";
    }
    text += "UPDATE asset SET leaf = leaf - 100000 WHERE leaf >= 100000;";
    change(text);
  }

  // The asset cannot be read, and is not half read either: no export is recorded.
  void expect_unreadable(const std::string& name, const Words& words) {
    const Contents before = everything(world.disk);
    ASSERT_TRUE(done(world.open()));
    const Status read = world.read_back(world.asset(name));
    world.close();
    expect_clear(read, Errc::damaged, words);
    EXPECT_EQ(differences(before, everything(world.disk)), "") << "it was touched";
  }

  // Rows alone: what is sealed may not open. The one certificate is that of model-3.
  void expect_not_erased(const std::string& name) {
    const auto asset = world.store->glance_at_asset(world.asset(name).id);
    ASSERT_TRUE(done(asset));
    EXPECT_NE(asset->state, domain::AssetState::erased) << name;
    EXPECT_TRUE(asset->leaf.has_value()) << name;
    const auto certificates = world.store->list_certificates("", 10);
    ASSERT_TRUE(done(certificates));
    EXPECT_EQ(certificates->rows.size(), 1U);
  }

  void expect_readable(const std::string& name) {
    ASSERT_TRUE(done(world.open()));
    EXPECT_TRUE(done(world.read_back(world.asset(name)))) << name;
    world.close();
  }

  void expect_check_names(const std::string& code) {
    ASSERT_TRUE(done(world.open()));
    const std::vector<Finding> findings = check_all(world, CheckDepth::structure);
    world.close();
    const auto named = std::find_if(findings.begin(), findings.end(),
                                    [&](const Finding& one) { return one.code == code; });
    ASSERT_NE(named, findings.end()) << code << " is not in: " << to_string(findings);
    EXPECT_EQ(named->severity, Finding::Severity::error);
    EXPECT_FALSE(named->text.empty());
    EXPECT_FALSE(named->mend.empty());
  }
};

// A non-zero entry whose row is not there is damage, never "no asset": nothing may be written over
// it, and nothing living may go with it.
TEST_F(DamagedRows, ThatAreMissingInTheKeyTreeAreNamedAndNeverTakenForEmpty) {
  for (const int level : {4, 3, 2, 1, 0}) {
    SCOPED_TRACE("level " + std::to_string(level));
    put_back_database_and_slot();
    change("DELETE FROM node WHERE (id >> 56) = " + std::to_string(level) + ";");
    if (level == 4) {
      expect_refused(Errc::damaged, {"root node", "missing", "put"});
      continue;
    }
    expect_unreadable("model-0", {"node", "missing", "put"});
    expect_check_names("tree-damaged");
    ASSERT_TRUE(done(world.open()));
    const Status imported = world.import(small_asset("model-9", 90));
    expect_clear(imported, Errc::damaged, {"node", "missing", "put"});
    const Status retired = world.retire({"model-0"});
    if (retired.ok()) static_cast<void>(world.execute().ok());
    expect_not_erased("model-0");
    world.close();
  }
  put_back_database_and_slot();
  expect_all_readable();
}

TEST_F(DamagedRows, InTheKeyTreeAreNamed) {
  change(
      "UPDATE node SET node = CAST(substr(node, 1, 500) || x'00' || substr(node, 502) AS BLOB) "
      "WHERE (id >> 56) = 0;");
  expect_unreadable("model-2", {"node"});
  expect_check_names("tree-damaged");
  put_back_database_and_slot();
  expect_all_readable();
}

struct Exchange {
  const char* name;
  std::vector<std::string> columns;
  const char* found_as;
};

TEST_F(DamagedRows, ThatWereExchangedOpenNothing) {
  const std::vector<Exchange> exchanges{
      {"leaves", {"leaf"}, "key-missing"},
      {"key check values", {"kcv"}, "key-missing"},
      {"leaves and key check values", {"leaf", "kcv"}, "key-missing"},
      {"manifests", {"sealed_manifest"}, "manifest-damaged"},
      {"all that is sealed", {"leaf", "kcv", "sealed_manifest"}, "key-missing"}};
  for (const Exchange& one : exchanges) {
    SCOPED_TRACE(one.name);
    exchange(one.columns);
    for (const char* name : {"model-1", "model-2"}) expect_unreadable(name, {name, "check"});
    expect_readable("model-0");
    expect_check_names(one.found_as);
    exchange(one.columns);
    expect_all_readable();
  }
}

// With the leaf of another in its row an erased asset would take a living one along.
TEST_F(DamagedRows, ThatWereExchangedDoNotLetAnErasureTakeTheOther) {
  for (const std::vector<std::string>& columns : {std::vector<std::string>{"leaf"},
                                                  {"kcv"},
                                                  {"leaf", "kcv"},
                                                  {"leaf", "kcv", "sealed_manifest"}}) {
    put_back_database_and_slot();
    exchange(columns);
    ASSERT_TRUE(done(world.open()));
    const Status erased = world.erase({"model-1"});
    if (!erased.ok()) expect_clear(erased, erased.error().code, {"model-1"});
    for (const char* name : {"model-1", "model-2"}) {
      expect_not_erased(name);
    }
    world.close();
    exchange(columns);
    ASSERT_TRUE(done(world.open()));
    const auto view = world.store->show_asset(world.asset("model-1").id);
    ASSERT_TRUE(done(view));
    if (view->asset.state == domain::AssetState::suspended) {
      ASSERT_TRUE(done(world.store->resume_asset(alice(), world.asset("model-1").id, "mended")));
    }
    expect_all_readable();
  }
}

TEST_F(DamagedRows, OfAManifestOrASealedKeyAreNamed) {
  change(
      "UPDATE asset SET sealed_manifest = CAST(substr(sealed_manifest, 1, 40) || x'5a5a' || "
      "substr(sealed_manifest, 43) AS BLOB) WHERE name LIKE 'model-1%';");
  expect_unreadable("model-1", {"manifest", "model-1", "check"});
  expect_check_names("manifest-damaged");
  for (const char* name : {"model-0", "model-2", "corpus-key"}) expect_readable(name);
  put_back_database_and_slot();
  change(
      "UPDATE asset SET sealed_payload = CAST(substr(sealed_payload, 1, 40) || x'5a5a' || "
      "substr(sealed_payload, 43) AS BLOB) WHERE name LIKE 'corpus-key%';");
  expect_unreadable("corpus-key", {"sealed key", "corpus-key", "check"});
  expect_check_names("sealed-key-damaged");
  for (const char* name : {"model-0", "model-1", "model-2"}) expect_readable(name);
  put_back_database_and_slot();
  expect_all_readable();
}

// An approval that nobody gave: the log does not know it.
TEST_F(DamagedRows, OfAnApprovalDoNotLetAnythingGo) {
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(world.request({"model-0"})));
  world.close();
  change(
      "UPDATE plan SET state = 'approved', due = 1;"
      "UPDATE asset SET state = 'retired' WHERE name LIKE 'model-0%';");
  ASSERT_TRUE(done(world.open()));
  static_cast<void>(world.execute().ok());
  const auto view = world.store->show_asset(world.asset("model-0").id);
  ASSERT_TRUE(done(view));
  EXPECT_NE(view->asset.state, domain::AssetState::erased);
  EXPECT_EQ(world.stolen().count(world.asset("model-0").id), 1U);
}

std::string blob_of(World& world, const std::string& name) {
  EXPECT_TRUE(done(world.open()));
  const auto view = world.store->show_asset(world.asset(name).id);
  EXPECT_TRUE(done(view));
  std::string path;
  if (view.ok() && !view->files.empty()) {
    path = blob::blob_path("/store/blobs", view->files.front().blob);
  }
  world.close();
  return path;
}

TEST_F(ARefusal, MeetsADamagedBlob) {
  const std::string path = blob_of(world, "model-1");
  ASSERT_EQ(good.count(path), 1U);
  const Bytes whole = good.at(path);
  const std::vector<std::function<void()>> accidents{
      [&] { spoil(world.disk, path, 4096 + 10, 1); },
      [&] { spoil(world.disk, path, whole.size() - 1, 1); },
      [&] { spoil(world.disk, path, 4090, 6); },
      [&] { put(path, ByteView(whole).first(whole.size() - 20)); },
      [&] { put(path, {}); },
      [&] { put(path, good.at(blob_of(world, "model-2"))); }};
  for (std::size_t i = 0; i < accidents.size(); ++i) {
    SCOPED_TRACE("accident " + std::to_string(i));
    accidents[i]();
    const Bytes spoiled = world.disk.content(path);
    ASSERT_TRUE(done(world.open()));
    const Status read = world.read_back(world.asset("model-1"));
    ASSERT_FALSE(read.ok());
    expect_clear(read, read.error().code, {path});
    EXPECT_TRUE(read.error().code == Errc::damaged ||
                read.error().code == Errc::verification_failed)
        << read.error().message;
    for (const char* name : {"model-0", "model-2", "corpus-key"}) {
      EXPECT_TRUE(done(world.read_back(world.asset(name)))) << name;
    }
    const std::vector<Finding> findings = check_all(world, CheckDepth::deep);
    ASSERT_FALSE(findings.empty());
    EXPECT_EQ(findings.front().severity, Finding::Severity::error);
    EXPECT_EQ(world.disk.content(path), spoiled);
    world.close();
    put_back(path);
    expect_all_readable();
  }
  ASSERT_TRUE(done(world.disk.rename(path, "/store/elsewhere")));
  ASSERT_TRUE(done(world.open()));
  const Status read = world.read_back(world.asset("model-1"));
  ASSERT_FALSE(read.ok());
  expect_clear(read, read.error().code, {path});
  world.close();
  ASSERT_TRUE(done(world.disk.rename("/store/elsewhere", path)));
  expect_all_readable();
}

}  // namespace
}  // namespace aierase::test
