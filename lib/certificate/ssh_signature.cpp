#include "certificate/ssh_signature.h"

#include <algorithm>

#include "base/json.h"
#include "base/limits.h"
#include "certificate/ssh_wire.h"
#include "crypto/p256.h"
#include "crypto/primitives.h"
#include "crypto/signature.h"

namespace aierase::certificate {
namespace {

constexpr std::string_view kMagic = "SSHSIG";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kMaxArmorLine = 76;
constexpr std::size_t kMaxField = 1024;
constexpr std::size_t kMaxNumber = 33;  // a positive 256-bit integer with its zero byte
constexpr std::uint8_t kUserPresent = 0x01;
constexpr std::uint8_t kUserVerified = 0x04;

constexpr std::string_view kWhole = "the SSH signature";

struct Envelope {
  SshPublicKey key;
  Bytes signed_data;  // what the signature is over
  Bytes signature;    // still encoded
};

Error not_armored(std::string_view why) {
  return make_error(Errc::invalid_input, std::string(kWhole) + ": " + std::string(why),
                    "`ssh-keygen -Y sign` writes it into a file whose name ends in .sig.");
}

// Takes one line off the text, without its end.
std::string_view next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  if (end < text.size() && !line.empty() && line.back() == '\r') line.remove_suffix(1);
  text.remove_prefix(std::min(text.size(), end + 1));
  return line;
}

Result<Bytes> without_armor(std::string_view text) {
  if (text.size() > limits::kSshSignatureBytes) {
    return make_error(Errc::resource_limit,
                      std::string(kWhole) + " has " + std::to_string(text.size()) +
                          " bytes; the limit is " + std::to_string(limits::kSshSignatureBytes));
  }
  if (next_line(text) != kSshSignatureBegin) {
    return not_armored("its first line has to be " + std::string(kSshSignatureBegin));
  }
  std::string body;
  for (std::string_view line = next_line(text); line != kSshSignatureEnd; line = next_line(text)) {
    if (line.empty())
      return not_armored("the line " + std::string(kSshSignatureEnd) + " is missing");
    if (line.size() > kMaxArmorLine) return not_armored("a line is longer than 76 characters");
    body += line;
  }
  if (!text.empty()) return not_armored("something follows behind its last line");
  std::optional<Bytes> bytes = from_base64(body);
  if (!bytes) return not_armored("what stands between its first and last line is not base64");
  return std::move(*bytes);
}

Result<Bytes> message_digest(const SshReader& reader, std::string_view algorithm,
                             std::string_view message) {
  if (algorithm == "sha256") return copy_of(crypto::sha256(as_bytes(message)));
  if (algorithm == "sha512") return copy_of(crypto::sha512(as_bytes(message)));
  return reader.refused("its hash algorithm is " + quoted(algorithm) +
                        "; it has to be sha256 or sha512");
}

Result<Envelope> read_envelope(ByteView bytes, std::string_view message,
                               std::string_view name_space) {
  SshReader reader(bytes, kWhole);
  ASSIGN_OR_RETURN(const ByteView magic, reader.raw("the magic", kMagic.size()));
  if (as_text(magic) != kMagic) return reader.refused("it does not begin with SSHSIG");
  ASSIGN_OR_RETURN(const std::uint32_t version, reader.number("the version"));
  if (version != kVersion) {
    return reader.refused("its version is " + std::to_string(version) + "; known is 1");
  }
  ASSIGN_OR_RETURN(const ByteView blob, reader.string("the public key", limits::kSshKeyLineBytes));
  ASSIGN_OR_RETURN(const ByteView space, reader.string("the namespace", kMaxField));
  ASSIGN_OR_RETURN(const ByteView reserved, reader.string("the reserved field", kMaxField));
  ASSIGN_OR_RETURN(const ByteView algorithm, reader.string("the hash algorithm", kMaxField));
  ASSIGN_OR_RETURN(const ByteView signature,
                   reader.string("the signature of the key", limits::kSshSignatureBytes));
  RETURN_IF_ERROR(reader.end());
  ASSIGN_OR_RETURN(SshPublicKey key, SshPublicKey::from_blob(blob));
  if (as_text(space) != name_space) {
    return reader
        .refused("it was made for the namespace " + quoted(as_text(space)) + ", not for " +
                 quoted(name_space))
        .with_hint("Sign with `ssh-keygen -Y sign -n " + std::string(name_space) + "`.");
  }
  if (!reserved.empty()) return reader.refused("its reserved field is not empty");
  ASSIGN_OR_RETURN(const Bytes digest, message_digest(reader, as_text(algorithm), message));
  Bytes signed_data = copy_of(as_bytes(kMagic));
  for (const ByteView field : {space, reserved, algorithm, ByteView(digest)}) {
    append_ssh_string(signed_data, field);
  }
  return Envelope{std::move(key), std::move(signed_data), copy_of(signature)};
}

// A positive integer in its one shortest form, padded to 32 bytes.
Result<std::array<std::byte, 32>> read_positive(SshReader& reader, std::string_view what) {
  ASSIGN_OR_RETURN(ByteView digits, reader.string(what, kMaxNumber));
  const auto is_negative = [](std::byte first) { return (first & std::byte{0x80}) != std::byte{}; };
  if (digits.empty() || is_negative(digits.front())) {
    return reader.refused(std::string(what) + " is not a positive integer");
  }
  if (digits.front() == std::byte{}) {
    digits = digits.subspan(1);
    if (digits.empty() || !is_negative(digits.front())) {
      return reader.refused(std::string(what) + " is not in its shortest form");
    }
  }
  std::array<std::byte, 32> padded{};
  if (digits.size() > padded.size()) return reader.refused(std::string(what) + " is too large");
  std::copy(digits.begin(), digits.end(),
            padded.end() - static_cast<std::ptrdiff_t>(digits.size()));
  return padded;
}

Result<crypto::Signature> read_ed25519(SshReader& reader) {
  crypto::Signature signature{};
  ASSIGN_OR_RETURN(const ByteView bytes, reader.string("the Ed25519 signature", signature.size()));
  if (bytes.size() != signature.size()) return reader.refused("an Ed25519 signature has 64 bytes");
  std::copy(bytes.begin(), bytes.end(), signature.begin());
  return signature;
}

Result<crypto::P256Signature> read_ecdsa(SshReader& reader) {
  ASSIGN_OR_RETURN(const ByteView pair, reader.string("the ECDSA signature", kMaxField));
  SshReader numbers(pair, kWhole);
  crypto::P256Signature signature;
  ASSIGN_OR_RETURN(signature.r, read_positive(numbers, "r of the ECDSA signature"));
  ASSIGN_OR_RETURN(signature.s, read_positive(numbers, "s of the ECDSA signature"));
  RETURN_IF_ERROR(numbers.end());
  return signature;
}

bool holds_ed25519(const SshPublicKey& key, ByteView message, const crypto::Signature& signature) {
  crypto::PublicKey point{};
  std::copy(key.point().begin(), key.point().end(), point.begin());
  return crypto::verify_signature(point, message, signature);
}

bool holds_p256(const SshPublicKey& key, ByteView message, const crypto::P256Signature& signature) {
  crypto::P256Point point{};
  std::copy(key.point().begin(), key.point().end(), point.begin());
  return crypto::verify_p256(point, message, signature);
}

Error does_not_hold() {
  return make_error(Errc::verification_failed,
                    "the SSH signature is not over this text, or not by the key in it",
                    "Was the text changed after it was signed, perhaps by a mail program? Sign the "
                    "file as it came, and send both files as attachments.");
}

struct Touch {
  std::uint8_t flags = 0;
  std::uint32_t counter = 0;
};

Result<Touch> read_touch(SshReader& reader) {
  Touch touch;
  ASSIGN_OR_RETURN(touch.flags, reader.byte("the flags of the security key"));
  ASSIGN_OR_RETURN(touch.counter, reader.number("the counter of the security key"));
  RETURN_IF_ERROR(reader.end());
  return touch;
}

// What a security key signs in place of the data: PROTOCOL.u2f.
Bytes security_key_data(const SshPublicKey& key, const Touch& touch, ByteView signed_data) {
  Bytes data = copy_of(crypto::sha256(as_bytes(key.application())));
  data.push_back(std::byte{touch.flags});
  append_be32(data, touch.counter);
  append(data, crypto::sha256(signed_data));
  return data;
}

Result<SshSigner> check_security_key(const Envelope& envelope, SshReader& reader) {
  Touch touch;
  bool holds = false;
  if (envelope.key.type() == SshKeyType::sk_ed25519) {
    ASSIGN_OR_RETURN(const crypto::Signature signature, read_ed25519(reader));
    ASSIGN_OR_RETURN(touch, read_touch(reader));
    const Bytes data = security_key_data(envelope.key, touch, envelope.signed_data);
    holds = holds_ed25519(envelope.key, data, signature);
  } else {
    ASSIGN_OR_RETURN(const crypto::P256Signature signature, read_ecdsa(reader));
    ASSIGN_OR_RETURN(touch, read_touch(reader));
    const Bytes data = security_key_data(envelope.key, touch, envelope.signed_data);
    holds = holds_p256(envelope.key, data, signature);
  }
  if (!holds) return does_not_hold();
  if ((touch.flags & kUserPresent) == 0) {
    return make_error(Errc::verification_failed,
                      "the security key signed without a touch: nobody needs to have been there",
                      "Make the key anew without `-O no-touch-required`.");
  }
  const bool verified = (touch.flags & kUserVerified) != 0;
  return SshSigner{
      envelope.key,
      SecurityKeyUse{verified ? UserVerification::done : UserVerification::none, touch.counter}};
}

Result<SshSigner> check(const Envelope& envelope) {
  SshReader reader(envelope.signature, kWhole);
  ASSIGN_OR_RETURN(const ByteView type, reader.string("the type of the signature", kMaxField));
  if (as_text(type) != to_text(envelope.key.type())) {
    return reader.refused("it is of type " + quoted(as_text(type)) + ", its key of type " +
                          std::string(to_text(envelope.key.type())));
  }
  if (envelope.key.type() != SshKeyType::ed25519) return check_security_key(envelope, reader);
  ASSIGN_OR_RETURN(const crypto::Signature signature, read_ed25519(reader));
  RETURN_IF_ERROR(reader.end());
  if (!holds_ed25519(envelope.key, envelope.signed_data, signature)) return does_not_hold();
  return SshSigner{envelope.key, std::nullopt};
}

}  // namespace

Result<SshSigner> verify_ssh_signature(std::string_view armored, std::string_view message,
                                       std::string_view name_space) {
  ASSIGN_OR_RETURN(const Bytes bytes, without_armor(armored));
  ASSIGN_OR_RETURN(const Envelope envelope, read_envelope(bytes, message, name_space));
  return check(envelope);
}

}  // namespace aierase::certificate
