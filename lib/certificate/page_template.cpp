#include "certificate/page_template.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/characters.h"

namespace aierase::certificate {
namespace {

constexpr std::size_t kLongestText = 400;                               // characters
constexpr std::uint64_t kLargestNumber = (std::uint64_t{1} << 53) - 1;  // of JavaScript
constexpr std::string_view kPageNotStated = "not stated";

std::size_t length_of_first(std::string_view text) {
  std::size_t length = 1;
  while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80) {
    ++length;
  }
  return length;
}

bool is_count(const Json& value) {
  return value.is_number_unsigned() && value.get<std::uint64_t>() <= kLargestNumber;
}

std::string words(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (is_count(value)) return std::to_string(value.get<std::uint64_t>());
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (!value.is_array()) return std::string(kPageNotStated);
  std::string all;
  for (const Json& one : value) all += (all.empty() ? "" : ", ") + words(one);
  return value.empty() ? "none" : all;
}

// "1,234,567"
std::string number(const Json& value) {
  if (!is_count(value)) return std::string(kPageNotStated);
  std::string digits = words(value);
  for (std::size_t place = digits.size(); place > 3;) {
    place -= 3;
    digits.insert(place, ",");
  }
  return digits;
}

bool is_time(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:ddZ";
  if (text.size() != kForm.size()) return false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool digit = text[at] >= '0' && text[at] <= '9';
    if (kForm[at] == 'd' ? !digit : text[at] != kForm[at]) return false;
  }
  return true;
}

std::string time(const Json& value) {
  const std::string text = words(value);
  return is_time(text) ? text.substr(0, 10) + " " + text.substr(11, 8) + " UTC" : text;
}

// "12345678 9abcdef0": of ASCII.
std::string groups(const Json& value) {
  const std::string text = words(value);
  std::string grouped;
  for (std::size_t at = 0; at < text.size(); at += 8) {
    grouped += (at == 0 ? "" : " ") + text.substr(at, 8);
  }
  return grouped;
}

std::string filtered(std::string_view filter, const Json& value) {
  if (filter == "number") return number(value);
  if (filter == "time") return time(value);
  if (filter == "groups") return groups(value);
  if (filter == "count") {
    return value.is_array() ? std::to_string(value.size()) : std::string(kPageNotStated);
  }
  return words(value);
}

bool stated(const Json& value) {
  if (value.is_string()) {
    const std::string& text = value.get_ref<const std::string&>();
    return !text.empty() && !text.starts_with("not applicable");
  }
  if (value.is_structured()) return !value.empty();
  return is_count(value) || (value.is_boolean() && value.get<bool>());
}

class PageFilling {
 public:
  PageFilling(std::string_view text, const Json& root) : text_(text), root_(root) {}
  std::string run() {
    static const Json nothing;
    block(0, nothing, Show::yes);
    return std::move(page_);
  }

 private:
  enum class Show { yes, no };

  const Json& found(const Json& item, std::string_view path) const {
    static const Json nothing;
    if (path == ".") return item;
    const Json* here = path.starts_with('.') ? &item : &root_;
    if (path.starts_with('.')) path.remove_prefix(1);
    while (!path.empty()) {
      const std::size_t dot = std::min(path.find('.'), path.size());
      if (!here->is_object()) return nothing;
      const auto member = here->find(path.substr(0, dot));
      if (member == here->end()) return nothing;
      here = &*member;
      path.remove_prefix(std::min(dot + 1, path.size()));
    }
    return *here;
  }

  // From `at` up to the end of the block; where that is.
  std::size_t block(std::size_t at, const Json& item, Show show) {
    for (;;) {
      const std::size_t open = std::min(text_.find("{{", at), text_.size());
      if (show == Show::yes) page_ += text_.substr(at, open - at);
      if (open == text_.size()) return open;
      const std::size_t close = std::min(text_.find("}}", open), text_.size() - 2);
      const std::string_view tag = text_.substr(open + 2, close - open - 2);
      at = close + 2;
      const std::string_view rest = tag.substr(std::min<std::size_t>(1, tag.size()));
      if (tag.starts_with('/')) return at;
      if (tag.starts_with('#')) {
        at = each(at, rest, item, show);
      } else if (tag.starts_with('?')) {
        at = block(at, item, stated(found(item, rest)) ? show : Show::no);
      } else if (tag.starts_with('!')) {
        at = block(at, item, stated(found(item, rest)) ? Show::no : show);
      } else if (show == Show::yes) {
        value(tag, item);
      }
    }
  }

  std::size_t each(std::size_t at, std::string_view tag, const Json& item, Show show) {
    const std::size_t colon = std::min(tag.find(':'), tag.size());
    const std::string_view digits = tag.substr(std::min(colon + 1, tag.size()));
    std::size_t limit = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), limit);
    const Json& list = found(item, tag.substr(0, colon));
    if (show == Show::no || !list.is_array() || list.empty()) return block(at, item, Show::no);
    std::size_t end = at;
    for (std::size_t i = 0; i < std::min(limit, list.size()); ++i) end = block(at, list[i], show);
    if (list.size() > limit) {
      page_ += "<span class=\"more\">and " + std::to_string(list.size() - limit) +
               " more, in the signed statement</span>";
    }
    return end;
  }

  void value(std::string_view tag, const Json& item) {
    const std::size_t bar = std::min(tag.find('|'), tag.size());
    const std::string_view filter = tag.substr(std::min(bar + 1, tag.size()));
    page_ += "<bdi>" + html_text(filtered(filter, found(item, tag.substr(0, bar)))) + "</bdi>";
  }

  const std::string_view text_;
  const Json& root_;
  std::string page_;
};

}  // namespace

std::string visible_text(std::string_view text) {
  constexpr std::string_view kUpperHex = "0123456789ABCDEF";
  std::string shown;
  while (!text.empty()) {
    const std::string_view character = text.substr(0, length_of_first(text));
    char32_t code_point = 0;
    if (utf8_sequence(character, code_point) == character.size() && !is_invisible(code_point)) {
      shown += character;
    } else {
      for (const char c : character) {
        const auto code = static_cast<unsigned char>(c);
        shown += "\\x";
        shown += kUpperHex[code >> 4];
        shown += kUpperHex[code & 0x0F];
      }
    }
    text.remove_prefix(character.size());
  }
  return shown;
}

std::string html_text(std::string_view text) {
  std::size_t end = 0;
  for (std::size_t count = 0; end < text.size() && count < kLongestText; ++count) {
    end += length_of_first(text.substr(end));
  }
  std::string escaped;
  for (const char c : visible_text(text.substr(0, end))) {
    if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\'') {
      escaped += "&#" + std::to_string(static_cast<int>(c)) + ";";
    } else {
      escaped += c;
    }
  }
  if (end < text.size()) escaped += "…";
  return escaped;
}

std::string filled_template(std::string_view text, const Json& root) {
  return PageFilling(text, root).run();
}

}  // namespace aierase::certificate
