// The statement of an amendment from a stranger: refused, or whole, and then it is told in words
// and takes its place behind a certificate or is named as out of place.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/json.h"
#include "base/limits.h"
#include "certificate/amendment.h"
#include "certificate/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aierase::certificate;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = aierase::read_json(text, {aierase::limits::kCertificateBytes, 32});
  if (!read.ok()) return 0;
  const aierase::JsonView json = read->root();
  const auto fault = amendment_fault(json);
  if (!is_amendment(json) && !fault) std::abort();
  const auto shown = statement_text(text);
  if (fault) {
    if (is_amendment(json) && shown.ok()) std::abort();
    return 0;
  }
  if (!shown.ok() || shown->find('\x1b') != std::string::npos) std::abort();
  const AmendmentSummary is = summary_of_amendment(json, text);
  if (!aierase::dump_canonical(amendment_json(is)).ok()) std::abort();
  if (is.number == 0 || is.certificate_sha256.size() != 64) std::abort();
  // Nothing amends a statement that it does not name, and none follows itself.
  if (check_amendments(text, {is}).result != CheckResult::failed) std::abort();
  if (check_amendments(text, {is, is}).result != CheckResult::failed) std::abort();
  return 0;
}
