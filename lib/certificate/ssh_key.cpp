#include "certificate/ssh_key.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/json.h"
#include "base/limits.h"
#include "certificate/ssh_wire.h"
#include "crypto/p256.h"
#include "crypto/primitives.h"
#include "crypto/signature.h"

namespace aierase::certificate {
namespace {

constexpr std::string_view kCurve = "nistp256";
// ssh-keygen makes no other, and a relying party on the web never has it: what a browser lets a
// security key sign is under another application.
constexpr std::string_view kApplicationStart = "ssh:";
constexpr std::size_t kMaxWord = 64;  // names of types and curves
constexpr std::size_t kMaxApplication = 255;
constexpr std::size_t kMaxBlob = 1024;
constexpr std::array kTypes{SshKeyType::ed25519, SshKeyType::sk_ed25519, SshKeyType::sk_ecdsa_p256};

constexpr std::string_view kMakeOne =
    "`ssh-keygen -t ed25519` makes a key that is taken, `ssh-keygen -t ed25519-sk` or "
    "`-t ecdsa-sk` one in a security key.";

std::optional<SshKeyType> type_named(std::string_view name) {
  const auto* const found = std::find_if(kTypes.begin(), kTypes.end(),
                                         [&](SshKeyType type) { return to_text(type) == name; });
  if (found == kTypes.end()) return std::nullopt;
  return *found;
}

// Why a key of another type is not taken.
Error other_type(std::string_view name) {
  std::string why = "this is no SSH public key of a known type: it begins with " + quoted(name);
  if (name == "ssh-rsa") {
    why = "RSA keys are not taken for decisions";
  } else if (name == "ssh-dss") {
    why = "DSA keys are not taken: they are broken";
  } else if (name.substr(0, 11) == "ecdsa-sha2-") {
    why = "ECDSA keys are taken only where they live in a security key (ecdsa-sk)";
  } else if (name.find("-cert-v01@openssh.com") != std::string_view::npos) {
    why = "SSH certificates are not taken: name the key itself";
  } else if (name.substr(0, 9) == "webauthn-") {
    why = "signatures made through a browser (webauthn) are not taken";
  }
  return make_error(Errc::invalid_input, why, std::string(kMakeOne));
}

std::string_view next_word(std::string_view& text) {
  const std::size_t from = std::min(text.find_first_not_of(" \t"), text.size());
  const std::size_t to = std::min(text.find_first_of(" \t", from), text.size());
  const std::string_view word = text.substr(from, to - from);
  text.remove_prefix(to);
  return word;
}

bool has_options(std::string_view line) {
  while (!line.empty()) {
    if (type_named(next_word(line))) return true;
  }
  return false;
}

Result<std::string> read_application(SshReader& reader) {
  ASSIGN_OR_RETURN(const ByteView bytes, reader.string("the application", kMaxApplication));
  const std::string_view application = as_text(bytes);
  if (application.substr(0, kApplicationStart.size()) != kApplicationStart ||
      !is_printable_utf8(application)) {
    return reader.refused("its application is " + quoted(application) +
                          "; that of a key made by ssh-keygen begins with \"ssh:\"");
  }
  return std::string(application);
}

Result<Bytes> read_ed25519_point(SshReader& reader) {
  crypto::PublicKey key{};
  ASSIGN_OR_RETURN(const ByteView point, reader.string("the Ed25519 key", key.size()));
  if (point.size() != key.size()) return reader.refused("an Ed25519 key has 32 bytes");
  std::copy(point.begin(), point.end(), key.begin());
  if (!crypto::is_valid_public_key(key)) {
    return reader.refused("its bytes are no sound point of the curve Ed25519");
  }
  return copy_of(point);
}

Result<Bytes> read_p256_point(SshReader& reader) {
  ASSIGN_OR_RETURN(const ByteView curve, reader.string("the name of the curve", kMaxWord));
  if (as_text(curve) != kCurve) return reader.refused("its curve has to be nistp256");
  crypto::P256Point key{};
  ASSIGN_OR_RETURN(const ByteView point, reader.string("the P-256 key", key.size()));
  if (point.size() != key.size()) return reader.refused("a P-256 key has 65 bytes");
  std::copy(point.begin(), point.end(), key.begin());
  if (!crypto::is_valid_p256_point(key)) {
    return reader.refused("its bytes are no point of the curve P-256");
  }
  return copy_of(point);
}

}  // namespace

std::string_view to_text(SshKeyType type) noexcept {
  switch (type) {
    case SshKeyType::ed25519:
      return "ssh-ed25519";
    case SshKeyType::sk_ed25519:
      return "sk-ssh-ed25519@openssh.com";
    case SshKeyType::sk_ecdsa_p256:
      return "sk-ecdsa-sha2-nistp256@openssh.com";
  }
  return {};
}

Result<SshPublicKey> SshPublicKey::from_blob(ByteView blob) {
  SshReader reader(blob, "the SSH public key");
  if (blob.size() > kMaxBlob) {
    // Only an RSA key is as long as that; its type says so better than its length.
    ASSIGN_OR_RETURN(const ByteView name, reader.string("the type of the key", kMaxWord));
    if (!type_named(as_text(name))) return other_type(as_text(name));
    return reader.refused("it has " + std::to_string(blob.size()) + " bytes; the limit is " +
                          std::to_string(kMaxBlob));
  }
  ASSIGN_OR_RETURN(const ByteView name, reader.string("the type of the key", kMaxWord));
  const std::optional<SshKeyType> type = type_named(as_text(name));
  if (!type) return other_type(as_text(name));
  SshPublicKey key;
  key.type_ = *type;
  key.blob_ = copy_of(blob);
  if (*type == SshKeyType::sk_ecdsa_p256) {
    ASSIGN_OR_RETURN(key.point_, read_p256_point(reader));
  } else {
    ASSIGN_OR_RETURN(key.point_, read_ed25519_point(reader));
  }
  if (*type != SshKeyType::ed25519) {
    ASSIGN_OR_RETURN(key.application_, read_application(reader));
  }
  RETURN_IF_ERROR(reader.end());
  return key;
}

Result<SshPublicKey> SshPublicKey::from_line(std::string_view line) {
  if (line.size() > limits::kSshKeyLineBytes) {
    return make_error(Errc::resource_limit,
                      "the line of an SSH public key has " + std::to_string(line.size()) +
                          " bytes; the limit is " + std::to_string(limits::kSshKeyLineBytes));
  }
  if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  const bool one_line = std::all_of(line.begin(), line.end(), [](char character) {
    return character == '\t' || static_cast<unsigned char>(character) >= 0x20;
  });
  if (!one_line) {
    return make_error(
        Errc::invalid_input,
        "an SSH public key is one line of text, as a .pub file has it; this is " + quoted(line));
  }
  std::string_view rest = line;
  const std::string_view name = next_word(rest);
  const std::string_view encoded = next_word(rest);
  const std::optional<SshKeyType> type = type_named(name);
  if (!type && has_options(line)) {
    return make_error(Errc::invalid_input,
                      "options before an SSH public key, as in authorized_keys, are not taken",
                      "Begin the line with the type of the key.");
  }
  if (!type) return other_type(name);
  const std::optional<Bytes> blob = from_base64(encoded);
  if (!blob || blob->empty()) {
    return make_error(
        Errc::invalid_input,
        "the second word of an SSH public key has to be its base64; this is " + quoted(encoded));
  }
  ASSIGN_OR_RETURN(SshPublicKey key, from_blob(*blob));
  if (key.type_ != *type) {
    return make_error(Errc::invalid_input, "the line says " + std::string(name) +
                                               ", the key in it " +
                                               std::string(to_text(key.type_)));
  }
  return key;
}

std::string SshPublicKey::line() const {
  return std::string(to_text(type_)) + ' ' + to_base64(blob_);
}

std::string SshPublicKey::fingerprint() const {
  std::string digest = to_base64(crypto::sha256(blob_));
  digest.erase(digest.find('='));
  return "SHA256:" + digest;
}

}  // namespace aierase::certificate
