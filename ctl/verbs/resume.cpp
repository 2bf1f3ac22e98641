#include <nlohmann/json.hpp>

#include "ctl/changing.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {

Result<int> run_resume(Session& session) {
  return change_asset(session,
                      {"resume", "Resume", "is usable again", "Next: nothing needs to be done.\n"},
                      reason_option(session.arguments()));
}

}  // namespace aierase::ctl
