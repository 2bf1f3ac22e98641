// Reads the data types of the SSH protocol (RFC 4251, section 5) from bytes of strangers.
//
// Contract: a view; the bytes outlive it. Each read names what it looks for, so that an error says
// what was cut short; nothing is read beyond the end, and end() refuses what nobody read.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace aierase::certificate {

class SshReader {
 public:
  // `whole` names the thing in messages: "the SSH signature".
  SshReader(ByteView bytes, std::string_view whole) : rest_(bytes), whole_(whole) {}

  Result<ByteView> raw(std::string_view what, std::size_t size);
  Result<std::uint8_t> byte(std::string_view what);
  Result<std::uint32_t> number(std::string_view what);
  Result<ByteView> string(std::string_view what, std::size_t max_bytes);
  Status end() const;  // Errc::invalid_input if bytes are left

  Error refused(std::string_view why) const;

 private:
  ByteView rest_;
  std::string_view whole_;
};

void append_ssh_string(Bytes& to, ByteView content);

}  // namespace aierase::certificate
