#include "daemon/accounts.h"

#include <grp.h>
#include <pwd.h>

namespace aierase::daemon {
namespace {

constexpr std::size_t kEntryBytes = 64 << 10;

template <typename Lookup>
std::optional<Account> find_account(const Lookup& lookup) {
  std::vector<char> buffer(kEntryBytes);
  passwd entry{};
  passwd* found = nullptr;
  if (lookup(&entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return {};
  return Account{found->pw_name, found->pw_uid, found->pw_gid};
}

}  // namespace

std::optional<Account> account_of(std::uint32_t uid) {
  return find_account([uid](passwd* entry, char* buffer, std::size_t size, passwd** found) {
    return getpwuid_r(uid, entry, buffer, size, found);
  });
}

std::optional<Account> account_named(const std::string& login) {
  return find_account([&](passwd* entry, char* buffer, std::size_t size, passwd** found) {
    return getpwnam_r(login.c_str(), entry, buffer, size, found);
  });
}

std::vector<std::uint32_t> groups_of(const Account& account) {
  int count = 64;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  while (getgrouplist(account.login.c_str(), account.group, groups.data(), &count) < 0) {
    if (static_cast<std::size_t>(count) <= groups.size()) return {};
    groups.resize(static_cast<std::size_t>(count));
  }
  groups.resize(static_cast<std::size_t>(count));
  return {groups.begin(), groups.end()};
}

std::optional<std::uint32_t> group_named(const std::string& name) {
  std::vector<char> buffer(kEntryBytes * 4);
  group entry{};
  group* found = nullptr;
  const int result = getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (result != 0 || found == nullptr) return std::nullopt;
  return found->gr_gid;
}

}  // namespace aierase::daemon
