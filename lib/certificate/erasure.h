// What a certificate is about, in a few words, for those who look at many.
//
// Contract: pure; taken from the signed statement alone, and only where its signature holds and the
// statement has no fault. Texts are those of strangers: the caller escapes what it prints.
// Specified in: aierase(1) verify.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "certificate/verify.h"

namespace aierase::certificate {

struct Erasure {
  std::string certificate, asset, name;  // ids, and the name of the asset
  std::string outcome;                   // "erased"
  std::string erased_at;                 // the key was shown gone
  std::string requester;
  std::vector<std::string> approvers;  // logins, in the order of their approvals
};
std::optional<Erasure> erasure_of(const VerifyReport& report);
Json erasure_json(const Erasure& erasure);

}  // namespace aierase::certificate
