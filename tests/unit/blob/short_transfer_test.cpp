// What file systems may do, and those under the build never do: to move less than was asked for.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "base/unique_fd.h"
#include "blob/direct_sink.h"
#include "blob/direct_source.h"
#include "unit/blob/blob_fixture.h"

namespace aierase::blob {
namespace {

// The next call upon this descriptor says that it moved no more than so many bytes.
struct CutShort {
  std::atomic<int> fd{-1};
  std::atomic<ssize_t> bytes{0};

  ssize_t of(int called, ssize_t moved) {
    int expected = called;
    return fd.compare_exchange_strong(expected, -1) ? std::min(moved, bytes.load()) : moved;
  }
};
CutShort cut_read, cut_write;

}  // namespace
}  // namespace aierase::blob

// In the place of the C library's, for this program; by those names, which its headers may have
// given a body already.
extern "C" {
ssize_t cut_pread(int fd, void* to, size_t size, off_t at) __asm__("pread");
ssize_t cut_pread(int fd, void* to, size_t size, off_t at) {
  return aierase::blob::cut_read.of(fd, ::syscall(SYS_pread64, fd, to, size, at));
}
ssize_t cut_pwrite(int fd, const void* from, size_t size, off_t at) __asm__("pwrite");
ssize_t cut_pwrite(int fd, const void* from, size_t size, off_t at) {
  return aierase::blob::cut_write.of(fd, ::syscall(SYS_pwrite64, fd, from, size, at));
}
}

namespace aierase::blob {
namespace {

constexpr std::size_t kPieceBytes = 1 << 20;

class AFileSystemThatMovesLess : public ::testing::Test {
 protected:
  // On the disk of the build: /tmp may be in memory, where there may be no direct I/O.
  void SetUp() override {
    std::string name = std::string(AIERASE_BINARY_DIR) + "/short-transfer-XXXXXX";
    plain_.reset(::mkostemp(name.data(), O_CLOEXEC));
    direct_.reset(::open(name.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC));
    ::unlink(name.c_str());
    if (!direct_.valid()) GTEST_SKIP() << "no direct I/O where the build lies";
  }
  void fill(const Bytes& content) {
    ASSERT_EQ(::pwrite(plain_.get(), content.data(), content.size(), 0),
              static_cast<ssize_t>(content.size()));
    ASSERT_EQ(::fsync(plain_.get()), 0);
  }
  static void cut(CutShort& which, int fd, ssize_t bytes) {
    which.bytes = bytes;
    which.fd = fd;
  }

  UniqueFd plain_, direct_;
  std::atomic<bool> cancelled_{false};
};

TEST_F(AFileSystemThatMovesLess, IsAskedForTheRestOfASource) {
  const Bytes content = content_of(1, 3 * kPieceBytes + 5000);
  fill(content);
  const auto source = DirectSource::start(direct_.get(), cancelled_).value();
  Bytes bytes, piece(kPieceBytes);
  for (std::size_t calls = 0;; ++calls) {
    if (calls == 1) cut(cut_read, direct_.get(), 9000);
    const Result<std::size_t> got = source->read(piece);
    ASSERT_TRUE(got.ok()) << got.error().message;
    if (*got == 0) break;
    append(bytes, ByteView(piece).first(*got));
  }
  EXPECT_EQ(cut_read.fd, -1);
  EXPECT_TRUE(bytes == content);
}

TEST_F(AFileSystemThatMovesLess, IsRefusedAsASourceWhereItGivesNoWholeBlock) {
  fill(content_of(1, kPieceBytes));
  const auto source = DirectSource::start(direct_.get(), cancelled_).value();
  cut(cut_read, direct_.get(), 100);
  Bytes piece(kPieceBytes);
  const Result<std::size_t> got = source->read(piece);
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, Errc::invalid_input);
  EXPECT_NE(got.error().message.find("part of a block"), std::string::npos);
}

TEST_F(AFileSystemThatMovesLess, IsNotCalledFullAsADestination) {
  const auto sink = DirectSink::start(direct_.get(), 0, cancelled_).value();
  cut(cut_write, direct_.get(), 5000);
  ASSERT_TRUE(sink->write(content_of(1, kPieceBytes)).ok());
  const Status finished = sink->finish();
  ASSERT_FALSE(finished.ok());
  EXPECT_EQ(finished.error().code, Errc::invalid_input);
  EXPECT_NE(finished.error().message.find("only a part"), std::string::npos);
}

TEST_F(AFileSystemThatMovesLess, IsAskedForTheRestOfADestination) {
  const auto sink = DirectSink::start(direct_.get(), 0, cancelled_).value();
  cut(cut_write, direct_.get(), 8192);
  const Bytes content = content_of(1, kPieceBytes + 9);
  ASSERT_TRUE(sink->write(content).ok());
  ASSERT_TRUE(sink->finish().ok());
  Bytes found(content.size() + 1);
  ASSERT_EQ(::pread(plain_.get(), found.data(), found.size(), 0),
            static_cast<ssize_t>(content.size()));
  found.pop_back();
  EXPECT_TRUE(found == content);
}

}  // namespace
}  // namespace aierase::blob
