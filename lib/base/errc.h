// The closed vocabulary of failures, and its one table to D-Bus error names and exit codes.
//
// Contract: an Errc says what the caller can do next, never where in our code it arose. The table
// in errc.cpp is the only place where codes, bus names and exit codes meet; adding an enumerator
// without a row fails to compile.
// Specified in: aierase(1) EXIT STATUS, org.aierase1(5) ERRORS.
#pragma once

#include <optional>
#include <string_view>

namespace aierase {

enum class Errc {
  unexpected,          // a fault of ours or of the machine that has no better word
  io,                  // the disk refused; the process that writes the store stops
  cancelled,           // the caller cancelled the job; nothing was kept
  usage,               // the call itself is malformed: arguments, ambiguous ids, empty selection
  unreachable,         // no daemon on the bus
  not_found,           // no such asset, plan, certificate, hold, job or file
  access_denied,       // polkit, uid rules, or self-approval
  invalid_input,       // hostile or broken input; names the place
  wrong_state,         // the thing exists but its state does not allow the act
  already_exists,      // the name is taken by other content
  legal_hold,          // a hold blocks
  retention_floor,     // a floor blocks
  policy_conflict,     // floor beyond ceiling
  assurance_required,  // the class asks for a better root slot
  approval_missing,
  approval_refused,
  approval_expired,
  plan_stale,           // what was approved is no longer what is there
  erased,               // gone for good
  verification_failed,  // a signature, digest or proof does not hold
  signer_unknown,       // the signature holds, but nobody here vouches for the key
  brake,
  clock,
  partial,        // some items failed, details per item
  locked,         // the store has an unlock secret and it is not here
  uninitialised,  // no store yet
  damaged,        // a broken invariant; nothing was touched
  foreign,        // another host's or another store's
  newer_format,   // written by a later version
  resource_limit,
  no_space,
  busy,
};

struct ErrcInfo {
  Errc code;
  std::string_view name;  // snake_case, the "code" of aierase/error/v1
  std::string_view dbus;  // full D-Bus error name
  int exit_code;
};

const ErrcInfo& info(Errc code) noexcept;
std::optional<Errc> errc_from_dbus(std::string_view dbus_name) noexcept;

// Of several blockers the one with the lowest exit code of 7 to 13 is reported.
Errc worse_blocker(Errc a, Errc b) noexcept;

}  // namespace aierase
