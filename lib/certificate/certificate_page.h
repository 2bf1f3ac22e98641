// The certificate as one HTML file for people: the statement in words, and the signed file inside,
// which the page itself checks in the browser of its reader.
//
// Contract: pure, and made only of a certificate that was verified. Every word about the erasure
// comes from the signed statement, through html/certificate.html; the script of the page fills the
// same template from the signed bytes and compares. The page loads nothing and asks nobody: its own
// policy forbids it everything but its one style and its one script, named by their digests.
// Specified in: aierase-certificate(5) PAGE.
#pragma once

#include <string>
#include <string_view>

#include "certificate/trust_store.h"
#include "certificate/verify.h"

namespace aierase::certificate {

// `report`: of this bundle under this trust. The keys go into the page, for their fingerprints to
// be compared.
Result<std::string> certificate_page(std::string_view bundle, const VerifyReport& report,
                                     const TrustStore& trust);

namespace html {  // the files of lib/certificate/html
extern const char* const kPage;
extern const char* const kCertificate;
extern const char* const kStyle;
extern const char* const kScript;
}  // namespace html

}  // namespace aierase::certificate
