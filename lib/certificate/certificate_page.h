// What was signed as one HTML file for people: the statement in words, and the signed file inside,
// which the page itself checks in the browser of its reader. Of a certificate it looks like one; of
// the record of a refusal it says first that it is none.
//
// Contract: pure, and made only of what was verified. Every word about the erasure
// comes from the signed statement, through html/certificate.html or html/refusal.html; the script
// of the page fills the same template from the signed bytes and compares. The page loads nothing
// and asks nobody: its own policy forbids it everything but its one style and its one script, named
// by their digests. Specified in: aierase-certificate(5) PAGE.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "certificate/trust_store.h"
#include "certificate/verify.h"

namespace aierase::certificate {

// What was said of the certificate, each with its report under the same trust, in order.
struct PageAmendment {
  std::string bundle;
  VerifyReport report;
};

// `report`: of this bundle under this trust. The keys go into the page, for their fingerprints to
// be compared.
Result<std::string> certificate_page(std::string_view bundle, const VerifyReport& report,
                                     const TrustStore& trust,
                                     const std::vector<PageAmendment>& amendments = {});

namespace html {  // the files of lib/certificate/html
extern const char* const kPage;
extern const char* const kCertificate;
extern const char* const kRefusal;
extern const char* const kStyle;
extern const char* const kScript;
extern const char* const kArchiveStyle;
extern const char* const kReadme;
}  // namespace html

}  // namespace aierase::certificate
