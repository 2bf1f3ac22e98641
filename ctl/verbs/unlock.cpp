#include <nlohmann/json.hpp>

#include "ctl/passphrase.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {

Result<int> run_unlock(Session& session) {
  // Nobody types a secret in vain.
  ASSIGN_OR_RETURN(const Json before, session.call("Manager", "Status", {}, Json::object()));
  if (text_at(before, "state") == "open") {
    return make_error(Errc::wrong_state, "the store is open already: no passphrase is needed",
                      "`aierase status` tells more");
  }
  ASSIGN_OR_RETURN(const UniqueFd passphrase,
                   ask_passphrase(session.line().prompts, "Passphrase of the store: ", Ask::once));
  CallArguments arguments;
  arguments.descriptor = passphrase.get();
  ASSIGN_OR_RETURN(Json status,
                   session.call("Manager", "Unlock", std::move(arguments), Json::object()));
  Output& out = session.out();
  const std::string store = printable(text_at(object_at(status, "store"), "id"));
  if (!out.for_people()) {
    out.print_json("unlock", std::move(status));
  } else if (out.quiet()) {
    out.print(store + "\n");
  } else {
    out.print("The store " + store + " is open.\nNext: aierase status\n");
  }
  return 0;
}

}  // namespace aierase::ctl
