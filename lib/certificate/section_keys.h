// With whose keys a section of an archive is checked.
//
// Contract: the reader's own, where they know all of the section's; the section's, where these
// continue the reader's by rotations that the reader's keys have signed, and where the reader knows
// none of this store. Then nobody vouches for them, and check() says so. What the reader revoked
// never counts. Specified in: aierase-certificate(5) ARCHIVES.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "certificate/check.h"
#include "certificate/trust_store.h"

namespace aierase::certificate {

class SectionKeys {
 public:
  SectionKeys() = default;  // nobody is trusted: there was no keyring
  static SectionKeys choose(std::string_view keyring, const Uuid& store, const TrustStore& given);

  const TrustStore& trust() const { return trust_; }
  const Check& check() const { return check_; }
  bool is_trusted() const { return trusted_; }
  // Of the one in force, "SHA256:..."; empty where there is none.
  std::string fingerprint(domain::KeyPurpose purpose) const;
  bool has_rotation(std::string_view body) const;
  bool is_trusted_root(std::string_view text) const;

 private:
  TrustStore trust_;
  std::optional<Keyring> keyring_;
  bool trusted_ = false;
  Check check_{"keys", CheckResult::failed, "The keyring is missing."};
};

}  // namespace aierase::certificate
