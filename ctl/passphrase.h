// A passphrase from the person at the terminal, or from standard input, to the daemon.
//
// Contract: the bytes live in SecretBytes and in the returned pipe only; the terminal does not show
// them and is restored whatever happens. One trailing newline is not part of the passphrase. What
// is piped in is one line, or twice the same where it is asked for twice. At most 1,023 bytes.
// Errc::access_denied where asking is forbidden and nothing was piped in.
#pragma once

#include "base/result.h"
#include "base/unique_fd.h"
#include "ctl/arguments.h"

namespace aierase::ctl {

enum class Ask { once, twice };

// The reading end of a pipe that holds the passphrase; its writing end is closed.
Result<UniqueFd> ask_passphrase(Prompts prompts, const char* question, Ask times);

}  // namespace aierase::ctl
