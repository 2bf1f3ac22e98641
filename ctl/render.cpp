#include "ctl/render.h"

#include <wchar.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "certificate/page_template.h"

namespace aierase::ctl {
namespace {

constexpr std::size_t kLeastLastColumn = 20;

std::string padded(const std::string& text, std::size_t width) {
  const std::size_t used = display_width(text);
  return used >= width ? text : text + std::string(width - used, ' ');
}

// The words of `text`, in lines of at most `width` columns; longer words stay whole. Of several
// blanks one is left: who pads his words with them cannot lay out a line that looks like another's.
std::vector<std::string> lines_of(std::string_view text, std::size_t width) {
  std::vector<std::string> lines(1);
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word(text.substr(at, end - at));
    at = end + 1;
    if (word.empty()) continue;
    std::string& line = lines.back();
    if (line.empty()) {
      line = word;
    } else if (display_width(line) + 1 + display_width(word) <= width) {
      line += " " + word;
    } else {
      lines.push_back(word);
    }
  }
  return lines;
}

std::string hanging(std::string_view text, std::size_t width, std::size_t indent) {
  const std::size_t room = width > indent + kLeastLastColumn ? width - indent : kLeastLastColumn;
  std::string result;
  for (const std::string& line : lines_of(text, room)) {
    if (!result.empty()) result += "\n" + std::string(indent, ' ');
    result += line;
  }
  return result;
}

}  // namespace

std::string printable(std::string_view text) {
  return certificate::visible_text(text);
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  mbstate_t state{};
  while (!text.empty()) {
    wchar_t character = 0;
    const std::size_t used = mbrtowc(&character, text.data(), text.size(), &state);
    if (used == 0 || used > text.size()) return width + text.size();
    const int columns = wcwidth(character);
    width += columns < 0 ? 1 : static_cast<std::size_t>(columns);
    text.remove_prefix(used);
  }
  return width;
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr const char* kBinaryUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kBinaryUnits)) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, value < 10 ? "%.1f %s" : "%.0f %s", value, kBinaryUnits[unit]);
  return text;
}

std::string counted(std::uint64_t count, std::string_view singular) {
  return std::to_string(count) + " " + std::string(singular) + (count == 1 ? "" : "s");
}

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  return std::string(indent, ' ') + hanging(text, width, indent);
}

std::string short_id(std::string_view id) {
  return printable(id.substr(0, 10));
}

void Table::add(std::vector<std::string> row) {
  row.resize(header_.size());
  rows_.push_back(std::move(row));
}

std::string Table::text(std::size_t width) const {
  std::vector<std::size_t> widths;
  for (const std::string& title : header_) widths.push_back(display_width(title));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i]));
    }
  }
  const auto line = [&](const std::vector<std::string>& row) {
    std::string result;
    std::size_t indent = 0;
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      result += padded(row[i], widths[i] + kColumnGap);
      indent += widths[i] + kColumnGap;
    }
    result += hanging(row.back(), width, indent);
    result.erase(result.find_last_not_of(' ') + 1);
    return result + "\n";
  };
  std::string result = line(header_);
  for (const auto& row : rows_) result += line(row);
  return result;
}

void Fields::add(std::string label, std::string_view value) {
  if (!value.empty()) lines_.emplace_back(std::move(label), printable(value));
}

std::string Fields::text(std::size_t width) const {
  std::size_t column = 0;
  for (const auto& line : lines_) column = std::max(column, display_width(line.first));
  std::string result;
  for (const auto& line : lines_) {
    result += padded(line.first, column + kColumnGap) +
              hanging(line.second, width, column + kColumnGap) + "\n";
  }
  return result;
}

std::string text_at(const Json& object, std::string_view key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  if (found == object.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  if (found->is_number_unsigned()) return std::to_string(found->get<std::uint64_t>());
  if (found->is_number_integer()) return std::to_string(found->get<std::int64_t>());
  if (found->is_boolean()) return found->get<bool>() ? "yes" : "no";
  return {};
}

std::uint64_t number_at(const Json& object, std::string_view key) {
  if (!object.is_object()) return 0;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return 0;
  if (found->is_number_integer() && !found->is_number_unsigned()) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, found->get<std::int64_t>()));
  }
  return found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

bool holds(const Json& object, std::string_view key) {
  if (!object.is_object()) return false;
  const auto found = object.find(key);
  return found != object.end() && !found->is_null();
}

const Json& list_at(const Json& object, std::string_view key) {
  static const Json kNone = Json::array();
  if (!object.is_object()) return kNone;
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : kNone;
}

const Json& object_at(const Json& object, std::string_view key) {
  static const Json kNone = Json::object();
  if (!object.is_object()) return kNone;
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : kNone;
}

std::string joined(const Json& list, std::string_view separator) {
  std::string result;
  for (const Json& item : list) {
    if (!item.is_string()) continue;
    if (!result.empty()) result += separator;
    result += printable(item.get_ref<const std::string&>());
  }
  return result;
}

std::string person_at(const Json& object, std::string_view key) {
  const Json& person = object_at(object, key);
  const std::string login = text_at(person, "login");
  const std::string uid = text_at(person, "uid");
  if (login.empty()) return uid.empty() ? std::string() : "uid " + uid;
  return uid.empty() || login == "uid:" + uid ? printable(login)
                                              : printable(login) + " (uid " + uid + ")";
}

}  // namespace aierase::ctl
