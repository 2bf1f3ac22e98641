#include "base/toml.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <stdexcept>

namespace {
// What the parser of the library takes for granted of a text, and the text does not keep to.
struct BrokenAssumption : std::logic_error {
  using std::logic_error::logic_error;
};
[[noreturn]] void give_up(const char* assumption) {
  throw BrokenAssumption(assumption);
}
}  // namespace

// Some malformed texts reach an assertion of toml++ 3.3: a release build would make it an
// assumption for the optimiser, and a debug build would abort. Here it ends the parsing.
#undef NDEBUG
#define TOML_ASSERT(expression) ((expression) ? static_cast<void>(0) : give_up(#expression))
#include <toml++/toml.h>

#include "base/json.h"

namespace aierase {
namespace {

using KeyPath = std::vector<std::string>;

constexpr std::size_t kMaxLineBytes = 4096;
// Each dot of a dotted key is one level of tables, and the parser and its tables recurse. With
// this bound the deepest text within the parser's own nesting limit stays far from the stack's end.
constexpr std::ptrdiff_t kMaxDotsPerLine = 100;

// Part by part; a doubled quote inside quotes is one quote.
KeyPath split(std::string_view dotted) {
  KeyPath parts(1);
  bool in_quotes = false;
  for (std::size_t i = 0; i < dotted.size(); ++i) {
    if (dotted[i] == '"') {
      const bool doubled = in_quotes && i + 1 < dotted.size() && dotted[i + 1] == '"';
      if (doubled) parts.back() += dotted[++i];
      in_quotes = doubled || !in_quotes;
    } else if (dotted[i] == '.' && !in_quotes) {
      parts.emplace_back();
    } else {
      parts.back() += dotted[i];
    }
  }
  return parts;
}

Error at(const std::string& file, const toml::source_position& place, const std::string& what) {
  return make_error(
      Errc::invalid_input,
      file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) + ": " + what,
      {}, file);
}

Status check_lines(std::string_view text, const std::string& file) {
  toml::source_position place{1, 1};
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.size() > kMaxLineBytes) {
      return at(file, place, "the line is longer than " + std::to_string(kMaxLineBytes) + " bytes");
    }
    const std::size_t first = line.find_first_not_of(" \t");
    const bool comment = first != std::string_view::npos && line[first] == '#';
    if (!comment && std::count(line.begin(), line.end(), '.') > kMaxDotsPerLine) {
      return at(file, place, "the line has more than " + std::to_string(kMaxDotsPerLine) + " dots");
    }
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    ++place.line;
  }
  return {};
}

bool breaks_an_assumption(std::string_view text) {
  try {
    static_cast<void>(toml::parse(text));
  } catch (const BrokenAssumption&) {
    return true;
  } catch (const toml::parse_error&) {
    return false;
  }
  return false;
}

// The error of a broken assumption names no place, but every text up to a line at or after the
// place has the same error, and none before it.
Error at_broken_assumption(std::string_view text, const std::string& file) {
  std::vector<std::size_t> line_ends;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') line_ends.push_back(i + 1);
  }
  line_ends.push_back(text.size());
  const auto line = std::partition_point(
      line_ends.begin(), line_ends.end() - 1,
      [&](std::size_t end) { return !breaks_an_assumption(text.substr(0, end)); });
  const auto number = static_cast<toml::source_index>(line - line_ends.begin() + 1);
  return at(file, {number, 1}, "this line is not valid TOML");
}

struct UnknownKey {
  std::string name;
  toml::source_position place;
};

using Strings = std::vector<std::string>;

std::optional<Strings> strings_of(const toml::node& node) {
  const toml::array* array = node.as_array();
  if (array == nullptr) return std::nullopt;
  Strings strings;
  for (const toml::node& element : *array) {
    auto text = element.value_exact<std::string>();
    if (!text) return std::nullopt;
    strings.push_back(std::move(*text));
  }
  return strings;
}

bool starts_with(const KeyPath& path, const KeyPath& prefix) {
  return path.size() > prefix.size() && std::equal(prefix.begin(), prefix.end(), path.begin());
}

TomlPlace place_of(const toml::source_region& region) {
  return {region.begin.line, region.begin.column};
}

std::string text_of(const toml::date& date) {
  return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

std::string text_of(const toml::time& time) {
  const std::string text = fmt::format("{:02}:{:02}:{:02}", time.hour, time.minute, time.second);
  return time.nanosecond == 0 ? text : text + fmt::format(".{:09}", time.nanosecond);
}

std::string text_of(const toml::date_time& moment) {
  const std::string text = text_of(moment.date) + "T" + text_of(moment.time);
  if (!moment.offset) return text;
  const int minutes = moment.offset->minutes;
  if (minutes == 0) return text + "Z";
  return text + fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', std::abs(minutes) / 60,
                            std::abs(minutes) % 60);
}

Result<TomlValue> plain(const toml::node& node, const std::string& file, std::size_t depth);

