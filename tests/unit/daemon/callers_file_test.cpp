#include "daemon/callers_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "unit/support/temp_directory.h"

namespace aierase::daemon {
namespace {

constexpr std::size_t kBytes = 300'000;

class ACallersFile : public testing::Test {
 protected:
  ACallersFile() {
    const std::string path = directory_ / "weights";
    file_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    const Bytes content(kBytes, std::byte{7});
    EXPECT_EQ(::pwrite(file_.get(), content.data(), content.size(), 0),
              static_cast<ssize_t>(kBytes));
  }
  // As the daemon has it: the same open file, by a descriptor of its own.
  std::unique_ptr<blob::ByteSource> handed_over() {
    UniqueFd passed(::fcntl(file_.get(), F_DUPFD_CLOEXEC, 3));
    const Observation seen = observe(passed.get(), "weights", Direction::read).value();
    return CallersFile::open(std::move(passed), "weights", seen, cancelled_).value();
  }
  static Result<std::size_t> rest(blob::ByteSource& source) {
    Bytes piece(64 << 10);
    std::size_t bytes = 0;
    while (true) {
      ASSIGN_OR_RETURN(const std::size_t got, source.read(piece));
      if (got == 0) return bytes;
      bytes += got;
    }
  }

  test::TempDirectory directory_;
  UniqueFd file_;
  std::atomic<bool> cancelled_{false};
};

TEST_F(ACallersFile, ComesWholeFromWhereItStands) {
  EXPECT_EQ(rest(*handed_over()).value(), kBytes);
  ASSERT_EQ(::lseek(file_.get(), 1000, SEEK_SET), 1000);
  EXPECT_EQ(rest(*handed_over()).value(), kBytes - 1000);
  EXPECT_EQ(rest(*handed_over()).value(), 0U) << "it stands at its end";
}

// The offset is shared with whoever handed the descriptor over.
TEST_F(ACallersFile, IsRefusedWhenItsOwnerMovedOnInIt) {
  const auto source = handed_over();
  Bytes piece(1000);
  ASSERT_EQ(source->read(piece).value(), piece.size());
  ASSERT_EQ(::lseek(file_.get(), 5000, SEEK_CUR), 6000);
  const Result<std::size_t> got = rest(*source);
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, Errc::invalid_input);
  EXPECT_NE(got.error().message.find("295000 of 300000 bytes"), std::string::npos)
      << got.error().message;
}

TEST_F(ACallersFile, IsRefusedWhenItWasChanged) {
  const auto source = handed_over();
  Bytes piece(1000);
  ASSERT_TRUE(source->read(piece).ok());
  ASSERT_EQ(::ftruncate(file_.get(), 2000), 0);
  const Result<std::size_t> got = rest(*source);
  ASSERT_FALSE(got.ok());
  EXPECT_NE(got.error().message.find("was changed"), std::string::npos) << got.error().message;
}

TEST_F(ACallersFile, OfNoSizeEndsWhereItEnds) {
  UniqueFd status(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
  const Observation seen = observe(status.get(), "status", Direction::read).value();
  const auto source = CallersFile::open(std::move(status), "status", seen, cancelled_).value();
  EXPECT_GT(rest(*source).value(), 0U);
}

}  // namespace
}  // namespace aierase::daemon
