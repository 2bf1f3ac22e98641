// What lies under a path, read from the text files of the kernel: the part of
// PosixEnv::storage() that a test can run against a made-up /proc and /sys.
//
// Contract: pure reading below `root` ("" is the real system); what cannot be read is left empty
// and never raises the answer: a stack is allowed only when each device of it was recognised.
// Formats: proc_pid_mountinfo(5), sysfs(5), Documentation/ABI/stable/sysfs-block.
#pragma once

#include <cstdint>
#include <string>

#include "base/env.h"

namespace aierase {

struct StorageQuestion {
  std::string real_path;  // no symbolic links left in it
  unsigned major = 0;     // of st_dev
  unsigned minor = 0;
  std::uint64_t magic = 0;       // f_type of statfs(2); 0: not asked
  std::string filesystem_uuid;   // where the kernel told it, else empty
  bool file_journalled = false;  // FS_JOURNAL_DATA_FL of the file
};

StorageInfo describe_storage(const StorageQuestion& question, const std::string& root);
// In the words of systemd-detect-virt(1): "kvm", "vmware", "docker", ...; empty on bare metal. A
// virtual machine is named before a container in it: its host can copy disk and memory.
std::string detect_virtual_machine(const std::string& root);

// Small text files of the kernel: empty where unreadable, at most 4 MiB; read_line also drops
// blanks and NULs at both ends.
std::string read_text(const std::string& path);
std::string read_line(const std::string& path);
std::string trimmed(std::string text);

}  // namespace aierase