Status add_entries(const toml::table& table, const std::string& file, std::size_t depth,
                   std::vector<TomlEntry>& entries) {
  for (const auto& [key, node] : table) {
    ASSIGN_OR_RETURN(TomlValue value, plain(node, file, depth));
    entries.push_back({std::string(key.str()), place_of(key.source()), std::move(value)});
  }
  std::sort(entries.begin(), entries.end(),
            [](const TomlEntry& a, const TomlEntry& b) { return a.place < b.place; });
  return {};
}

// `depth` levels may still be entered.
Result<TomlValue> plain(const toml::node& node, const std::string& file, std::size_t depth) {
  TomlValue value;
  value.place = place_of(node.source());
  if (depth == 0 && (node.is_table() || node.is_array())) {
    return at(file, node.source().begin, "tables and arrays are nested too deep here");
  }
  if (const toml::table* table = node.as_table()) {
    value.type = TomlType::table;
    RETURN_IF_ERROR(add_entries(*table, file, depth - 1, value.entries));
  } else if (const toml::array* array = node.as_array()) {
    value.type = TomlType::array;
    for (const toml::node& element : *array) {
      ASSIGN_OR_RETURN(TomlValue item, plain(element, file, depth - 1));
      value.items.push_back(std::move(item));
    }
  } else if (const auto* text = node.as_string()) {
    value.type = TomlType::string;
    value.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    value.type = TomlType::integer;
    value.integer = integer->get();
  } else if (const auto* boolean = node.as_boolean()) {
    value.type = TomlType::boolean;
    value.boolean = boolean->get();
  } else if (node.is_floating_point()) {
    value.type = TomlType::number;
  } else {
    value.type = TomlType::time;
    if (const auto* date = node.as_date()) value.text = text_of(date->get());
    if (const auto* time = node.as_time()) value.text = text_of(time->get());
    if (const auto* moment = node.as_date_time()) value.text = text_of(moment->get());
  }
  return value;
}

}  // namespace

std::string_view with_article(TomlType type) {
  switch (type) {
    case TomlType::string:
      return "a string";
    case TomlType::integer:
      return "an integer";
    case TomlType::number:
      return "a number with a fraction";
    case TomlType::boolean:
      return "true or false";
    case TomlType::time:
      return "a date or time";
    case TomlType::array:
      return "an array";
    case TomlType::table:
      return "a table";
  }
  return "a value";
}

struct TomlFile::Impl {
  std::string file;
  toml::table root;
  std::set<KeyPath> asked;
  std::set<KeyPath> entered;  // tables whose inner tables somebody listed

  // The node at `dotted`, nullptr if absent; an error if something on the way is no table.
  Result<const toml::node*> find(std::string_view dotted) {
    const KeyPath path = split(dotted);
    asked.insert(path);
    const toml::node* node = &root;
    for (std::size_t i = 0; i < path.size(); ++i) {
      const toml::table* table = node->as_table();
      if (table == nullptr) return wrong_type(*node, path, i, "a table");
      node = table->get(path[i]);
      if (node == nullptr) break;
    }
    return node;
  }

  Error wrong_type(const toml::node& node, const KeyPath& path, std::size_t parts,
                   std::string_view wanted) const {
    std::string name;
    for (std::size_t i = 0; i < parts; ++i) name += (i == 0 ? "" : ".") + path[i];
    return at(file, node.source().begin, "'" + name + "' has to be " + std::string(wanted));
  }

  // The inner tables of a table, in the order of the file.
  static std::vector<std::string> inner_tables(const toml::table& table) {
    std::vector<std::pair<toml::source_position, std::string>> found;
    for (const auto& [key, node] : table) {
      if (node.is_table()) found.emplace_back(key.source().begin, std::string(key.str()));
    }
    std::sort(found.begin(), found.end());
    std::vector<std::string> names;
    for (auto& [place, name] : found) names.push_back(std::move(name));
    return names;
  }

  toml::source_position place_of(const KeyPath& path) const {
    const toml::node* node = &root;
    for (const std::string& part : path) {
      const toml::table* table = node->as_table();
      const toml::node* inner = table == nullptr ? nullptr : table->get(part);
      if (inner == nullptr) break;
      node = inner;
    }
    return node->source().begin;
  }

  // The value at `dotted` by `convert(node) -> optional<T>`.
  template <typename T, typename Convert>
  Result<std::optional<T>> get(std::string_view dotted, std::string_view wanted, Convert convert) {
    try {
      ASSIGN_OR_RETURN(const toml::node* const node, find(dotted));
      if (node == nullptr) return std::optional<T>();
      std::optional<T> value = convert(*node);
      const KeyPath path = split(dotted);
      if (!value) return wrong_type(*node, path, path.size(), wanted);
      return value;
    } catch (const std::exception&) {
      return make_error(Errc::resource_limit, "no memory to read " + file);
    }
  }

