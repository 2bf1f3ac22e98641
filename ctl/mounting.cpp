#include "ctl/mounting.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/json.h"
#include "ctl/render.h"

namespace aierase::ctl {
namespace {

constexpr const char* kProgram = "fusermount3";
// KiB: 1 MiB from any place, and the pages that it begins and ends in, are asked for at once.
constexpr const char* kReadAhead = "1280";
constexpr std::size_t kMessageBytes = 1024;  // of what it says where it fails

// The file system that lies there now, without asking whoever serves it.
std::optional<std::uint64_t> device_at(const std::string& directory) {
  struct statx found {};
  if (statx(AT_FDCWD, directory.c_str(), AT_STATX_DONT_SYNC, STATX_TYPE, &found) != 0) {
    return std::nullopt;
  }
  return makedev(found.stx_dev_major, found.stx_dev_minor);
}

// The kernel asks for so much at a time where a file is read forward; 128 KiB unless somebody who
// may says more. Without it everything is read all the same.
void widen_read_ahead(dev_t at) {
  const std::string path = "/sys/class/bdi/" + std::to_string(major(at)) + ":" +
                           std::to_string(minor(at)) + "/read_ahead_kb";
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.valid()) static_cast<void>(write(file.get(), kReadAhead, strlen(kReadAhead)) < 0);
}

struct Pair {
  UniqueFd ours, theirs;
};

Result<Pair> make_pair_of(int type) {
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0) {
    return errno_error(errno, "cannot make a socket");
  }
  return Pair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<Pair> make_output() {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return errno_error(errno, "cannot make a pipe");
  return Pair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// ---- the guardian -------------------------------------------------------------------------------

// Runs in a process of its own, so that the mount goes also where this one is killed. Nothing but
// calls that are safe between fork and exec.
[[noreturn]] void guard(const char* directory, int control) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) signal(number, SIG_IGN);
  std::uint64_t device = 0;  // 0: not known
  bool mounted = false;
  for (;;) {
    std::uint64_t told = 0;
    const ssize_t got = read(control, &told, sizeof told);
    if (got < 0 && errno == EINTR) continue;
    if (got != static_cast<ssize_t>(sizeof told)) break;
    device = told;
    mounted = true;
  }
  struct statx found {};
  const bool asked = statx(AT_FDCWD, directory, AT_STATX_DONT_SYNC, STATX_TYPE, &found) == 0;
  const bool other =
      asked && device != 0 && makedev(found.stx_dev_major, found.stx_dev_minor) != device;
  if (!mounted || other) _exit(0);
  execlp(kProgram, kProgram, "-u", "-z", "-q", "--", directory, nullptr);
  _exit(127);
}

struct Guardian {
  UniqueFd control;
  pid_t pid = -1;
};

Result<Guardian> start_guardian(const std::string& directory) {
  ASSIGN_OR_RETURN(Pair control, make_output());
  const pid_t pid = fork();
  if (pid < 0) return errno_error(errno, "cannot start a process");
  if (pid == 0) {
    // Of everything that is open it needs one end, and standard error for what goes wrong.
    const int kept = 3;
    if (control.ours.get() != kept && dup2(control.ours.get(), kept) < 0) _exit(127);
    close_range(kept + 1, ~0U, 0);
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    guard(directory.c_str(), kept);
  }
  return Guardian{std::move(control.theirs), pid};
}

void wait_for(pid_t pid) {
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

// ---- fusermount3 --------------------------------------------------------------------------------

struct Running {
  pid_t pid = -1;
  UniqueFd socket, output;
};

Result<Running> start_fusermount(const std::string& directory, const std::string& options) {
  ASSIGN_OR_RETURN(Pair channel, make_pair_of(SOCK_STREAM));
  ASSIGN_OR_RETURN(Pair output, make_output());
  const int theirs = fcntl(channel.theirs.get(), F_DUPFD, 3);  // goes over exec
  if (theirs < 0) return errno_error(errno, "cannot keep a socket");
  const UniqueFd inherited(theirs);
  std::vector<std::string> words{kProgram, "-o", options, "--", directory};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::string channel_name = "_FUSE_COMMFD=" + std::to_string(theirs);
  std::vector<char*> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) variables.push_back(*entry);
  variables.push_back(channel_name.data());
  variables.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output.theirs.get(), STDERR_FILENO);
  Running running;
  const int failed =
      posix_spawnp(&running.pid, kProgram, &actions, nullptr, arguments.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed == ENOENT) {
    return make_error(Errc::unexpected, "there is no program fusermount3, which mounts",
                      "install the package fuse3");
  }
  if (failed != 0) return errno_error(failed, "cannot start fusermount3");
  running.socket = std::move(channel.ours);
  running.output = std::move(output.ours);
  return running;
}

