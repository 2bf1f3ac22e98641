// People as the store knows them: who acted, and who answers for an asset.
//
// Contract: values. An Actor's uid comes from the bus credentials, never from an argument;
// audit_login_uid is the kernel's loginuid where it could be read (unset counts as unknown and is
// recorded as such). Specified in: aierase(1) PEOPLE.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace aierase::domain {

struct Actor {
  std::uint32_t uid = 0;
  std::string login;  // user name at that time, or "uid:N"
  std::optional<std::uint32_t> audit_login_uid;
  std::vector<std::uint32_t> groups;  // of the caller, as the bus gave them; never stored
};

enum class CustodianKind { user, group };

struct Custodian {
  CustodianKind kind = CustodianKind::user;
  std::string name;      // without '@'
  std::uint32_t id = 0;  // uid or gid at the time of naming

  std::string text() const { return kind == CustodianKind::group ? "@" + name : name; }
  friend bool operator==(const Custodian&, const Custodian&) = default;
};

bool is_custodian(const Actor& actor, const std::vector<Custodian>& custodians);

}  // namespace aierase::domain
