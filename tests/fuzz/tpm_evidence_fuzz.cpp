// What a stranger says that a TPM said.
#include <cstdint>
#include <cstdlib>

#include "certificate/tpm_evidence.h"
#include "crypto/p256.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const aierase::ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto statement = aierase::certificate::parse_nv_statement(bytes);
  if (statement.ok() && statement->contents.size() + statement->bound_to.size() > size) {
    std::abort();
  }
  const auto signature = aierase::crypto::parse_p256_signature_der(bytes);
  if (signature && aierase::crypto::p256_signature_der(*signature).size() != size) std::abort();
  const auto key = aierase::crypto::parse_p256_public_key_der(bytes);
  if (key && aierase::crypto::p256_public_key_der(*key).size() != size) std::abort();
  return 0;
}
