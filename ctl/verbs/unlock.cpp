#include <nlohmann/json.hpp>

#include "ctl/passphrase.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {

Result<int> run_unlock(Session& session) {
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
