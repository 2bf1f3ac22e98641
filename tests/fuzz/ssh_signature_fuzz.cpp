// A signature and a public key from a stranger: checking them gives an answer, and never "holds"
// for a text that nobody signed, nor for a key other than the three whose signatures the corpus
// has. The input stands once as it is, and once as the bytes inside the armour.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "certificate/ssh_signature.h"

namespace {

constexpr std::string_view kSigned = "what a person agrees to\n";
constexpr std::string_view kNeverSigned = "what nobody agreed to\n";
constexpr std::string_view kSigners[] = {
    "SHA256:1Lt0B6m58n9i5yp9hABit7qhCJ/7aR7kRxt8QRziO8k",  // Ed25519
    "SHA256:pMv828D406bH9skVDpgEvKrz+1UTnfgC3CjH9RniwsM",  // Ed25519 in a security key
    "SHA256:CKPjUNYMcohHjRF6Dt//9uezoV0EE0xjX6cNY8KaycI",  // P-256 in a security key
};

void check(const std::string& armored) {
  if (aierase::certificate::verify_ssh_signature(armored, kNeverSigned).ok()) std::abort();
  const auto signer = aierase::certificate::verify_ssh_signature(armored, kSigned);
  if (!signer.ok()) return;
  const std::string fingerprint = signer->key.fingerprint();
  if (std::find(std::begin(kSigners), std::end(kSigners), fingerprint) == std::end(kSigners)) {
    std::abort();
  }
}

std::string armored_bytes(aierase::ByteView bytes) {
  const std::string body = aierase::to_base64(bytes);
  std::string text(aierase::certificate::kSshSignatureBegin);
  for (std::size_t at = 0; at < body.size(); at += 70) text += "\n" + body.substr(at, 70);
  return text + "\n" + std::string(aierase::certificate::kSshSignatureEnd) + "\n";
}

void check_key(const aierase::Result<aierase::certificate::SshPublicKey>& key) {
  if (!key.ok()) return;
  const auto again = aierase::certificate::SshPublicKey::from_line(key->line());
  if (!again.ok() || !(*again == *key)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(std::string(text));
  check(armored_bytes(aierase::as_bytes(text)));
  check_key(aierase::certificate::SshPublicKey::from_line(text));
  check_key(aierase::certificate::SshPublicKey::from_blob(aierase::as_bytes(text)));
  return 0;
}
