// The file itself: creation, settings, formats, damage, transactions.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "catalog/connection.h"
#include "unit/catalog/catalog_fixture.h"

namespace aierase::catalog::test {
namespace {

using ACatalogFile = CatalogTest;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void overwrite(const std::string& path, std::size_t offset, std::string_view bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

TEST_F(ACatalogFile, IsCreatedForItsOwnerAloneAndOpensAgain) {
  create();
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  reopen();
  const auto state = view().state();
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->store, first_state().store);
  EXPECT_TRUE(catalog->integrity_check()->empty());
}

TEST_F(ACatalogFile, IsNeverOverwritten) {
  create();
  const std::string before = content_of(path);
  catalog.reset();
  EXPECT_ERRC(Catalog::create(env, path, first_state()), Errc::already_exists);
  EXPECT_EQ(content_of(path), before);
}

TEST_F(ACatalogFile, ThatIsMissingIsNotMade) {
  EXPECT_ERRC(Catalog::open(env, path), Errc::not_found);
  EXPECT_FALSE(env.stat(path)->has_value());
}

TEST_F(ACatalogFile, BehindASymbolicLinkIsRefused) {
  create();
  catalog.reset();
  const std::string link = directory / "link.db";
  ASSERT_EQ(::symlink(path.c_str(), link.c_str()), 0);
  EXPECT_ERRC(Catalog::open(env, link), Errc::damaged);
}

TEST_F(ACatalogFile, CarriesItsApplicationIdPageSizeAndFormat) {
  create();
  catalog.reset();
  const std::string file = content_of(path);
  ASSERT_GE(file.size(), 100U);
  const ByteView bytes = as_bytes(file);
  EXPECT_EQ(get_be16(bytes.subspan(16, 2)), 8192U);
  EXPECT_EQ(get_be32(bytes.subspan(60, 4)), 1U);
  EXPECT_EQ(file.substr(68, 4), "AIER");
}

TEST_F(ACatalogFile, HasEverySettingOfTheDesignInForce) {
  create();
  catalog.reset();
  auto connection = Connection::open(path, "unix");
  ASSERT_TRUE(connection.ok());
  ASSERT_TRUE(apply_settings(**connection).ok());
  const std::vector<std::pair<const char*, const char*>> expected{
      {"PRAGMA journal_mode", "persist"},
      {"PRAGMA journal_size_limit", "33554432"},
      {"PRAGMA synchronous", "3"},
      {"PRAGMA secure_delete", "1"},
      {"PRAGMA locking_mode", "exclusive"},
      {"PRAGMA page_size", "8192"},
      {"PRAGMA mmap_size", "0"},
      {"PRAGMA temp_store", "2"},
      {"PRAGMA foreign_keys", "1"},
      {"PRAGMA trusted_schema", "0"}};
  for (const auto& pragma : expected) {
    EXPECT_EQ((*connection)->single_text(pragma.first).value(), pragma.second) << pragma.first;
  }
  int defensive = 0;
  sqlite3_db_config((*connection)->handle(), SQLITE_DBCONFIG_DEFENSIVE, -1, &defensive);
  EXPECT_EQ(defensive, 1);
}

TEST_F(ACatalogFile, WithAnotherPageSizeIsDamaged) {
  create();
  tamper("PRAGMA page_size = 4096; VACUUM");
  EXPECT_ERRC(Catalog::open(env, path), Errc::damaged);
}

TEST_F(ACatalogFile, OfANewerFormatIsRefusedAndNotTouched) {
  create();
  tamper("PRAGMA user_version = 2");
  const std::string before = content_of(path);
  struct stat stat_before {};
  ASSERT_EQ(::stat(path.c_str(), &stat_before), 0);
  EXPECT_ERRC(Catalog::open(env, path), Errc::newer_format);
  struct stat stat_after {};
  ASSERT_EQ(::stat(path.c_str(), &stat_after), 0);
  EXPECT_EQ(content_of(path), before);
  EXPECT_EQ(stat_after.st_mtim.tv_nsec, stat_before.st_mtim.tv_nsec);
  EXPECT_FALSE(env.stat(path + "-journal")->has_value() &&
               (*env.stat(path + "-journal"))->size > 0);
}

TEST_F(ACatalogFile, OfAnotherProgramIsRefused) {
  tamper("CREATE TABLE t (x)");
  EXPECT_ERRC(Catalog::open(env, path), Errc::damaged);
  std::ofstream(directory / "text") << std::string(5000, 'x');
  EXPECT_ERRC(Catalog::open(env, directory / "text"), Errc::damaged);
  std::ofstream(directory / "empty") << "";
  EXPECT_ERRC(Catalog::open(env, directory / "empty"), Errc::damaged);
}

TEST_F(ACatalogFile, WithAForeignTriggerOrWithoutAnIndexIsDamaged) {
  create();
  tamper("CREATE TRIGGER more AFTER INSERT ON hold BEGIN DELETE FROM hold; END");
  EXPECT_ERRC(Catalog::open(env, path), Errc::damaged);
  tamper("DROP TRIGGER more");
  reopen();
  tamper("DROP INDEX asset_living_name");
  EXPECT_ERRC(Catalog::open(env, path), Errc::damaged);
}

TEST_F(ACatalogFile, ServesOneConnectionAlone) {
  create();
  EXPECT_ERRC(Catalog::open(env, path), Errc::busy);
  reopen();
  EXPECT_ERRC(Catalog::open(env, path), Errc::busy);
}

TEST_F(ACatalogFile, WithATruncatedPageSaysDamagedAndNothingElse) {
  create();
  catalog.reset();
  const std::string whole = content_of(path);
  ASSERT_EQ(::truncate(path.c_str(), 8192 * 3), 0);
  auto opened = Catalog::open(env, path);
  if (opened.ok()) {
    const auto findings = (*opened)->integrity_check();
    EXPECT_TRUE(!findings.ok() || !findings->empty());
  } else {
    EXPECT_EQ(opened.error().code, Errc::damaged) << opened.error().message;
  }
}

TEST_F(ACatalogFile, ThatWasMovedSaysSo) {
  create();
  ASSERT_EQ(::rename(path.c_str(), (path + ".away").c_str()), 0);
  const auto transaction = catalog->begin();
  EXPECT_ERRC(transaction, Errc::damaged);
  EXPECT_NE(transaction.error().message.find("was moved or replaced"), std::string::npos)
      << transaction.error().message;
}

TEST_F(ACatalogFile, HasItsIntegrityCheckFindAWrongTally) {
  create();
  tamper("UPDATE tally SET rows = 5 WHERE what = 'plan failed'");
  reopen();
  const auto findings = catalog->integrity_check();
  ASSERT_TRUE(findings.ok());
  ASSERT_EQ(findings->size(), 1U);
  EXPECT_NE((*findings)[0].find("plan failed"), std::string::npos);
}

TEST_F(ACatalogFile, HasItsIntegrityCheckFindABrokenReference) {
  create();
  tamper("INSERT INTO label VALUES (77, 'k', 'v')");
  reopen();
  const auto findings = catalog->integrity_check();
  ASSERT_TRUE(findings.ok());
  ASSERT_EQ(findings->size(), 1U);
  EXPECT_NE((*findings)[0].find("label"), std::string::npos);
}

TEST_F(ACatalogFile, IsReadFromDiskAgainOnceThePageCacheIsDropped) {
  create();
  const domain::NodeId id{4, 0};
  ASSERT_TRUE(commit([&](Transaction& transaction) {
                const std::vector<domain::NodeRow> rows{{id, bytes_of("MARKER-OLD-MARKER")}};
                return transaction.put_nodes(rows);
              }).ok());
  ASSERT_EQ(**view().node(id), bytes_of("MARKER-OLD-MARKER"));
  // Closing this stream drops the locks of this process; nobody else is here to notice.
  overwrite(path, content_of(path).find("MARKER-OLD"), "MARKER-NEW");
  EXPECT_EQ(**view().node(id), bytes_of("MARKER-OLD-MARKER")) << "the cache is what this is about";
  EXPECT_OK(catalog->drop_page_cache());
  EXPECT_EQ(**view().node(id), bytes_of("MARKER-NEW-MARKER"));
}

TEST_F(ACatalogFile, CannotDropItsPageCacheInsideATransaction) {
  create();
  auto transaction = catalog->begin();
  ASSERT_TRUE(transaction.ok());
  EXPECT_ERRC(catalog->drop_page_cache(), Errc::unexpected);
}

using ATransaction = CatalogTest;

TEST_F(ATransaction, ThatIsNotCommittedLeavesNothing) {
  create();
  {
    auto transaction = catalog->begin();
    ASSERT_TRUE(transaction.ok());
    ASSERT_TRUE(transaction->insert_asset(asset_of(1, "a"), as_bytes("m"), {}, {}, {}).ok());
    EXPECT_TRUE(transaction->asset(uuid_of(1, 1))->has_value()) << "it sees its own writes";
  }
  EXPECT_FALSE(view().asset(uuid_of(1, 1))->has_value());
  EXPECT_EQ(view().counts()->active, 0U);
  EXPECT_OK(insert(asset_of(1, "a")));
}

TEST_F(ATransaction, IsTheOnlyOneAtItsTime) {
  create();
  auto first = catalog->begin();
  ASSERT_TRUE(first.ok());
  EXPECT_ERRC(catalog->begin(), Errc::unexpected);
  EXPECT_OK(first->commit());
  EXPECT_ERRC(first->commit(), Errc::unexpected);
  EXPECT_TRUE(catalog->begin().ok());
}

TEST_F(ATransaction, MayBeMovedAndEndsOnce) {
  create();
  auto begun = catalog->begin();
  ASSERT_TRUE(begun.ok());
  {
    Transaction moved(std::move(begun).value());
    ASSERT_TRUE(moved.insert_asset(asset_of(1, "a"), as_bytes("m"), {}, {}, {}).ok());
    EXPECT_OK(moved.commit());
  }
  EXPECT_TRUE(view().asset(uuid_of(1, 1))->has_value());
}

TEST_F(ATransaction, InWhichAWriteFailedCannotBeCommitted) {
  create();
  ASSERT_TRUE(insert(asset_of(1, "a")).ok());
  {
    auto transaction = catalog->begin();
    ASSERT_TRUE(transaction.ok());
    ASSERT_TRUE(transaction->insert_asset(asset_of(2, "b"), as_bytes("m"), {}, {}, {}).ok());
    EXPECT_ERRC(transaction->insert_asset(asset_of(3, "a"), as_bytes("m"), {}, {}, {}),
                Errc::already_exists);
    EXPECT_ERRC(transaction->commit(), Errc::already_exists);
  }
  EXPECT_FALSE(view().asset(uuid_of(2, 1))->has_value());
  EXPECT_OK(insert(asset_of(2, "b")));
}

TEST_F(ATransaction, OnAFullDiskFailsWithNoSpaceAndLeavesTheCatalogUsable) {
  create();
  // max_page_count stands for the full disk: SQLite answers SQLITE_FULL to both.
  catalog.reset();
  auto connection = Connection::open(path, "unix");
  ASSERT_TRUE(connection.ok() && apply_settings(**connection).ok());
  const std::string pages = (*connection)->single_text("PRAGMA page_count").value();
  ASSERT_TRUE((*connection)->execute(("PRAGMA max_page_count = " + pages).c_str()).ok());
  ASSERT_TRUE((*connection)->begin().ok());
  const Bytes large(100'000);
  const auto write = (*connection)->write("INSERT INTO node (id, node) VALUES (1, ?)", large);
  EXPECT_ERRC(write, Errc::no_space);
  EXPECT_ERRC((*connection)->commit(), Errc::no_space);
  EXPECT_FALSE((*connection)->in_transaction());
  ASSERT_TRUE((*connection)->execute("PRAGMA max_page_count = 100000").ok());
  ASSERT_TRUE((*connection)->begin().ok());
  EXPECT_TRUE((*connection)->write("INSERT INTO node (id, node) VALUES (1, ?)", large).ok());
  EXPECT_OK((*connection)->commit());
}

TEST_F(ATransaction, ThatWasRolledBackBehindItsBackWritesNothingMore) {
  create();
  catalog.reset();
  auto connection = Connection::open(path, "unix");
  ASSERT_TRUE(connection.ok() && apply_settings(**connection).ok());
  ASSERT_TRUE((*connection)->begin().ok());
  ASSERT_TRUE((*connection)->execute("ROLLBACK").ok());
  EXPECT_ERRC((*connection)->write("DELETE FROM node"), Errc::unexpected);
  EXPECT_ERRC((*connection)->commit(), Errc::unexpected);
}

TEST_F(ATransaction, IsPlayedBackFromTheJournalAfterACrash) {
  create();
  ASSERT_TRUE(insert(asset_of(1, "before")).ok());
  // A copy of file and journal in the middle of a commit is what a crash leaves: make the journal
  // hot by spilling the cache to the file before the commit.
  catalog.reset();
  const std::string crashed = directory / "crashed.db";
  {
    auto connection = Connection::open(path, "unix");
    ASSERT_TRUE(connection.ok() && apply_settings(**connection).ok());
    ASSERT_TRUE((*connection)->execute("PRAGMA cache_size = 1; PRAGMA cache_spill = 1").ok());
    ASSERT_TRUE((*connection)->begin().ok());
    const Bytes node(6000);
    for (std::int64_t id = 0; id < 200; ++id) {
      ASSERT_TRUE((*connection)->write("INSERT INTO node (id, node) VALUES (?, ?)", id, node).ok());
    }
    ASSERT_TRUE((*connection)->write("UPDATE asset SET retention = 'changed'").ok());
    ASSERT_GT((*env.stat(path + "-journal"))->size, 512U);
    std::ofstream(crashed, std::ios::binary) << content_of(path);
    std::ofstream(crashed + "-journal", std::ios::binary) << content_of(path + "-journal");
  }
  path = crashed;
  reopen();
  EXPECT_TRUE(view().node_ids(std::nullopt, 10)->empty());
  EXPECT_EQ((*view().asset(uuid_of(1, 1)))->retention, "default");
  EXPECT_TRUE(catalog->integrity_check()->empty());
}

}  // namespace
}  // namespace aierase::catalog::test
