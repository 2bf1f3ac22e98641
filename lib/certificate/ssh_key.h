// Public SSH keys of people: Ed25519, and the two kinds that live in a FIDO security key.
//
// Contract: values. Only a key that could sign a decision becomes an SshPublicKey: RSA, DSA, ECDSA
// in a file, SSH certificates and every other kind are refused with a sentence that says what to
// make instead; so are points off the curve, of small order or in a second encoding, and an
// application that ssh-keygen would not have made. Two keys are one if their blobs are equal.
// Specified in: aierase-approval(5) KEYS; RFC 8709, OpenSSH PROTOCOL.u2f.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace aierase::certificate {

enum class SshKeyType { ed25519, sk_ed25519, sk_ecdsa_p256 };
std::string_view to_text(SshKeyType type) noexcept;  // as the first word of a .pub file

class SshPublicKey {
 public:
  // One line of a .pub file: type, base64, perhaps a comment, which is not kept. No options before
  // it, as authorized_keys may have them.
  static Result<SshPublicKey> from_line(std::string_view line);
  static Result<SshPublicKey> from_blob(ByteView blob);

  SshKeyType type() const { return type_; }
  ByteView blob() const { return blob_; }
  ByteView point() const { return point_; }                        // 32 bytes, or 65 of P-256
  const std::string& application() const { return application_; }  // "ssh:..."; of FIDO keys alone

  std::string line() const;         // without a comment
  std::string fingerprint() const;  // "SHA256:...", as `ssh-keygen -l` prints it

  friend bool operator==(const SshPublicKey& a, const SshPublicKey& b) {
    return a.blob_ == b.blob_;
  }

 private:
  SshPublicKey() = default;
  SshKeyType type_ = SshKeyType::ed25519;
  Bytes blob_;
  Bytes point_;
  std::string application_;
};

}  // namespace aierase::certificate
