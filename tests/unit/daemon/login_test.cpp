#include "daemon/login.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

namespace aierase::daemon {
namespace {

using domain::LoginSight;

// A child that waits for its end, or has come to it.
class Child {
 public:
  Child() {
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) != 0) std::abort();
    pid_ = fork();
    if (pid_ == 0) {
      close(ends[1]);
      char byte = 0;
      while (read(ends[0], &byte, 1) > 0) continue;
      _exit(0);
    }
    close(ends[0]);
    leash_.reset(ends[1]);
  }
  ~Child() { end(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void end() {
    leash_.reset();
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }
  UniqueFd handle() const { return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0))); }

 private:
  pid_t pid_ = 0;
  UniqueFd leash_;
};

ConnectionProcess made_by(const Child& child) {
  ConnectionProcess process;
  process.uid = geteuid();
  process.pid = child.pid();
  return process;
}

class ALogin : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ifstream file("/proc/self/loginuid");
    if (!(file >> own)) GTEST_SKIP() << "this kernel keeps no login";
  }
  void expect_told(const ConnectionProcess& process) {
    const Login login = login_of(process);
    EXPECT_EQ(login.sight, LoginSight::told);
    if (own == domain::kNoUid) {
      EXPECT_EQ(login.uid, std::nullopt);
    } else {
      EXPECT_EQ(login.uid, own);
    }
  }
  std::uint32_t own = 0;
  Child child;
};

TEST_F(ALogin, IsThatOfTheProcessByItsNumberAndByItsHandle) {
  ConnectionProcess process = made_by(child);
  expect_told(process);
  process.handle = child.handle();
  ASSERT_TRUE(process.handle.valid());
  process.pid = 1;  // what the bus sees may be counted in another namespace
  expect_told(process);
}

TEST_F(ALogin, OfAProcessThatIsGoneIsNotTheOneOfNobody) {
  ConnectionProcess process = made_by(child);
  child.end();
  EXPECT_EQ(login_of(process).sight, LoginSight::process_gone);
}

TEST_F(ALogin, IsNotTakenFromWhoHasTheNumberOfTheProcessByNow) {
  ConnectionProcess process = made_by(child);
  process.handle = child.handle();
  child.end();
  process.pid = static_cast<std::uint32_t>(getpid());
  EXPECT_EQ(login_of(process).sight, LoginSight::process_gone);
}

TEST_F(ALogin, IsNotTakenFromAProcessOfAnotherAccount) {
  ConnectionProcess process = made_by(child);
  process.uid = geteuid() + 1;
  const Login login = login_of(process);
  EXPECT_EQ(login.sight, LoginSight::other_account);
  EXPECT_EQ(login.uid, std::nullopt);
}

TEST_F(ALogin, IsHiddenWhereTheBusDoesNotKnowTheProcess) {
  ConnectionProcess process = made_by(child);
  process.pid = 0;
  EXPECT_EQ(login_of(process).sight, LoginSight::unreadable);
}

}  // namespace
}  // namespace aierase::daemon
