#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "base/clock.h"
#include "base/log.h"
#include "base/queue.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "base/unique_fd.h"
#include "unit/support/fake_clock.h"

namespace aierase {
namespace {

TEST(ErrnoErrors, SayWhatWasTriedAndWhatTheCallerCanDo) {
  EXPECT_EQ(errno_error(ENOSPC, "cannot write to f").code, Errc::no_space);
  EXPECT_EQ(errno_error(EDQUOT, "x").code, Errc::no_space);
  EXPECT_EQ(errno_error(ENOENT, "x").code, Errc::not_found);
  EXPECT_EQ(errno_error(EACCES, "x").code, Errc::access_denied);
  EXPECT_EQ(errno_error(EPERM, "x").code, Errc::access_denied);
  EXPECT_EQ(errno_error(EIO, "cannot write to f").code, Errc::io);
  EXPECT_EQ(errno_error(EIO, "cannot write to f").message, "cannot write to f: Input/output error");
  EXPECT_EQ(errno_error(99999, "x").message, "x: error 99999");
}

TEST(EveryErrc, IsFoundAgainByItsBusName) {
  for (int i = 0; i <= static_cast<int>(Errc::busy); ++i) {
    const Errc code = static_cast<Errc>(i);
    EXPECT_EQ(errc_from_dbus(info(code).dbus), code);
  }
  EXPECT_EQ(errc_from_dbus("org.aierase1.Error.Nonsense"), std::nullopt);
}

TEST(TheWorseBlocker, IsTheOneWithTheLowerExitCodeFromSevenToThirteen) {
  EXPECT_EQ(worse_blocker(Errc::brake, Errc::legal_hold), Errc::legal_hold);
  EXPECT_EQ(worse_blocker(Errc::legal_hold, Errc::brake), Errc::legal_hold);
  EXPECT_EQ(worse_blocker(Errc::usage, Errc::brake), Errc::brake);
  EXPECT_EQ(worse_blocker(Errc::brake, Errc::usage), Errc::brake);
}

TEST(ASecret, StartsAsZerosAndComesBackUnchanged) {
  Result<SecretBytes> secret = SecretBytes::zeroed(40);
  ASSERT_TRUE(secret.ok());
  EXPECT_EQ(secret->size(), 40U);
  EXPECT_TRUE(secret->is_zero());
  secret->fill([](ByteSpan bytes) { bytes[39] = std::byte{7}; });
  EXPECT_FALSE(secret->is_zero());
  const Result<SecretBytes> clone = secret->clone();
  ASSERT_TRUE(clone.ok());
  EXPECT_TRUE(clone->equals(*secret));
  secret->zeroize();
  EXPECT_TRUE(secret->is_zero());
  EXPECT_FALSE(clone->equals(*secret));
  EXPECT_EQ(secret->size(), 40U);
}

TEST(ASecret, IsEqualOnlyToOneOfTheSameSize) {
  const auto a = SecretBytes::zeroed(16);
  const auto b = SecretBytes::zeroed(17);
  EXPECT_FALSE(a->equals(*b));
  EXPECT_TRUE(SecretBytes().equals(SecretBytes::zeroed(0).value()));
}

TEST(ASecret, CanBeMovedButLeavesNothingBehind) {
  SecretBytes from = SecretBytes::random(32).value();
  const SecretBytes twin = from.clone().value();
  SecretBytes to = std::move(from);
  EXPECT_TRUE(from.empty());  // NOLINT: the state after the move is what is tested
  EXPECT_TRUE(to.equals(twin));
  to = SecretBytes::zeroed(1).value();
  EXPECT_EQ(to.size(), 1U);
}

TEST(ASecretOfWholePages, IsAlignedForDirectIo) {
  for (const std::size_t pages : {1U, 2U, 5U}) {
    const auto secret = SecretBytes::zeroed(pages * 4096);
    ASSERT_TRUE(secret.ok());
    const auto address = secret->reveal(
        [](ByteView bytes) { return reinterpret_cast<std::uintptr_t>(bytes.data()); });
    EXPECT_EQ(address % 4096, 0U);
  }
}

TEST(RandomSecrets, Differ) {
  EXPECT_FALSE(SecretBytes::random(32)->equals(*SecretBytes::random(32)));
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLocksAreReal = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kLocksAreReal = false;
#else
constexpr bool kLocksAreReal = true;
#endif
#else
constexpr bool kLocksAreReal = true;
#endif

// Runs `act` in a child process that may lock no memory; its exit status.
template <typename Act>
int in_process_without_locks(Act&& act) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit nothing{0, 0};
    if (::setrlimit(RLIMIT_MEMLOCK, &nothing) != 0) ::_exit(100);
    // Root may lock beyond every limit.
    if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) ::_exit(101);
    ::_exit(act());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ASecretThatCannotBeLocked, IsRefused) {
  if (!kLocksAreReal) GTEST_SKIP() << "mlock does nothing under this sanitizer";
  EXPECT_EQ(in_process_without_locks([] {
              const auto secret = SecretBytes::zeroed(32);
              return !secret.ok() && secret.error().code == Errc::resource_limit ? 0 : 1;
            }),
            0);
  EXPECT_EQ(in_process_without_locks([] { return harden_process_memory().ok() ? 1 : 0; }), 0);
}

TEST(AHardenedProcess, LeavesNoCore) {
  const pid_t child = ::fork();
  if (child == 0) {
    rlimit core{};
    const bool hardened =
        harden_process_memory().ok() && ::getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0;
    ::_exit(hardened ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(TheSystemClock, KnowsTheBootAndCountsFromIt) {
  const ClockReading reading = SystemClock().read();
  EXPECT_GT(reading.wall, from_unix(1'700'000'000));
  EXPECT_GT(reading.since_boot.count(), 0);
  EXPECT_EQ(reading.boot_id.size(), 36U);
  EXPECT_EQ(SystemClock().read().boot_id, reading.boot_id);
}

TEST(AFakeClock, MovesOnlyWhenToldTo) {
  test::FakeClock clock;
  const ClockReading before = clock.read();
  EXPECT_EQ(to_rfc3339(before.wall), "2026-01-01T00:00:00Z");
  clock.advance(std::chrono::hours(2));
  EXPECT_EQ(clock.now() - before.wall, std::chrono::hours(2));
  EXPECT_EQ(clock.read().since_boot - before.since_boot, std::chrono::hours(2));
  clock.reboot("b", std::chrono::seconds(5));
  EXPECT_EQ(clock.read().boot_id, "b");
  EXPECT_EQ(clock.read().since_boot.count(), 0);
}

TEST(AUniqueFd, ClosesItsDescriptorOnce) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  UniqueFd reader(ends[0]);
  {
    UniqueFd writer(ends[1]);
    UniqueFd owner = std::move(writer);
    EXPECT_FALSE(writer.valid());  // NOLINT: the state after the move is what is tested
    EXPECT_TRUE(owner.valid());
  }
  char byte = 0;
  EXPECT_EQ(::read(reader.get(), &byte, 1), 0);  // end of file: the writer is closed
}

TEST(ABoundedQueue, GivesInOrderAndEndsWhenClosedAndEmpty) {
  BoundedQueue<int> queue(2);
  int third = 3;
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));
  EXPECT_FALSE(queue.try_push(third));
  EXPECT_EQ(queue.pop(), 1);
  queue.close();
  EXPECT_FALSE(queue.push(4));
  EXPECT_EQ(queue.pop(), 2);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(ALogSink, GetsLinesFromItsThresholdOnWithTheirFields) {
  std::vector<std::string> lines;
  start_log("test", LogLevel::notice,
            [&](LogLevel level, std::string_view message, std::span<const LogField> fields) {
              std::string line(message);
              for (const LogField& field : fields) {
                line += "|" + std::string(field.first) + "=" + field.second;
              }
              lines.push_back(line + "|" + std::to_string(static_cast<int>(level)));
            });
  log(LogLevel::info, "too quiet");
  log(LogLevel::warning, "loud", {{"AIERASE_ASSET", "a1"}});
  log_error(make_error(Errc::damaged, "the slot is torn", "Run check.", "/slot"), "cannot start");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "loud|AIERASE_ASSET=a1|3");
  EXPECT_EQ(lines[1],
            "cannot start: the slot is torn|AIERASE_ERROR=damaged|AIERASE_SUBJECT=/slot|"
            "AIERASE_HINT=Run check.|4");
  start_log("test", LogLevel::info);
}

TEST(ALogLine, IsOneLineOnStandardErrorWithoutColours) {
  start_log("test", LogLevel::info);
  testing::internal::CaptureStderr();
  log(LogLevel::notice, "a\nforged line\x1b[31m", {{"K", "v w"}, {"L", "plain"}});
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "notice a?forged line?[31m K=\"v w\" L=plain\n");
}

TEST(LogLevels, AreReadByName) {
  EXPECT_EQ(parse_log_level("notice").value(), LogLevel::notice);
  EXPECT_EQ(parse_log_level("Loud").error().code, Errc::invalid_input);
}

}  // namespace
}  // namespace aierase
