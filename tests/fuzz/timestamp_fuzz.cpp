// A time stamp from a stranger: libcrypto reads it, and it is believed under no certificate.
#include <cstdint>
#include <cstdlib>

#include "crypto/timestamp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  const aierase::ByteView response(bytes, size);
  const aierase::Bytes stamped(64, std::byte{0x5a});
  static_cast<void>(aierase::crypto::read_timestamp(response, stamped));
  if (aierase::crypto::verify_timestamp(response, stamped, {}).ok()) std::abort();
  // Certificates are bytes of a directory, too.
  const std::string pem(reinterpret_cast<const char*>(data), size);
  if (aierase::crypto::verify_timestamp(response, stamped, {pem}).ok()) std::abort();
  return 0;
}
