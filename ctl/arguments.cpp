#include "ctl/arguments.h"

#define CXXOPTS_NO_REGEX true  // std::regex recurses once per character of an argument
#define CXXOPTS_VECTOR_DELIMITER '\0'
#include <algorithm>
#include <cxxopts.hpp>

#include "base/json.h"
#include "base/spelling.h"
#include "domain/ids.h"

namespace aierase::ctl {
namespace {

constexpr std::size_t kArgumentBytes = 8192;  // a path has at most 4,096

struct Split {
  std::vector<std::string> before;  // global options
  std::string verb;
  std::vector<std::string> after;
};

const Option* find_option(std::span<const Option> options, std::string_view name) {
  for (const Option& option : options) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

bool takes_next_word(const std::string& word) {
  if (word == "-H") return true;
  if (word.rfind("--", 0) != 0 || word.find('=') != std::string::npos) return false;
  const Option* option = find_option(kGlobalOptions, std::string_view(word).substr(2));
  return option != nullptr && option->arity != Arity::flag;
}

// cxxopts does not stop at the verb, so the line is cut there first.
Split split_at_verb(const std::vector<std::string>& words) {
  Split split;
  std::size_t at = 0;
  while (at < words.size() && words[at].size() > 1 && words[at][0] == '-') {
    const bool pair = takes_next_word(words[at]) && at + 1 < words.size();
    split.before.push_back(words[at++]);
    if (pair) split.before.push_back(words[at++]);
  }
  if (at == words.size()) return split;
  split.verb = words[at++];
  if (find_verb(split.verb) == nullptr && at < words.size() &&
      find_verb(split.verb + " " + words[at]) != nullptr) {
    split.verb += " " + words[at++];
  }
  split.after.assign(words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
  return split;
}

Error usage(std::string message, std::string_view verb = {}) {
  return make_error(Errc::usage, std::move(message),
                    verb.empty() ? "aierase --help lists the verbs"
                                 : "aierase " + std::string(verb) + " --help explains it");
}

void add_options(cxxopts::Options& parser, std::span<const Option> options) {
  auto add = parser.add_options();
  for (const Option& option : options) {
    const std::string name(option.name);
    const std::string names = name == "host"    ? "H,host"
                              : name == "quiet" ? "q,quiet"
                              : name == "help"  ? "h,help"
                                                : name;
    if (option.arity == Arity::flag) {
      add(names, "");
    } else {
      add(names, "", cxxopts::value<std::string>());
    }
  }
}

std::string verbs_beginning_with(const std::string& word) {
  std::string names;
  for (const Verb& verb : kVerbs) {
    if (verb.name.substr(0, word.size() + 1) != word + " ") continue;
    names += (names.empty() ? "" : " or ") + ("'" + std::string(verb.name) + "'");
  }
  return names;
}

// The names that come first, or second behind `first`.
std::vector<std::string_view> words_behind(std::string_view first) {
  std::vector<std::string_view> words;
  for (const Verb& verb : kVerbs) {
    const std::size_t space = verb.name.find(' ');
    if (first.empty()) words.push_back(verb.name.substr(0, space));
    if (space != std::string_view::npos && verb.name.substr(0, space) == first) {
      words.push_back(verb.name.substr(space + 1));
    }
  }
  return words;
}

Error unknown_verb(const std::string& word, const std::vector<std::string>& behind) {
  const std::string names = verbs_beginning_with(word);
  const bool second = !names.empty() && !behind.empty() && !behind.front().starts_with("-");
  if (!names.empty() && !second) {
    return usage("'" + word + "' needs a second word: " + names);
  }
  const std::string typed = second ? word + " " + behind.front() : word;
  Error error = usage("there is no verb " + quoted(typed));
  const std::string meant(
      nearest(second ? behind.front() : word, words_behind(second ? word : std::string_view())));
  if (!meant.empty()) {
    error.hint =
        "is it '" + (second ? word + " " + meant : meant) + "'? aierase --help lists the verbs";
  } else if (second) {
    error.hint = "there is " + names;
  }
  return error;
}

// Of a word that names no option, what to do about it.
Error unknown_option(const std::vector<std::string>& words, const Verb* verb,
                     const std::string& said) {
  const std::string name = verb == nullptr ? std::string() : std::string(verb->name);
  std::vector<std::string_view> known;
  for (const Option& option : kGlobalOptions) known.push_back(option.name);
  if (verb != nullptr) {
    for (const Option& option : verb->options) known.push_back(option.name);
  }
  Error error = usage(said, name);
  for (const std::string& word : words) {
    if (!word.starts_with("--")) continue;
    const std::string_view typed = std::string_view(word).substr(2, word.find('=') - 2);
    if (std::find(known.begin(), known.end(), typed) != known.end()) continue;
    const std::string meant(nearest(typed, known));
    if (!meant.empty()) error.hint = "is it --" + meant + "? " + error.hint;
    return error;
  }
  return error;
}

bool asks_for_help(const std::vector<std::string>& words) {
  return std::any_of(words.begin(), words.end(),
                     [](const std::string& word) { return word == "-h" || word == "--help"; });
}

// `retire -q` prints a plan with its digest, for approve; what is asked about elsewhere is the
// plan. A file may have any name.
void leave_digests_out(const Verb& verb, std::vector<std::string>& operands) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  const bool of_plans = verb.words == "%plans" || verb.words == "%records" || verb.words == "%all";
  if (verb.name == "approve" || !of_plans) return;
  for (std::string& operand : operands) {
    const std::size_t at = operand.find('@');
    if (at == std::string::npos) continue;
    const std::optional<domain::IdPrefix> id = domain::parse_id(operand.substr(0, at));
    const bool digest = operand.size() > at + 1 &&
                        operand.find_first_not_of(kHexDigits, at + 1) == std::string::npos;
    if (id && id->type == domain::IdType::plan && digest) operand.resize(at);
  }
}

}  // namespace

class Parser {
 public:
  explicit Parser(const Verb* verb) : verb_(verb) {}

