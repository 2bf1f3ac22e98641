#include "daemon/caller.h"

#include <fcntl.h>
#include <systemd/sd-bus.h>

#include <optional>
#include <string_view>

#include "bus/handles.h"
#include "daemon/accounts.h"
#include "daemon/login.h"

namespace aierase::daemon {

namespace {

// One credential of a{sv}, its value in a variant.
int read_credential(sd_bus_message* reply, ConnectionProcess& process) {
  const char* key = nullptr;
  const int result = sd_bus_message_read_basic(reply, 's', &key);
  if (result < 0) return result;
  const std::string_view name(key);
  if (name == "UnixUserID") return sd_bus_message_read(reply, "v", "u", &process.uid);
  if (name == "ProcessID") return sd_bus_message_read(reply, "v", "u", &process.pid);
  if (name != "ProcessFD") return sd_bus_message_skip(reply, "v");
  int borrowed = -1;
  const int got = sd_bus_message_read(reply, "v", "h", &borrowed);
  if (got >= 0) process.handle.reset(fcntl(borrowed, F_DUPFD_CLOEXEC, 3));
  return got;
}

// Of the connection, as the bus saw it: sd-bus alone does not ask for the handle of the process,
// and reads of /proc whatever has the number of the process by then.
Result<ConnectionProcess> process_behind(sd_bus_message* message) {
  constexpr const char* kBus = "org.freedesktop.DBus";
  sd_bus_message* raw = nullptr;
  int result = sd_bus_call_method(sd_bus_message_get_bus(message), kBus, "/org/freedesktop/DBus",
                                  kBus, "GetConnectionCredentials", nullptr, &raw, "s",
                                  sd_bus_message_get_sender(message));
  const bus::MessagePtr reply(raw);
  ConnectionProcess process;
  if (result >= 0) result = sd_bus_message_enter_container(raw, 'a', "{sv}");
  while (result >= 0 && (result = sd_bus_message_enter_container(raw, 'e', "sv")) > 0) {
    result = read_credential(raw, process);
    if (result >= 0) result = sd_bus_message_exit_container(raw);
  }
  if (result < 0) return bus::bus_error(result, "cannot learn who calls");
  if (process.uid != domain::kNoUid) return process;
  return make_error(Errc::access_denied, "the bus does not say who calls");
}

}  // namespace

Result<Caller> caller_of(sd_bus_message* message) {
  ASSIGN_OR_RETURN(const ConnectionProcess process, process_behind(message));
  Caller caller;
  caller.actor.uid = process.uid;
  const Login login = login_of(process);
  caller.actor.audit_login_uid = login.uid;
  caller.actor.login_sight = login.sight;
  const char* sender = sd_bus_message_get_sender(message);
  caller.connection = sender == nullptr ? "" : sender;
  if (const std::optional<Account> account = account_of(process.uid)) {
    caller.actor.login = account->login;
    caller.actor.groups = groups_of(*account);
  } else {
    caller.actor.login = "uid:" + std::to_string(process.uid);
  }
  return caller;
}

CallerProcess process_of(sd_bus_message* message) {
  CallerProcess process;
  sd_bus_creds* raw = nullptr;
  const std::uint64_t wanted =
      SD_BUS_CREDS_PID | SD_BUS_CREDS_UNIT | SD_BUS_CREDS_USER_UNIT | SD_BUS_CREDS_AUGMENT;
  if (sd_bus_query_sender_creds(message, wanted, &raw) < 0) return process;
  const bus::CredsPtr creds(raw);
  pid_t pid = 0;
  if (sd_bus_creds_get_pid(raw, &pid) >= 0) process.pid = static_cast<std::uint32_t>(pid);
  const char* unit = nullptr;
  if (sd_bus_creds_get_user_unit(raw, &unit) >= 0 || sd_bus_creds_get_unit(raw, &unit) >= 0) {
    process.unit = unit;
  }
  return process;
}

Result<domain::Custodian> custodian_of(const domain::Actor& actor) {
  const std::optional<Account> account = account_of(actor.uid);
  if (account) return domain::Custodian{domain::CustodianKind::user, account->login, actor.uid};
  return make_error(Errc::usage,
                    "you have no entry in the user database, so a custodian must be named",
                    "add --custodian USER or --custodian @GROUP");
}

}  // namespace aierase::daemon
