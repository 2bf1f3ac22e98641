#include "ctl/changing.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {

Result<int> run_resume(Session& session) {
  return change_assets(
      session, {{"resume", "Resume", "is usable again", "Next: nothing needs to be done.\n"},
                "suspended",
                ""});
}

}  // namespace aierase::ctl
