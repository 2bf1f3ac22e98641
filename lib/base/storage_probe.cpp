#include "base/storage_probe.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sstream>

namespace aierase {
namespace {

constexpr unsigned kMaxStackDepth = 16;

struct Mount {
  std::string device;  // "8:2"
  std::string point;
  std::string options;
  std::string type;
  std::string source;
};

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

std::string real_path_of(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real == nullptr ? std::string() : std::string(real.get());
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code ignored;
  std::filesystem::directory_iterator entry(directory, ignored);
  for (; !ignored && entry != std::filesystem::directory_iterator(); entry.increment(ignored)) {
    names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// mountinfo writes blanks, tabs, newlines and backslashes as three octal digits.
std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, value, 8).ptr ==
            text.data() + i + 4) {
      result += static_cast<char>(value);
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

// "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue"
std::optional<Mount> parse_mount(const std::string& line) {
  std::istringstream words(line);
  std::string id, parent, root, word;
  Mount mount;
  words >> id >> parent >> mount.device >> root >> mount.point >> mount.options;
  while (words >> word && word != "-") continue;  // optional fields
  std::string super_options;
  if (!(words >> mount.type)) return std::nullopt;
  words >> mount.source >> super_options;
  mount.point = unescaped(mount.point);
  mount.source = unescaped(mount.source);
  if (!super_options.empty()) mount.options += "," + super_options;
  return mount;
}

bool lies_under(const std::string& path, const std::string& point) {
  if (point == "/") return true;
  return path.compare(0, point.size(), point) == 0 &&
         (path.size() == point.size() || path[point.size()] == '/');
}

// The longest mount point above the path; a later one lies over an earlier one. Mounts of the
// path's own device come first: a longer one may be hidden. (btrfs has another st_dev.)
std::optional<Mount> find_mount(const StorageQuestion& question, const std::string& root) {
  const std::string device = std::to_string(question.major) + ":" + std::to_string(question.minor);
  std::istringstream lines(read_text(root + "/proc/self/mountinfo"));
  std::optional<Mount> best;
  bool best_is_own = false;
  for (std::string line; std::getline(lines, line);) {
    std::optional<Mount> mount = parse_mount(line);
    if (!mount || !lies_under(question.real_path, mount->point)) continue;
    const bool own = mount->device == device;
    const bool better = !best || (own && !best_is_own) ||
                        (own == best_is_own && mount->point.size() >= best->point.size());
    if (!better) continue;
    best = std::move(mount);
    best_is_own = own;
  }
  return best;
}

struct Magic {
  std::string_view type;
  std::uint64_t magic;
};
constexpr std::array kMagics{
    Magic{"ext2", 0xEF53},        Magic{"ext3", 0xEF53},      Magic{"ext4", 0xEF53},
    Magic{"xfs", 0x58465342},     Magic{"btrfs", 0x9123683E}, Magic{"tmpfs", 0x01021994},
    Magic{"overlay", 0x794C7630}, Magic{"zfs", 0x2FC12FC1},   Magic{"nfs", 0x6969},
    Magic{"nfs4", 0x6969},        Magic{"f2fs", 0xF2F52010},  Magic{"bcachefs", 0xCA451A4E},
    Magic{"vfat", 0x4D44},        Magic{"exfat", 0x2011BAB0}, Magic{"squashfs", 0x73717368},
    Magic{"ramfs", 0x858458F6},   Magic{"cifs", 0xFF534D42},  Magic{"9p", 0x01021997},
};

// The mount table and statfs(2) have to agree, or we do not know what lies there.
std::string checked_type(const std::string& type, std::uint64_t magic) {
  if (magic == 0) return type;
  for (const Magic& known : kMagics) {
    if (known.type == type) return known.magic == magic ? type : "unknown";
  }
  const bool known_magic =
      std::any_of(kMagics.begin(), kMagics.end(), [&](const Magic& m) { return m.magic == magic; });
  return known_magic ? "unknown" : type;
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

constexpr std::array<std::string_view, 6> kDiskPrefixes{"sd", "vd", "nvme", "mmcblk", "hd", "xvd"};

bool is_whole_disk(std::string_view name) {
  return std::any_of(kDiskPrefixes.begin(), kDiskPrefixes.end(),
                     [&](std::string_view prefix) { return starts_with(name, prefix); });
}

// Encryption of each sector in its place. The other CRYPT- types (integrity, verity) keep
// journals or hash trees, so a sector may exist twice.
constexpr std::array<std::string_view, 6> kCryptPrefixes{"CRYPT-LUKS1-", "CRYPT-LUKS2-",
                                                         "CRYPT-PLAIN-", "CRYPT-TCRYPT-",
                                                         "CRYPT-BITLK-", "CRYPT-LOOPAES-"};

bool is_crypt(std::string_view dm_uuid) {
  return std::any_of(kCryptPrefixes.begin(), kCryptPrefixes.end(),
                     [&](std::string_view prefix) { return starts_with(dm_uuid, prefix); });
}

// The kernel tells the table of a dm device to root alone, so linear ones are told by what they
// are not: an LVM volume with the plain name (sub-volumes have a suffix) above exactly one device
// that is no LVM volume itself cannot be striped, mirrored, thin, cached or a snapshot.
bool is_linear(std::string_view dm_uuid, const std::vector<std::string>& slave_uuids) {
  constexpr std::size_t kLvmUuidBytes = 4 + 64;  // "LVM-", group and volume
  if (slave_uuids.size() != 1) return false;
  if (starts_with(dm_uuid, "LVM-")) {
    return dm_uuid.size() == kLvmUuidBytes && !starts_with(slave_uuids.front(), "LVM-");
  }
  return starts_with(dm_uuid, "part");  // a partition that kpartx mapped
}

class StackWalk {
 public:
  explicit StackWalk(StorageInfo& info) : info_(info) {}

  // `directory`: of one block device in sysfs, without symbolic links.
  void visit(const std::string& directory, unsigned depth) {
    const std::string name = base_name(directory);
    if (depth > kMaxStackDepth || name.empty()) return refuse(name, "too deep");
    if (exists(directory + "/partition")) {
      add(name, "partition");
      return visit(directory.substr(0, directory.find_last_of('/')), depth + 1);
    }
    if (starts_with(name, "dm-")) return visit_mapped(directory, depth);
    if (is_whole_disk(name)) return visit_disk(directory);
    refuse(name, kind_of_other(name));
  }

 private:
  void add(const std::string& name, const std::string& kind) {
    info_.devices.push_back(name + " (" + kind + ")");
  }
  void refuse(const std::string& name, const std::string& kind) {
    add(name, kind);
    info_.stack_allowed = false;
  }

  static std::string kind_of_other(std::string_view name) {
    if (starts_with(name, "loop")) return "loop";
    if (starts_with(name, "md")) return "raid";
    if (starts_with(name, "zram")) return "compressed memory";
    if (starts_with(name, "nbd") || starts_with(name, "rbd") || starts_with(name, "drbd")) {
      return "network";
    }
    return "unknown";
  }

  void visit_mapped(const std::string& directory, unsigned depth) {
    const std::string uuid = read_line(directory + "/dm/uuid");
    std::vector<std::string> slaves;
    std::vector<std::string> slave_uuids;
    for (const std::string& slave : names_in(directory + "/slaves")) {
      slaves.push_back(real_path_of(directory + "/slaves/" + slave));
      slave_uuids.push_back(read_line(slaves.back() + "/dm/uuid"));
    }
    const std::string name = base_name(directory);
    if (is_crypt(uuid) && slaves.size() == 1) {
      add(name, "crypt");
    } else if (is_linear(uuid, slave_uuids)) {
      add(name, "linear");
    } else {
      refuse(name, "mapped");
    }
    for (const std::string& slave : slaves) visit(slave, depth + 1);
    if (slaves.empty()) info_.stack_allowed = false;
  }

  void visit_disk(const std::string& directory) {
    add(base_name(directory), "disk");
    if (read_line(directory + "/queue/rotational") == "1") info_.rotational = true;
    const std::string vendor = read_line(directory + "/device/vendor");
    std::string model = read_line(directory + "/device/model");
    if (model.empty()) model = read_line(directory + "/device/name");  // memory cards
    // virtio and PCI devices have numbers there, and SATA disks the bus in place of a maker.
    const bool maker = !vendor.empty() && !starts_with(vendor, "0x") && vendor != "ATA";
    info_.device_model = maker && !model.empty() ? vendor + " " + model : model;
    info_.device_serial = serial_of(directory);
  }

  static std::string serial_of(const std::string& directory) {
    for (const char* place : {"/device/serial", "/serial"}) {
      std::string serial = read_line(directory + place);
      if (!serial.empty()) return serial;
    }
    // SCSI: page 80h of the vital product data, behind a header of four bytes.
    constexpr std::size_t kPageHeaderBytes = 4;
    const std::string page = read_text(directory + "/device/vpd_pg80");
    return page.size() > kPageHeaderBytes ? trimmed(page.substr(kPageHeaderBytes)) : std::string();
  }

  StorageInfo& info_;
};

// By the kernel's own names: a service with a /dev of its own has no block devices there.
std::string device_by_name(const std::string& name, const std::string& root) {
  const std::string directory = root + "/sys/class/block/";
  for (const std::string& device : names_in(directory)) {
    if (device == name || read_line(directory + device + "/dm/name") == name) {
      return real_path_of(directory + device);
    }
  }
  return {};
}

// File systems of several devices (btrfs) have an anonymous device number; their mount source is
// one of their devices.
std::string device_directory(const StorageQuestion& question, const Mount& mount,
                             const std::string& root) {
  const std::string by_number = root + "/sys/dev/block/";
  if (question.major != 0) {
    return real_path_of(by_number + std::to_string(question.major) + ":" +
                        std::to_string(question.minor));
  }
  if (!starts_with(mount.source, "/dev/")) return {};
  return device_by_name(base_name(mount.source), root);
}

// A btrfs on several devices keeps copies at places that no walk from one of them finds.
bool is_one_of_several(const std::string& device, const std::string& root) {
  const std::string all = root + "/sys/fs/btrfs";
  for (const std::string& filesystem : names_in(all)) {
    const std::vector<std::string> devices = names_in(all + "/" + filesystem + "/devices");
    const bool ours = std::find(devices.begin(), devices.end(), device) != devices.end();
    if (ours && devices.size() > 1) return true;
  }
  return false;
}

bool has_option(std::string_view options, std::string_view wanted) {
  constexpr std::string_view kSeparators = ", \t\n";
  while (!options.empty()) {
    const std::size_t end = std::min(options.find_first_of(kSeparators), options.size());
    if (options.substr(0, end) == wanted) return true;
    options.remove_prefix(std::min(end + 1, options.size()));
  }
  return false;
}

// mountinfo is silent about a mode that is the file system's own default (`tune2fs -o`); the file
// of options in /proc/fs/ext4 names it always.
bool journals_data(const StorageInfo& info, const std::string& device, const std::string& root) {
  if (info.filesystem != "ext4") return false;
  return has_option(info.mount_options, "data=journal") ||
         has_option(read_text(root + "/proc/fs/ext4/" + device + "/options"), "data=journal");
}

std::string uuid_by_link(const std::string& device, const std::string& root) {
  const std::string directory = root + "/dev/disk/by-uuid";
  for (const std::string& uuid : names_in(directory)) {
    std::error_code ignored;
    const auto target = std::filesystem::read_symlink(directory + "/" + uuid, ignored);
    if (!ignored && target.filename() == device) return uuid;
  }
  return {};
}

}  // namespace

StorageInfo describe_storage(const StorageQuestion& question, const std::string& root) {
  StorageInfo info;
  info.filesystem = "unknown";
  info.filesystem_uuid = question.filesystem_uuid;
  info.virtual_machine = detect_virtual_machine(root);
  const std::optional<Mount> mount = find_mount(question, root);
  if (!mount) return info;
  info.filesystem = checked_type(mount->type, question.magic);
  info.mount_options = mount->options;
  info.mount_point = mount->point;
  const std::string directory = device_directory(question, *mount, root);
  info.data_journalled =
      question.file_journalled || journals_data(info, base_name(directory), root);
  if (directory.empty()) return info;
  info.stack_allowed = true;  // until a device says otherwise
  StackWalk(info).visit(directory, 0);
  const std::string device = base_name(directory);
  if (is_one_of_several(device, root)) info.stack_allowed = false;
  if (info.filesystem_uuid.empty()) info.filesystem_uuid = uuid_by_link(device, root);
  return info;
}

}  // namespace aierase
