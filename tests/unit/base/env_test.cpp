#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/env.h"
#include "base/secret_bytes.h"
#include "base/storage_probe.h"
#include "unit/support/temp_directory.h"

namespace aierase {
namespace {

class ARealFileSystem : public testing::Test {
 protected:
  std::unique_ptr<File> create(const std::string& name) {
    OpenHow how;
    how.mode = OpenMode::create_new;
    Result<std::unique_ptr<File>> file = env_.open(directory_ / name, how);
    if (!file.ok()) ADD_FAILURE() << file.error().message;
    return std::move(file).value();
  }
  Errc code_of_open(const std::string& name, const OpenHow& how) {
    const auto file = env_.open(directory_ / name, how);
    return file.ok() ? Errc::unexpected : file.error().code;
  }

  test::TempDirectory directory_;
  PosixEnv env_;
};

TEST_F(ARealFileSystem, GivesBackWhatWasWritten) {
  const auto file = create("f");
  ASSERT_TRUE(file->write_at(5, as_bytes("world")).ok());
  ASSERT_TRUE(file->write_at(0, as_bytes("hello")).ok());
  ASSERT_TRUE(file->sync().ok());
  Bytes read(10);
  ASSERT_TRUE(file->read_at(0, read).ok());
  EXPECT_EQ(as_text(read), "helloworld");
  const FileInfo info = file->info().value();
  EXPECT_EQ(info.size, 10U);
  EXPECT_EQ(info.type, FileType::regular);
  EXPECT_EQ(info.permissions, 0600U);
  EXPECT_EQ(info.links, 1U);
}

TEST_F(ARealFileSystem, CallsAShortFileDamaged) {
  const auto file = create("f");
  ASSERT_TRUE(file->write_at(0, as_bytes("abc")).ok());
  Bytes read(4);
  const Status status = file->read_at(0, read);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Errc::damaged);
}

TEST_F(ARealFileSystem, NeverReplacesAFile) {
  create("f");
  OpenHow how;
  how.mode = OpenMode::create_new;
  EXPECT_EQ(code_of_open("f", how), Errc::already_exists);
  create("g");
  EXPECT_EQ(env_.rename(directory_ / "g", directory_ / "f").error().code, Errc::already_exists);
  EXPECT_TRUE(env_.rename(directory_ / "g", directory_ / "h").ok());
  EXPECT_EQ(env_.list(directory_.path()).value(), (std::vector<std::string>{"f", "h"}));
  EXPECT_FALSE(env_.is_empty(directory_.path()).value());
}

TEST_F(ARealFileSystem, ReplacesAFileWhereThatIsAskedFor) {
  ASSERT_TRUE(create("f")->write_at(0, as_bytes("old")).ok());
  ASSERT_TRUE(create("g")->write_at(0, as_bytes("new")).ok());
  EXPECT_TRUE(env_.replace(directory_ / "g", directory_ / "f").ok());
  EXPECT_EQ(as_text(*read_file(env_, directory_ / "f", 16)), "new");
  EXPECT_EQ(env_.list(directory_.path()).value(), std::vector<std::string>{"f"});
  EXPECT_EQ(env_.replace(directory_ / "g", directory_ / "f").error().code, Errc::not_found);
}

TEST_F(ARealFileSystem, MakesWhatOthersReadReadableWhateverTheUmask) {
  const mode_t before = ::umask(0077);
  OpenHow how;
  how.mode = OpenMode::create_new;
  how.permissions = 0644;
  EXPECT_TRUE(env_.open(directory_ / "public", how).ok());
  EXPECT_TRUE(env_.make_directory(directory_ / "shelf", 0755).ok());
  how.permissions = 0600;
  EXPECT_TRUE(env_.open(directory_ / "secret", how).ok());
  ::umask(before);
  EXPECT_EQ((*env_.stat(directory_ / "public"))->permissions, 0644U);
  EXPECT_EQ((*env_.stat(directory_ / "shelf"))->permissions, 0755U);
  EXPECT_EQ((*env_.stat(directory_ / "secret"))->permissions, 0600U);
}

TEST_F(ARealFileSystem, NeverFollowsALinkNorOpensAPipe) {
  create("f");
  std::filesystem::create_symlink("f", directory_ / "link");
  ASSERT_EQ(::mkfifo((directory_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(code_of_open("link", {}), Errc::invalid_input);
  EXPECT_EQ(code_of_open("pipe", {}), Errc::invalid_input);
  EXPECT_EQ(code_of_open("absent", {}), Errc::not_found);
  EXPECT_EQ(env_.stat(directory_ / "link").value()->type, FileType::other);
}

TEST_F(ARealFileSystem, TellsNothingFromSomething) {
  EXPECT_EQ(env_.stat(directory_ / "absent").value().has_value(), false);
  EXPECT_EQ(env_.stat(directory_.path()).value()->type, FileType::directory);
}

TEST_F(ARealFileSystem, MakesListsSyncsAndRemovesDirectories) {
  const std::string path = directory_ / "d";
  ASSERT_TRUE(env_.make_directory(path, 0700).ok());
  EXPECT_EQ(env_.make_directory(path, 0700).error().code, Errc::already_exists);
  EXPECT_TRUE(env_.sync_directory(path).ok());
  EXPECT_EQ(env_.stat(path).value()->permissions, 0700U);
  EXPECT_TRUE(env_.list(path).value().empty());
  EXPECT_TRUE(env_.is_empty(path).value());
  EXPECT_TRUE(env_.remove_directory(path).ok());
  EXPECT_EQ(env_.sync_directory(path).error().code, Errc::not_found);
  EXPECT_EQ(env_.unlink(path).error().code, Errc::not_found);
}

TEST_F(ARealFileSystem, LocksAFileForOneHolder) {
  const auto first = create("f");
  ASSERT_TRUE(first->lock_exclusive().ok());
  auto second = env_.open(directory_ / "f", {});
  ASSERT_TRUE(second.ok());
  EXPECT_EQ((*second)->lock_exclusive().error().code, Errc::busy);
}

TEST_F(ARealFileSystem, TruncatesAndReservesWithoutGrowing) {
  const auto file = create("f");
  ASSERT_TRUE(file->allocate(1 << 20).ok());
  EXPECT_EQ(file->info()->size, 0U);
  ASSERT_TRUE(file->truncate(12).ok());
  EXPECT_EQ(file->info()->size, 12U);
  EXPECT_TRUE(file->set_no_dump().ok());
}

TEST_F(ARealFileSystem, NamesTheExtentsOfAFileWhereItCan) {
  const auto file = create("f");
  const Bytes block(3 * 4096, std::byte{1});
  ASSERT_TRUE(file->write_at(0, block).ok());
  const auto extents = file->extents();
  ASSERT_TRUE(extents.ok());
  std::uint64_t covered = 0;
  for (const Extent& extent : *extents) covered += extent.length;
  if (!extents->empty()) {
    EXPECT_GE(covered, block.size());
  }
}

TEST_F(ARealFileSystem, RefusesMisalignedDirectWork) {
  create("f");
  OpenHow how;
  how.mode = OpenMode::read_write;
  how.caching = Caching::direct;
  how.durability = Durability::data_synced;
  auto opened = env_.open(directory_ / "f", how);
  if (!opened.ok()) GTEST_SKIP() << opened.error().message;
  File& file = **opened;
  SecretBytes page = SecretBytes::random(4096).value();
  SecretBytes back = SecretBytes::zeroed(4096).value();
  page.reveal([&](ByteView bytes) {
    EXPECT_EQ(file.write_at(512, bytes).error().code, Errc::invalid_input);
    EXPECT_EQ(file.write_at(0, bytes.first(512)).error().code, Errc::invalid_input);
    EXPECT_TRUE(file.write_at(4096, bytes).ok());
  });
  back.fill([&](ByteSpan bytes) {
    EXPECT_EQ(file.read_at(1, bytes).error().code, Errc::invalid_input);
    EXPECT_TRUE(file.read_at(4096, bytes).ok());
    EXPECT_EQ(file.read_at(8192, ByteSpan(bytes)).error().code, Errc::damaged);
  });
  EXPECT_FALSE(back.is_zero());
}

TEST_F(ARealFileSystem, NeverRetriesAFileWhoseWriteFailed) {
  create("f");
  auto file = env_.open(directory_ / "f", {});  // read-only: the write fails
  ASSERT_TRUE(file.ok());
  EXPECT_FALSE((*file)->write_at(0, as_bytes("x")).ok());
  EXPECT_EQ((*file)->sync().error().code, Errc::io);
}

TEST_F(ARealFileSystem, ReportsAFullDisk) {
  struct stat found {};
  if (::stat("/dev/full", &found) != 0) GTEST_SKIP() << "no /dev/full here";
  // Env opens no devices; the mapping of the error is what counts.
  EXPECT_EQ(env_.open("/dev/full", {}).error().code, Errc::invalid_input);
  EXPECT_EQ(errno_error(ENOSPC, "x").code, Errc::no_space);
}

TEST_F(ARealFileSystem, KeepsWholeSmallFiles) {
  const std::string path = directory_ / "small";
  ASSERT_TRUE(write_new_file(env_, path, as_bytes("content"), 0640).ok());
  EXPECT_EQ(as_text(read_file(env_, path, 7).value()), "content");
  EXPECT_EQ(read_file(env_, path, 6).error().code, Errc::resource_limit);
  EXPECT_EQ(write_new_file(env_, path, as_bytes("other"), 0640).error().code, Errc::already_exists);
  EXPECT_EQ(as_text(read_file(env_, path, 7).value()), "content");
  EXPECT_EQ(read_file(env_, directory_.path(), 1 << 20).error().code, Errc::invalid_input);
}

TEST_F(ARealFileSystem, DescribesWhatLiesUnderAPath) {
  const auto info = env_.storage(directory_.path());
  ASSERT_TRUE(info.ok()) << info.error().message;
  EXPECT_FALSE(info->filesystem.empty());
  EXPECT_EQ(directory_.path().compare(0, info->mount_point.size(), info->mount_point), 0);
  EXPECT_FALSE(info->mount_options.empty());
  EXPECT_GT(env_.free_space(directory_.path()).value(), 0U);
  EXPECT_EQ(env_.storage(directory_ / "absent").error().code, Errc::not_found);
}

TEST(TheParentOfAPath, IsNeverEmpty) {
  EXPECT_EQ(parent_of("/a/b"), "/a");
  EXPECT_EQ(parent_of("/a//b//"), "/a");
  EXPECT_EQ(parent_of("/a"), "/");
  EXPECT_EQ(parent_of("/"), "/");
  EXPECT_EQ(parent_of("a"), ".");
  EXPECT_EQ(parent_of("a/b/c"), "a/b");
  EXPECT_EQ(parent_of(""), ".");
}

// A made-up machine: one disk sda with partition sda2, and what a test stacks on it.
class AMadeUpMachine : public testing::Test {
 protected:
  AMadeUpMachine() {
    block("8:0", "/sys/devices/pci/ata1/block/sda");
    block("8:2", "/sys/devices/pci/ata1/block/sda/sda2");
    put("/sys/devices/pci/ata1/block/sda/sda2/partition", "2\n");
    put("/sys/devices/pci/ata1/block/sda/queue/rotational", "1\n");
    put("/sys/devices/pci/ata1/block/sda/device/vendor", "ATA     \n");
    put("/sys/devices/pci/ata1/block/sda/device/model", "WDC WD10EZEX    \n");
    put("/sys/devices/pci/ata1/block/sda/device/vpd_pg80",
        std::string("\0\x80\0\x14", 4) + "  WD-123");
    mounts("25 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw,errors=remount-ro\n");
  }

  void put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(parent_of(root_.path() + path));
    std::ofstream(root_.path() + path) << text;
  }
  void link(const std::string& target, const std::string& path) {
    std::filesystem::create_directories(parent_of(root_.path() + path));
    std::filesystem::create_symlink(target, root_.path() + path);
  }
  void block(const std::string& number, const std::string& directory) {
    std::filesystem::create_directories(root_.path() + directory);
    link("../../.." + directory, "/sys/dev/block/" + number);
  }
  // A device-mapper volume dm-N (254:N) on other block devices.
  void mapped(int number, const std::string& uuid, const std::vector<std::string>& slaves) {
    const std::string name = "dm-" + std::to_string(number);
    const std::string directory = "/sys/devices/virtual/block/" + name;
    block("254:" + std::to_string(number), directory);
    put(directory + "/dm/uuid", uuid + "\n");
    for (const std::string& slave : slaves) {
      link("../../../../.." + slave.substr(4),
           directory + "/slaves/" + slave.substr(slave.rfind('/') + 1));
    }
  }
  void mounts(const std::string& text) { put("/proc/self/mountinfo", text); }
  StorageInfo describe(const std::string& path, unsigned major, unsigned minor,
                       std::uint64_t magic = 0xEF53) {
    StorageQuestion question;
    question.real_path = path;
    question.major = major;
    question.minor = minor;
    question.magic = magic;
    return describe_storage(question, root_.path());
  }

  static constexpr const char* kPartition = "/sys/devices/pci/ata1/block/sda/sda2";
  const std::string lvm_ = "LVM-" + std::string(64, 'x');
  test::TempDirectory root_;
};

TEST_F(AMadeUpMachine, HasAPartitionOnADisk) {
  link("../../sda2", "/dev/disk/by-uuid/0af3-11");
  const StorageInfo info = describe("/var/lib/x", 8, 2);
  EXPECT_EQ(info.filesystem, "ext4");
  EXPECT_EQ(info.mount_point, "/");
  EXPECT_EQ(info.mount_options, "rw,relatime,rw,errors=remount-ro");
  EXPECT_EQ(info.devices, (std::vector<std::string>{"sda2 (partition)", "sda (disk)"}));
  EXPECT_TRUE(info.stack_allowed);
  EXPECT_TRUE(info.rotational);
  EXPECT_EQ(info.device_model, "WDC WD10EZEX");
  EXPECT_EQ(info.device_serial, "WD-123");
  EXPECT_EQ(info.filesystem_uuid, "0af3-11");
  EXPECT_EQ(info.virtual_machine, "");
}

// btrfs has an anonymous device number, and a sandbox no block devices in its /dev.
TEST_F(AMadeUpMachine, FindsADeviceByTheNameOfItsMountSourceWithoutAnyInDev) {
  link("../../devices/pci/ata1/block/sda/sda2", "/sys/class/block/sda2");
  mounts("25 1 0:30 / / rw - btrfs /dev/sda2 rw\n");
  EXPECT_EQ(describe("/x", 0, 30, 0x9123683E).devices,
            (std::vector<std::string>{"sda2 (partition)", "sda (disk)"}));
  mapped(0, "CRYPT-LUKS2-0af3-home", {kPartition});
  put("/sys/devices/virtual/block/dm-0/dm/name", "home\n");
  link("../../devices/virtual/block/dm-0", "/sys/class/block/dm-0");
  mounts("25 1 0:30 / / rw - btrfs /dev/mapper/home rw\n");
  EXPECT_EQ(describe("/x", 0, 30, 0x9123683E).devices.front(), "dm-0 (crypt)");
}

TEST_F(AMadeUpMachine, JournalsDataByMountOptionByDefaultOrForOneFile) {
  EXPECT_FALSE(describe("/x", 8, 2).data_journalled);
  // tune2fs -o journal_data: only the file of options tells.
  put("/proc/fs/ext4/sda2/options", "rw\ncommit=5\ndata=journal\nstripe=0\n");
  EXPECT_TRUE(describe("/x", 8, 2).data_journalled);
  put("/proc/fs/ext4/sda2/options", "rw\ncommit=5\ndata=ordered\n");
  EXPECT_FALSE(describe("/x", 8, 2).data_journalled);
  StorageQuestion question{"/x", 8, 2, 0xEF53, "", true};  // chattr +j
  EXPECT_TRUE(describe_storage(question, root_.path()).data_journalled);
  mounts("25 1 8:2 / / rw,relatime rw - ext4 /dev/sda2 rw,data=journal\n");
  EXPECT_TRUE(describe("/x", 8, 2).data_journalled);
}

TEST_F(AMadeUpMachine, AllowsCryptOnLinearOnAPartition) {
  mapped(0, lvm_, {kPartition});
  mapped(1, "CRYPT-LUKS2-0af3-x", {"/sys/devices/virtual/block/dm-0"});
  mounts("25 1 254:1 / / rw - ext4 /dev/mapper/x rw\n");
  const StorageInfo info = describe("/x", 254, 1);
  EXPECT_EQ(info.devices, (std::vector<std::string>{"dm-1 (crypt)", "dm-0 (linear)",
                                                    "sda2 (partition)", "sda (disk)"}));
  EXPECT_TRUE(info.stack_allowed);
}

TEST_F(AMadeUpMachine, RefusesMappingsThatKeepOldSectors) {
  mapped(0, lvm_ + "-tpool", {kPartition});                          // thin pool
  mapped(1, lvm_, {"/sys/devices/virtual/block/dm-0"});              // volume in the pool
  mapped(2, "CRYPT-INTEGRITY-x", {kPartition});                      // journal
  mapped(3, "mpath-1", {kPartition});                                // unknown to us
  mapped(4, lvm_, {kPartition, "/sys/devices/pci/ata1/block/sda"});  // striped or spanning
  mapped(5, "CRYPT-LUKS2-y", {"/sys/devices/virtual/block/dm-2"});   // crypt on integrity
  mapped(6, "CRYPT-LUKS2-y", {});                                    // nothing below
  mapped(7, lvm_, {kPartition});                                     // allowed by itself,
  mapped(8, lvm_, {"/sys/devices/virtual/block/dm-7"});  // but maybe an image of a mirror here
  EXPECT_TRUE(describe("/x", 254, 7).stack_allowed);
  for (const unsigned minor : {0U, 1U, 2U, 3U, 4U, 5U, 6U, 8U}) {
    EXPECT_FALSE(describe("/x", 254, minor).stack_allowed) << minor;
  }
}

TEST_F(AMadeUpMachine, RefusesLoopRaidAndMemory) {
  for (const char* name : {"loop0", "md127", "zram0", "nbd1", "bcache0", "ram0"}) {
    const std::string number = "7:" + std::to_string(std::string_view(name).size());
    const std::string directory = "/sys/devices/virtual/block/" + std::string(name);
    std::filesystem::remove(root_.path() + "/sys/dev/block/" + number);
    block(number, directory);
    const auto minor = static_cast<unsigned>(std::string_view(name).size());
    EXPECT_FALSE(describe("/x", 7, minor).stack_allowed) << name;
  }
  mounts("25 1 0:40 / /tmp rw - tmpfs tmpfs rw\n");
  EXPECT_FALSE(describe("/tmp/x", 0, 40, 0x01021994).stack_allowed);
}

TEST_F(AMadeUpMachine, TakesTheLongestMountOfThePathsOwnDevice) {
  mounts(
      "1 0 8:2 / / rw - ext4 /dev/sda2 rw\n"
      "2 1 8:5 / /srv/my\\040models rw - xfs /dev/sda5 rw\n"
      "3 1 8:6 / /srv/my\\040models/deep rw - xfs /dev/sda6 rw\n"
      "4 1 8:7 / /srv ro - ext4 /dev/sda7 rw\n");
  EXPECT_EQ(describe("/srv/my models/a", 8, 5, 0x58465342).mount_point, "/srv/my models");
  EXPECT_EQ(describe("/srv/my models/deep/a", 8, 7).mount_point, "/srv");
  EXPECT_EQ(describe("/srv/my modelsx", 8, 7).mount_point, "/srv");
}

TEST_F(AMadeUpMachine, DoesNotBelieveAMountTableThatStatfsContradicts) {
  EXPECT_EQ(describe("/x", 8, 2, 0x794C7630).filesystem, "unknown");
  EXPECT_EQ(describe("/x", 8, 2, 0x58465342).filesystem, "unknown");
  EXPECT_EQ(describe("/x", 8, 2, 0).filesystem, "ext4");
}

TEST_F(AMadeUpMachine, IsNamedWhenItIsVirtual) {
  EXPECT_EQ(detect_virtual_machine(root_.path()), "");
  put("/run/systemd/container", "docker\n");
  EXPECT_EQ(detect_virtual_machine(root_.path()), "docker");
  put("/proc/cpuinfo", "processor : 0\nflags : fpu hypervisor lahf_lm\n");
  EXPECT_EQ(detect_virtual_machine(root_.path()), "vm-other");
  put("/sys/class/dmi/id/sys_vendor", "QEMU\n");
  EXPECT_EQ(detect_virtual_machine(root_.path()), "qemu");
  put("/sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
  EXPECT_EQ(detect_virtual_machine(root_.path()), "amazon");
  put("/proc/cpuinfo", "processor : 0\nflags : fpu lahf_lm\n");
  EXPECT_EQ(detect_virtual_machine(root_.path()), "docker");  // a whole rented machine
}

TEST_F(AMadeUpMachine, IsNamedByItsContainerFromTheEnvironment) {
  put("/proc/1/environ", std::string("A=b\0container=lxc\0C=d", 21));
  EXPECT_EQ(detect_virtual_machine(root_.path()), "lxc");
}

}  // namespace
}  // namespace aierase
