#include <nlohmann/json.hpp>

#include "ctl/describe.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {
namespace {

constexpr const char* kAfterwards =
    "\nWhere it lay before it is destroyed. What was erased before stays erased, and what lives\n"
    "keeps the lower of both levels on its certificate: its key lay there, too.\n"
    "\nNext: see what is left to mend, and how a model gets a new key: aierase doctor\n";

}  // namespace

Result<int> run_slot_move(Session& session) {
  CallArguments arguments;
  arguments.texts = {session.operand(0)};
  ASSIGN_OR_RETURN(Json status,
                   session.call("Manager", "MoveSlot", std::move(arguments), Json::object()));
  Output& out = session.out();
  if (!out.for_people()) {
    out.print_json("slot-move", std::move(status));
  } else if (out.quiet()) {
    out.print(printable(text_at(object_at(status, "store"), "id")) + "\n");
  } else {
    out.print("The root slot has moved.\n\n" + describe_status(status, out) + kAfterwards);
  }
  return 0;
}

}  // namespace aierase::ctl
