#include "base/uuid.h"

#include <algorithm>

#include "base/random.h"

namespace aierase {

Uuid Uuid::random() {
  Uuid uuid;
  fill_random(uuid.bytes);
  return uuid;
}

std::optional<Uuid> Uuid::from_bytes(ByteView raw) {
  Uuid uuid;
  if (raw.size() != uuid.bytes.size()) return std::nullopt;
  std::copy(raw.begin(), raw.end(), uuid.bytes.begin());
  return uuid;
}

std::optional<Uuid> Uuid::from_text(std::string_view base32) {
  const std::optional<Bytes> raw = from_base32(base32);
  if (!raw) return std::nullopt;
  return from_bytes(*raw);
}

bool Uuid::is_zero() const {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace aierase
