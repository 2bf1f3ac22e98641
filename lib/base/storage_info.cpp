#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "base/storage_probe.h"
#include "base/unique_fd.h"

namespace aierase {
namespace {

// FS_IOC_GETFSUUID of Linux 6.9, which the headers of Debian 12 do not have yet.
struct FilesystemUuid {
  std::uint8_t length;
  std::uint8_t bytes[16];
};
constexpr unsigned long kGetFilesystemUuid = _IOR(0x15, 0, FilesystemUuid);

std::string filesystem_uuid(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  FilesystemUuid answer{};
  if (!fd.valid() || ::ioctl(fd.get(), kGetFilesystemUuid, &answer) != 0 || answer.length != 16) {
    return {};
  }
  std::string text = to_hex(std::as_bytes(std::span(answer.bytes)));
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) text.insert(dash, "-");
  return text;
}

bool is_journalled(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  int flags = 0;
  return fd.valid() && ::ioctl(fd.get(), FS_IOC_GETFLAGS, &flags) == 0 &&
         (flags & FS_JOURNAL_DATA_FL) != 0;
}

}  // namespace

Result<StorageInfo> PosixEnv::storage(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  if (real == nullptr) return errno_error(errno, "cannot resolve " + path).about(path);
  StorageQuestion question;
  question.real_path = real.get();
  struct stat found {};
  struct statfs filesystem {};
  if (::stat(real.get(), &found) != 0) return errno_error(errno, "cannot stat " + path).about(path);
  if (::statfs(real.get(), &filesystem) != 0) {
    return errno_error(errno, "cannot ask for the file system of " + path).about(path);
  }
  question.major = ::major(found.st_dev);
  question.minor = ::minor(found.st_dev);
  question.magic = static_cast<std::uint64_t>(filesystem.f_type) & 0xFFFF'FFFF;
  const bool openable = S_ISREG(found.st_mode) || S_ISDIR(found.st_mode);
  if (openable) {
    question.filesystem_uuid = filesystem_uuid(real.get());
    question.file_journalled = is_journalled(real.get());
  }
  try {
    return describe_storage(question, "");
  } catch (const std::exception&) {
    return make_error(Errc::resource_limit, "no memory to describe the storage of " + path);
  }
}

}  // namespace aierase
