// aierased.toml as anybody may have edited it.
#include <cstdint>
#include <string_view>

#include "base/toml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  aierase::Result<aierase::TomlFile> file = aierase::TomlFile::parse(text, "fuzz.toml", 64 << 10);
  if (!file.ok()) return 0;
  static_cast<void>(file->get_string("slot"));
  static_cast<void>(file->get_boolean("allow-unencrypted-swap"));
  static_cast<void>(file->get_integer("a.b.c"));
  static_cast<void>(file->get_strings("list"));
  static_cast<void>(file->refuse_unknown_keys());
  return 0;
}
