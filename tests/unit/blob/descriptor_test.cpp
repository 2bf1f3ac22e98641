#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "base/unique_fd.h"
#include "blob/descriptor_io.h"
#include "unit/blob/blob_fixture.h"

namespace aierase::blob {
namespace {

struct Ends {
  UniqueFd in, out;
};

Ends make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) std::abort();
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Ends make_socket() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) std::abort();
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

class ADescriptor : public BlobTest {
 protected:
  // Sends `content` through the two ends, by sink and source.
  Bytes sent_through(Ends ends, const Bytes& content) {
    std::thread sender([&] {
      DescriptorSink sink(ends.out.get(), cancelled_);
      EXPECT_TRUE(sink.write(content).ok());
      ends.out.reset();
    });
    DescriptorSource source(ends.in.get(), cancelled_);
    Bytes received, buffer(1 << 20);
    while (true) {
      const Result<std::size_t> got = source.read(buffer);
      if (!got.ok()) ADD_FAILURE() << got.error().message;
      if (!got.ok() || *got == 0) break;
      append(received, ByteView(buffer).first(*got));
    }
    sender.join();
    return received;
  }
  std::atomic<bool> cancelled_{false};
};

TEST_F(ADescriptor, CarriesEveryByteThroughAPipeAndThroughASocket) {
  const Bytes content = content_of(3, (3 << 20) + 17);
  EXPECT_TRUE(sent_through(make_pipe(), content) == content);
  EXPECT_TRUE(sent_through(make_socket(), content) == content);
}

TEST_F(ADescriptor, OfAFileIsReadToItsEndAndWritten) {
  const Bytes content = content_of(4, 100'000);
  const UniqueFd file(::open((directory_ / "file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  DescriptorSink sink(file.get(), cancelled_);
  ASSERT_TRUE(sink.write(content).ok());
  ASSERT_EQ(::lseek(file.get(), 0, SEEK_SET), 0);
  DescriptorSource source(file.get(), cancelled_);
  Bytes buffer(200'000);
  EXPECT_EQ(source.read(buffer).value(), content.size());
  EXPECT_EQ(source.read(buffer).value(), 0U);
}

TEST_F(ADescriptor, ThatNobodyReadsAnyMoreCancels) {
  std::signal(SIGPIPE, SIG_IGN);
  for (const auto& make : {make_pipe, make_socket}) {
    Ends ends = make();
    ends.in.reset();
    DescriptorSink sink(ends.out.get(), cancelled_);
    const Bytes content(10);
    EXPECT_EQ(sink.write(content).error().code, Errc::cancelled);
  }
}

TEST_F(ADescriptor, ThatStandsStillEndsWithTheCancellationOfItsJob) {
  const Ends idle = make_pipe();
  std::thread canceller([&] { cancelled_ = true; });
  DescriptorSource source(idle.in.get(), cancelled_);
  Bytes buffer(10);
  EXPECT_EQ(source.read(buffer).error().code, Errc::cancelled);
  canceller.join();
}

TEST_F(ADescriptor, ThatIsFullEndsWithTheCancellationOfItsJob) {
  for (const auto& make : {make_pipe, make_socket}) {
    const Ends full = make();
    cancelled_ = false;
    DescriptorSink sink(full.out.get(), cancelled_);
    std::thread canceller([&] {
      char byte = 0;
      // The first byte has arrived, so the sink is at work and will never get rid of all.
      EXPECT_EQ(::read(full.in.get(), &byte, 1), 1);
      cancelled_ = true;
    });
    const Bytes content(std::size_t{16} << 20);
    EXPECT_EQ(sink.write(content).error().code, Errc::cancelled);
    canceller.join();
  }
}

TEST_F(ADescriptor, KeepsItsFlags) {
  const Ends ends = make_pipe();
  const int before = ::fcntl(ends.out.get(), F_GETFL);
  DescriptorSink sink(ends.out.get(), cancelled_);
  const Bytes content(10);
  ASSERT_TRUE(sink.write(content).ok());
  EXPECT_EQ(::fcntl(ends.out.get(), F_GETFL), before);
  EXPECT_EQ(before & O_NONBLOCK, 0);
}

TEST_F(ADescriptor, ThatCannotBeReadIsTheFaultOfItsOwnerAndNotOfOurDisk) {
  const UniqueFd directory(::open(directory_.path().c_str(), O_RDONLY | O_CLOEXEC));
  DescriptorSource source(directory.get(), cancelled_);
  Bytes buffer(10);
  EXPECT_EQ(source.read(buffer).error().code, Errc::invalid_input);
}

}  // namespace
}  // namespace aierase::blob
