// parse_json and back: what parses can be dumped, and dumps to the same again.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const aierase::Result<aierase::Json> parsed = aierase::parse_json(text, {64 << 10, 16});
  if (!parsed.ok()) return 0;
  const aierase::Result<std::string> once = aierase::dump_canonical(*parsed);
  if (!once.ok()) std::abort();
  const aierase::Result<aierase::Json> again = aierase::parse_json(*once, {1 << 20, 16});
  if (!again.ok() || *aierase::dump_canonical(*again) != *once) std::abort();
  return 0;
}
