#include "daemon/login.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string>
#include <string_view>

namespace aierase::daemon {
namespace {

using domain::LoginSight;

constexpr std::size_t kLongest = 16 << 10;  // bytes of a file of /proc

std::optional<std::string> read_at(int directory, const std::string& path) {
  const UniqueFd file(openat(directory, path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return std::nullopt;
  std::string text;
  std::array<char, 4096> part{};
  while (text.size() < kLongest) {
    const ssize_t got = read(file.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  return text;
}

std::optional<std::int64_t> number_in(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end == text.data()) return std::nullopt;
  return number;
}

// The nth number of the line that begins with that word.
std::optional<std::int64_t> field_of(const std::string& text, const std::string& word, int nth) {
  std::size_t at = text.rfind(word, 0) == 0 ? 0 : text.find("\n" + word);
  if (at == std::string::npos) return std::nullopt;
  at = text.find(word, at) + word.size();
  for (int i = 1; i < nth; ++i) {
    at = text.find('\t', at + 1);
    if (at == std::string::npos) return std::nullopt;
  }
  return number_in(std::string_view(text).substr(at));
}

// The number that the process of a handle has for us; -1: it is gone; 0: we cannot see it.
std::int64_t number_of(const UniqueFd& handle) {
  const auto text = read_at(AT_FDCWD, "/proc/self/fdinfo/" + std::to_string(handle.get()));
  return text ? field_of(*text, "Pid:", 1).value_or(0) : 0;
}

LoginSight sight_of_missing(std::int64_t pid) {
  return kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH ? LoginSight::process_gone
                                                                 : LoginSight::unreadable;
}

}  // namespace

Login login_of(const ConnectionProcess& process) {
  if (access("/proc/self/loginuid", F_OK) != 0) return {};
  const std::int64_t pid = process.handle.valid() ? number_of(process.handle) : process.pid;
  if (pid < 0) return {LoginSight::process_gone, std::nullopt};
  if (pid == 0) return {LoginSight::unreadable, std::nullopt};
  // Of a directory that is open everything is of one process, also when its number is used again.
  const UniqueFd directory(
      open(("/proc/" + std::to_string(pid)).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return {sight_of_missing(pid), std::nullopt};
  if (process.handle.valid() && number_of(process.handle) != pid) {
    return {LoginSight::process_gone, std::nullopt};
  }
  const auto status = read_at(directory.get(), "status");
  const auto login = read_at(directory.get(), "loginuid");
  if (!status || !login) return {sight_of_missing(pid), std::nullopt};
  if (field_of(*status, "Uid:", 2) != process.uid) return {LoginSight::other_account, std::nullopt};
  const std::optional<std::int64_t> uid = number_in(*login);
  if (!uid) return {LoginSight::unreadable, std::nullopt};
  if (*uid == domain::kNoUid) return {};
  return {LoginSight::told, static_cast<std::uint32_t>(*uid)};
}

}  // namespace aierase::daemon
