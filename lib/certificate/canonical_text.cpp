#include "certificate/canonical_text.h"

#include <algorithm>
#include <array>

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

constexpr std::array<bool, 256> kNeedsEscape = [] {
  std::array<bool, 256> table{};
  for (std::size_t code = 0; code < 0x20; ++code) table[code] = true;
  table['"'] = true;
  table['\\'] = true;
  return table;
}();

void append_quoted(std::string& to, std::string_view value) {
  to += '"';
  std::size_t copied = 0;
  for (std::size_t at = 0; at < value.size(); ++at) {
    if (!kNeedsEscape[static_cast<unsigned char>(value[at])]) continue;
    to += value.substr(copied, at - copied);
    append_escaped(to, value[at]);
    copied = at + 1;
  }
  to += value.substr(copied);
  to += '"';
}

}  // namespace

std::string json_text(std::string_view value) {
  std::string result;
  result.reserve(value.size() + 2);
  append_quoted(result, value);
  return result;
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
    append_quoted(result, member.key);
    result += ':';
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
