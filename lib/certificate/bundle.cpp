#include "certificate/bundle.h"

#include "base/bytes.h"
#include "base/json.h"
#include "certificate/canonical_text.h"
#include "certificate/statement.h"
#include "crypto/primitives.h"

namespace aierase::certificate {
namespace {

constexpr std::string_view kMediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";

}  // namespace

std::string pre_authentication_encoding(std::string_view payload_type, std::string_view payload) {
  std::string encoded = "DSSEv1 " + std::to_string(payload_type.size()) + ' ';
  encoded.reserve(encoded.size() + payload_type.size() + payload.size() + 24);
  encoded += payload_type;
  encoded += ' ' + std::to_string(payload.size()) + ' ';
  encoded += payload;
  return encoded;
}

Result<crypto::Signature> sign_statement(const domain::DestroyedProof&, std::string_view statement,
                                         const crypto::SigningKey& signer) {
  return signer.sign(as_bytes(pre_authentication_encoding(kPayloadType, statement)));
}

std::string key_id(const crypto::PublicKey& key) {
  return to_hex(crypto::key_fingerprint(key));
}

Result<std::string> bundle_json(std::string_view statement, const crypto::Signature& signature,
                                const crypto::PublicKey& key, const std::optional<LogEntry>& log) {
  const std::string id = key_id(key);
  const std::string entries = log ? "[" + log_entry_json(*log) + "]" : "[]";
  const std::string signed_by =
      ArrayText()
          .raw(ObjectText().text("keyid", id).text("sig", to_base64(signature)).finish())
          .finish();
  const std::string envelope = ObjectText()
                                   .text("payload", to_base64(as_bytes(statement)))
                                   .text("payloadType", kPayloadType)
                                   .raw("signatures", signed_by)
                                   .finish();
  return ObjectText()
      .text("mediaType", kMediaType)
      .raw("verificationMaterial", ObjectText()
                                       .raw("publicKey", ObjectText().text("hint", id).finish())
                                       .raw("tlogEntries", entries)
                                       .finish())
      .raw("dsseEnvelope", envelope)
      .finish();
}

Result<std::string> log_entry_body(std::string_view statement, const crypto::Signature& signature,
                                   const crypto::PublicKey& key) {
  return log_entry_body(crypto::sha256(as_bytes(statement)), signature, key);
}

Result<std::string> log_entry_body(const Digest& statement, const crypto::Signature& signature,
                                   const crypto::PublicKey& key) {
  const std::string verifier =
      ObjectText()
          .text("keyDetails", "PKIX_ED25519")
          .raw("publicKey",
               ObjectText().text("rawBytes", to_base64(crypto::public_key_der(key))).finish())
          .finish();
  const std::string signatures =
      ArrayText()
          .raw(
              ObjectText().text("content", to_base64(signature)).raw("verifier", verifier).finish())
          .finish();
  const std::string hash =
      ObjectText().text("algorithm", "SHA2_256").text("digest", to_base64(statement)).finish();
  const std::string entry =
      ObjectText().raw("payloadHash", hash).raw("signatures", signatures).finish();
  return ObjectText()
      .text("apiVersion", "0.0.2")
      .text("kind", "dsse")
      .raw("spec", ObjectText().raw("dsseV002", entry).finish())
      .finish();
}

}  // namespace aierase::certificate
