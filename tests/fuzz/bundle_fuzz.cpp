// A certificate from a stranger: verifying it gives an answer, and never "verified" for bytes that
// nobody here signed with a trusted key.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "certificate/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const aierase::certificate::TrustStore nobody;
  const aierase::certificate::VerifyReport report =
      aierase::certificate::verify_bundle(text, nobody);
  if (report.verified) std::abort();
  static_cast<void>(aierase::certificate::statement_text(report.statement));
  static_cast<void>(aierase::certificate::statement_text(text));
  return 0;
}
