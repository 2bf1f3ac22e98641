// A keyring from a stranger: refused, or whole, and then it is written as it was read.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "certificate/keyring.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aierase::certificate;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(read_rotation(text));
  const auto keyring = parse_keyring(text);
  if (!keyring.ok()) return 0;
  const auto written = keyring_json(*keyring);
  if (!written.ok() || !parse_keyring(*written).ok()) std::abort();
  if (keyring->keys.size() != 2 * (keyring->rotations.size() + 1)) std::abort();
  if (!continues(*keyring, *keyring) || !trusted_root_json(*keyring).ok()) std::abort();
  return 0;
}
