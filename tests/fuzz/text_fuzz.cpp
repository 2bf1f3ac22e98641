// Names, ids, paths, times, encodings: the small texts of people and programs. What parses must
// come back as the same text.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/json.h"
#include "base/time.h"
#include "domain/asset.h"
#include "domain/ids.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_encodings(std::string_view text) {
  if (const auto bytes = aierase::from_hex(text)) require(aierase::to_hex(*bytes) == text);
  if (const auto bytes = aierase::from_base64(text)) require(aierase::to_base64(*bytes) == text);
  if (const auto bytes = aierase::from_base32(text)) require(aierase::to_base32(*bytes) == text);
  if (const auto time = aierase::from_rfc3339(text)) require(aierase::to_rfc3339(*time) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_encodings(text);
  const auto name = aierase::domain::AssetName::parse(text);
  if (name.ok()) require(name->text() == text && !aierase::domain::parse_id(text));
  if (const auto id = aierase::domain::parse_id(text); id && id->whole) {
    require(aierase::domain::id_text(id->type, *id->whole) == text);
  }
  if (aierase::domain::check_file_path(text).ok()) require(aierase::is_printable_utf8(text));
  require(aierase::is_printable_utf8(aierase::quoted(text)));
  const std::size_t half = size / 2;
  static_cast<void>(aierase::domain::glob_match(text.substr(0, half), text.substr(half)));
  static_cast<void>(aierase::domain::check_label(text.substr(0, half), text.substr(half)));
  return 0;
}
