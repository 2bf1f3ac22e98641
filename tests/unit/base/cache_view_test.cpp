#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "base/env.h"
#include "base/unique_fd.h"

namespace aierase {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kPages = 512;

struct FreePages {
  void operator()(std::byte* pages) const { std::free(pages); }
};

// On the disk of the build: /tmp may be in memory, where everything is cached.
class AFileReadAsFound : public ::testing::Test {
 protected:
  AFileReadAsFound() {
    std::string name = std::string(AIERASE_BINARY_DIR) + "/as-found-XXXXXX";
    file_.reset(::mkostemp(name.data(), O_CLOEXEC));
    path_ = name;
    for (std::size_t page = 0; page < kPages; ++page) {
      const std::vector<unsigned char> content(kPage, static_cast<unsigned char>(page % 251));
      EXPECT_EQ(::write(file_.get(), content.data(), kPage), static_cast<ssize_t>(kPage));
    }
    EXPECT_EQ(::fsync(file_.get()), 0);
  }
  ~AFileReadAsFound() override { ::unlink(path_.c_str()); }

  std::size_t cached_pages() const {
    void* const map = ::mmap(nullptr, kPage * kPages, PROT_READ, MAP_SHARED, file_.get(), 0);
    std::vector<unsigned char> resident(kPages);
    EXPECT_EQ(::mincore(map, kPage * kPages, resident.data()), 0);
    ::munmap(map, kPage * kPages);
    std::size_t count = 0;
    for (const unsigned char page : resident) count += page & 1U;
    return count;
  }
  void forget() const { ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED); }
  // Reads all of it, and holds it against what was written.
  void read_all() {
    OpenHow how;
    how.caching = Caching::as_found;
    const auto file = env_.open(path_, how);
    ASSERT_TRUE(file.ok());
    const std::unique_ptr<std::byte, FreePages> pages(
        static_cast<std::byte*>(std::aligned_alloc(kPage, kPage * kPages)));
    const ByteSpan whole(pages.get(), kPage * kPages);
    ASSERT_TRUE((*file)->read_at(0, whole).ok());
    for (std::size_t page = 0; page < kPages; ++page) {
      ASSERT_EQ(whole[page * kPage + 7], static_cast<std::byte>(page % 251)) << page;
    }
  }

  PosixEnv env_;
  UniqueFd file_;
  std::string path_;
};

TEST_F(AFileReadAsFound, LeavesThePageCacheAsItWas) {
  forget();
  if (cached_pages() != 0) GTEST_SKIP() << "this file system keeps everything in memory";
  read_all();
  EXPECT_EQ(cached_pages(), 0U);
}

TEST_F(AFileReadAsFound, ComesFromThePageCacheWhereItIsThere) {
  ASSERT_EQ(cached_pages(), kPages);
  read_all();
  EXPECT_EQ(cached_pages(), kPages);
}

TEST_F(AFileReadAsFound, IsTheSameWhenOnlySomeOfItIsCached) {
  forget();
  std::vector<unsigned char> page(kPage);
  ASSERT_EQ(::pread(file_.get(), page.data(), kPage, 100 * kPage), static_cast<ssize_t>(kPage));
  read_all();
  EXPECT_LT(cached_pages(), kPages);
}

TEST_F(AFileReadAsFound, GivesUnalignedPartsToo) {
  forget();
  OpenHow how;
  how.caching = Caching::as_found;
  const auto file = env_.open(path_, how);
  ASSERT_TRUE(file.ok());
  std::vector<std::byte> part(10);
  ASSERT_TRUE((*file)->read_at(kPage * 3 - 5, part).ok());
  EXPECT_EQ(part[4], std::byte{2});
  EXPECT_EQ(part[5], std::byte{3});
  EXPECT_EQ((*file)->read_at(kPage * kPages - 5, part).error().code, Errc::damaged);
}

}  // namespace
}  // namespace aierase
