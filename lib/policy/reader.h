// Reading TOML values with findings instead of the first error; used by policies and fixtures.
//
// Contract: each take_*() gives the value, or reports a finding at its place and gives nothing.
// The Reader refers to the caller's list of findings and lives no longer than it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/toml.h"
#include "policy/policy_set.h"

namespace aierase::policy {

// Words that policies and fixtures take alike.
inline constexpr std::array<std::string_view, 2> kValidationWords{"any-custodian", "other-person"};
inline constexpr std::array<std::string_view, 5> kLevelWords{"EA0", "EA1", "EA2", "EA3", "EA4"};

class Reader {
 public:
  Reader(std::string file, std::vector<Finding>& findings)
      : file_(std::move(file)), findings_(findings) {}

  // The file's tables, or nothing after a finding.
  std::optional<TomlValue> parse(std::string_view text, std::size_t max_bytes);

  void error(TomlPlace at, std::string message, std::string hint = {});
  void warning(TomlPlace at, std::string message, std::string hint = {});
  Place place(TomlPlace at) const { return {file_, at.line, at.column}; }

  bool is(const TomlEntry& entry, TomlType type);  // a finding where not
  std::optional<std::string> take_text(const TomlEntry& entry, std::size_t max_bytes);
  std::optional<std::int64_t> take_integer(const TomlEntry& entry, std::int64_t least,
                                           std::int64_t most);
  std::optional<bool> take_boolean(const TomlEntry& entry);
  std::optional<Duration> take_duration(const TomlEntry& entry);
  struct PlacedText {
    std::string text;
    TomlPlace place;
  };
  std::optional<std::vector<PlacedText>> take_texts(const TomlEntry& entry, std::size_t most,
                                                    std::size_t max_bytes);
  // A date or a UTC time, bare or as a string.
  std::optional<UtcTime> take_time(const TomlEntry& entry);

  // One of the words that `known` has; `words` are for the hint.
  template <typename Known>
  auto take_word(const TomlEntry& entry, Known known, std::span<const std::string_view> words)
      -> decltype(known(std::string_view())) {
    const std::optional<std::string> text = take_text(entry, kWordBytes);
    if (!text) return std::nullopt;
    const auto value = known(*text);
    if (!value) unknown_word(entry, *text, words);
    return value;
  }

  void unknown_key(const TomlEntry& entry, std::string_view where,
                   std::span<const std::string_view> keys);

 private:
  static constexpr std::size_t kWordBytes = 64;
  void unknown_word(const TomlEntry& entry, std::string_view text,
                    std::span<const std::string_view> words);

  std::string file_;
  std::vector<Finding>& findings_;
};

// "a, b, c"
std::string listed(std::span<const std::string_view> words);

}  // namespace aierase::policy
