// A text that somebody says a person has signed: it is an act only if that act is written exactly
// so, without a byte that could move a terminal's cursor.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "certificate/signed_act.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parts = aierase::certificate::split_signed_file(text);
  if (parts.text.size() + parts.signature.size() > text.size()) std::abort();
  const auto act = aierase::certificate::parse_signed_act(parts.text);
  if (!act.ok()) return 0;
  const auto written = aierase::certificate::render(*act);
  if (!written.ok() || *written != parts.text) std::abort();
  const bool moves = std::any_of(parts.text.begin(), parts.text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7F;
  });
  if (moves) std::abort();
  return 0;
}
