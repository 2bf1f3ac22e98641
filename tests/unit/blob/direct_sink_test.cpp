#include "blob/direct_sink.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/unique_fd.h"
#include "blob/direct_source.h"
#include "unit/blob/blob_fixture.h"

namespace aierase::blob {
namespace {

constexpr std::size_t kPiece = 1 << 20;

// On the disk of the build: /tmp may be in memory, where there may be no direct I/O.
class AFileForDirectIo : public ::testing::Test {
 protected:
  AFileForDirectIo() {
    std::string name = std::string(AIERASE_BINARY_DIR) + "/direct-sink-XXXXXX";
    file_.reset(::mkostemp(name.data(), O_DIRECT | O_CLOEXEC));
    ::unlink(name.c_str());
  }
  void SetUp() override {
    if (!file_.valid()) GTEST_SKIP() << "no direct I/O where the build lies";
  }
  // Through /proc: the content without direct I/O, by a descriptor of its own.
  Bytes content() const {
    std::ifstream file("/proc/self/fd/" + std::to_string(file_.get()), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return copy_of(as_bytes(text));
  }
  std::uint64_t length() const {
    struct stat found {};
    EXPECT_EQ(::fstat(file_.get(), &found), 0);
    return static_cast<std::uint64_t>(found.st_size);
  }
  void holds_what_was_written(std::uint64_t (*expected)(std::uint64_t));

  UniqueFd file_;
  std::atomic<bool> cancelled_{false};
};

void AFileForDirectIo::holds_what_was_written(std::uint64_t (*expected)(std::uint64_t)) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4096}, kPiece - 1,
                                 kPiece, kPiece + 1, 7 * kPiece, 9 * kPiece + 4097}) {
    ASSERT_EQ(::ftruncate(file_.get(), 0), 0);
    ASSERT_EQ(::lseek(file_.get(), 0, SEEK_SET), 0);
    ASSERT_TRUE(is_for_direct_io(file_.get()));
    const Bytes wanted = content_of(size, size);
    auto sink = DirectSink::start(file_.get(), expected(size), cancelled_).value();
    for (std::size_t at = 0; at < size; at += 700'001) {
      const ByteView rest = ByteView(wanted).subspan(at);
      ASSERT_TRUE(sink->write(rest.first(std::min<std::size_t>(rest.size(), 700'001))).ok());
    }
    ASSERT_TRUE(sink->finish().ok());
    EXPECT_TRUE(content() == wanted) << size;
    sink.reset();
    EXPECT_EQ(length(), size);
  }
}

TEST_F(AFileForDirectIo, HoldsExactlyWhatWasWrittenAtEverySizeAroundAPiece) {
  holds_what_was_written([](std::uint64_t size) { return size; });
}

TEST_F(AFileForDirectIo, HoldsExactlyWhatWasWrittenWhateverWasExpected) {
  holds_what_was_written([](std::uint64_t) { return std::uint64_t{0}; });
  holds_what_was_written([](std::uint64_t size) { return size / 2; });
  holds_what_was_written([](std::uint64_t size) { return 3 * size; });
}

// Whoever finds it after a power cut must not take it for whole.
TEST_F(AFileForDirectIo, HasItsWholeLengthOnlyOnceAllOfItIsThere) {
  constexpr std::size_t kWhole = 9 * kPiece;
  const Bytes wanted = content_of(1, kWhole);
  auto sink = DirectSink::start(file_.get(), kWhole, cancelled_).value();
  EXPECT_GT(length(), 0U) << "or its pieces are written one by one";
  ASSERT_TRUE(sink->write(wanted).ok());
  EXPECT_LT(length(), kWhole);
  ASSERT_TRUE(sink->finish().ok());
  EXPECT_TRUE(content() == wanted);
}

TEST_F(AFileForDirectIo, HasItsLengthOfBeforeWhereItIsNotFinished) {
  for (const off_t before : {0, 5000, static_cast<int>(3 * kPiece)}) {
    ASSERT_EQ(::ftruncate(file_.get(), before), 0);
    auto sink = DirectSink::start(file_.get(), 9 * kPiece, cancelled_).value();
    ASSERT_TRUE(sink->write(content_of(1, 7 * kPiece)).ok());
    sink.reset();
    EXPECT_EQ(length(), static_cast<std::uint64_t>(before));
  }
}

TEST_F(AFileForDirectIo, IsWrittenFromWhereItStands) {
  ASSERT_EQ(::lseek(file_.get(), 8192, SEEK_SET), 8192);
  auto sink = DirectSink::start(file_.get(), 0, cancelled_).value();
  ASSERT_TRUE(sink->write(content_of(1, 5000)).ok());
  ASSERT_TRUE(sink->finish().ok());
  Bytes wanted(8192);
  append(wanted, content_of(1, 5000));
  EXPECT_TRUE(content() == wanted);
  EXPECT_EQ(::lseek(file_.get(), 0, SEEK_CUR), 8192 + 5000) << "as after write(2)";
  ASSERT_EQ(::lseek(file_.get(), 100, SEEK_SET), 100);
  EXPECT_EQ(DirectSink::start(file_.get(), 0, cancelled_).error().code, Errc::invalid_input);
}

// Each piece would go to the end, whichever it is.
TEST_F(AFileForDirectIo, IsRefusedWhereItsDescriptorAppends) {
  ASSERT_EQ(::fcntl(file_.get(), F_SETFL, O_DIRECT | O_APPEND), 0);
  const auto sink = DirectSink::start(file_.get(), 0, cancelled_);
  ASSERT_FALSE(sink.ok());
  EXPECT_EQ(sink.error().code, Errc::invalid_input);
  EXPECT_NE(sink.error().message.find("appending"), std::string::npos);
}

TEST_F(AFileForDirectIo, IsGivenUpWhenTheJobIsCancelled) {
  auto sink = DirectSink::start(file_.get(), 0, cancelled_).value();
  cancelled_.store(true);
  EXPECT_EQ(sink->write(content_of(1, 3 * kPiece)).error().code, Errc::cancelled);
}

TEST_F(AFileForDirectIo, IsRefusedWithoutStoppingTheDaemonWhenItCannotBeWritten) {
  const std::string path = "/proc/self/fd/" + std::to_string(file_.get());
  const UniqueFd reading(::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  auto sink = DirectSink::start(reading.get(), 0, cancelled_).value();
  ASSERT_TRUE(sink->write(content_of(1, 10)).ok());
  const Status finished = sink->finish();
  ASSERT_FALSE(finished.ok());
  EXPECT_NE(finished.error().code, Errc::io);
}

}  // namespace
}  // namespace aierase::blob
