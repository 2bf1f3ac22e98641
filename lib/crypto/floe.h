// FLOE v1, AES-256-GCM with HKDF-SHA-384 (C2SP FLOE, Snowflake-Labs/floe-specification): sealing
// bulk data with random access and key commitment.
//
// Contract: one Encryptor seals one message, segments in any order from any thread after start
// (seal_segment is const and takes its own Aead); a Decryptor likewise opens. The segment length
// is that of the *encrypted* segment; ours is 262,144, the published vectors use others. The
// final segment carries the end: a message without it is truncated, Errc::verification_failed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/keys.h"
#include "crypto/primitives.h"

namespace aierase::crypto {

inline constexpr std::size_t kFloeHeaderBytes = 74;
inline constexpr std::uint32_t kFloeSegmentBytes = 262'144;                     // encrypted
inline constexpr std::size_t kFloePlaintextOffset = 4 + 12;                     // length field, IV
inline constexpr std::size_t kFloeSegmentOverhead = kFloePlaintextOffset + 16;  // and the tag
inline constexpr std::uint32_t kFloeSegmentPlaintext = kFloeSegmentBytes - 32;
using FloeHeader = std::array<std::byte, kFloeHeaderBytes>;

struct FloeParameters {
  std::uint32_t segment_bytes = kFloeSegmentBytes;
  unsigned rotation_bits =
      20;  // a fresh segment key every 2^bits segments; 20 by the specification
};

class FloeEncryptor {
 public:
  static Result<FloeEncryptor> start(const SealKey& key, ByteView associated,
                                     const FloeParameters& parameters = {});
  FloeEncryptor(FloeEncryptor&&) noexcept;
  FloeEncryptor& operator=(FloeEncryptor&&) noexcept;
  ~FloeEncryptor();

  const FloeHeader& header() const;
  // A non-final segment has exactly segment_bytes - 32 bytes of plaintext and fills out exactly;
  // the final one has 0 to segment_bytes - 32 and writes plaintext + 32 bytes.
  enum class Position { inner, final };
  Status seal_segment(std::uint64_t number, Position position, ByteView plaintext, ByteSpan out,
                      Aead& aead) const;

 private:
  struct Impl;
  explicit FloeEncryptor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class FloeDecryptor {
 public:
  // verification_failed: wrong key, wrong associated data, or a damaged header.
  static Result<FloeDecryptor> start(const SealKey& key, ByteView associated, ByteView header,
                                     const FloeParameters& parameters = {});
  FloeDecryptor(FloeDecryptor&&) noexcept;
  FloeDecryptor& operator=(FloeDecryptor&&) noexcept;
  ~FloeDecryptor();

  using Position = FloeEncryptor::Position;
  // `out` has segment.size() - 32 bytes, elsewhere or at kFloePlaintextOffset of the segment
  // itself.
  Status open_segment(std::uint64_t number, Position position, ByteView segment, ByteSpan out,
                      Aead& aead) const;

 private:
  struct Impl;
  explicit FloeDecryptor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aierase::crypto
