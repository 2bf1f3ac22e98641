// Text for people: tables and field lists, aligned by display width and wrapped at a given one.
//
// Contract: pure. Whatever came from elsewhere passes through printable(): control characters,
// broken UTF-8 and what turns or hides text become \xNN, so that no name or reason can steer a
// terminal or read otherwise than it stands. Widths in columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace aierase::ctl {

inline constexpr std::size_t kColumnGap = 2;  // between the columns of a table

std::string printable(std::string_view text);
std::size_t display_width(std::string_view text);
std::string human_bytes(std::uint64_t bytes);                         // "1.5 GiB"
std::string counted(std::uint64_t count, std::string_view singular);  // "1 file", "3 files"
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);
std::string short_id(std::string_view id);  // type letter and eight digits, enough to type

// Columns as wide as their widest cell; the last one wraps.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}
  void add(std::vector<std::string> row);
  bool empty() const { return rows_.empty(); }
  std::string text(std::size_t width) const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

// "label   value" lines; an empty value leaves its line out, an empty label continues the last.
class Fields {
 public:
  void add(std::string label, std::string_view value);
  std::string text(std::size_t width) const;

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

// Reading answers of the daemon without trusting their shape.
std::string text_at(const Json& object, std::string_view key);
std::uint64_t number_at(const Json& object, std::string_view key);
bool holds(const Json& object, std::string_view key);              // there, and not null
const Json& list_at(const Json& object, std::string_view key);     // an empty list where absent
const Json& object_at(const Json& object, std::string_view key);   // an empty object where absent
std::string joined(const Json& list, std::string_view separator);  // of texts
std::string person_at(const Json& object, std::string_view key);   // "alice (uid 1000)"

}  // namespace aierase::ctl
