#include "certificate/json_reading.h"

#include <algorithm>
#include <charconv>

namespace aierase::certificate {

Error malformed(std::string why) {
  return make_error(Errc::invalid_input, std::move(why));
}

Status check_members(JsonView value, std::string_view what,
                     std::initializer_list<std::string_view> needed,
                     std::initializer_list<std::string_view> allowed) {
  if (!value.is_object()) return malformed(std::string(what) + " is missing or no object");
  for (const std::string_view key : needed) {
    if (!value.contains(key)) {
      return malformed(std::string(what) + " lacks " + std::string(key));
    }
  }
  for (std::size_t i = 0; i < value.size(); ++i) {
    const std::string_view name = value.key(i);
    const auto is_name = [&](std::string_view other) { return other == name; };
    if (std::none_of(needed.begin(), needed.end(), is_name) &&
        std::none_of(allowed.begin(), allowed.end(), is_name)) {
      return malformed(std::string(what) + " has the unknown member " + quoted(name));
    }
  }
  return {};
}

Result<std::string> text_member(JsonView object, const char* key) {
  const JsonView value = object[key];
  if (!value.is_string()) return malformed(std::string(key) + " is no text");
  return std::string(value.text());
}

Status expect_text(JsonView object, const char* key, std::string_view expected) {
  ASSIGN_OR_RETURN(const std::string text, text_member(object, key));
  if (text == expected) return {};
  return malformed(std::string(key) + " is " + quoted(text) + ", not " + std::string(expected));
}

Result<Bytes> base64_value(JsonView value, std::string_view what) {
  if (!value.is_string()) return malformed(std::string(what) + " is no text");
  std::optional<Bytes> bytes = from_base64(value.text());
  if (!bytes) return malformed(std::string(what) + " is not base64");
  return std::move(*bytes);
}

Result<Bytes> base64_member(JsonView object, const char* key) {
  return base64_value(object[key], key);
}

Result<Digest> digest_value(JsonView value, std::string_view what) {
  ASSIGN_OR_RETURN(const Bytes bytes, base64_value(value, what));
  Digest digest{};
  if (bytes.size() != digest.size()) return malformed(std::string(what) + " is no SHA-256");
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return digest;
}

Result<Digest> digest_member(JsonView object, const char* key) {
  return digest_value(object[key], key);
}

Result<crypto::PublicKey> key_member(JsonView object, const char* key) {
  ASSIGN_OR_RETURN(const Bytes der, base64_member(object, key));
  crypto::PublicKey read{};
  if (der.size() < read.size()) return malformed(std::string(key) + " is no Ed25519 key");
  std::copy(der.end() - static_cast<std::ptrdiff_t>(read.size()), der.end(), read.begin());
  if (crypto::public_key_der(read) != der || !crypto::is_valid_public_key(read)) {
    return malformed(std::string(key) + " is no Ed25519 key");
  }
  return read;
}

Result<Uuid> uuid_member(JsonView object, const char* key) {
  ASSIGN_OR_RETURN(const std::string text, text_member(object, key));
  const std::optional<Bytes> raw = from_hex(text);
  const std::optional<Uuid> id = raw ? Uuid::from_bytes(*raw) : std::nullopt;
  if (!id) return malformed(std::string(key) + " is no uuid");
  return *id;
}

Result<UtcTime> time_member(JsonView object, const char* key) {
  ASSIGN_OR_RETURN(const std::string text, text_member(object, key));
  const std::optional<UtcTime> time = from_rfc3339(text);
  if (!time) return malformed(std::string(key) + " is no time as 2026-11-20T19:30:00Z");
  return *time;
}

Result<std::uint64_t> number_member(JsonView object, const char* key) {
  ASSIGN_OR_RETURN(const std::string text, text_member(object, key));
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || std::to_string(number) != text) {
    return malformed(std::string(key) + " is no number");
  }
  return number;
}

}  // namespace aierase::certificate
