#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "base/errc.h"
#include "ctl/output.h"
#include "ctl/verb.h"
#include "ctl/verbs/verbs.h"
#include "domain/states.h"

namespace aierase::ctl {
namespace {

std::string page_text() {
  std::ifstream file(AIERASE_SOURCE_DIR "/man/aierase.1");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string section(const std::string& page, const std::string& title) {
  const std::size_t start = page.find(".Sh " + title + "\n");
  if (start == std::string::npos) return {};
  return page.substr(start, page.find("\n.Sh ", start + 1) - start);
}

// From the verb's own item to the next verb's: a verb's item names it with Cm, or Xo and Cm.
std::map<std::string, std::string> verb_parts(const std::string& page) {
  std::map<std::string, std::string> parts;
  std::istringstream lines(section(page, "VERBS"));
  std::string line, current, before;
  while (std::getline(lines, line)) {
    const bool item = line.rfind(".It Cm ", 0) == 0;
    if (item || (before == ".It Xo" && line.rfind(".Cm ", 0) == 0)) {
      std::istringstream words(line.substr(item ? 7 : 4));
      std::string first, second, third;
      words >> first >> second >> third;
      current = first;
      if (first == "certificate" || first == "policy" || first == "hold" || first == "log" ||
          first == "slot") {
        current += " " + second;
      }
    }
    before = line;
    parts[current] += line + "\n";
  }
  return parts;
}

std::set<std::string> flags_in(const std::string& text) {
  static const std::regex kFlag("Fl -([a-z][a-z-]+)");
  std::set<std::string> flags;
  for (std::sregex_iterator at(text.begin(), text.end(), kFlag), end; at != end; ++at) {
    flags.insert((*at)[1]);
  }
  return flags;
}

std::string words_of(const std::string& constant) {
  std::string words;
  for (const char letter : constant) {
    if (std::isupper(static_cast<unsigned char>(letter)) && !words.empty()) words += ' ';
    words += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return words;
}

std::string value_of(std::string expression) {
  std::erase(expression, '\'');
  std::smatch shift;
  if (std::regex_match(expression, shift, std::regex("([0-9]+)U?L?L? << ([0-9]+)"))) {
    return std::to_string(std::stoull(shift[1]) << std::stoull(shift[2]));
  }
  return expression;
}

TEST(TheManual, ExplainsEveryVerbAndNoOther) {
  const auto parts = verb_parts(page_text());
  std::set<std::string> table, manual;
  for (const Verb& verb : kVerbs) table.insert(std::string(verb.name));
  for (const auto& part : parts) {
    if (!part.first.empty()) manual.insert(part.first);
  }
  EXPECT_EQ(table, manual);
}

TEST(TheManual, ExplainsEveryOptionOfEveryVerbAndNoOther) {
  const auto parts = verb_parts(page_text());
  for (const Verb& verb : kVerbs) {
    SCOPED_TRACE(std::string(verb.name));
    std::set<std::string> table;
    for (const Option& option : verb.options) table.insert(std::string(option.name));
    const auto part = parts.find(std::string(verb.name));
    ASSERT_NE(part, parts.end());
    EXPECT_EQ(table, flags_in(std::regex_replace(part->second, std::regex("\\.(Ic|Sx) .*"), "")));
  }
}

TEST(TheManual, GroupsTheVerbsAsTheHelpDoes) {
  const std::string verbs = section(page_text(), "VERBS");
  std::size_t at = 0;
  for (const Group group : {Group::host, Group::models, Group::end_of_life, Group::rules,
                            Group::evidence, Group::shell}) {
    const std::size_t found = verbs.find("\n.Ss " + std::string(title_of(group)) + "\n");
    ASSERT_NE(found, std::string::npos) << title_of(group);
    EXPECT_GT(found, at);
    at = found;
  }
}

TEST(TheManual, HasTheTableOfLimitsAsTheCodeHasIt) {
  const std::string limits = section(page_text(), "LIMITS");
  std::ifstream header(AIERASE_SOURCE_DIR "/lib/base/limits.h");
  const std::regex row("inline constexpr std::\\w+ k(\\w+) = ([^;]+);\\s*(// (.*))?");
  std::size_t rows = 0;
  for (std::string line; std::getline(header, line);) {
    std::smatch match;
    if (!std::regex_match(line, match, row)) continue;
    ++rows;
    std::string expected = ".It " + words_of(match[1]) + " Ta " + value_of(match[2]) + " Ta ";
    if (match[4].matched) expected += match[4].str() + "\n";
    EXPECT_NE(limits.find(expected), std::string::npos) << expected;
  }
  EXPECT_GT(rows, 20u);
  std::size_t shown = 0;
  for (std::size_t at = 0; (at = limits.find("\n.It ", at)) != std::string::npos; ++at) ++shown;
  EXPECT_EQ(shown, rows + 1);  // and the heading
}

TEST(TheManual, HasEveryExitCodeOfTheErrorTable) {
  const std::string table = section(page_text(), "EXIT STATUS");
  for (int code = 0; code <= static_cast<int>(Errc::busy); ++code) {
    const int exit = info(static_cast<Errc>(code)).exit_code;
    EXPECT_NE(table.find(".It " + std::to_string(exit) + "\n"), std::string::npos) << exit;
  }
}

TEST(TheActionsOfAudit, AreThoseOfPolkitTheDaemonsOwnAndTheKindsOfNotices) {
  const Verb* audit = find_verb("audit");
  ASSERT_NE(audit, nullptr);
  std::set<std::string> words;
  for (const Option& option : audit->options) {
    if (option.name != "action") continue;
    std::istringstream text{std::string(option.words)};
    for (std::string word; text >> word;) words.insert(word);
  }
  std::set<std::string> known{"erase"};
  std::ifstream policy(AIERASE_SOURCE_DIR "/policies/polkit/org.aierase1.policy");
  const std::regex action("<action id=\"org\\.aierase1\\.([a-z-]+)\">");
  for (std::string line; std::getline(policy, line);) {
    std::smatch match;
    if (std::regex_search(line, match, action)) known.insert(match[1]);
  }
  EXPECT_GT(known.size(), 10u);
  for (int kind = 0; kind <= static_cast<int>(domain::NoticeKind::enrolment); ++kind) {
    known.insert(std::string(domain::to_text(static_cast<domain::NoticeKind>(kind))));
  }
  EXPECT_EQ(words, known);
}

TEST(TheHelp, ListsEveryVerb) {
  const std::string text = overview(200);
  for (const Verb& verb : kVerbs) {
    EXPECT_NE(text.find("  " + std::string(verb.name) + " "), std::string::npos) << verb.name;
  }
}

std::size_t longest_line(const std::string& text) {
  std::istringstream lines(text);
  std::size_t longest = 0;
  for (std::string line; std::getline(lines, line);) longest = std::max(longest, line.size());
  return longest;
}

TEST(TheHelp, IsFoldedAtEightyColumnsOrAtTheWidthOfTheTerminal) {
  for (const std::size_t width : {kNoWrap, std::size_t{100}}) {
    const std::size_t page = width == kNoWrap ? 80 : width;
    EXPECT_LE(longest_line(overview(width)), page);
    for (const Verb& verb : kVerbs)
      EXPECT_LE(longest_line(help_of(verb, width)), page) << verb.name;
  }
}

TEST(TheHelpOfAFamily, NamesTheOptionsOfEveryVerbOnce) {
  const std::string text = help_of("certificate", 80);
  const std::size_t first = text.find("options of every verb");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(text.find("options of every verb", first + 1), std::string::npos);
  EXPECT_NE(text.find("certificate trust"), std::string::npos);
  EXPECT_EQ(help_of("nothing", 80), "");
}

TEST(TheHelpOfAVerb, ListsEveryOption) {
  for (const Verb& verb : kVerbs) {
    const std::string text = help_of(verb, 80);
    for (const Option& option : verb.options) {
      EXPECT_NE(text.find("--" + std::string(option.name)), std::string::npos) << option.name;
    }
  }
}

}  // namespace
}  // namespace aierase::ctl
