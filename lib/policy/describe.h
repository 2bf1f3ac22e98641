// What a policy means, in plain sentences.
// Contract: pure; each sentence stands alone and ends with a full stop. For `policy check`, `show`
// and the answer of `policy load`.
#pragma once

#include <string>
#include <vector>

#include "policy/policy_set.h"

namespace aierase::policy {

std::vector<std::string> describe(const RetentionClass& value);
std::string describe(const Brake& brake);
std::string size_words(std::uint64_t bytes);  // "1 TB", "1500 GB"

}  // namespace aierase::policy
