#include "domain/ids.h"

#include <algorithm>
#include <cstddef>

#include "base/json.h"
#include "base/limits.h"

namespace aierase::domain {
namespace {

constexpr std::size_t kDigits = 26;       // base32 characters of 16 bytes
constexpr std::size_t kPrefixDigits = 6;  // enough when a person types one
constexpr std::string_view kTypes = "apchj";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";

bool looks_like_id(std::string_view text) {
  if (text.size() < 2 + kPrefixDigits || text.size() > 2 + kDigits) return false;
  if (kTypes.find(text[0]) == std::string_view::npos || text[1] != '-') return false;
  return text.substr(2).find_first_not_of(kBase32) == std::string_view::npos;
}

std::string_view noun(IdType type) {
  switch (type) {
    case IdType::asset:
      return "an asset";
    case IdType::plan:
      return "a plan";
    case IdType::certificate:
      return "a certificate";
    case IdType::hold:
      return "a hold";
    case IdType::job:
      return "a job";
  }
  return "an";
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

// One of org, name and version.
bool is_name_part(std::string_view part) {
  return !part.empty() && part != "." && part != ".." &&
         std::all_of(part.begin(), part.end(), is_name_character);
}

Error bad_name(std::string_view text, std::string_view what) {
  return make_error(Errc::invalid_input, "the asset name " + quoted(text) + " " + std::string(what),
                    "a name is [org/]name[:version] of letters, digits, '.', '_' and '-'");
}

// Set of the bracket expression that begins at pattern[at] == '['. Its end is the index behind
// ']', or npos where the bracket never closes (then '[' stands for itself, as in a shell).
struct Bracket {
  std::size_t end = std::string_view::npos;
  bool contains = false;
};

Bracket match_bracket(std::string_view pattern, std::size_t at, char c) {
  std::size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  const std::size_t start = i;
  const auto order = [](char of) { return static_cast<unsigned char>(of); };
  bool found = false;
  while (i < pattern.size() && (pattern[i] != ']' || i == start)) {
    const char low = pattern[i];
    char high = low;
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      high = pattern[i + 2];
      i += 2;
    }
    if (order(low) <= order(c) && order(c) <= order(high)) found = true;
    ++i;
  }
  if (i >= pattern.size()) return {};
  return {i + 1, found != negated};
}

}  // namespace

std::string id_text(IdType type, const Uuid& uuid) {
  std::string text(1, static_cast<char>(type));
  text += '-';
  text += uuid.text();
  return text;
}

std::optional<IdPrefix> parse_id(std::string_view text) {
  if (!looks_like_id(text)) return std::nullopt;
  IdPrefix prefix;
  prefix.type = static_cast<IdType>(text[0]);
  prefix.digits = std::string(text.substr(2));
  if (prefix.digits.size() == kDigits) {
    prefix.whole = Uuid::from_text(prefix.digits);
    if (!prefix.whole) return std::nullopt;  // its last character has bits no uuid has
  }
  return prefix;
}

Result<IdPrefix> require_id(IdType type, std::string_view text) {
  std::optional<IdPrefix> prefix = parse_id(text);
  if (prefix && prefix->type == type) return *std::move(prefix);
  const std::string letter(1, static_cast<char>(type));
  return make_error(Errc::usage, quoted(text) + " is not " + std::string(noun(type)) + " id",
                    "expected " + letter + "- and at least 6 of the 26 characters a-z, 2-7");
}

bool matches(const IdPrefix& prefix, const Uuid& uuid) {
  return uuid.text().compare(0, prefix.digits.size(), prefix.digits) == 0;
}

UuidRange range_of(const IdPrefix& prefix) {
  UuidRange range;
  range.last.bytes.fill(std::byte{0xff});
  std::size_t bit = 0;
  for (const char digit : prefix.digits) {
    const std::size_t value = kBase32.find(digit);
    for (std::size_t i = 5; i-- > 0 && bit < 128; ++bit) {
      const auto mask = static_cast<std::byte>(0x80U >> (bit % 8));
      if ((value >> i) & 1U) {
        range.first.bytes[bit / 8] |= mask;
      } else {
        range.last.bytes[bit / 8] &= ~mask;
      }
    }
  }
  return range;
}

Result<AssetName> AssetName::parse(std::string_view text) {
  if (text.empty()) return bad_name(text, "is empty");
  if (text.size() > limits::kAssetNameBytes) {
    return bad_name(text, "is longer than " + std::to_string(limits::kAssetNameBytes) + " bytes");
  }
  if (looks_like_id(text)) return bad_name(text, "looks like an id");
  if (text.front() == '-') return bad_name(text, "begins with '-' like an option");

  std::string_view rest = text;
  const std::size_t colon = rest.find(':');
  if (colon != std::string_view::npos) {
    if (!is_name_part(rest.substr(colon + 1))) return bad_name(text, "has no valid version");
    rest = rest.substr(0, colon);
  }
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos) {
    if (!is_name_part(rest.substr(0, slash))) return bad_name(text, "has no valid part before '/'");
    rest = rest.substr(slash + 1);
  }
  if (!is_name_part(rest)) return bad_name(text, "is not [org/]name[:version]");
  return AssetName(std::string(text));
}

std::string_view AssetName::base() const {
  const std::string_view text = text_;
  return text.substr(0, text.find(':'));
}

std::string_view AssetName::version() const {
  const std::string_view text = text_;
  const std::size_t colon = text.find(':');
  return colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
}

// Iterative, with one point to return to: quadratic at worst, however many stars there are. Behind
// the last ']' no bracket closes, and none is looked through for its end.
bool glob_match(std::string_view pattern, std::string_view text) {
  const std::size_t last_end = pattern.rfind(']');
  const auto may_close = [last_end](std::size_t at) {
    return last_end != std::string_view::npos && at < last_end;
  };
  std::size_t p = 0, t = 0;
  std::size_t star = std::string_view::npos, star_text = 0;
  while (t < text.size()) {
    std::size_t next = std::string_view::npos;
    if (p < pattern.size()) {
      if (pattern[p] == '*') {
        star = p++;
        star_text = t;
        continue;
      }
      const Bracket bracket =
          pattern[p] == '[' && may_close(p) ? match_bracket(pattern, p, text[t]) : Bracket{};
      if (bracket.end != std::string_view::npos) {
        if (bracket.contains) next = bracket.end;
      } else if (pattern[p] == '?' || pattern[p] == text[t]) {
        next = p + 1;
      }
    }
    if (next != std::string_view::npos) {
      p = next;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace aierase::domain
