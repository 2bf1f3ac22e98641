#include <nlohmann/json.hpp>

#include "ctl/changing.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {

Result<int> run_set(Session& session) {
  const Arguments& given = session.arguments();
  if (!given.has("label") && !given.has("retention") && !given.has("custodian")) {
    return make_error(Errc::usage, "'set' needs something to change",
                      "--label K=V, --label K-, --retention C or --custodian U");
  }
  if (!given.has("reason")) {
    return make_error(Errc::usage, "'set' needs --reason", "it is recorded with the change");
  }
  for (const std::string& label : given.all("label")) {
    const bool removes =
        label.size() > 1 && label.back() == '-' && label.find('=') == std::string::npos;
    if (removes || (label.find('=') != std::string::npos && label[0] != '=')) continue;
    return make_error(Errc::usage, "--label needs K=V, or K- to remove it, not " + quoted(label));
  }
  Json options = reason_option(given);
  if (given.has("label")) options["labels"] = given.all("label");
  if (given.has("retention")) options["retention"] = given.value_or("retention", "");
  if (given.has("custodian")) options["custodians"] = given.all("custodian");
  return change_asset(
      session,
      {"set", "Set", "is changed", "Next: aierase show " + printable(session.operand(0)) + "\n"},
      options);
}

}  // namespace aierase::ctl
