#include "ctl/changing.h"

#include <nlohmann/json.hpp>

#include "ctl/render.h"

namespace aierase::ctl {

Result<int> change_asset(Session& session, const Change& change, const Json& options) {
  CallArguments arguments;
  arguments.texts = {session.operand(0)};
  ASSIGN_OR_RETURN(Json answer,
                   session.call("Asset", change.method, std::move(arguments), options));
  Json asset = unwrapped(std::move(answer), "asset");
  Output& out = session.out();
  if (!out.for_people()) {
    out.print_json(change.verb, {{"asset", std::move(asset)}});
    return 0;
  }
  const std::string id = printable(text_at(asset, "id"));
  const std::string name = printable(text_at(asset, "name"));
  if (out.quiet()) {
    out.print((id.empty() ? printable(session.operand(0)) : id) + "\n");
    return 0;
  }
  out.print((name.empty() ? printable(session.operand(0)) : name) + " " + std::string(change.done) +
            ".\n" + change.next);
  return 0;
}

Json reason_option(const Arguments& given) {
  Json options = Json::object();
  if (given.has("reason")) options["reason"] = given.value_or("reason", "");
  return options;
}

}  // namespace aierase::ctl
