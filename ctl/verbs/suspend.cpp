#include "ctl/changing.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {

Result<int> run_suspend(Session& session) {
  const auto& operands = session.arguments().operands();
  const std::string name = operands.empty() ? std::string() : printable(operands.front());
  return change_assets(
      session, {{"suspend", "Suspend",
                 "is suspended: nobody can export or mount it, and views that are mounted end",
                 "Next: an operator makes it usable again with\n  aierase resume " + name + "\n"},
                "active",
                "resume"});
}

}  // namespace aierase::ctl
