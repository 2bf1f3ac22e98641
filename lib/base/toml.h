// Strict reading of small TOML files (aierased.toml; later policies): limits, line and column,
// unknown keys are errors.
//
// Contract: read_toml refuses files over `max_bytes`, lines over 4,096 bytes (the parser's depth
// limit does not cover dotted keys) and every key that no `get` asked for; messages read
// "FILE:LINE:COLUMN: what is wrong". Pure, no I/O: the caller passes the text.
// A key is named by its parts with dots between them; a part with a dot or a quote in it stands in
// double quotes, as toml_part() writes it: person."anna.lind".contact.
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

// One part of a dotted name, in double quotes where it needs them (a quote inside is doubled).
std::string toml_part(std::string_view name);

struct TomlPlace {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  friend auto operator<=>(const TomlPlace&, const TomlPlace&) = default;
};

enum class TomlType { string, integer, number, boolean, time, array, table };
std::string_view with_article(TomlType type);  // "a string", "an array"

struct TomlEntry;
// A value as plain data, for files whose tables have names of the author's choice.
struct TomlValue {
  TomlType type = TomlType::table;
  TomlPlace place;
  std::string text;  // of a string; of a time as in the file: 2026-01-31, 2026-01-31T12:00:00Z
  std::int64_t integer = 0;
  bool boolean = false;
  std::vector<TomlValue> items;    // of an array
  std::vector<TomlEntry> entries;  // of a table, in the order of the file
};
struct TomlEntry {
  std::string key;
  TomlPlace place;  // of the key
  TomlValue value;
};

class TomlFile {
 public:
  static Result<TomlFile> parse(std::string_view text, std::string file_name,
                                std::size_t max_bytes = 1 << 20);
  TomlFile(TomlFile&&) noexcept;
  TomlFile& operator=(TomlFile&&) noexcept;
  ~TomlFile();

  // Names of the tables right inside the table `dotted` ("" is the whole file), in the order of the
  // file. No such table: none. What is in them is still to be asked for, key by key.
  Result<std::vector<std::string>> table_names(std::string_view dotted);

  // `dotted` names tables and key: "slot.path". Absent: nullopt. Wrong type: error with place.
  Result<std::optional<std::string>> get_string(std::string_view dotted);
  Result<std::optional<std::int64_t>> get_integer(std::string_view dotted);
  Result<std::optional<bool>> get_boolean(std::string_view dotted);
  Result<std::optional<std::vector<std::string>>> get_strings(std::string_view dotted);
  // One string stands for an array of one.
  Result<std::optional<std::vector<std::string>>> get_string_or_strings(std::string_view dotted);

  // Errc::invalid_input "FILE:LINE:COLUMN: what" at the value or table `dotted`, or at the nearest
  // table around it; for values that are TOML but make no sense.
  Error error_at(std::string_view dotted, const std::string& what) const;

  // Errc::invalid_input naming the first key that was never asked for.
  Status refuse_unknown_keys() const;

  // The whole file as one table, nested at most `max_depth` deep; all its keys count as asked for.
  Result<TomlValue> tree(std::size_t max_depth);

 private:
  struct Impl;
  explicit TomlFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aierase
