#include "base/toml.h"

#include <algorithm>
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

KeyPath split(std::string_view dotted) {
  KeyPath parts;
  std::size_t from = 0;
  for (std::size_t dot = dotted.find('.'); dot != std::string_view::npos;
       dot = dotted.find('.', from)) {
    parts.emplace_back(dotted.substr(from, dot - from));
    from = dot + 1;
  }
  parts.emplace_back(dotted.substr(from));
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

bool starts_with(const KeyPath& path, const KeyPath& prefix) {
  return path.size() > prefix.size() && std::equal(prefix.begin(), prefix.end(), path.begin());
}

}  // namespace

struct TomlFile::Impl {
  std::string file;
  toml::table root;
  std::set<KeyPath> asked;

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
      const bool on_the_way = std::any_of(asked.begin(), asked.end(),
                                          [&](const KeyPath& p) { return starts_with(p, path); });
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

Result<std::optional<std::vector<std::string>>> TomlFile::get_strings(std::string_view dotted) {
  using Strings = std::vector<std::string>;
  return impl_->get<Strings>(dotted, "an array of strings",
                             [](const toml::node& node) -> std::optional<Strings> {
                               const toml::array* array = node.as_array();
                               if (array == nullptr) return std::nullopt;
                               Strings strings;
                               for (const toml::node& element : *array) {
                                 auto text = element.value_exact<std::string>();
                                 if (!text) return std::nullopt;
                                 strings.push_back(std::move(*text));
                               }
                               return strings;
                             });
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
