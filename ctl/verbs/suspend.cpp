#include <nlohmann/json.hpp>

#include "ctl/changing.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {

Result<int> run_suspend(Session& session) {
  return change_asset(session,
                      {"suspend", "Suspend", "is suspended: nobody can export it",
                       "Next: an operator makes it usable again with\n  aierase resume " +
                           printable(session.operand(0)) + "\n"},
                      reason_option(session.arguments()));
}

}  // namespace aierase::ctl
