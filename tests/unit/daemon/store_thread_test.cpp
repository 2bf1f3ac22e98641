#include "daemon/store_thread.h"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

#include "base/clock.h"

namespace aierase::daemon {
namespace {

// Without a store: what is asked here needs none.
class AStoreThread : public testing::Test {
 protected:
  AStoreThread() { thread_.start(); }
  ~AStoreThread() override { thread_.stop(); }

  template <typename Fault>
  Result<bool> run_throwing(Fault fault) {
    return thread_.run<bool>([fault](StoreSession&) -> Result<bool> { throw fault; });
  }

  static std::unique_ptr<Loop> make_loop() {
    EXPECT_TRUE(Loop::block_signals().ok());
    return Loop::create().value();
  }

  const SystemClock clock_;
  AuditPost audit_{clock_};
  const std::unique_ptr<Loop> loop_ = make_loop();
  StoreThread thread_{*loop_, std::make_unique<StoreSession>(lifecycle::StoreSettings(), Config()),
                      audit_, StoreThread::Listeners()};
};

TEST_F(AStoreThread, AnswersTheJobWhoseActThrows) {
  const Result<bool> failed = run_throwing(std::runtime_error("no such luck"));
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, Errc::unexpected);
  EXPECT_NE(failed.error().message.find("no such luck"), std::string::npos);
}

TEST_F(AStoreThread, CallsMissingMemoryALimit) {
  const Result<bool> failed = run_throwing(std::bad_alloc());
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, Errc::resource_limit);
  EXPECT_FALSE(failed.error().hint.empty());
}

TEST_F(AStoreThread, GoesOnBehindAnActThatThrew) {
  ASSERT_TRUE(
      thread_.post([](StoreSession&) -> StoreThread::Then { throw std::bad_alloc(); }).ok());
  const Result<bool> done = thread_.run<bool>([](StoreSession&) { return Result<bool>(true); });
  EXPECT_TRUE(done.ok());
}

}  // namespace
}  // namespace aierase::daemon
