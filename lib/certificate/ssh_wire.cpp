#include "certificate/ssh_wire.h"

namespace aierase::certificate {

Error SshReader::refused(std::string_view why) const {
  return make_error(Errc::invalid_input, std::string(whole_) + ": " + std::string(why));
}

Result<ByteView> SshReader::raw(std::string_view what, std::size_t size) {
  if (rest_.size() < size) return refused("it ends inside " + std::string(what));
  const ByteView bytes = rest_.first(size);
  rest_ = rest_.subspan(size);
  return bytes;
}

Result<std::uint8_t> SshReader::byte(std::string_view what) {
  ASSIGN_OR_RETURN(const ByteView bytes, raw(what, 1));
  return static_cast<std::uint8_t>(bytes.front());
}

Result<std::uint32_t> SshReader::number(std::string_view what) {
  ASSIGN_OR_RETURN(const ByteView bytes, raw(what, 4));
  return get_be32(bytes);
}

Result<ByteView> SshReader::string(std::string_view what, std::size_t max_bytes) {
  ASSIGN_OR_RETURN(const std::uint32_t size, number(what));
  if (size > max_bytes) {
    return refused(std::string(what) + " has " + std::to_string(size) + " bytes; the limit is " +
                   std::to_string(max_bytes));
  }
  return raw(what, size);
}

Status SshReader::end() const {
  if (rest_.empty()) return {};
  return refused(std::to_string(rest_.size()) + " bytes are left over at its end");
}

void append_ssh_string(Bytes& to, ByteView content) {
  append_be32(to, static_cast<std::uint32_t>(content.size()));
  append(to, content);
}

}  // namespace aierase::certificate
