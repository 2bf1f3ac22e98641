// Characters of UTF-8, and those that a reader does not see as what they are: one table for all
// that people read.
//
// Contract: pure. The table has control, invisible, direction-changing and private characters
// (Unicode categories Cc, Cf, Zl, Zp, Co), and the blanks that look like none. Texts to sign depend
// on it: a character more or less makes another text of the same words.
// Specified in: aierase-approval(5) TEXTS.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace aierase {

// Number of bytes of the well-formed sequence at the start of `text`, which is not empty; 0 where
// there is none.
std::size_t utf8_sequence(std::string_view text, char32_t& code_point);

struct CodePoints {
  char32_t first, last;
};
std::span<const CodePoints> invisible_characters();  // in order
bool is_invisible(char32_t code_point);

}  // namespace aierase
