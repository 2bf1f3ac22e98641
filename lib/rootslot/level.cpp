#include "rootslot/level.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace aierase::rootslot {
namespace {

// In the words of systemd-detect-virt(1) --container; all else is a virtual machine.
constexpr std::array<std::string_view, 9> kContainers{
    "docker", "podman", "lxc",   "lxc-libvirt",    "systemd-nspawn",
    "openvz", "rkt",    "proot", "container-other"};

std::string device_text(const StorageInfo& storage) {
  std::string text;
  for (const std::string& device : storage.devices) {
    text += (text.empty() ? "" : " on ") + device;
  }
  return text.empty() ? "an unknown device" : text;
}

std::string filesystem_text(const StorageInfo& storage) {
  return storage.filesystem.empty() ? "unknown" : storage.filesystem;
}

// Why the slot is no better than EA0; nothing: it is EA1.
std::optional<std::string> objection(const SlotSight& sight) {
  const StorageInfo& storage = sight.storage;
  if (sight.placement == Placement::elsewhere) {
    return "The slot file no longer lies where it was created (its file system, inode or extents "
           "are other ones), so it was copied, restored or moved, and a copy may have stayed "
           "behind.";
  }
  if (storage.filesystem != "ext4" && storage.filesystem != "xfs") {
    return "The slot lies on the file system " + filesystem_text(storage) +
           ", of which it is not known that it overwrites in place.";
  }
  if (storage.data_journalled) {
    return "What is written to the slot goes through the journal of the file system "
           "(data=journal, or chattr +j on the file), and the journal keeps copies.";
  }
  if (!storage.stack_allowed) {
    return "Below the file system lies " + device_text(storage) +
           ", and not only partitions, whole disks, linear and crypt targets: what is overwritten "
           "there may stay.";
  }
  if (sight.direct == DirectIo::refused) {
    return "The file system refuses direct I/O, so the slot cannot be read back from the device.";
  }
  if (sight.extents.empty()) {
    return "The file system does not tell where the slot lies on the device.";
  }
  const auto shared = [](const Extent& extent) { return extent.shared; };
  if (std::any_of(sight.extents.begin(), sight.extents.end(), shared)) {
    return "The blocks of the slot are shared with another file (a reflink or a snapshot), so "
           "writing to them does not overwrite them.";
  }
  return std::nullopt;
}

std::vector<std::string> holders_of_copies(const SlotSight& sight) {
  const StorageInfo& storage = sight.storage;
  const std::string device = device_text(storage);
  std::vector<std::string> holders{"snapshots and images of " + device, "backups of " + sight.path};
  if (sight.placement == Placement::elsewhere) {
    holders.emplace_back("the place where the slot file lay when it was created");
  }
  if (storage.data_journalled) holders.emplace_back("the journal of the file system");
  if (!storage.rotational) {
    holders.push_back("flash memory inside " +
                      (storage.device_model.empty() ? device : storage.device_model) +
                      ", which remaps what is overwritten and may keep the old cells");
  }
  if (!storage.virtual_machine.empty()) {
    const bool container = std::find(kContainers.begin(), kContainers.end(),
                                     storage.virtual_machine) != kContainers.end();
    holders.push_back(std::string("the host of this ") +
                      (container ? "container" : "virtual machine") + " (" +
                      storage.virtual_machine + "), which may keep copies");
  }
  return holders;
}

std::string next_level_text(domain::Level level) {
  const std::string tpm =
      "A root slot in a TPM is where no image of a disk can reach it: "
      "`aierase slot move tpm2` moves it there.";
  if (level != domain::Level::ea0) return tpm;
  return "EA1 needs a slot file created on ext4 (data not journalled) or xfs, on a "
         "partition, a whole disk, or a linear or crypt device, with direct I/O. " +
         tpm;
}

}  // namespace

domain::SlotAssurance judge_file_slot(const SlotSight& sight) {
  const StorageInfo& storage = sight.storage;
  const std::optional<std::string> why_not = objection(sight);
  domain::SlotAssurance assurance;
  assurance.kind = "file";
  assurance.level = why_not.has_value() ? domain::Level::ea0 : domain::Level::ea1;
  assurance.reason = why_not.value_or(
      "The slot is overwritten in place on " + filesystem_text(storage) +
      ", data not journalled, on " + device_text(storage) + ", and read back past the page cache.");
  assurance.path = sight.path;
  assurance.filesystem = filesystem_text(storage);
  assurance.device = device_text(storage);
  assurance.device_model = storage.device_model;
  assurance.device_serial = storage.device_serial;
  assurance.may_have_copied = holders_of_copies(sight);
  assurance.next_level = next_level_text(assurance.level);
  return assurance;
}

}  // namespace aierase::rootslot
