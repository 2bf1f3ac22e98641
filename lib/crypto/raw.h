// Bytes as the C libraries beneath this folder take them. Used by this folder only.
#pragma once

#include "base/bytes.h"

namespace aierase::crypto {

inline const unsigned char* raw(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* raw(ByteSpan bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace aierase::crypto
