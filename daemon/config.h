// aierased.toml and its drop-ins.
//
// Contract: FILE, then FILE.d/*.toml in byte order of their names; a later file's key wins. A
// missing FILE is no error where it was not named by hand. Unknown keys are errors with file, line
// and column. Specified in: aierased.toml(5).
#pragma once

#include <chrono>
#include <string>

#include "base/env.h"
#include "base/result.h"

namespace aierase::daemon {

enum class UnencryptedSwap { refused, allowed };

struct Config {
  std::string slot = "/var/lib/aierase-root/slot";  // where `init` puts the root slot by default
  std::string people = "/etc/aierase/people.toml";
  std::string tpm = "device:/dev/tpmrm0";  // how the TPM is reached, as tpm2-tools take it
  std::chrono::seconds coalesce{60};       // erasures wait for others, where a TPM is written
  UnencryptedSwap unencrypted_swap = UnencryptedSwap::refused;
};

enum class Absence { allowed, refused };
Result<Config> load_config(Env& env, const std::string& file, Absence absence);

}  // namespace aierase::daemon
