#include "rootslot/level.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace aierase::rootslot {
namespace {

using domain::Level;

SlotSight good_sight() {
  SlotSight sight;
  sight.path = "/var/lib/aierase-root/slot";
  sight.storage.filesystem = "ext4";
  sight.storage.filesystem_uuid = "3c1f";
  sight.storage.mount_options = "rw,relatime,errors=remount-ro";
  sight.storage.devices = {"sda2 (partition)", "sda (disk)"};
  sight.storage.stack_allowed = true;
  sight.storage.rotational = true;
  sight.direct = DirectIo::works;
  sight.placement = Placement::as_recorded;
  sight.extents = {{0, 1 << 20, kDirectAlignment, false}};
  return sight;
}

struct LevelCase {
  const char* what;
  void (*change)(SlotSight&);
  Level level;
  const char* in_reason;
};

const LevelCase kLevelCases[] = {
    {"ext4 as usual", [](SlotSight&) {}, Level::ea1, "ext4, data not journalled"},
    {"xfs", [](SlotSight& s) { s.storage.filesystem = "xfs"; }, Level::ea1, "xfs"},
    {"ext4 data=journal", [](SlotSight& s) { s.storage.data_journalled = true; }, Level::ea0,
     "journal"},
    {"btrfs", [](SlotSight& s) { s.storage.filesystem = "btrfs"; }, Level::ea0, "btrfs"},
    {"zfs", [](SlotSight& s) { s.storage.filesystem = "zfs"; }, Level::ea0, "zfs"},
    {"overlay", [](SlotSight& s) { s.storage.filesystem = "overlay"; }, Level::ea0, "overlay"},
    {"nfs", [](SlotSight& s) { s.storage.filesystem = "nfs4"; }, Level::ea0, "nfs4"},
    {"tmpfs", [](SlotSight& s) { s.storage.filesystem = "tmpfs"; }, Level::ea0, "tmpfs"},
    {"ext3", [](SlotSight& s) { s.storage.filesystem = "ext3"; }, Level::ea0, "ext3"},
    {"unknown", [](SlotSight& s) { s.storage.filesystem = ""; }, Level::ea0, "unknown"},
    {"nothing known at all", [](SlotSight& s) { s.storage = StorageInfo(); }, Level::ea0,
     "unknown"},
    {"a loop device below",
     [](SlotSight& s) {
       s.storage.stack_allowed = false;
       s.storage.devices = {"loop0 (loop)"};
     },
     Level::ea0, "loop0 (loop)"},
    {"no direct I/O", [](SlotSight& s) { s.direct = DirectIo::refused; }, Level::ea0, "direct I/O"},
    {"no extents", [](SlotSight& s) { s.extents.clear(); }, Level::ea0, "does not tell where"},
    {"shared extents", [](SlotSight& s) { s.extents[0].shared = true; }, Level::ea0, "shared"},
    {"copied", [](SlotSight& s) { s.placement = Placement::elsewhere; }, Level::ea0, "copied"},
};

TEST(TheLevelOfAFileSlot, FollowsTheAllowList) {
  for (const LevelCase& each : kLevelCases) {
    SlotSight sight = good_sight();
    each.change(sight);
    const domain::SlotAssurance assurance = judge_file_slot(sight);
    EXPECT_EQ(assurance.level, each.level) << each.what;
    EXPECT_NE(assurance.reason.find(each.in_reason), std::string::npos)
        << each.what << ": " << assurance.reason;
    EXPECT_EQ(assurance.kind, "file");
  }
}

bool says(const std::vector<std::string>& holders, std::string_view what) {
  return std::any_of(holders.begin(), holders.end(), [&](const std::string& holder) {
    return holder.find(what) != std::string::npos;
  });
}

TEST(TheHoldersOfCopies, AreNamedInWords) {
  const std::vector<std::string> plain = judge_file_slot(good_sight()).may_have_copied;
  EXPECT_TRUE(says(plain, "snapshots and images of sda2 (partition) on sda (disk)"));
  EXPECT_TRUE(says(plain, "backups of /var/lib/aierase-root/slot"));
  EXPECT_FALSE(says(plain, "flash"));
  EXPECT_FALSE(says(plain, "host"));

  SlotSight sight = good_sight();
  sight.storage.rotational = false;
  sight.storage.device_model = "Acme NVMe 1 TB";
  sight.storage.virtual_machine = "kvm";
  const std::vector<std::string> guest = judge_file_slot(sight).may_have_copied;
  EXPECT_TRUE(says(guest, "flash memory inside Acme NVMe 1 TB"));
  EXPECT_TRUE(says(guest, "the host of this virtual machine (kvm), which may keep copies"));

  sight.storage.virtual_machine = "podman";
  EXPECT_TRUE(says(judge_file_slot(sight).may_have_copied, "the host of this container (podman)"));
}

TEST(TheNextLevel, PromisesNoTpmSlot) {
  SlotSight sight = good_sight();
  EXPECT_NE(judge_file_slot(sight).next_level.find("slot move tpm2"), std::string::npos);
  sight.storage.filesystem = "btrfs";
  EXPECT_EQ(judge_file_slot(sight).next_level.find("EA1 needs"), 0U);
}

}  // namespace
}  // namespace aierase::rootslot