  // Global options may stand before and behind the verb.
  Status parse(const std::vector<std::string>& words, CommandLine& line) {
    const std::string name = verb_ == nullptr ? std::string() : std::string(verb_->name);
    for (const std::string& word : words) {
      if (word.size() > kArgumentBytes) {
        return usage("an argument has " + std::to_string(word.size()) + " bytes; the limit is " +
                         std::to_string(kArgumentBytes),
                     name);
      }
    }
    try {
      cxxopts::Options parser("aierase");
      add_options(parser, kGlobalOptions);
      if (verb_ == nullptr) parser.add_options()("V,version", "");
      if (verb_ != nullptr) add_options(parser, verb_->options);
      std::vector<const char*> argv{"aierase"};
      for (const std::string& word : words) argv.push_back(word.c_str());
      const auto result = parser.parse(static_cast<int>(argv.size()), argv.data());
      for (const auto& given : result.arguments()) {
        RETURN_IF_ERROR(take(given.key(), given.value(), name, line));
      }
      line.arguments.operands_ = result.unmatched();
    } catch (const cxxopts::exceptions::no_such_option& refusal) {
      return unknown_option(words, verb_, plain(refusal.what()));
    } catch (const cxxopts::exceptions::exception& refusal) {
      return usage(plain(refusal.what()), name);
    }
    return {};
  }

 private:
  // The library quotes with typographic marks.
  static std::string plain(std::string text) {
    for (const char* mark : {"\u2018", "\u2019"}) {
      for (std::size_t at; (at = text.find(mark)) != std::string::npos;) text.replace(at, 3, "'");
    }
    if (!text.empty())
      text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
    return text;
  }

