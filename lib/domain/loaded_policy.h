// A policy that was brought into force: its files as they were written, who did it, when and why.
//
// Contract: values. `version` is that of the set that the files make (policy::PolicySet).
// Specified in: aierase-policy(5) VERSION.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "domain/people.h"

namespace aierase::domain {

struct PolicyFile {
  std::string name;
  std::string text;
};

struct LoadedPolicy {
  std::vector<PolicyFile> files;
  Digest version{};
  UtcTime loaded{};
  Actor actor;
  std::string reason;
  std::uint64_t log_index = 0;
};

}  // namespace aierase::domain
