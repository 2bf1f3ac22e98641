// One check of a verification, and how it ended.
//
// Contract: values; `detail` is a sentence and may quote hostile text: the caller escapes what it
// prints. Specified in: aierase-certificate(5) VERIFYING.
#pragma once

#include <string>

namespace aierase::certificate {

enum class CheckResult { passed, failed, not_checked };

struct Check {
  std::string name;  // "format", "signer", "signature", "statement", "log", ...
  CheckResult result = CheckResult::not_checked;
  std::string detail;
};

}  // namespace aierase::certificate
