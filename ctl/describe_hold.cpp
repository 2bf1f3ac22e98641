#include <nlohmann/json.hpp>

#include "ctl/describe.h"
#include "ctl/render.h"

namespace aierase::ctl {

std::string describe_hold(const Json& hold, const Output& out) {
  Fields fields;
  fields.add("Hold", text_at(hold, "id"));
  fields.add("Matter", text_at(hold, "matter"));
  fields.add("State", text_at(hold, "state"));
  fields.add("Reason", text_at(hold, "reason"));
  fields.add("Placed by", person_at(hold, "placed_by"));
  fields.add("Placed", text_at(hold, "placed"));
  fields.add("Lifted by", person_at(hold, "lifted_by"));
  fields.add("Lifted", text_at(hold, "lifted"));
  fields.add("Why lifted", text_at(hold, "lift_reason"));
  fields.add("Match", joined(list_at(hold, "match"), ", "));
  fields.add("Later imports",
             text_at(hold, "reach") == "future" ? "bound, where they match" : "not bound");
  fields.add("Binds", counted(number_at(hold, "assets_count"), "asset"));
  std::string text = fields.text(out.width());
  const Json& assets = list_at(hold, "assets");
  if (assets.empty()) return text;
  Table table({"ASSET", "STATE", "NAME"});
  for (const Json& asset : assets) {
    table.add({short_id(text_at(asset, "id")), printable(text_at(asset, "state")),
               printable(text_at(asset, "name"))});
  }
  text += "\n" + table.text(out.width());
  const std::uint64_t omitted = number_at(hold, "assets_omitted");
  if (omitted > 0) text += "and " + std::to_string(omitted) + " more\n";
  return text;
}

std::string hold_table(const Json& holds, const Output& out) {
  Table table({"HOLD", "STATE", "ASSETS", "PLACED BY", "PLACED", "MATTER"});
  for (const Json& hold : holds) {
    table.add({short_id(text_at(hold, "id")), printable(text_at(hold, "state")),
               text_at(hold, "assets_count"), person_at(hold, "placed_by"),
               printable(text_at(hold, "placed")), printable(text_at(hold, "matter"))});
  }
  return table.text(out.width());
}

}  // namespace aierase::ctl
