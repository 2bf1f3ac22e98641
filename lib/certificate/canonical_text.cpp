#include "certificate/canonical_text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace aierase::certificate {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

// RFC 8259 section 7; short forms where the standard has them, all else as it is.
void append_escaped(std::string& to, char character) {
  switch (character) {
    case '"':
      to += "\\\"";
      return;
    case '\\':
      to += "\\\\";
      return;
    case '\b':
      to += "\\b";
      return;
    case '\f':
      to += "\\f";
      return;
    case '\n':
      to += "\\n";
      return;
    case '\r':
      to += "\\r";
      return;
    case '\t':
      to += "\\t";
      return;
    default:
      break;
  }
  const auto code = static_cast<unsigned char>(character);
  to += "\\u00";
  to += kHex[code >> 4];
  to += kHex[code & 0x0F];
}

bool needs_escape(char character) {
  return static_cast<unsigned char>(character) < 0x20 || character == '"' || character == '\\';
}

// Whether one of eight bytes needs an escape. Each line marks bytes that are zero after the xor, or
// less than 0x20; a mark too many beside a true one changes nothing.
bool any_needs_escape(std::uint64_t eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x80 * kOnes;
  const std::uint64_t quote = eight ^ ('"' * kOnes);
  const std::uint64_t backslash = eight ^ ('\\' * kOnes);
  const std::uint64_t marks = ((eight - 0x20 * kOnes) & ~eight) | ((quote - kOnes) & ~quote) |
                              ((backslash - kOnes) & ~backslash);
  return (marks & kHigh) != 0;
}

// How many bytes from the first on need no escape.
std::size_t plain_run(std::string_view value) {
  std::size_t at = 0;
  for (; at + sizeof(std::uint64_t) <= value.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, value.data() + at, sizeof eight);
    if (any_needs_escape(eight)) break;
  }
  while (at < value.size() && !needs_escape(value[at])) ++at;
  return at;
}

void append_quoted(std::string& to, std::string_view value) {
  to += '"';
  while (true) {
    const std::size_t plain = plain_run(value);
    to += value.substr(0, plain);
    if (plain == value.size()) break;
    append_escaped(to, value[plain]);
    value.remove_prefix(plain + 1);
  }
  to += '"';
}

}  // namespace

std::string json_text(std::string_view value) {
  std::string result;
  result.reserve(value.size() + 2);
  append_quoted(result, value);
  return result;
}

// Most objects of a statement fit: grown from nothing they would be copied again and again.
ObjectText::ObjectText() {
  values_.reserve(512);
  members_.reserve(16);
}

ObjectText& ObjectText::add(std::string_view key, std::size_t from) {
  members_.push_back({key, from, values_.size()});
  return *this;
}

ObjectText& ObjectText::text(std::string_view key, std::string_view value) {
  const std::size_t from = values_.size();
  append_quoted(values_, value);
  return add(key, from);
}

ObjectText& ObjectText::number(std::string_view key, std::uint64_t value) {
  return raw(key, std::to_string(value));
}

ObjectText& ObjectText::raw(std::string_view key, std::string_view value) {
  const std::size_t from = values_.size();
  values_ += value;
  return add(key, from);
}

std::string ObjectText::finish() {
  std::sort(members_.begin(), members_.end(),
            [](const Member& a, const Member& b) { return a.key < b.key; });
  std::size_t size = values_.size() + 2;
  for (const Member& member : members_) size += member.key.size() + 4;
  std::string result;
  result.reserve(size);
  result += '{';
  for (const Member& member : members_) {
    if (result.size() > 1) result += ',';
    result += '"';
    result += member.key;  // a literal of ours
    result += "\":";
    result.append(values_, member.from, member.end - member.from);
  }
  result += '}';
  return result;
}

ArrayText& ArrayText::text(std::string_view value) {
  if (items_.size() > 1) items_ += ',';
  append_quoted(items_, value);
  return *this;
}

ArrayText& ArrayText::raw(std::string_view value) {
  if (items_.size() > 1) items_ += ',';
  items_ += value;
  return *this;
}

std::string ArrayText::finish() {
  items_ += ']';
  return std::move(items_);
}

std::string array_of_texts(const std::vector<std::string>& values) {
  ArrayText array;
  for (const std::string& value : values) array.text(value);
  return array.finish();
}

}  // namespace aierase::certificate
