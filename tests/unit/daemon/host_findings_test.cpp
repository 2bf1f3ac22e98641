#include "daemon/host_findings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "unit/support/temp_directory.h"

namespace aierase::daemon {
namespace {

constexpr std::uint64_t kPlenty = 64U << 20;

class AHost : public ::testing::Test {
 protected:
  // As it should be: everything is there, and nothing is wrong.
  AHost() {
    put("/proc/swaps", "Filename Type Size Used Priority\n");
    put("/proc/sys/kernel/core_pattern", "|/bin/false\n");
    put("/sys/power/state", "freeze mem disk\n");
    put("/usr/share/polkit-1/actions/org.aierase1.policy", "");
    put("/usr/share/polkit-1/rules.d/50-aierase.rules", "");
    put("/run/systemd/system/x", "");
    put("/etc/systemd/system/timers.target.wants/aierase-enforce.timer", "");
  }
  void put(const std::string& path, const std::string& text) {
    const std::filesystem::path whole = root_.path() + path;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole) << text;
  }
  void remove(const std::string& path) { std::filesystem::remove_all(root_.path() + path); }
  std::vector<std::string> codes(std::uint64_t lockable = kPlenty) {
    std::vector<std::string> codes;
    for (const lifecycle::Finding& finding : host_findings(root_.path(), lockable)) {
      EXPECT_FALSE(finding.mend.empty()) << finding.code;
      codes.push_back(finding.code);
    }
    return codes;
  }
  using Codes = std::vector<std::string>;
  test::TempDirectory root_;
};

TEST_F(AHost, ThatIsAsItShouldBeHasNoFindings) {
  EXPECT_EQ(codes(), Codes());
}

TEST_F(AHost, HasSwapThatNobodyEncryptedAndHibernatesIntoIt) {
  put("/proc/swaps", "Filename Type Size Used Priority\n/dev/vda2 partition 1 0 -2\n");
  EXPECT_EQ(codes(), (Codes{"swap-unencrypted", "hibernation"}));
  put("/sys/class/block/vda2/dm/uuid", "CRYPT-PLAIN-swap\n");
  EXPECT_EQ(codes(), Codes{"hibernation"});
  std::filesystem::create_symlink("/dev/null",
                                  root_.path() + "/etc/systemd/system/hibernate.target");
  EXPECT_EQ(codes(), Codes());
}

TEST_F(AHost, LeavesCoreFilesOfModelServers) {
  put("/proc/sys/kernel/core_pattern", "|/usr/lib/systemd/systemd-coredump %P\n");
  EXPECT_EQ(codes(), Codes{"core-files"});
}

TEST_F(AHost, HasNoNightlyRunAndNobodyMissesItWhereThereIsNoSystemd) {
  remove("/etc/systemd/system/timers.target.wants/aierase-enforce.timer");
  EXPECT_EQ(codes(), Codes{"timer-off"});
  remove("/run/systemd/system");
  EXPECT_EQ(codes(), Codes());
}

TEST_F(AHost, LetsTooLittleMemoryBeLocked) {
  EXPECT_EQ(codes(kPlenty - 1), Codes{"memlock"});
}

TEST_F(AHost, HasAPolkitThatDoesNotKnowUsUnlessThereIsNone) {
  remove("/usr/share/polkit-1/rules.d/50-aierase.rules");
  EXPECT_EQ(codes(), Codes{"polkit-rule"});
  put("/etc/polkit-1/rules.d/50-aierase.rules", "");
  EXPECT_EQ(codes(), Codes());
  remove("/usr/share/polkit-1/actions/org.aierase1.policy");
  EXPECT_EQ(codes(), Codes{"polkit-actions"});
  remove("/usr/share/polkit-1/actions");
  EXPECT_EQ(codes(), Codes());
}

}  // namespace
}  // namespace aierase::daemon
