#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "rootslot/blocks.h"
#include "rootslot/root_slot.h"
#include "unit/support/fake_clock.h"

namespace aierase::rootslot {
namespace {

using test::FakeClock;

// Slots lie below the build folder, which lies on a disk, unlike most temporary directories.
class ASlotOnARealDisk : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::string(AIERASE_BINARY_DIR) + "/slot-test-" + std::to_string(::getpid());
    std::filesystem::remove_all(directory_);
    ASSERT_TRUE(std::filesystem::create_directory(directory_));
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string path() const { return directory_ + "/slot"; }
  std::unique_ptr<RootSlot> created() {
    auto slot = create_file_slot(env_, {path()}, store_);
    EXPECT_TRUE(slot.ok()) << slot.error().message;
    return std::move(slot).value();
  }
  Errc open_code() { return open_file_slot(env_, {path()}).error().code; }

  PosixEnv env_;
  std::string directory_;
  Uuid store_ = Uuid::random();
  FakeClock clock_;
};

TEST_F(ASlotOnARealDisk, KeepsItsSecretOverAReopenAndLosesItInDestroy) {
  const crypto::SlotSecret secret = crypto::SlotSecret::random().value();
  {
    const auto slot = created();
    EXPECT_EQ(slot->read(0).value().content, SlotContent::zero);
    ASSERT_TRUE(slot->write(store_, 4, secret).ok());
  }
  const auto slot = open_file_slot(env_, {path()}).value();
  EXPECT_EQ(slot->store(), store_);
  const SlotReading reading = slot->read(0).value();
  EXPECT_EQ(reading.content, SlotContent::whole);
  EXPECT_EQ(reading.epoch, 4U);
  EXPECT_TRUE(reading.secret->bytes().equals(secret.bytes()));

  const auto proof = slot->destroy(0, 4, clock_);
  ASSERT_TRUE(proof.ok()) << proof.error().message;
  EXPECT_EQ(proof->evidence().checks.size(), 2U);
  EXPECT_EQ(slot->read(0).value().content, SlotContent::zero);
  const Bytes whole = read_file(env_, path(), 1 << 22).value();
  secret.bytes().reveal([&](ByteView needle) {
    EXPECT_EQ(std::search(whole.begin(), whole.end(), needle.begin(), needle.end()), whole.end());
  });
}

TEST_F(ASlotOnARealDisk, HasModeOneNameAndACacheTag) {
  const auto slot = created();
  const FileInfo info = env_.stat(path()).value().value();
  EXPECT_EQ(info.permissions, 0600U);
  EXPECT_EQ(info.links, 1U);
  EXPECT_EQ(info.size, kFileBytes);
  const Bytes tag = read_file(env_, directory_ + "/CACHEDIR.TAG", 4096).value();
  EXPECT_EQ(as_text(tag).substr(0, 43), "Signature: 8a477f597d28d172789f06886806bc55");
}

TEST_F(ASlotOnARealDisk, IsRefusedWhileAnotherHoldsIt) {
  const auto slot = created();
  EXPECT_EQ(open_code(), Errc::busy);
}

TEST_F(ASlotOnARealDisk, IsNeverCreatedOverAnother) {
  created();
  EXPECT_EQ(create_file_slot(env_, {path()}, store_).error().code, Errc::already_exists);
  EXPECT_EQ(create_file_slot(env_, {directory_ + "/none/slot"}, store_).error().code,
            Errc::not_found);
}

TEST_F(ASlotOnARealDisk, IsRefusedBehindLinksAndWithAWiderMode) {
  created();
  std::filesystem::rename(path(), directory_ + "/real");
  EXPECT_EQ(open_code(), Errc::not_found);
  std::filesystem::create_symlink(directory_ + "/real", path());
  EXPECT_EQ(open_code(), Errc::damaged);
  std::filesystem::remove(path());
  std::filesystem::create_hard_link(directory_ + "/real", path());
  EXPECT_EQ(open_code(), Errc::damaged);
  std::filesystem::remove(directory_ + "/real");
  ASSERT_EQ(::chmod(path().c_str(), 0640), 0);
  EXPECT_EQ(open_code(), Errc::damaged);
  ASSERT_EQ(::chmod(path().c_str(), 0600), 0);
  EXPECT_TRUE(open_file_slot(env_, {path()}).ok());
}

TEST_F(ASlotOnARealDisk, IsRefusedWhenTheFileIsNoSlot) {
  ASSERT_TRUE(write_new_file(env_, path(), Bytes(100), 0600).ok());
  EXPECT_EQ(open_code(), Errc::damaged);
  std::filesystem::resize_file(path(), kFileBytes);
  EXPECT_EQ(open_code(), Errc::damaged);
}

TEST_F(ASlotOnARealDisk, SaysAloudWhenItWasCopied) {
  created();
  const std::string copy = directory_ + "/copy";
  std::filesystem::copy_file(path(), copy);
  ASSERT_EQ(::chmod(copy.c_str(), 0600), 0);
  const auto slot = open_file_slot(env_, {copy}).value();
  const domain::SlotAssurance assurance = slot->assess().value();
  EXPECT_EQ(assurance.level, domain::Level::ea0);
  EXPECT_NE(assurance.reason.find("copied"), std::string::npos);
}

TEST_F(ASlotOnARealDisk, IsJudgedAndNamesItsPlace) {
  const auto slot = created();
  const auto assurance = slot->assess();
  ASSERT_TRUE(assurance.ok());
  EXPECT_EQ(assurance->reason.find("no longer lies where"), std::string::npos);
  EXPECT_EQ(assurance->path, path());
  EXPECT_FALSE(assurance->may_have_copied.empty());
}

}  // namespace
}  // namespace aierase::rootslot
