#include "daemon/self_test.h"

#include <fstream>
#include <iterator>
#include <sstream>

#include "base/secret_bytes.h"

namespace aierase::daemon {
namespace {

std::string content_of(const std::string& path) {
  std::ifstream stream(path);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

bool is_protected(const std::string& device, const std::string& sys) {
  if (device.rfind("/dev/zram", 0) == 0) return true;
  if (device.rfind("/dev/", 0) != 0) return false;  // a swap file: its disk would have to be
  // The table has the kernel's names; the service has no block devices in its /dev.
  const std::string name = device.substr(5);
  if (name.find('/') != std::string::npos) return false;
  return content_of(sys + "/class/block/" + name + "/dm/uuid").rfind("CRYPT-", 0) == 0;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

std::vector<std::string> unencrypted_swap(const std::string& table, const std::string& sys) {
  std::vector<std::string> found;
  std::istringstream lines(table);
  std::string line;
  std::getline(lines, line);  // the heading
  while (std::getline(lines, line)) {
    const std::string device = line.substr(0, line.find_first_of(" \t"));
    if (!device.empty() && !is_protected(device, sys)) found.push_back(device);
  }
  return found;
}

Result<std::vector<std::string>> self_test(const Config& config) {
  RETURN_IF_ERROR(harden_process_memory());
  std::vector<std::string> findings;
  const std::vector<std::string> swap = unencrypted_swap(content_of("/proc/swaps"), "/sys");
  if (swap.empty()) return findings;
  if (config.unencrypted_swap == UnencryptedSwap::refused) {
    return make_error(Errc::wrong_state,
                      "unencrypted swap is active (" + joined(swap) +
                          "): memory of model servers and of this daemon may be on the disk",
                      "swapoff -a, or encrypt it (/etc/crypttab, option swap), or say "
                      "allow-unencrypted-swap = true in aierased.toml: then every certificate "
                      "mentions it");
  }
  findings.push_back("unencrypted swap is active: " + joined(swap));
  return findings;
}

}  // namespace aierase::daemon
