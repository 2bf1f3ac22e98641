#include "fault/fake_disk.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <array>

namespace aierase::test {
namespace {

using namespace std::string_literals;

Bytes text(std::string_view characters) {
  return copy_of(as_bytes(characters));
}

std::unique_ptr<File> created(FakeDisk& disk, const std::string& path,
                              Durability durability = Durability::buffered) {
  OpenHow how;
  how.mode = OpenMode::create_new;
  how.durability = durability;
  auto file = disk.open(path, how);
  EXPECT_TRUE(file.ok()) << file.error().message;
  return std::move(file).value();
}

void create_durably(FakeDisk& disk, const std::string& path, ByteView content) {
  ASSERT_TRUE(write_new_file(disk, path, content, 0600).ok());
}

std::unique_ptr<File> reopened(FakeDisk& disk, const std::string& path) {
  OpenHow how;
  how.mode = OpenMode::read_write;
  return disk.open(path, how).value();
}

TEST(TheFakeDisk, ForgetsWhatWasNotSynced) {
  FakeDisk disk;
  create_durably(disk, "/file", text("before"));
  {
    auto file = reopened(disk, "/file");
    ASSERT_TRUE(file->write_at(0, text("after!")).ok());
    EXPECT_EQ(disk.content("/file"), text("after!"));
  }
  disk.power_cut(Cut::lose_all, 1);
  EXPECT_EQ(disk.content("/file"), text("before"));
}

TEST(TheFakeDisk, KeepsWhatWasSynced) {
  FakeDisk disk;
  create_durably(disk, "/file", text("before"));
  {
    auto file = reopened(disk, "/file");
    ASSERT_TRUE(file->write_at(0, text("after!")).ok());
    ASSERT_TRUE(file->sync().ok());
  }
  disk.power_cut(Cut::lose_all, 1);
  EXPECT_EQ(disk.content("/file"), text("after!"));
}

TEST(TheFakeDisk, KeepsUnsyncedDataWhenOnlyTheProcessDies) {
  FakeDisk disk;
  auto file = created(disk, "/file");
  ASSERT_TRUE(file->write_at(0, text("data")).ok());
  file.reset();
  disk.restart();
  EXPECT_EQ(disk.content("/file"), text("data"));
}

TEST(TheFakeDisk, KeepsADataSyncedWriteButNoOlderBufferedOne) {
  FakeDisk disk;
  create_durably(disk, "/file", Bytes(2048));
  {
    auto buffered = reopened(disk, "/file");
    OpenHow how;
    how.mode = OpenMode::read_write;
    how.durability = Durability::data_synced;
    auto synced = disk.open("/file", how).value();
    ASSERT_TRUE(buffered->write_at(0, text("lost")).ok());
    ASSERT_TRUE(synced->write_at(1024, text("kept")).ok());
  }
  disk.power_cut(Cut::lose_all, 1);
  const Bytes content = disk.content("/file");
  EXPECT_EQ(content[0], std::byte{0});
  EXPECT_EQ(as_text(content).substr(1024, 4), "kept");
}

TEST(ANewName, IsLostUntilItsDirectoryIsSynced) {
  FakeDisk disk;
  auto file = created(disk, "/file");
  ASSERT_TRUE(file->write_at(0, text("data")).ok());
  ASSERT_TRUE(file->sync().ok());
  file.reset();
  disk.power_cut(Cut::lose_all, 1);
  EXPECT_FALSE(disk.stat("/file").value().has_value());
}

TEST(ARename, IsUndoneAsAWholeUntilItsDirectoryIsSynced) {
  FakeDisk disk;
  create_durably(disk, "/old", text("data"));
  for (std::uint64_t seed = 0; seed < 16; ++seed) {
    ASSERT_TRUE(disk.rename("/old", "/new").ok());
    const auto before = disk.snapshot();
    disk.power_cut(Cut::scatter, seed);
    EXPECT_NE(disk.stat("/old").value().has_value(), disk.stat("/new").value().has_value());
    disk.restore(*before);
    ASSERT_TRUE(disk.rename("/new", "/old").ok());
    ASSERT_TRUE(disk.sync_directory("/").ok());
  }
  ASSERT_TRUE(disk.rename("/old", "/new").ok());
  ASSERT_TRUE(disk.sync_directory("/").ok());
  disk.power_cut(Cut::lose_all, 1);
  EXPECT_EQ(disk.content("/new"), text("data"));
}

TEST(ARename, RefusesANameThatIsTaken) {
  FakeDisk disk;
  create_durably(disk, "/a", text("a"));
  create_durably(disk, "/b", text("b"));
  EXPECT_EQ(disk.rename("/a", "/b").error().code, Errc::already_exists);
  EXPECT_EQ(disk.content("/b"), text("b"));
}

TEST(AReplacement, LeavesTheOldFileOrTheNewOneAndNeverNone) {
  FakeDisk disk;
  create_durably(disk, "/new", text("new"));
  create_durably(disk, "/name", text("old"));
  ASSERT_TRUE(disk.replace("/new", "/name").ok());
  EXPECT_EQ(disk.content("/name"), text("new"));
  const auto before = disk.snapshot();
  for (std::uint64_t seed = 0; seed < 16; ++seed) {
    disk.power_cut(Cut::scatter, seed);
    const bool replaced = !disk.stat("/new").value().has_value();
    EXPECT_EQ(disk.content("/name"), replaced ? text("new") : text("old"));
    disk.restore(*before);
  }
  ASSERT_TRUE(disk.sync_directory("/").ok());
  disk.power_cut(Cut::lose_all, 1);
  EXPECT_EQ(disk.content("/name"), text("new"));
}

TEST(AnUnlinkedFile, ComesBackUntilItsDirectoryIsSynced) {
  FakeDisk disk;
  create_durably(disk, "/file", text("data"));
  ASSERT_TRUE(disk.unlink("/file").ok());
  EXPECT_FALSE(disk.stat("/file").value().has_value());
  disk.power_cut(Cut::lose_all, 1);
  EXPECT_EQ(disk.content("/file"), text("data"));
}

TEST(ADirectoryThatWasNotSyncedIntoItsParent, IsLostWithAllThatIsInIt) {
  FakeDisk disk;
  ASSERT_TRUE(disk.make_directory("/a", 0700).ok());
  create_durably(disk, "/a/file", text("data"));
  disk.power_cut(Cut::lose_all, 1);
  EXPECT_FALSE(disk.stat("/a").value().has_value());
}

TEST(AScatteredCut, KeepsEachSectorOrNot) {
  FakeDisk disk;
  constexpr std::size_t kSectors = 64;
  create_durably(disk, "/file", Bytes(kSectors * kSectorBytes));
  reopened(disk, "/file")->write_at(0, Bytes(kSectors * kSectorBytes, std::byte{1})).ok();
  disk.power_cut(Cut::scatter, 7);
  const Bytes content = disk.content("/file");
  std::size_t kept = 0;
  for (std::size_t sector = 0; sector < kSectors; ++sector) {
    const auto first = content.begin() + static_cast<std::ptrdiff_t>(sector * kSectorBytes);
    EXPECT_TRUE(std::all_of(first, first + kSectorBytes, [&](std::byte b) { return b == *first; }));
    if (*first == std::byte{1}) ++kept;
  }
  EXPECT_GT(kept, kSectors / 4);
  EXPECT_LT(kept, kSectors * 3 / 4);
}

TEST(ATearingCut, LeavesASectorHalfOldAndHalfNew) {
  bool torn = false;
  for (std::uint64_t seed = 0; seed < 8 && !torn; ++seed) {
    FakeDisk disk;
    create_durably(disk, "/file", Bytes(kSectorBytes));
    auto file = reopened(disk, "/file");
    disk.stop_at(1);
    EXPECT_EQ(file->write_at(0, Bytes(kSectorBytes, std::byte{1})).error().code, Errc::io);
    file.reset();
    disk.power_cut(Cut::tear, seed);
    const Bytes content = disk.content("/file");
    torn = content.front() == std::byte{1} && content.back() == std::byte{0};
  }
  EXPECT_TRUE(torn);
}

TEST(AStoppedDisk, RefusesEverythingUntilItIsRestarted) {
  FakeDisk disk;
  create_durably(disk, "/file", text("data"));
  auto file = reopened(disk, "/file");
  disk.stop_at(2);
  EXPECT_TRUE(file->write_at(0, text("1")).ok());
  EXPECT_EQ(file->sync().error().code, Errc::io);
  EXPECT_TRUE(disk.stopped());
  EXPECT_NE(disk.stopped_in().find("sync /file"), std::string::npos);
  Bytes buffer(4);
  EXPECT_EQ(file->read_at(0, buffer).error().code, Errc::io);
  EXPECT_EQ(disk.stat("/file").error().code, Errc::io);
  EXPECT_EQ(disk.unlink("/file").error().code, Errc::io);
  disk.restart();
  EXPECT_FALSE(disk.stopped());
  EXPECT_EQ(file->read_at(0, buffer).error().code, Errc::io) << "a handle of the old life";
  EXPECT_EQ(disk.content("/file"), text("1ata"));
}

TEST(AStoppedSync, HasSyncedNothing) {
  FakeDisk disk;
  create_durably(disk, "/file", text("data"));
  auto file = reopened(disk, "/file");
  ASSERT_TRUE(file->write_at(0, text("new!")).ok());
  disk.stop_at(1);
  EXPECT_FALSE(file->sync().ok());
  disk.power_cut(Cut::lose_all, 1);
  EXPECT_EQ(disk.content("/file"), text("data"));
}

TEST(AFailedSync, IsFinalForItsFileAndLosesItsData) {
  FakeDisk disk;
  create_durably(disk, "/file", Bytes(64 * kSectorBytes));
  const Bytes written(64 * kSectorBytes, std::byte{1});
  auto file = reopened(disk, "/file");
  ASSERT_TRUE(file->write_at(0, written).ok());
  disk.fail_sync_at(1);
  EXPECT_EQ(file->sync().error().code, Errc::io);
  EXPECT_EQ(file->sync().error().code, Errc::io);
  EXPECT_EQ(disk.content("/file"), written) << "the page cache still shows it";
  // Another descriptor syncs without an error, and yet the data is not there.
  EXPECT_TRUE(reopened(disk, "/file")->sync().ok());
  disk.power_cut(Cut::lose_all, 1);
  EXPECT_NE(disk.content("/file"), written);
}

TEST(AFailedOperation, HasNoEffectAndTheDiskGoesOn) {
  FakeDisk disk;
  disk.fail_operation_at(1);
  EXPECT_EQ(disk.make_directory("/a", 0700).error().code, Errc::io);
  EXPECT_FALSE(disk.stat("/a").value().has_value());
  EXPECT_TRUE(disk.make_directory("/a", 0700).ok());
}

TEST(AFullDisk, RefusesToGrowAndTakesOverwrites) {
  FakeDisk disk;
  create_durably(disk, "/file", Bytes(4096));
  disk.set_capacity(8192);
  EXPECT_EQ(disk.free_space("/").value(), 4096U);
  EXPECT_EQ(reopened(disk, "/file")->write_at(4096, Bytes(8192)).error().code, Errc::no_space);
  EXPECT_TRUE(reopened(disk, "/file")->write_at(0, Bytes(4096)).ok());
  EXPECT_EQ(reopened(disk, "/file")->allocate(12288).error().code, Errc::no_space);
  EXPECT_TRUE(reopened(disk, "/file")->allocate(8192).ok());
  EXPECT_EQ(disk.free_space("/").value(), 0U);
  ASSERT_TRUE(disk.unlink("/file").ok());
  EXPECT_EQ(disk.free_space("/").value(), 8192U);
}

TEST(ALockOnTheFakeDisk, IsHeldByOneFileUntilItIsClosedOrItsProcessDies) {
  FakeDisk disk;
  create_durably(disk, "/file", text("data"));
  auto first = reopened(disk, "/file");
  auto second = reopened(disk, "/file");
  EXPECT_TRUE(first->lock_exclusive().ok());
  EXPECT_EQ(second->lock_exclusive().error().code, Errc::busy);
  first.reset();
  EXPECT_TRUE(second->lock_exclusive().ok());
  disk.restart();
  EXPECT_TRUE(reopened(disk, "/file")->lock_exclusive().ok());
}

TEST(ASnapshot, BringsBackTheWholeDisk) {
  FakeDisk disk;
  ASSERT_TRUE(disk.make_directory("/a", 0700).ok());
  create_durably(disk, "/a/file", text("one"));
  const auto old = disk.snapshot();
  ASSERT_TRUE(reopened(disk, "/a/file")->write_at(0, text("two")).ok());
  ASSERT_TRUE(disk.unlink("/a/file").ok());
  create_durably(disk, "/b", text("three"));
  disk.restore(*old);
  EXPECT_EQ(disk.content("/a/file"), text("one"));
  EXPECT_FALSE(disk.stat("/b").value().has_value());
  // What was pending then is pending now: /a was never synced into the root.
  disk.power_cut(Cut::lose_all, 1);
  EXPECT_FALSE(disk.stat("/a").value().has_value());
}

TEST(DirectIo, NeedsAlignmentAndCanBeRefused) {
  FakeDisk disk;
  create_durably(disk, "/file", Bytes(8192));
  OpenHow how;
  how.mode = OpenMode::read_write;
  how.caching = Caching::direct;
  alignas(4096) static std::array<std::byte, 8192> buffer{};
  auto file = disk.open("/file", how).value();
  EXPECT_TRUE(file->write_at(4096, ByteView(buffer).first(4096)).ok());
  EXPECT_EQ(file->write_at(512, ByteView(buffer).first(4096)).error().code, Errc::invalid_input);
  EXPECT_EQ(file->write_at(0, ByteView(buffer).subspan(8, 4096)).error().code, Errc::invalid_input);
  disk.set_direct(DirectSupport::refused);
  EXPECT_EQ(disk.open("/file", how).error().code, Errc::invalid_input);
}

TEST(ATruncatedFile, ReadsZerosWhenItGrowsAgain) {
  FakeDisk disk;
  create_durably(disk, "/file", text("abcdef"));
  auto file = reopened(disk, "/file");
  ASSERT_TRUE(file->truncate(3).ok());
  ASSERT_TRUE(file->truncate(6).ok());
  EXPECT_EQ(disk.content("/file"), text("abc\0\0\0"s));
}

TEST(TheSearchOfTheDisk, FindsPendingAndForgottenBytes) {
  FakeDisk disk;
  create_durably(disk, "/file", text("needle in a haystack"));
  EXPECT_TRUE(disk.holds(as_bytes("needle")));
  ASSERT_TRUE(disk.unlink("/file").ok());
  EXPECT_TRUE(disk.holds(as_bytes("needle"))) << "its name is durable still";
  ASSERT_TRUE(disk.sync_directory("/").ok());
  EXPECT_FALSE(disk.holds(as_bytes("needle")));
}

// SQLite on the fake disk.

class Database {
 public:
  explicit Database(FakeDisk& disk) {
    result_ = sqlite3_open_v2("/store/db", &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                              disk.sqlite_vfs());
    if (result_ == SQLITE_OK) {
      run("PRAGMA page_size=8192; PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=EXTRA;"
          "PRAGMA secure_delete=ON; PRAGMA locking_mode=EXCLUSIVE; PRAGMA mmap_size=0;"
          "PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;");
    }
  }
  ~Database() { sqlite3_close(handle_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  bool run(const std::string& sql) {
    if (result_ != SQLITE_OK) return false;
    result_ = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
    return result_ == SQLITE_OK;
  }
  int result() const { return result_; }
  // The rows of the first column, one per line; or the error.
  std::string ask(const std::string& sql) {
    std::string answer;
    const auto row = [](void* to, int, char** values, char**) {
      *static_cast<std::string*>(to) += std::string(values[0] ? values[0] : "NULL") + "\n";
      return 0;
    };
    const int code = sqlite3_exec(handle_, sql.c_str(), row, &answer, nullptr);
    return code == SQLITE_OK ? answer : sqlite3_errmsg(handle_);
  }

 private:
  sqlite3* handle_ = nullptr;
  int result_ = SQLITE_OK;
};

constexpr const char* kSum =
    "SELECT count(*) || '/' || sum(version) || '/' || total(length(data)) FROM rows";
constexpr const char* kChange =
    "BEGIN IMMEDIATE;"
    "UPDATE rows SET version = 2, data = randomblob(3000) WHERE id % 3 = 0;"
    "DELETE FROM rows WHERE id % 7 = 1;"
    "INSERT INTO rows SELECT id + 100, 3, zeroblob(20000) FROM rows WHERE id < 6;"
    "COMMIT;";

void make_database(FakeDisk& disk) {
  ASSERT_TRUE(disk.make_directory("/store", 0700).ok());
  ASSERT_TRUE(disk.sync_directory("/").ok());
  Database db(disk);
  ASSERT_TRUE(
      db.run("CREATE TABLE rows(id INTEGER PRIMARY KEY, version INT, data BLOB);"
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<40)"
             "INSERT INTO rows SELECT i, 1, zeroblob(2500) FROM n;"));
  ASSERT_TRUE(disk.sync_directory("/store").ok());
}

struct Outcome {
  std::string content;
  bool committed = false;
};

void cut_everywhere(FakeDisk& disk, const FakeDisk::Snapshot& base, const std::string& before,
                    const std::string& after, Cut cut) {
  bool finished = false;
  std::uint64_t with = 0, without = 0;
  for (std::uint64_t n = 1; !finished; ++n) {
    ASSERT_LT(n, 500U);
    disk.restore(base);
    disk.stop_at(n);
    bool committed = false;
    std::string where;
    {
      Database db(disk);
      committed = db.run(kChange);
      finished = !disk.stopped();
      where = disk.stopped_in();
    }
    disk.power_cut(cut, n * 7919);
    Database db(disk);
    EXPECT_EQ(db.ask("PRAGMA integrity_check"), "ok\n") << "cut " << n << " in " << where;
    const std::string found = db.ask(kSum);
    EXPECT_TRUE(found == before || found == after) << found << "cut " << n << " in " << where;
    if (committed) {
      EXPECT_EQ(found, after) << "cut " << n << " in " << where;
    }
    ++(found == after ? with : without);
  }
  EXPECT_GT(with, 0U);
  EXPECT_GT(without, 3U);
}

TEST(AnSqliteTransaction, IsThereWholeOrNotAtAllAfterACutAtAnyOperation) {
  FakeDisk disk;
  make_database(disk);
  disk.power_cut(Cut::lose_all, 1);
  const auto base = disk.snapshot();
  std::string before, after;
  {
    Database db(disk);
    before = db.ask(kSum);
    ASSERT_TRUE(db.run(kChange));
    after = db.ask(kSum);
  }
  ASSERT_NE(before, after);
  for (const Cut cut : {Cut::lose_all, Cut::keep_all, Cut::scatter, Cut::tear}) {
    cut_everywhere(disk, *base, before, after, cut);
  }
  for (int round = 0; round < 8; ++round) {
    cut_everywhere(disk, *base, before, after, Cut::scatter);
  }
}

TEST(AnSqliteTransaction, IsLostOrHalfThereWhenNothingIsSynced) {
  // The honesty control of the test above: without syncs the same cuts do break the database.
  FakeDisk disk;
  make_database(disk);
  disk.power_cut(Cut::lose_all, 1);
  const auto base = disk.snapshot();
  std::size_t broken = 0;
  for (std::uint64_t seed = 0; seed < 32; ++seed) {
    disk.restore(*base);
    {
      Database db(disk);
      ASSERT_TRUE(db.run("PRAGMA synchronous=OFF"));
      ASSERT_TRUE(db.run(kChange));
    }
    disk.power_cut(Cut::scatter, seed);
    Database db(disk);
    if (db.ask("PRAGMA integrity_check") != "ok\n") ++broken;
  }
  EXPECT_GT(broken, 0U);
}

TEST(AnSqliteDatabase, IsLockedAgainstASecondConnection) {
  FakeDisk disk;
  make_database(disk);
  Database first(disk);
  ASSERT_TRUE(first.run("BEGIN IMMEDIATE; UPDATE rows SET version = 5; COMMIT;"));
  Database second(disk);
  EXPECT_FALSE(second.run("SELECT count(*) FROM rows"));
  EXPECT_EQ(second.result(), SQLITE_BUSY);
}

TEST(AnSqliteDatabase, ReportsAFullDiskAndRollsBack) {
  FakeDisk disk;
  make_database(disk);
  disk.set_capacity(disk.content("/store/db").size() + 16384);
  Database db(disk);
  const std::string before = db.ask(kSum);
  EXPECT_FALSE(db.run("INSERT INTO rows VALUES (1000, 1, zeroblob(1000000))"));
  EXPECT_EQ(db.result(), SQLITE_FULL);
  EXPECT_EQ(db.ask(kSum), before);
}

}  // namespace
}  // namespace aierase::test
