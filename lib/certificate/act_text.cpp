#include "certificate/act_text.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "base/characters.h"
#include "base/json.h"

namespace aierase::certificate {
namespace {

constexpr std::size_t kPieceBytes = 60;
constexpr std::string_view kContinued = "    \"";
constexpr std::string_view kHexDigits = "0123456789abcdef";

// One code point of valid UTF-8; how many bytes it takes.
std::size_t decode(std::string_view text, char32_t& code_point) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  code_point = length == 1 ? lead : lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length && i < text.size(); ++i) {
    code_point = (code_point << 6) | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  return std::min(length, text.size());
}

void append_utf8(std::string& to, char32_t code_point) {
  const auto tail = [&](unsigned shift) {
    to += static_cast<char>(0x80U | ((code_point >> shift) & 0x3FU));
  };
  if (code_point < 0x80) {
    to += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    to += static_cast<char>(0xC0U | (code_point >> 6));
    tail(0);
  } else if (code_point < 0x10000) {
    to += static_cast<char>(0xE0U | (code_point >> 12));
    tail(6);
    tail(0);
  } else {
    to += static_cast<char>(0xF0U | (code_point >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

std::string escaped(char32_t code_point) {
  std::string digits;
  do {
    digits.insert(digits.begin(), kHexDigits[code_point & 0x0F]);
    code_point >>= 4;
  } while (code_point != 0);
  return "\\u{" + digits + "}";
}

// The text cut into pieces that fit a line: behind a blank where one is near, else anywhere between
// two characters.
std::vector<std::string> pieces_of(std::string_view value) {
  std::vector<std::string> pieces(1);
  std::size_t behind_blank = 0;  // in the last piece
  while (!value.empty()) {
    char32_t code_point = 0;
    const std::size_t length = decode(value, code_point);
    std::string shown(value.substr(0, length));
    if (shown == "\"" || shown == "\\") shown.insert(0, 1, '\\');
    if (is_invisible(code_point)) shown = escaped(code_point);
    if (pieces.back().size() + shown.size() > kPieceBytes) {
      std::string carried;
      if (behind_blank > kPieceBytes / 2) {
        carried = pieces.back().substr(behind_blank);
        pieces.back().resize(behind_blank);
      }
      pieces.push_back(std::move(carried));
      behind_blank = 0;
    }
    pieces.back() += shown;
    if (shown == " ") behind_blank = pieces.back().size();
    value.remove_prefix(length);
  }
  return pieces;
}

// What stands between two quotes; nothing if the quotes or an escape are broken.
std::optional<std::string> unquoted(std::string_view piece) {
  if (piece.size() < 2 || piece.front() != '"' || piece.back() != '"') return std::nullopt;
  piece = piece.substr(1, piece.size() - 2);
  std::string text;
  while (!piece.empty()) {
    if (piece.front() == '"') return std::nullopt;
    if (piece.front() != '\\') {
      text += piece.front();
      piece.remove_prefix(1);
      continue;
    }
    if (piece.size() < 2) return std::nullopt;
    if (piece[1] != 'u') {
      text += piece[1];
      piece.remove_prefix(2);
      continue;
    }
    const std::size_t end = piece.find('}');
    if (end == std::string_view::npos || piece.substr(0, 3) != "\\u{") return std::nullopt;
    std::uint32_t code_point = 0;
    const char* const last = piece.data() + end;
    const auto read = std::from_chars(piece.data() + 3, last, code_point, 16);
    if (read.ec != std::errc() || read.ptr != last || code_point > 0x10FFFF) return std::nullopt;
    append_utf8(text, code_point);
    piece.remove_prefix(end + 1);
  }
  return text;
}

}  // namespace

void append_line(std::string& to, std::string_view label, std::string_view value) {
  to += label;
  to += ' ';
  to += value;
  to += '\n';
}

void append_quoted_line(std::string& to, std::string_view label, std::string_view value) {
  if (value.empty()) return append_line(to, label, kNothing);
  to += label;
  std::string_view before = " \"";
  for (const std::string& piece : pieces_of(value)) {
    to += before;
    to += piece;
    to += "\"\n";
    before = kContinued;
  }
}

Error ActReader::refused_at(std::size_t line, const std::string& why) const {
  return make_error(Errc::invalid_input,
                    "line " + std::to_string(line) + " of the text to sign: " + why,
                    "Sign the text as `aierase show PLAN --request` printed it, and let no program "
                    "change it on the way.");
}

Error ActReader::refused(const std::string& why) const {
  return refused_at(line_, why);
}

Error ActReader::bad_value(const std::string& why) const {
  return refused_at(line_ - 1, why);
}

Status ActReader::advance() {
  const std::size_t end = rest_.find('\n');
  if (end == std::string_view::npos) return refused("the text ends here, without a line end");
  rest_.remove_prefix(end + 1);
  ++line_;
  return {};
}

Status ActReader::expect(std::string_view lines) {
  while (!lines.empty()) {
    const std::string_view wanted = lines.substr(0, lines.find('\n'));
    if (line() != wanted) {
      return refused("it is " + aierase::quoted(line()) + " and has to be " +
                     aierase::quoted(wanted));
    }
    RETURN_IF_ERROR(advance());
    lines.remove_prefix(std::min(lines.size(), wanted.size() + 1));
  }
  return {};
}

Result<std::string_view> ActReader::value(std::string_view label) {
  const std::string_view all = line();
  if (all.substr(0, label.size()) != label || all.substr(label.size(), 1) != " ") {
    return refused("it is " + aierase::quoted(all) + " and has to begin with " +
                   aierase::quoted(label));
  }
  RETURN_IF_ERROR(advance());
  return all.substr(label.size() + 1);
}

Result<std::string> ActReader::quoted(std::string_view label) {
  ASSIGN_OR_RETURN(std::string_view piece, value(label));
  std::string text;
  if (piece == kNothing) return text;
  for (;;) {
    const std::optional<std::string> words = unquoted(piece);
    if (!words) return bad_value("there is no sound quoted text");
    text += *words;
    if (!next_begins(kContinued)) return text;
    piece = line().substr(kContinued.size() - 1);
    RETURN_IF_ERROR(advance());
  }
}

Result<std::uint64_t> ActReader::number(std::string_view label) {
  ASSIGN_OR_RETURN(const std::string_view text, value(label));
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) return bad_value("there is no number");
  return number;
}

Result<Digest> ActReader::digest(std::string_view label) {
  ASSIGN_OR_RETURN(const std::string_view text, value(label));
  const std::optional<Bytes> bytes = from_hex(text);
  Digest digest{};
  if (!bytes || bytes->size() != digest.size()) {
    return bad_value("there is no SHA-256 of 64 hexadecimal digits");
  }
  std::copy(bytes->begin(), bytes->end(), digest.begin());
  return digest;
}

Result<Uuid> ActReader::uuid(std::string_view label) {
  ASSIGN_OR_RETURN(const std::string_view text, value(label));
  const std::optional<Uuid> uuid = Uuid::from_text(text);
  if (!uuid) return bad_value("there is no id of 26 characters");
  return *uuid;
}

Result<UtcTime> ActReader::time(std::string_view label) {
  ASSIGN_OR_RETURN(const std::string_view text, value(label));
  const std::optional<UtcTime> time = from_rfc3339(text);
  if (!time) return bad_value("there is no time such as 2026-11-20T19:30:00Z");
  return *time;
}

}  // namespace aierase::certificate
