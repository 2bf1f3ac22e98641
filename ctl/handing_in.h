// Texts that people sign: printing one, and carrying a signed one to the daemon.
//
// Contract: the signature is looked for behind the text, and then beside it as FILE.sig. Nothing of
// the text is believed here: the daemon checks it. Specified in: aierase-approval(5).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "ctl/session.h"

namespace aierase::ctl {

// `show P... [DECISION] --request`
Result<int> print_request(Session& session);
// `approve|reject|validate --signed FILE`, without operands
Result<int> hand_in(Session& session, std::string_view verb);

}  // namespace aierase::ctl
