#include "policy/reader.h"

#include <charconv>

#include "base/json.h"
#include "base/spelling.h"

namespace aierase::policy {
namespace {

constexpr std::size_t kMostNesting = 8;

std::string kind_error(const TomlEntry& entry, TomlType wanted) {
  return entry.key + " has to be " + std::string(with_article(wanted)) + ", not " +
         std::string(with_article(entry.value.type));
}

// Parts the "FILE:LINE:COLUMN: message" of base/toml.
Finding finding_of(const Error& error, const std::string& file) {
  Finding finding{Severity::error, {file, 0, 0}, error.message, error.hint};
  std::string_view rest = error.message;
  if (!rest.starts_with(file + ":")) return finding;
  rest.remove_prefix(file.size() + 1);
  Place place{file, 0, 0};
  for (std::uint32_t* number : {&place.line, &place.column}) {
    const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), *number);
    if (read.ec != std::errc() || read.ptr == rest.data() + rest.size() || *read.ptr != ':') {
      return finding;
    }
    rest.remove_prefix(static_cast<std::size_t>(read.ptr - rest.data()) + 1);
  }
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  finding.place = place;
  finding.message = std::string(rest);
  return finding;
}

}  // namespace

std::string listed(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

std::optional<TomlValue> Reader::parse(std::string_view text, std::size_t max_bytes) {
  Result<TomlFile> file = TomlFile::parse(text, file_, max_bytes);
  if (!file.ok()) {
    findings_.push_back(finding_of(file.error(), file_));
    return std::nullopt;
  }
  Result<TomlValue> tree = file->tree(kMostNesting);
  if (!tree.ok()) {
    findings_.push_back(finding_of(tree.error(), file_));
    return std::nullopt;
  }
  return std::move(tree).value();
}

void Reader::error(TomlPlace at, std::string message, std::string hint) {
  findings_.push_back({Severity::error, place(at), std::move(message), std::move(hint)});
}

void Reader::warning(TomlPlace at, std::string message, std::string hint) {
  findings_.push_back({Severity::warning, place(at), std::move(message), std::move(hint)});
}

bool Reader::is(const TomlEntry& entry, TomlType type) {
  if (entry.value.type == type) return true;
  error(entry.value.place, kind_error(entry, type));
  return false;
}

std::optional<std::string> Reader::take_text(const TomlEntry& entry, std::size_t max_bytes) {
  if (!is(entry, TomlType::string)) return std::nullopt;
  const std::string& text = entry.value.text;
  if (text.empty()) {
    error(entry.value.place, entry.key + " is empty", "leave it out or say something");
  } else if (text.size() > max_bytes) {
    error(entry.value.place, entry.key + " has " + std::to_string(text.size()) +
                                 " bytes; the limit is " + std::to_string(max_bytes));
  } else if (!is_printable_utf8(text)) {
    error(entry.value.place, entry.key + " has characters that cannot be printed");
  } else {
    return text;
  }
  return std::nullopt;
}

std::optional<std::int64_t> Reader::take_integer(const TomlEntry& entry, std::int64_t least,
                                                 std::int64_t most) {
  if (!is(entry, TomlType::integer)) return std::nullopt;
  if (entry.value.integer >= least && entry.value.integer <= most) return entry.value.integer;
  error(entry.value.place, entry.key + " is " + std::to_string(entry.value.integer) +
                               "; it has to be from " + std::to_string(least) + " to " +
                               std::to_string(most));
  return std::nullopt;
}

std::optional<bool> Reader::take_boolean(const TomlEntry& entry) {
  if (!is(entry, TomlType::boolean)) return std::nullopt;
  return entry.value.boolean;
}

std::optional<Duration> Reader::take_duration(const TomlEntry& entry) {
  if (!is(entry, TomlType::string)) return std::nullopt;
  Result<Duration> duration = parse_duration(entry.value.text);
  if (duration.ok()) return *duration;
  error(entry.value.place, entry.key + ": " + duration.error().message, duration.error().hint);
  return std::nullopt;
}

std::optional<std::vector<Reader::PlacedText>> Reader::take_texts(const TomlEntry& entry,
                                                                  std::size_t most,
                                                                  std::size_t max_bytes) {
  if (entry.value.type == TomlType::string) {
    error(entry.value.place, entry.key + " has to be an array of strings",
          "put it into brackets: " + entry.key + " = [" + quoted(entry.value.text) + "]");
    return std::nullopt;
  }
  if (!is(entry, TomlType::array)) return std::nullopt;
  if (entry.value.items.size() > most) {
    error(entry.value.place, entry.key + " has " + std::to_string(entry.value.items.size()) +
                                 " elements; the limit is " + std::to_string(most));
    return std::nullopt;
  }
  std::vector<PlacedText> texts;
  for (const TomlValue& item : entry.value.items) {
    const TomlEntry element{"an element of " + entry.key, item.place, item};
    std::optional<std::string> text = take_text(element, max_bytes);
    if (!text) return std::nullopt;
    texts.push_back({std::move(*text), item.place});
  }
  return texts;
}

std::optional<UtcTime> Reader::take_time(const TomlEntry& entry) {
  const TomlValue& value = entry.value;
  if (value.type == TomlType::time || value.type == TomlType::string) {
    const bool date = value.text.size() == std::string_view("2026-01-31").size();
    const auto time = from_rfc3339(date ? value.text + "T00:00:00Z" : value.text);
    if (time) return time;
  }
  error(value.place, entry.key + " has to be a date or a time in UTC",
        "write 2026-01-31 or 2026-01-31T12:00:00Z");
  return std::nullopt;
}

void Reader::unknown_key(const TomlEntry& entry, std::string_view where,
                         std::span<const std::string_view> keys) {
  const std::string_view near = nearest(entry.key, keys);
  error(entry.place, "there is no key " + quoted(entry.key) + " in " + std::string(where),
        near.empty() ? "the keys are " + listed(keys) : "did you mean " + quoted(near) + "?");
}

void Reader::unknown_word(const TomlEntry& entry, std::string_view text,
                          std::span<const std::string_view> words) {
  const std::string_view near = nearest(text, words);
  error(entry.value.place, entry.key + " cannot be " + quoted(text),
        near.empty() ? "one of " + listed(words) : "did you mean " + quoted(near) + "?");
}

}  // namespace aierase::policy
