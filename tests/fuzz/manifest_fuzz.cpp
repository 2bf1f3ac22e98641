// The plain form of a manifest, as if somebody had the key.
#include <cstdint>
#include <string_view>

#include "blob/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(aierase::blob::parse_manifest(text));
  return 0;
}
