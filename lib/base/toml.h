// Strict reading of small TOML files (aierased.toml; later policies): limits, line and column,
// unknown keys are errors.
//
// Contract: read_toml refuses files over `max_bytes`, lines over 4,096 bytes (the parser's depth
// limit does not cover dotted keys) and every key that no `get` asked for; messages read
// "FILE:LINE:COLUMN: what is wrong". Pure, no I/O: the caller passes the text.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace aierase {

class TomlFile {
 public:
  static Result<TomlFile> parse(std::string_view text, std::string file_name,
                                std::size_t max_bytes = 1 << 20);
  TomlFile(TomlFile&&) noexcept;
  TomlFile& operator=(TomlFile&&) noexcept;
  ~TomlFile();

  // `dotted` names tables and key: "slot.path". Absent: nullopt. Wrong type: error with place.
  Result<std::optional<std::string>> get_string(std::string_view dotted);
  Result<std::optional<std::int64_t>> get_integer(std::string_view dotted);
  Result<std::optional<bool>> get_boolean(std::string_view dotted);
  Result<std::optional<std::vector<std::string>>> get_strings(std::string_view dotted);

  // Errc::invalid_input naming the first key that was never asked for.
  Status refuse_unknown_keys() const;

 private:
  struct Impl;
  explicit TomlFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aierase
