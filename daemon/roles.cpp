#include "daemon/roles.h"

#include <array>

namespace aierase::daemon {
namespace {

constexpr std::string_view kPrefix = "org.aierase1.";

struct Role {
  std::string_view group;
  std::string_view actions;  // with a space around each
};
constexpr std::array kRoles{
    Role{"aierase-operators", " read import export export-key mount change retire "},
    Role{"aierase-custodians", " read change approve validate "},
    Role{"aierase-auditors", " read "},
    Role{"aierase-hold-keepers", " read place-hold lift-hold "},
    Role{"aierase-managers", " read manage-policy manage-store "},
};

}  // namespace

std::string groups_for(std::string_view action) {
  if (!action.starts_with(kPrefix)) return {};
  const std::string wanted = " " + std::string(action.substr(kPrefix.size())) + " ";
  std::string groups;
  for (const Role& role : kRoles) {
    if (role.actions.find(wanted) == std::string_view::npos) continue;
    groups += (groups.empty() ? "" : " or ") + std::string(role.group);
  }
  return groups;
}

}  // namespace aierase::daemon
