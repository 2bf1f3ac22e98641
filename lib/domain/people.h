// People as the store knows them: who acted, and who answers for an asset.
//
// Contract: values. An Actor's uid comes from the bus credentials, or from the person whose
// enrolled key signed, never from an argument; audit_login_uid is the kernel's loginuid where it
// could be read (unset counts as unknown and is recorded as such); where it could not be read,
// login_sight says why. Specified in: aierase(1) PEOPLE, aierase-people(5).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace aierase::domain {

// Of a person without an account on this host: what the kernel calls no user.
inline constexpr std::uint32_t kNoUid = 0xFFFFFFFF;

// What people.toml says of somebody, as it stood at that time. Of the fields after the name those
// that it does not have are empty.
struct PersonEntry {
  std::string id;  // U of [person.U]
  std::string name;
  std::string title;
  std::string organisation;
  std::string location;
  std::string contact;
  friend bool operator==(const PersonEntry&, const PersonEntry&) = default;
};
using PersonLookup = std::function<Result<std::optional<PersonEntry>>(std::uint32_t uid)>;

// Whether the kernel told as whom the process of a caller logged in; also that it did not at all.
enum class LoginSight { told, process_gone, other_account, unreadable };

struct Actor {
  std::uint32_t uid = 0;
  std::string login;  // user name at that time, or "uid:N"
  std::optional<std::uint32_t> audit_login_uid;
  std::vector<std::uint32_t> groups;          // of the caller, as the bus gave them; never stored
  std::optional<PersonEntry> person{};        // stored with decisions alone
  LoginSight login_sight = LoginSight::told;  // of the caller; never stored
};

// Whose act an account's or a key's is, by people.toml.
struct Enrolled {
  std::string id;                 // U of [person.U]
  std::uint32_t uid = kNoUid;     // kNoUid: without account
  std::vector<std::string> keys;  // fingerprints, "SHA256:...", in the order of the file
  friend bool operator==(const Enrolled&, const Enrolled&) = default;
};
using EnrolledPeople = std::function<Result<std::vector<Enrolled>>()>;

// Who somebody is today that was known then, by the account, or by the key (a line of a .pub file)
// with which he signed: with his groups. Nobody, where account, entry or key are gone.
using PersonToday = std::function<Result<std::optional<Actor>>(
    const Actor& then, const std::optional<std::string>& key)>;

// One person by account, or by entry: two without an account are not one for having no uid.
bool same_person(const Actor& a, const Actor& b);

enum class CustodianKind { user, group, person };

struct Custodian {
  CustodianKind kind = CustodianKind::user;
  std::string name;      // without '@'; U of a person
  std::uint32_t id = 0;  // uid or gid at the time of naming; kNoUid of a person without account

  std::string text() const { return kind == CustodianKind::group ? "@" + name : name; }
  friend bool operator==(const Custodian&, const Custodian&) = default;
};

bool is_custodian(const Actor& actor, const std::vector<Custodian>& custodians);

}  // namespace aierase::domain