  // Descends only into tables somebody asked something of, so its depth is that of the questions.
  void find_unknown(const toml::table& table, const KeyPath& prefix,
                    std::optional<UnknownKey>& first) const {
    for (const auto& [key, node] : table) {
      KeyPath path = prefix;
      path.emplace_back(key.str());
      if (asked.contains(path)) continue;
      // In the order of a set a path is followed by those that begin with it.
      const auto next = asked.upper_bound(path);
      const bool on_the_way =
          entered.contains(path) || (next != asked.end() && starts_with(*next, path));
      if (on_the_way && node.is_table()) {
        find_unknown(*node.as_table(), path, first);
        continue;
      }
      const toml::source_position place = key.source().begin;
      if (!first || place < first->place) first = UnknownKey{path.back(), place};
    }
  }
};

TomlFile::TomlFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TomlFile::TomlFile(TomlFile&&) noexcept = default;
TomlFile& TomlFile::operator=(TomlFile&&) noexcept = default;
TomlFile::~TomlFile() = default;

Result<TomlFile> TomlFile::parse(std::string_view text, std::string file_name,
                                 std::size_t max_bytes) {
  if (text.size() > max_bytes) {
    return make_error(Errc::resource_limit,
                      file_name + " has " + std::to_string(text.size()) + " bytes; the limit is " +
                          std::to_string(max_bytes),
                      {}, file_name);
  }
  RETURN_IF_ERROR(check_lines(text, file_name));
  try {
    auto impl = std::make_unique<Impl>();
    impl->file = file_name;
    impl->root = toml::parse(text, file_name);
    return TomlFile(std::move(impl));
  } catch (const toml::parse_error& error) {
    return at(file_name, error.source().begin, std::string(error.description()));
  } catch (const BrokenAssumption&) {
    return at_broken_assumption(text, file_name);
  } catch (const std::exception&) {
    return make_error(Errc::resource_limit, "no memory to read " + file_name);
  }
}

std::string toml_part(std::string_view name) {
  if (name.find_first_of(".\"") == std::string_view::npos) return std::string(name);
  std::string part = "\"";
  for (const char character : name) {
    if (character == '"') part += '"';
    part += character;
  }
  return part + '"';
}

Result<std::vector<std::string>> TomlFile::table_names(std::string_view dotted) {
  try {
    if (dotted.empty()) return Impl::inner_tables(impl_->root);
    const KeyPath path = split(dotted);
    const toml::node* node = &impl_->root;
    for (std::size_t i = 0; i < path.size() && node != nullptr; ++i) {
      const toml::table* table = node->as_table();
      if (table == nullptr) return impl_->wrong_type(*node, path, i, "a table");
      node = table->get(path[i]);
    }
    if (node == nullptr) return std::vector<std::string>();
    if (!node->is_table()) return impl_->wrong_type(*node, path, path.size(), "a table");
    impl_->entered.insert(path);
    return Impl::inner_tables(*node->as_table());
  } catch (const std::exception&) {
    return make_error(Errc::resource_limit, "no memory to read " + impl_->file);
  }
}

Error TomlFile::error_at(std::string_view dotted, const std::string& what) const {
  return at(impl_->file, impl_->place_of(split(dotted)), what);
}

Result<std::optional<std::string>> TomlFile::get_string(std::string_view dotted) {
  return impl_->get<std::string>(
      dotted, "a string", [](const toml::node& node) { return node.value_exact<std::string>(); });
}

Result<std::optional<std::int64_t>> TomlFile::get_integer(std::string_view dotted) {
  return impl_->get<std::int64_t>(dotted, "an integer", [](const toml::node& node) {
    return node.value_exact<std::int64_t>();
  });
}

Result<std::optional<bool>> TomlFile::get_boolean(std::string_view dotted) {
  return impl_->get<bool>(dotted, "true or false",
                          [](const toml::node& node) { return node.value_exact<bool>(); });
}

Result<std::optional<Strings>> TomlFile::get_strings(std::string_view dotted) {
  return impl_->get<Strings>(dotted, "an array of strings", strings_of);
}

Result<std::optional<Strings>> TomlFile::get_string_or_strings(std::string_view dotted) {
  return impl_->get<Strings>(dotted, "a string or an array of strings",
                             [](const toml::node& node) -> std::optional<Strings> {
                               if (auto text = node.value_exact<std::string>())
                                 return Strings{std::move(*text)};
                               return strings_of(node);
                             });
}

Result<TomlValue> TomlFile::tree(std::size_t max_depth) {
  try {
    for (const auto& [key, node] : impl_->root) impl_->asked.insert({std::string(key.str())});
    return plain(impl_->root, impl_->file, max_depth);
  } catch (const std::exception&) {
    return make_error(Errc::resource_limit, "no memory to read " + impl_->file);
  }
}

Status TomlFile::refuse_unknown_keys() const {
  try {
    std::optional<UnknownKey> first;
    impl_->find_unknown(impl_->root, {}, first);
    if (!first) return {};
    return at(impl_->file, first->place, "unknown key " + quoted(first->name))
        .with_hint("Correct its spelling or remove it.");
  } catch (const std::exception&) {
    return make_error(Errc::resource_limit, "no memory to read " + impl_->file);
  }
}

}  // namespace aierase
