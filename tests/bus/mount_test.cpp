// What may be passed to be served as a view; the views themselves are tests/cli/mount.sh.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "bus/names.h"
#include "bus/running_daemon.h"

namespace aierase::bus_test {
namespace {

class AMount : public testing::Test {
 protected:
  void SetUp() override {
    daemon_.start();
    client_ = std::make_unique<bus::Client>(daemon_.client());
    init(*client_);
    ASSERT_TRUE(import_text(*client_, "m", "some weights").ok());
  }
  Result<bus::Job> begin() {
    return client_->start(bus::kAssetInterface, "Mount",
                          {std::string("m"), bus::Options(Json{{"mount_point", "/nowhere"}})});
  }
  // How a view of this descriptor ends.
  Result<Json> serve(const std::string& name, int descriptor) {
    ASSIGN_OR_RETURN(bus::Job job, begin());
    const bus::NamedFile file{name, descriptor};
    RETURN_IF_ERROR(job.add_files({&file, 1}));
    Result<Json> end = job.wait();
    RETURN_IF_ERROR(job.release());
    return end;
  }
  std::size_t leases() {
    const Result<Json> shown =
        client_->call(bus::kAssetInterface, "Show", {std::string("m"), bus::Options()});
    EXPECT_TRUE(shown.ok());
    return shown.ok() ? shown->at("leases").size() : 99;
  }

  RunningDaemon daemon_;
  std::unique_ptr<bus::Client> client_;
};

TEST_F(AMount, TakesOnlyDescriptorsOfFuse) {
  int pair[2] = {-1, -1};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
  const UniqueFd socket(pair[0]), other(pair[1]);
  const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  const UniqueFd memory(memfd_create("requests", MFD_CLOEXEC));
  for (const int descriptor : {socket.get(), null.get(), memory.get()}) {
    const Result<Json> end = serve("device", descriptor);
    ASSERT_FALSE(end.ok());
    EXPECT_EQ(end.error().code, Errc::invalid_input) << end.error().message;
  }
  EXPECT_EQ(leases(), 0U);
}

TEST_F(AMount, TakesOneThatIsCalledDevice) {
  const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  const Result<Json> end = serve("weights.bin", null.get());
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code, Errc::usage) << end.error().message;
}

TEST_F(AMount, EndsWhereNoneIsPassed) {
  Result<bus::Job> job = begin();
  ASSERT_TRUE(job.ok()) << job.error().message;
  ASSERT_TRUE(job->commit().ok());
  const Result<Json> end = job->wait();
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code, Errc::usage) << end.error().message;
}

TEST_F(AMount, EndsWhereItsDescriptorIsMountedNowhere) {
  const UniqueFd device(open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!device.valid()) GTEST_SKIP() << "no /dev/fuse that this user may open";
  static_cast<void>(serve("device", device.get()).ok());
  EXPECT_EQ(leases(), 0U);
}

TEST_F(AMount, IsCountedApartFromJobs) {
  std::vector<bus::Job> views;
  const std::size_t most = geteuid() == 0 ? limits::kMounts : limits::kMountsPerUid;
  for (std::size_t i = 0; i < most; ++i) {
    Result<bus::Job> job = begin();
    ASSERT_TRUE(job.ok()) << i << ": " << job.error().message;
    views.push_back(std::move(job).value());
  }
  const Result<bus::Job> refused = begin();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::resource_limit);
  EXPECT_NE(refused.error().message.find("mounted views"), std::string::npos);
  EXPECT_TRUE(import_text(*client_, "other", "more").ok()) << "work goes on beside them";
}

}  // namespace
}  // namespace aierase::bus_test
