#include <array>
#include <fstream>
#include <iterator>

#include "base/storage_probe.h"

namespace aierase {
namespace {

constexpr std::size_t kMaxFileBytes = 4 << 20;  // /proc/self/mountinfo of a busy container host

struct Maker {
  std::string_view text;  // how the firmware's maker or product begins
  std::string_view name;
};
constexpr std::array kMakers{
    Maker{"KVM", "kvm"},
    Maker{"OpenStack", "kvm"},
    Maker{"KubeVirt", "kvm"},
    Maker{"Amazon EC2", "amazon"},
    Maker{"QEMU", "qemu"},
    Maker{"VMware", "vmware"},
    Maker{"VMW", "vmware"},
    Maker{"innotek GmbH", "oracle"},
    Maker{"VirtualBox", "oracle"},
    Maker{"Xen", "xen"},
    Maker{"Bochs", "bochs"},
    Maker{"Parallels", "parallels"},
    Maker{"BHYVE", "bhyve"},
    Maker{"Hyper-V", "microsoft"},
    Maker{"Virtual Machine", "microsoft"},
    Maker{"Apple Virtualization", "apple"},
    Maker{"Google Compute Engine", "google"},
};

std::string by_firmware(const std::string& root) {
  for (const char* field : {"product_name", "sys_vendor", "board_vendor", "bios_vendor"}) {
    const std::string text = read_line(root + "/sys/class/dmi/id/" + field);
    for (const Maker& maker : kMakers) {
      if (std::string_view(text).substr(0, maker.text.size()) == maker.text) {
        return std::string(maker.name);
      }
    }
  }
  return {};
}

// The processor's own word; only x86 has it.
bool has_hypervisor_flag(const std::string& cpuinfo) {
  const std::size_t flags = cpuinfo.find("\nflags");
  if (flags == std::string::npos) return false;
  const std::string line = cpuinfo.substr(flags + 1, cpuinfo.find('\n', flags + 1) - flags - 1);
  return (line + " ").find(" hypervisor ") != std::string::npos;
}

std::string by_machine(const std::string& root) {
  const std::string cpuinfo = read_text(root + "/proc/cpuinfo");
  if (cpuinfo.find("User Mode Linux") != std::string::npos) return "uml";
  const std::string type = read_line(root + "/sys/hypervisor/type");
  const bool controls_xen =
      read_line(root + "/proc/xen/capabilities").find("control_d") != std::string::npos;
  if (!type.empty() && !controls_xen) return type;
  const std::string firmware = by_firmware(root);
  const bool flagged = has_hypervisor_flag(cpuinfo);
  // Whole rented machines bear the same maker's name; there the processor decides.
  if (firmware == "amazon" && !flagged) return {};
  if (!firmware.empty()) return firmware;
  return flagged && !controls_xen ? "vm-other" : "";
}

std::string by_container(const std::string& root) {
  const std::string told = read_line(root + "/run/systemd/container");
  if (!told.empty()) return told;
  const std::string environment = std::string(1, '\0') + read_text(root + "/proc/1/environ");
  constexpr std::string_view kVariable("\0container=", 11);
  if (const std::size_t at = environment.find(kVariable); at != std::string::npos) {
    return environment.substr(at + kVariable.size()).c_str();  // up to its NUL
  }
  if (std::ifstream(root + "/run/.containerenv")) return "podman";
  if (std::ifstream(root + "/.dockerenv")) return "docker";
  return {};
}

}  // namespace

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (text.size() > kMaxFileBytes) text.resize(kMaxFileBytes);
  return text;
}

std::string trimmed(std::string text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\0'; };
  while (!text.empty() && is_space(text.back())) text.pop_back();
  std::size_t first = 0;
  while (first < text.size() && is_space(text[first])) ++first;
  return text.substr(first);
}

std::string read_line(const std::string& path) {
  return trimmed(read_text(path));
}

std::string detect_virtual_machine(const std::string& root) {
  std::string machine = by_machine(root);
  return machine.empty() ? by_container(root) : machine;
}

}  // namespace aierase
