#include "blob/direct_source.h"
#include "base/unique_fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "unit/blob/blob_fixture.h"

namespace aierase::blob {
namespace {

// On the disk of the build: /tmp may be in memory, where there may be no direct I/O.
class AFileReadDirectly : public ::testing::Test {
 protected:
  void open(const Bytes& content) {
    std::string name = std::string(AIERASE_BINARY_DIR) + "/direct-source-XXXXXX";
    const UniqueFd writing(::mkostemp(name.data(), O_CLOEXEC));
    EXPECT_EQ(::write(writing.get(), content.data(), content.size()),
              static_cast<ssize_t>(content.size()));
    EXPECT_EQ(::fsync(writing.get()), 0);
    file_.reset(::open(name.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
    ::unlink(name.c_str());
  }
  Result<Bytes> all(std::size_t step) {
    ASSIGN_OR_RETURN(const auto source, DirectSource::start(file_.get(), cancelled_));
    Bytes bytes, piece(step);
    while (true) {
      ASSIGN_OR_RETURN(const std::size_t got, source->read(piece));
      if (got == 0) return bytes;
      append(bytes, ByteView(piece).first(got));
    }
  }

  UniqueFd file_;
  std::atomic<bool> cancelled_{false};
};

TEST_F(AFileReadDirectly, GivesAllItsBytesAtEverySizeAroundAPiece) {
  constexpr std::size_t kPieceBytes = 1 << 20;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{4096}, kPieceBytes - 1, kPieceBytes,
        kPieceBytes + 1, 3 * kPieceBytes + 4096, 3 * kPieceBytes + 5000}) {
    const Bytes content = content_of(size, size);
    open(content);
    if (!file_.valid()) GTEST_SKIP() << "no direct I/O where the build lies";
    EXPECT_TRUE(is_for_direct_io(file_.get()));
    EXPECT_TRUE(all(777'777).value() == content) << size;
  }
}

TEST_F(AFileReadDirectly, StartsWhereTheDescriptorStands) {
  const Bytes content = content_of(1, 20'000);
  open(content);
  if (!file_.valid()) GTEST_SKIP() << "no direct I/O where the build lies";
  ASSERT_EQ(::lseek(file_.get(), 8192, SEEK_SET), 8192);
  const Bytes rest = all(1000).value();
  EXPECT_TRUE(std::equal(rest.begin(), rest.end(), content.begin() + 8192, content.end()));
  EXPECT_EQ(::lseek(file_.get(), 0, SEEK_CUR), 8192);
  ASSERT_EQ(::lseek(file_.get(), 5, SEEK_SET), 5);
  EXPECT_EQ(all(1000).error().code, Errc::invalid_input);
}

TEST_F(AFileReadDirectly, IsGivenUpWhenTheJobIsCancelled) {
  open(content_of(1, 20'000));
  if (!file_.valid()) GTEST_SKIP() << "no direct I/O where the build lies";
  cancelled_.store(true);
  EXPECT_EQ(all(1000).error().code, Errc::cancelled);
}

}  // namespace
}  // namespace aierase::blob
