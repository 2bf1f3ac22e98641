// What the kernel is told: the test speaks its side of fuse(4) through libfuse to what the daemon
// serves a view with.
#include "view/requests.h"

#include <errno.h>
#include <linux/fuse.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstring>

#include "base/unique_fd.h"
#include "unit/blob/blob_fixture.h"

namespace aierase::blob {
namespace {

constexpr std::size_t kOneSegment = crypto::kFloeSegmentPlaintext;
constexpr std::size_t kOneRequest = 1 << 20;

template <typename T>
void put_object(Bytes& to, const T& object) {
  append(to, std::as_bytes(std::span(&object, 1)));
}

struct Answered {
  int error = 0;  // positive; 0 where it went well
  Bytes content;
};

class AKernel : public BlobTest {
 protected:
  void SetUp() override {
    large_ = content_of(7, 48 * kOneSegment + 5);
    manifest_ = import({{"large", large_}, {"small", content_of(8, 70'000)}});
    requests_.emplace(env_, view::Content{options_, manifest_, key(), 0, 0, UtcTime{}}, progress_);
    ASSERT_TRUE(requests_->prepare().ok());
    requests_->set_in_line([] {});
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    kernel_.reset(ends[0]);
    const int most = 4 << 20;
    for (const int end : ends) ::setsockopt(end, SOL_SOCKET, SO_SNDBUFFORCE, &most, sizeof most);
    char name[] = "test";
    char* arguments[] = {name, nullptr};
    fuse_args args = FUSE_ARGS_INIT(1, arguments);
    const fuse_lowlevel_ops& operations = view::Requests::operations();
    session_.reset(fuse_session_new(&args, &operations, sizeof operations, &*requests_));
    fuse_opt_free_args(&args);
    ASSERT_NE(session_, nullptr);
    fuse_custom_io by_socket{};
    by_socket.read = [](int fd, void* to, std::size_t size, void*) { return ::read(fd, to, size); };
    by_socket.writev = [](int fd, iovec* from, int count, void*) {
      return ::writev(fd, from, count);
    };
    ASSERT_EQ(fuse_session_custom_io(session_.get(), &by_socket, ends[1]), 0);
    fuse_init_in hello{};
    hello.major = FUSE_KERNEL_VERSION;
    hello.minor = FUSE_KERNEL_MINOR_VERSION;
    hello.max_readahead = kOneRequest;
    hello.flags = FUSE_ASYNC_READ | FUSE_MAX_PAGES | FUSE_BIG_WRITES;
    Bytes told;
    put_object(told, hello);
    ASSERT_EQ(ask(FUSE_INIT, FUSE_ROOT_ID, told).error, 0);
  }

  Answered ask(std::uint32_t operation, std::uint64_t inode, ByteView told) {
    fuse_in_header header{};
    header.len = static_cast<std::uint32_t>(sizeof header + told.size());
    header.opcode = operation;
    header.unique = ++asked_;
    header.nodeid = inode;
    Bytes request;
    put_object(request, header);
    append(request, told);
    EXPECT_EQ(::write(kernel_.get(), request.data(), request.size()),
              static_cast<ssize_t>(request.size()));
    fuse_buf received{};
    EXPECT_GT(fuse_session_receive_buf(session_.get(), &received), 0);
    fuse_session_process_buf(session_.get(), &received);
    std::free(received.mem);
    Bytes reply(2 * kOneRequest);
    const ssize_t got = ::recv(kernel_.get(), reply.data(), reply.size(), MSG_DONTWAIT);
    fuse_out_header result{};
    if (got < static_cast<ssize_t>(sizeof result)) {
      ADD_FAILURE() << "no answer";
      return {};
    }
    std::memcpy(&result, reply.data(), sizeof result);
    EXPECT_EQ(result.unique, asked_);
    EXPECT_EQ(result.len, static_cast<std::uint32_t>(got));
    char more = 0;
    EXPECT_LT(::recv(kernel_.get(), &more, 1, MSG_DONTWAIT), 0) << "each has one answer";
    return {-result.error, copy_of(ByteView(reply).first(result.len).subspan(sizeof result))};
  }
  Answered read(std::uint64_t inode, std::uint64_t offset, std::uint32_t size) {
    fuse_read_in wanted{};
    wanted.offset = offset;
    wanted.size = size;
    Bytes told;
    put_object(told, wanted);
    return ask(FUSE_READ, inode, told);
  }
  int open(std::uint64_t inode, std::uint32_t flags = O_RDONLY) {
    fuse_open_in wanted{};
    wanted.flags = flags;
    Bytes told;
    put_object(told, wanted);
    return ask(FUSE_OPEN, inode, told).error;
  }
  std::uint64_t inode_of(const std::string& name) {
    const Answered found =
        ask(FUSE_LOOKUP, FUSE_ROOT_ID, std::as_bytes(std::span(name.c_str(), name.size() + 1)));
    fuse_entry_out entry{};
    if (found.content.size() == sizeof entry) {
      std::memcpy(&entry, found.content.data(), sizeof entry);
    }
    return entry.nodeid;
  }
  bool has(const Answered& answered, std::uint64_t offset, std::size_t length) const {
    const ByteView wanted = ByteView(large_).subspan(offset, length);
    return answered.error == 0 && std::equal(answered.content.begin(), answered.content.end(),
                                             wanted.begin(), wanted.end());
  }

  Bytes large_;
  domain::Manifest manifest_;
  std::optional<view::Requests> requests_;
  std::unique_ptr<fuse_session, decltype(&fuse_session_destroy)> session_{nullptr,
                                                                          &fuse_session_destroy};
  UniqueFd kernel_;
  std::uint64_t asked_ = 0;
};

TEST_F(AKernel, GetsWhatItAsksForInOnePieceWhereverItLies) {
  const std::uint64_t large = inode_of("large");
  ASSERT_EQ(open(large), 0);
  for (const std::uint64_t at :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{kOneSegment},
        std::uint64_t{kOneSegment - 16}, std::uint64_t{kOneSegment - 1},
        std::uint64_t{7 * kOneSegment - 31}, std::uint64_t{5 * kOneRequest}}) {
    EXPECT_TRUE(has(read(large, at, kOneRequest), at, kOneRequest)) << at;
    EXPECT_TRUE(has(read(large, at, 4096), at, 4096)) << at;
  }
  for (std::uint64_t at = 0; at < large_.size(); at += kOneRequest) {
    const std::size_t length = std::min<std::size_t>(kOneRequest, large_.size() - at);
    EXPECT_TRUE(has(read(large, at, kOneRequest), at, length)) << at;
  }
}

TEST_F(AKernel, GetsNoMoreThanThereIs) {
  const std::uint64_t large = inode_of("large");
  EXPECT_TRUE(has(read(large, large_.size() - 3, 4096), large_.size() - 3, 3));
  for (const std::uint64_t at : {std::uint64_t{large_.size()}, std::uint64_t{1} << 62}) {
    const Answered nothing = read(large, at, 4096);
    EXPECT_EQ(nothing.error, 0);
    EXPECT_TRUE(nothing.content.empty());
  }
  EXPECT_TRUE(has(read(large, 0, 3 * kOneRequest), 0, kOneRequest))
      << "nobody asks for more at a time";
}

TEST_F(AKernel, IsRefusedWhatIsNotThere) {
  EXPECT_EQ(inode_of("absent"), 0U);
  EXPECT_EQ(open(99), ENOENT);
  EXPECT_EQ(open(FUSE_ROOT_ID), EISDIR);
  EXPECT_EQ(open(inode_of("small"), O_RDWR), EROFS);
  EXPECT_EQ(read(99, 0, 4096).error, EINVAL);
  EXPECT_EQ(read(0, 0, 4096).error, EINVAL);
  EXPECT_EQ(read(FUSE_ROOT_ID, 0, 4096).error, EINVAL);
  EXPECT_EQ(read(inode_of("small"), std::uint64_t{1} << 63, 4096).error, EINVAL);
}

TEST_F(AKernel, IsToldOfAnInputErrorWhereContentIsDamagedAndReadsOnElsewhere) {
  const std::uint64_t large = inode_of("large");
  const std::string path = path_of(manifest_.blobs[0]);
  Bytes changed = bytes_of(path);
  changed[kPageBytes + 3 * crypto::kFloeSegmentBytes + 99] ^= std::byte{1};
  put_bytes(path, changed);
  const Answered damaged = read(large, 2 * kOneSegment + 10, kOneRequest);
  EXPECT_EQ(damaged.error, EIO);
  EXPECT_TRUE(damaged.content.empty()) << "nor what was whole in front of it";
  const std::optional<Error> fault = requests_->take_fault();
  ASSERT_TRUE(fault.has_value());
  EXPECT_NE(fault->message.find("segment 3"), std::string::npos);
  EXPECT_FALSE(requests_->take_fault().has_value());
  EXPECT_TRUE(has(read(large, 5 * kOneSegment, kOneRequest), 5 * kOneSegment, kOneRequest));
}

TEST_F(AKernel, IsToldOfAnInputErrorWhereABlobIsGone) {
  const std::uint64_t large = inode_of("large");
  ASSERT_EQ(::unlink(path_of(manifest_.blobs[0]).c_str()), 0);
  EXPECT_EQ(read(large, 0, 4096).error, EIO);
  const std::optional<Error> fault = requests_->take_fault();
  ASSERT_TRUE(fault.has_value());
  EXPECT_NE(fault->message.find("missing"), std::string::npos);
}

TEST_F(AKernel, IsToldThatAllIsStaleOnceTheAssetIsGone) {
  const std::uint64_t large = inode_of("large");
  const std::uint64_t small = inode_of("small");
  ASSERT_EQ(open(large), 0);
  ASSERT_TRUE(has(read(large, 0, kOneRequest), 0, kOneRequest));
  requests_->revoke();
  const Answered again = read(large, 0, 4096);
  EXPECT_EQ(again.error, ESTALE) << "also of what was just opened";
  EXPECT_TRUE(again.content.empty());
  EXPECT_EQ(read(small, 0, 4096).error, ESTALE);
  EXPECT_EQ(open(large), ESTALE);
  EXPECT_EQ(open(small), ESTALE);
  EXPECT_FALSE(requests_->take_fault().has_value()) << "that is no fault";
  std::vector<std::uint64_t> opened;
  requests_->for_each_opened([&](fuse_ino_t number) { opened.push_back(number); });
  EXPECT_EQ(opened, std::vector<std::uint64_t>{large});
}

}  // namespace
}  // namespace aierase::blob
