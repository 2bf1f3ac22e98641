#include "fault/support/refusals.h"

#include <algorithm>
#include <cctype>

namespace aierase::test {
namespace {

using lifecycle::CheckDepth;
using lifecycle::Finding;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

void expect_clear(const Status& status, Errc code, const Words& words) {
  ASSERT_FALSE(status.ok()) << "it was accepted";
  const Error& error = status.error();
  const std::string said = error.message + " [" + error.hint + "]";
  EXPECT_EQ(info(error.code).name, info(code).name) << said;
  EXPECT_FALSE(error.message.empty());
  EXPECT_FALSE(error.hint.empty()) << said;
  for (const std::string& word : words) {
    EXPECT_NE(lower(said).find(lower(word)), std::string::npos)
        << "\"" << word << "\" is not in: " << said;
  }
}

void ARefusal::build(std::optional<Bytes> unlock) {
  world.unlock = std::move(unlock);
  ASSERT_TRUE(done(world.init()));
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(world.import(small_asset("model-0", 1))));
  ASSERT_TRUE(done(world.import(small_asset("model-3", 2))));
  world.close();
  database_of_epoch_0 = world.disk.content(kDatabase);
  slot_of_epoch_0 = world.disk.content(kSlotPath);
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(world.erase({"model-3"})));
  world.close();
  older_database = world.disk.content(kDatabase);
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(world.import(small_asset("model-1", 3))));
  ASSERT_TRUE(done(world.import(small_asset("model-2", 4))));
  ASSERT_TRUE(done(world.import_key("corpus-key", content_of(5, 32))));
  world.close();
  world.disk.power_cut(Cut::keep_all, 1);
  good = everything(world.disk);
}

void ARefusal::expect_refused(Errc code, const Words& words, lifecycle::Store::Adopt adopt) {
  const Contents before = everything(world.disk);
  const Status opened = world.open(adopt);
  world.close();
  expect_clear(opened, code, words);
  EXPECT_EQ(differences(before, everything(world.disk)), "") << "it was touched";
}

void ARefusal::expect_all_readable() {
  ASSERT_TRUE(done(world.open()));
  for (const Imported& asset : world.assets) {
    const Status read = world.read_back(asset);
    if (asset.name == "model-3") {
      ASSERT_FALSE(read.ok());
      EXPECT_EQ(read.error().code, Errc::erased);
    } else {
      EXPECT_TRUE(done(read)) << asset.name;
    }
  }
  const std::vector<Finding> found = check_all(world, CheckDepth::deep);
  EXPECT_TRUE(found.empty()) << to_string(found);
  EXPECT_EQ(world.stolen().count(world.asset("model-3").id), 0U);
  world.close();
  good = everything(world.disk);
}

void ARefusal::refuse_and_put_back(const std::string& path, Errc code, const Words& words) {
  expect_refused(code, words);
  put_back(path);
  expect_all_readable();
}

void ARefusal::put(const std::string& path, ByteView content) {
  ASSERT_TRUE(done(put_file(world.disk, path, content)));
}

void ARefusal::put_back(const std::string& path) {
  put(path, good.at(path));
}

void ARefusal::put_back_database_and_slot() {
  put_back(kDatabase);
  put_back(kSlotPath);
  put_back(kCheckpoint);  // what was published since then is not known to that database
}

Bytes ARefusal::of_another_store(const std::string& path) {
  World other;
  other.unlock = world.unlock;
  EXPECT_TRUE(done(other.init()));
  EXPECT_TRUE(done(other.open()));
  EXPECT_TRUE(done(other.import(small_asset("model-0", 1))));
  EXPECT_TRUE(done(other.import(small_asset("model-1", 9))));
  EXPECT_TRUE(done(other.erase({"model-1"})));
  other.close();
  return other.disk.content(path);
}

}  // namespace aierase::test