  Status take(const std::string& key, const std::string& value, const std::string& verb,
              CommandLine& line) {
    const Option* option = verb_ == nullptr ? nullptr : find_option(verb_->options, key);
    if (option == nullptr) option = find_option(kGlobalOptions, key);
    const bool flag = option == nullptr || option->arity == Arity::flag;
    if (flag && value != "true") return usage("--" + key + " takes no value", verb);
    if (option != nullptr && option->arity == Arity::once && line.arguments.has(key)) {
      return usage("--" + key + " is given twice", verb);
    }
    if (key == "help") line.request = Request::help;
    if (key == "version") line.request = Request::version;
    if (key == "json" && line.form == Form::people) line.form = Form::json;
    if (key == "json-lines") line.form = Form::json_lines;
    if (key == "quiet") line.verbosity = Verbosity::quiet;
    if (key == "no-ask-password") line.prompts = Prompts::forbidden;
    if (key == "host") line.host = value;
    if (key == "bus") line.bus = value;
    line.arguments.options_.emplace_back(key, value);
    return {};
  }

  const Verb* verb_;
};

namespace {

Status check_operands(const Verb& verb, const std::vector<std::string>& operands) {
  for (const std::string& operand : operands) {
    if (operand.empty()) return usage("an argument is empty", verb.name);
  }
  if (operands.size() < verb.least) {
    return usage("'" + std::string(verb.name) + "' needs " + std::string(verb.operands), verb.name);
  }
  if (operands.size() > verb.most) {
    return usage(
        "too many arguments for '" + std::string(verb.name) + "': " + quoted(operands[verb.most]),
        verb.name);
  }
  return {};
}

Status check_globals(const CommandLine& line) {
  if (line.host.empty()) {
    return line.arguments.has("host") ? Status(usage("--host needs USER@HOST")) : Status();
  }
  if (line.host[0] == '-') return usage("--host needs USER@HOST, not " + quoted(line.host));
  if (line.arguments.has("bus")) return usage("--host and --bus exclude each other");
  return {};
}

}  // namespace

const std::string* Arguments::find(std::string_view option) const {
  for (const auto& given : options_) {
    if (given.first == option) return &given.second;
  }
  return nullptr;
}

std::string Arguments::value_or(std::string_view option, std::string_view otherwise) const {
  const std::string* value = find(option);
  return value == nullptr ? std::string(otherwise) : *value;
}

std::vector<std::string> Arguments::all(std::string_view option) const {
  std::vector<std::string> values;
  for (const auto& given : options_) {
    if (given.first == option) values.push_back(given.second);
  }
  return values;
}

Result<CommandLine> parse_command_line(const std::vector<std::string>& words) {
  const Split split = split_at_verb(words);
  CommandLine line;
  if (split.verb.empty()) {
    line.request = Request::nothing;
    RETURN_IF_ERROR(Parser(nullptr).parse(split.before, line));
    if (line.request == Request::nothing && !line.arguments.operands().empty()) {
      return unknown_verb(line.arguments.operands().front(), {});
    }
    return line;
  }
  line.verb = find_verb(split.verb);
  if (line.verb == nullptr) {
    const bool is_family = !verbs_beginning_with(split.verb).empty();
    if (!is_family || !asks_for_help(split.after)) return unknown_verb(split.verb, split.after);
    line.request = Request::help;
    line.family = split.verb;
    return line;
  }
  std::vector<std::string> rest = split.before;
  rest.insert(rest.end(), split.after.begin(), split.after.end());
  RETURN_IF_ERROR(Parser(line.verb).parse(rest, line));
  if (line.request != Request::run) return line;
  RETURN_IF_ERROR(check_globals(line));
  RETURN_IF_ERROR(check_operands(*line.verb, line.arguments.operands()));
  leave_digests_out(*line.verb, line.arguments.operands_);
  return line;
}

Form form_of(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") break;
    if (word == "--json" || word == "--json-lines") return Form::json;
  }
  return Form::people;
}

}  // namespace aierase::ctl
