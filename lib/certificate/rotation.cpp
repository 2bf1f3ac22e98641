#include "certificate/rotation.h"

#include <algorithm>
#include <array>

#include "certificate/bundle.h"
#include "certificate/canonical_text.h"
#include "certificate/json_reading.h"

namespace aierase::certificate {
namespace {

constexpr std::string_view kRotationSchema = "aierase/key-rotation/v1";
constexpr JsonLimits kRotationLimits{64 << 10, 8, 256};

std::string pair_text(const KeyPair& pair) {
  return ObjectText()
      .text("log", to_base64(crypto::public_key_der(pair.log)))
      .text("signer", to_base64(crypto::public_key_der(pair.signer)))
      .finish();
}

Result<KeyPair> read_pair(JsonView payload, const char* member) {
  RETURN_IF_ERROR(check_members(payload[member], member, {"log", "signer"}));
  KeyPair pair;
  ASSIGN_OR_RETURN(pair.log, key_member(payload[member], "log"));
  ASSIGN_OR_RETURN(pair.signer, key_member(payload[member], "signer"));
  return pair;
}

Result<KeyRotation> read_payload(std::string_view text) {
  ASSIGN_OR_RETURN(const JsonDocument document, read_json(text, kRotationLimits));
  const JsonView json = document.root();
  RETURN_IF_ERROR(
      check_members(json, "the rotation", {"next", "previous", "schema", "store", "time"}));
  RETURN_IF_ERROR(expect_text(json, "schema", kRotationSchema));
  KeyRotation rotation;
  ASSIGN_OR_RETURN(rotation.store, uuid_member(json, "store"));
  ASSIGN_OR_RETURN(rotation.time, time_member(json, "time"));
  ASSIGN_OR_RETURN(rotation.previous, read_pair(json, "previous"));
  ASSIGN_OR_RETURN(rotation.next, read_pair(json, "next"));
  return rotation;
}

std::array<crypto::PublicKey, 4> keys_of(const KeyRotation& rotation) {
  return {rotation.previous.signer, rotation.previous.log, rotation.next.signer, rotation.next.log};
}

Status check_signature(JsonView one, const crypto::PublicKey& key, std::string_view encoded) {
  RETURN_IF_ERROR(check_members(one, "a signature", {"keyid", "sig"}));
  RETURN_IF_ERROR(expect_text(one, "keyid", key_id(key)));
  ASSIGN_OR_RETURN(const Bytes raw, base64_member(one, "sig"));
  crypto::Signature signature{};
  if (raw.size() != signature.size()) return malformed("a signature is not 64 bytes");
  std::copy(raw.begin(), raw.end(), signature.begin());
  if (crypto::verify_signature(key, as_bytes(encoded), signature)) return {};
  return make_error(Errc::verification_failed, "a signature of the rotation does not hold");
}

}  // namespace

Result<std::string> rotation_body(const Uuid& store, UtcTime time, const RotationSigners& signers) {
  const KeyPair previous{signers.previous_signer->public_key(), signers.previous_log->public_key()};
  const KeyPair next{signers.next_signer->public_key(), signers.next_log->public_key()};
  const std::string payload = ObjectText()
                                  .raw("next", pair_text(next))
                                  .raw("previous", pair_text(previous))
                                  .text("schema", kRotationSchema)
                                  .text("store", store.hex())
                                  .text("time", to_rfc3339(time))
                                  .finish();
  const std::string encoded = pre_authentication_encoding(kRotationPayloadType, payload);
  ArrayText signatures;
  for (const crypto::SigningKey* key :
       {signers.previous_signer, signers.previous_log, signers.next_signer, signers.next_log}) {
    ASSIGN_OR_RETURN(const crypto::Signature signature, key->sign(as_bytes(encoded)));
    signatures.raw(ObjectText()
                       .text("keyid", key_id(key->public_key()))
                       .text("sig", to_base64(signature))
                       .finish());
  }
  return ObjectText()
      .text("payload", to_base64(as_bytes(payload)))
      .text("payloadType", kRotationPayloadType)
      .raw("signatures", signatures.finish())
      .finish();
}

Result<KeyRotation> read_rotation(std::string_view body) {
  ASSIGN_OR_RETURN(const JsonDocument document, read_json(body, kRotationLimits));
  const JsonView json = document.root();
  RETURN_IF_ERROR(check_members(json, "the envelope", {"payload", "payloadType", "signatures"}));
  RETURN_IF_ERROR(expect_text(json, "payloadType", kRotationPayloadType));
  ASSIGN_OR_RETURN(const Bytes payload, base64_member(json, "payload"));
  ASSIGN_OR_RETURN(const KeyRotation rotation, read_payload(as_text(payload)));
  const std::array<crypto::PublicKey, 4> keys = keys_of(rotation);
  const JsonView signatures = json["signatures"];
  if (!signatures.is_array() || signatures.size() != keys.size()) {
    return malformed("a rotation has four signatures");
  }
  const std::string encoded = pre_authentication_encoding(kRotationPayloadType, as_text(payload));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    RETURN_IF_ERROR(check_signature(signatures[i], keys[i], encoded));
  }
  return rotation;
}

}  // namespace aierase::certificate