// The descriptor that it has mounted; invalid where it sent none.
UniqueFd receive_device(int socket) {
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t got = 0;
  do {
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  const cmsghdr* const header = got <= 0 ? nullptr : CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return UniqueFd();
  int device = -1;
  memcpy(&device, CMSG_DATA(header), sizeof device);
  return UniqueFd(device);
}

std::string said(int output) {
  std::string text(kMessageBytes, '\0');
  std::size_t held = 0;
  for (;;) {
    const ssize_t got = read(output, text.data() + held, text.size() - held);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    held += static_cast<std::size_t>(got);
  }
  text.resize(held);
  text = text.substr(0, text.find('\n'));
  const std::string prefix = std::string(kProgram) + ": ";
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

Result<UniqueFd> mount_by_fusermount(const std::string& directory, const std::string& options) {
  ASSIGN_OR_RETURN(const Running running, start_fusermount(directory, options));
  UniqueFd device = receive_device(running.socket.get());
  const std::string message = device.valid() ? std::string() : said(running.output.get());
  wait_for(running.pid);
  if (device.valid()) return device;
  return make_error(Errc::access_denied,
                    quoted(directory) + " cannot be mounted on" +
                        (message.empty() ? std::string() : ": " + printable(message)),
                    "the directory has to be yours, and /dev/fuse there");
}

}  // namespace

Result<std::string> Mount::directory(const std::string& path) {
  const std::unique_ptr<char, decltype(&free)> real(realpath(path.c_str(), nullptr), &free);
  if (!real && errno == ENOTCONN) {
    return make_error(Errc::invalid_input,
                      quoted(path) + " has a mount that nobody serves any more",
                      "fusermount3 -u -z takes it away");
  }
  if (!real) return errno_error(errno, "cannot mount on " + quoted(path));
  struct stat found {};
  if (stat(real.get(), &found) != 0) return errno_error(errno, "cannot mount on " + quoted(path));
  if (S_ISDIR(found.st_mode)) return std::string(real.get());
  return make_error(Errc::invalid_input, quoted(path) + " is no directory",
                    "make one to mount on: mkdir DIR");
}

Result<Mount> Mount::mount(const std::string& directory, const std::string& source) {
  ASSIGN_OR_RETURN(Guardian guardian, start_guardian(directory));
  Mount mount(directory, UniqueFd(), std::move(guardian.control), guardian.pid);
  ASSIGN_OR_RETURN(mount.device_,
                   mount_by_fusermount(directory,
                                       "ro,nosuid,nodev,noexec,default_permissions,subtype=aierase,"
                                       "fsname=" +
                                           source));
  const std::uint64_t device = device_at(directory).value_or(0);
  if (write(mount.guard_.get(), &device, sizeof device) != static_cast<ssize_t>(sizeof device)) {
    return errno_error(errno, "the process that guards the mount has gone");
  }
  return mount;
}

Mount::Mount(Mount&& other) noexcept
    : directory_(std::move(other.directory_)),
      device_(std::move(other.device_)),
      guard_(std::move(other.guard_)),
      guardian_(std::exchange(other.guardian_, -1)) {}

Mount::~Mount() {
  end();
}

Status Mount::wait_until_served() const {
  struct statx found {};
  if (statx(AT_FDCWD, directory_.c_str(), AT_STATX_FORCE_SYNC, STATX_TYPE, &found) != 0) {
    return errno_error(errno, "the view is not served");
  }
  widen_read_ahead(
      makedev(found.stx_dev_major, found.stx_dev_minor));  // after what it is served with
  return {};
}

void Mount::end() {
  device_.reset();
  guard_.reset();
  if (guardian_ > 0) wait_for(std::exchange(guardian_, -1));
}

}  // namespace aierase::ctl
