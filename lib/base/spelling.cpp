#include "base/spelling.h"

#include <algorithm>
#include <string>
#include <vector>

namespace aierase {
namespace {

constexpr std::size_t kLongest = 64;  // of a word that is worth a guess
constexpr std::size_t kMostWrong = 2;

// Letters that are missing, too many, wrong, or swapped with their neighbour.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t wrong = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + wrong});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    before_last.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

// As it would be written here: "Retain_For" is retain-for.
std::string plain(std::string_view word) {
  std::string text(word);
  for (char& letter : text) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    if (letter == '_' || letter == ' ') letter = '-';
  }
  return text;
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  std::string_view best;
  if (word.size() > kLongest) return best;
  const std::string typed = plain(word);
  std::size_t least = kMostWrong + 1;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kLongest) continue;
    const std::size_t wrong = distance(typed, candidate);
    if (wrong < least && 2 * wrong < candidate.size()) {
      least = wrong;
      best = candidate;
    }
  }
  return best;
}

}  // namespace aierase
