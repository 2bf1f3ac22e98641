// Lines of texts that people read and sign: writing them so that the words of strangers stay inside
// their quotes, and reading them again.
//
// Contract: pure. A quoted text shows a stranger's words as they are, but for what could deceive:
// control characters, invisible ones and those that change the direction of writing become
// \u{...}. Long ones continue on lines that begin with a quote again, so that nothing of them ever
// begins a line, and no line is wider than a terminal, which would break it.
// ActReader is lenient where a second writing of what was read shows the difference.
// Specified in: aierase-approval(5) TEXTS.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"

namespace aierase::certificate {

inline constexpr std::string_view kNothing = "none";  // unquoted: an empty text

// `label` as it stands, a blank, the value, a line end. `value` is valid UTF-8.
void append_quoted_line(std::string& to, std::string_view label, std::string_view value);
void append_line(std::string& to, std::string_view label, std::string_view value);

class ActReader {
 public:
  explicit ActReader(std::string_view text) : rest_(text) {}

  Status expect(std::string_view lines);  // one or more whole lines, each with its end
  bool next_begins(std::string_view start) const { return rest_.substr(0, start.size()) == start; }
  Result<std::string_view> value(std::string_view label);
  Result<std::string> quoted(std::string_view label);
  Result<std::uint64_t> number(std::string_view label);
  Result<Digest> digest(std::string_view label);
  Result<Uuid> uuid(std::string_view label);
  Result<UtcTime> time(std::string_view label);
  bool at_end() const { return rest_.empty(); }

  Error refused(const std::string& why) const;    // names the line that comes next
  Error bad_value(const std::string& why) const;  // names the line that was read last

 private:
  Error refused_at(std::size_t line, const std::string& why) const;
  std::string_view line() const { return rest_.substr(0, rest_.find('\n')); }
  Status advance();

  std::string_view rest_;
  std::size_t line_ = 1;
};

}  // namespace aierase::certificate
