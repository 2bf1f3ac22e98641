// SSH signatures of people over a text: what `ssh-keygen -Y sign` writes, checked without it.
//
// Contract: pure, any thread. A signature holds only if it was made for `name_space`, over exactly
// this message, by the key that it carries; whose key that is, the caller decides afterwards, by
// SshSigner::key. A security key must have seen a touch (user presence). One armoured block, no
// other text around it; RSA and the like are refused (ssh_key.h). Malformed: Errc::invalid_input;
// sound but not over this message: Errc::verification_failed.
// Of an ECDSA signature anybody can make a second valid one: never tell acts apart by the bytes of
// their signatures.
// Specified in: aierase-approval(5) SIGNATURE; OpenSSH PROTOCOL.sshsig and PROTOCOL.u2f.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "certificate/ssh_key.h"

namespace aierase::certificate {

inline constexpr std::string_view kApprovalNamespace = "aierase-approval@v1";
inline constexpr std::string_view kSshSignatureBegin = "-----BEGIN SSH SIGNATURE-----";
inline constexpr std::string_view kSshSignatureEnd = "-----END SSH SIGNATURE-----";

// What a security key says about the moment of signing.
enum class UserVerification { none, done };  // a PIN or a fingerprint, beyond the touch
struct SecurityKeyUse {
  UserVerification verification = UserVerification::none;
  std::uint32_t counter = 0;  // grows with each use; some keys keep it at 0
};

struct SshSigner {
  SshPublicKey key;
  std::optional<SecurityKeyUse> use;  // of a security key alone
};

Result<SshSigner> verify_ssh_signature(std::string_view armored, std::string_view message,
                                       std::string_view name_space = kApprovalNamespace);

}  // namespace aierase::certificate
