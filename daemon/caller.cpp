#include "daemon/caller.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <systemd/sd-bus.h>

#include <optional>

#include "base/json.h"
#include "bus/handles.h"

namespace aierase::daemon {
namespace {

constexpr std::size_t kEntryBytes = 64 << 10;

struct Account {
  std::string login;
  std::uint32_t uid = 0;
  gid_t group = 0;
};

template <typename Lookup>
std::optional<Account> find_account(const Lookup& lookup) {
  std::vector<char> buffer(kEntryBytes);
  passwd entry{};
  passwd* found = nullptr;
  if (lookup(&entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return {};
  return Account{found->pw_name, found->pw_uid, found->pw_gid};
}

std::optional<Account> account_of(uid_t uid) {
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

}  // namespace

Result<Caller> caller_of(sd_bus_message* message) {
  sd_bus_creds* raw = nullptr;
  const std::uint64_t wanted =
      SD_BUS_CREDS_EUID | SD_BUS_CREDS_AUDIT_LOGIN_UID | SD_BUS_CREDS_AUGMENT;
  int result = sd_bus_query_sender_creds(message, wanted, &raw);
  if (result < 0) return bus::bus_error(result, "cannot learn who calls");
  const bus::CredsPtr creds(raw);
  Caller caller;
  uid_t uid = 0;
  result = sd_bus_creds_get_euid(raw, &uid);
  if (result < 0) return bus::bus_error(result, "cannot learn who calls");
  caller.actor.uid = uid;
  uid_t login = 0;
  if (sd_bus_creds_get_audit_login_uid(raw, &login) >= 0) caller.actor.audit_login_uid = login;
  const char* sender = sd_bus_message_get_sender(message);
  caller.connection = sender == nullptr ? "" : sender;
  if (const std::optional<Account> account = account_of(uid)) {
    caller.actor.login = account->login;
    caller.actor.groups = groups_of(*account);
  } else {
    caller.actor.login = "uid:" + std::to_string(uid);
  }
  return caller;
}

namespace {

Result<domain::Custodian> resolve_group(const std::string& name) {
  std::vector<char> buffer(kEntryBytes * 4);
  group entry{};
  group* found = nullptr;
  const int result = getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (result != 0 || found == nullptr) {
    return make_error(Errc::invalid_input, "there is no group " + quoted(name) + " on this host",
                      "getent group lists them", "@" + name);
  }
  return domain::Custodian{domain::CustodianKind::group, name, found->gr_gid};
}

}  // namespace

Result<std::vector<domain::Custodian>> resolve_custodians(const std::vector<std::string>& names) {
  std::vector<domain::Custodian> custodians;
  for (const std::string& name : names) {
    if (name.starts_with('@')) {
      ASSIGN_OR_RETURN(domain::Custodian group, resolve_group(name.substr(1)));
      custodians.push_back(std::move(group));
      continue;
    }
    const std::optional<Account> account = account_named(name);
    if (!account) {
      return make_error(Errc::invalid_input, "there is no user " + quoted(name) + " on this host",
                        "name a user, or a group as @GROUP", name);
    }
    custodians.push_back({domain::CustodianKind::user, name, account->uid});
  }
  return custodians;
}

Result<domain::Custodian> custodian_of(const domain::Actor& actor) {
  const std::optional<Account> account = account_of(actor.uid);
  if (account) return domain::Custodian{domain::CustodianKind::user, account->login, actor.uid};
  return make_error(Errc::usage,
                    "you have no entry in the user database, so a custodian must be named",
                    "add --custodian USER or --custodian @GROUP");
}

}  // namespace aierase::daemon
