#include "base/errc.h"

#include <array>
#include <cstddef>

namespace aierase {
namespace {

// In the order of the enumeration; checked below.
constexpr std::array kTable{
    ErrcInfo{Errc::unexpected, "unexpected", "org.aierase1.Error.Unexpected", 1},
    ErrcInfo{Errc::io, "io", "org.aierase1.Error.Io", 1},
    ErrcInfo{Errc::cancelled, "cancelled", "org.aierase1.Error.Cancelled", 1},
    ErrcInfo{Errc::usage, "usage", "org.aierase1.Error.Usage", 2},
    ErrcInfo{Errc::unreachable, "unreachable", "org.aierase1.Error.Unreachable", 3},
    ErrcInfo{Errc::not_found, "not_found", "org.aierase1.Error.NotFound", 4},
    ErrcInfo{Errc::access_denied, "access_denied", "org.aierase1.Error.AccessDenied", 5},
    ErrcInfo{Errc::invalid_input, "invalid_input", "org.aierase1.Error.InvalidInput", 6},
    ErrcInfo{Errc::wrong_state, "wrong_state", "org.aierase1.Error.WrongState", 6},
    ErrcInfo{Errc::already_exists, "already_exists", "org.aierase1.Error.AlreadyExists", 6},
    ErrcInfo{Errc::legal_hold, "legal_hold", "org.aierase1.Error.LegalHold", 7},
    ErrcInfo{Errc::retention_floor, "retention_floor", "org.aierase1.Error.RetentionFloor", 8},
    ErrcInfo{Errc::policy_conflict, "policy_conflict", "org.aierase1.Error.PolicyConflict", 8},
    ErrcInfo{Errc::assurance_required, "assurance_required", "org.aierase1.Error.AssuranceRequired",
             8},
    ErrcInfo{Errc::approval_missing, "approval_missing", "org.aierase1.Error.ApprovalMissing", 9},
    ErrcInfo{Errc::approval_refused, "approval_refused", "org.aierase1.Error.ApprovalRefused", 9},
    ErrcInfo{Errc::approval_expired, "approval_expired", "org.aierase1.Error.ApprovalExpired", 9},
    ErrcInfo{Errc::plan_stale, "plan_stale", "org.aierase1.Error.PlanStale", 10},
    ErrcInfo{Errc::erased, "erased", "org.aierase1.Error.Erased", 11},
    ErrcInfo{Errc::verification_failed, "verification_failed",
             "org.aierase1.Error.VerificationFailed", 12},
    ErrcInfo{Errc::signer_unknown, "signer_unknown", "org.aierase1.Error.SignerUnknown", 12},
    ErrcInfo{Errc::brake, "brake", "org.aierase1.Error.Brake", 13},
    ErrcInfo{Errc::clock, "clock", "org.aierase1.Error.Clock", 13},
    ErrcInfo{Errc::partial, "partial", "org.aierase1.Error.Partial", 14},
    ErrcInfo{Errc::locked, "locked", "org.aierase1.Error.Locked", 15},
    ErrcInfo{Errc::uninitialised, "uninitialised", "org.aierase1.Error.Uninitialised", 15},
    ErrcInfo{Errc::damaged, "damaged", "org.aierase1.Error.Damaged", 15},
    ErrcInfo{Errc::foreign, "foreign", "org.aierase1.Error.Foreign", 15},
    ErrcInfo{Errc::newer_format, "newer_format", "org.aierase1.Error.NewerFormat", 15},
    ErrcInfo{Errc::resource_limit, "resource_limit", "org.aierase1.Error.ResourceLimit", 16},
    ErrcInfo{Errc::no_space, "no_space", "org.aierase1.Error.NoSpace", 16},
    ErrcInfo{Errc::busy, "busy", "org.aierase1.Error.Busy", 16},
};

constexpr bool table_is_in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].code) != i) return false;
  }
  return kTable.size() == static_cast<std::size_t>(Errc::busy) + 1;
}
static_assert(table_is_in_order(), "every Errc has exactly one row, in order");

constexpr bool is_blocker(int exit_code) {
  return exit_code >= 7 && exit_code <= 13;
}

}  // namespace

const ErrcInfo& info(Errc code) noexcept {
  return kTable[static_cast<std::size_t>(code)];
}

std::optional<Errc> errc_from_dbus(std::string_view dbus_name) noexcept {
  for (const ErrcInfo& row : kTable) {
    if (row.dbus == dbus_name) return row.code;
  }
  return std::nullopt;
}

Errc worse_blocker(Errc a, Errc b) noexcept {
  const int exit_a = info(a).exit_code;
  const int exit_b = info(b).exit_code;
  if (!is_blocker(exit_b)) return a;
  if (!is_blocker(exit_a)) return b;
  return exit_b < exit_a ? b : a;
}

}  // namespace aierase
