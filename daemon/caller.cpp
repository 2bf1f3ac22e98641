#include "daemon/caller.h"

#include <systemd/sd-bus.h>

#include <optional>

#include "bus/handles.h"
#include "daemon/accounts.h"

namespace aierase::daemon {

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
