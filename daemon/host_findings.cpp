#include "daemon/host_findings.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "daemon/self_test.h"

namespace aierase::daemon {
namespace {

using lifecycle::Finding;
using Severity = lifecycle::Finding::Severity;

constexpr std::uint64_t kLockableWanted = 64U << 20;  // as the unit asks for

std::string text_in(const std::string& path) {
  std::ifstream stream(path);
  std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// Not: hidden from us.
bool is_absent(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) != 0 && errno == ENOENT;
}

bool is_masked(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::read_symlink(path, ignored) == "/dev/null";
}

class Look {
 public:
  explicit Look(const std::string& root) : root_(root) {}

  void swap() {
    for (const std::string& device :
         unencrypted_swap(text_in(root_ + "/proc/swaps"), root_ + "/sys")) {
      add(Severity::warning, "swap-unencrypted", device,
          "swap is not encrypted: what models and their servers have in memory may come to lie "
          "there",
          "swapoff -a, or encrypt it: /etc/crypttab, option swap");
    }
  }

  // The image that a sleeping machine writes has all memory in it, locked or not.
  void hibernation() {
    const bool possible = text_in(root_ + "/sys/power/state").find("disk") != std::string::npos;
    const std::string swaps = text_in(root_ + "/proc/swaps");
    const bool has_room = swaps.find('\n') != std::string::npos;
    const std::string target = "/etc/systemd/system/hibernate.target";
    if (!possible || !has_room || is_masked(root_ + target)) return;
    add(Severity::warning, "hibernation", "/sys/power/state",
        "this host can hibernate: the image on its disk would hold the keys",
        "systemctl mask hibernate.target hybrid-sleep.target suspend-then-hibernate.target");
  }

  // Ours are off; those of model servers are not ours to switch off.
  void core_files() {
    const std::string pattern = text_in(root_ + "/proc/sys/kernel/core_pattern");
    if (pattern.empty() || pattern == "|/bin/false") return;
    add(Severity::note, "core-files", "/proc/sys/kernel/core_pattern",
        "a model server that crashes may leave plaintext of its model in a core file (" + pattern +
            ")",
        "LimitCORE=0 in the units of model servers, or kernel.core_pattern=|/bin/false");
  }

  void timer() {
    if (is_absent(root_ + "/run/systemd/system")) return;
    if (!is_absent(root_ + "/etc/systemd/system/timers.target.wants/aierase-enforce.timer")) return;
    add(Severity::warning, "timer-off", "aierase-enforce.timer",
        "the nightly run is not enabled: nothing comes due by itself",
        "systemctl enable --now aierase-enforce.timer");
  }

  void memory(std::uint64_t lockable) {
    if (lockable >= kLockableWanted) return;
    add(Severity::warning, "memlock", "RLIMIT_MEMLOCK",
        "only " + std::to_string(lockable >> 10) +
            " KiB of memory may be locked: many jobs at once may find no room for their keys",
        "LimitMEMLOCK=64M in the unit, and at least as much for the service manager itself");
  }

  void polkit() {
    const std::string share = "/usr/share/polkit-1/";
    if (is_absent(root_ + share + "actions")) return;  // no polkit here: root alone is served
    const std::string mend = "install the package aierased again";
    if (is_absent(root_ + share + "actions/org.aierase1.policy")) {
      add(Severity::error, "polkit-actions", share + "actions/org.aierase1.policy",
          "polkit does not know the actions of aierase: it denies every call", mend);
    }
    if (is_absent(root_ + share + "rules.d/50-aierase.rules") &&
        is_absent(root_ + "/etc/polkit-1/rules.d/50-aierase.rules")) {
      add(Severity::warning, "polkit-rule", share + "rules.d/50-aierase.rules",
          "the rule for the groups of aierase is missing: only administrators with a password may "
          "do anything",
          mend);
    }
  }

  std::vector<Finding> found() { return std::move(found_); }

 private:
  void add(Severity severity, std::string code, std::string subject, std::string text,
           std::string mend) {
    found_.push_back(
        {severity, std::move(code), std::move(subject), std::move(text), std::move(mend)});
  }

  const std::string& root_;
  std::vector<Finding> found_;
};

}  // namespace

std::vector<Finding> host_findings(const std::string& root, std::uint64_t lockable) {
  Look look(root);
  look.swap();
  look.hibernation();
  look.core_files();
  look.timer();
  look.memory(lockable);
  look.polkit();
  return look.found();
}

std::uint64_t lockable_bytes() {
  rlimit limit{};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return 0;
  return limit.rlim_cur == RLIM_INFINITY ? ~std::uint64_t{0} : limit.rlim_cur;
}

}  // namespace aierase::daemon
