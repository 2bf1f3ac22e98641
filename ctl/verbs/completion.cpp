#include "ctl/verbs/verbs.h"

namespace aierase::ctl {
namespace {

// The first column of a table is the short id, the last one a name where the thing has one.
constexpr const char* kLiveWords =
    "aierase --no-ask-password list %s 2>/dev/null | awk 'NR > 1 { print $1; print $NF }'";
constexpr const char* kLiveIds =
    "aierase --no-ask-password list %s 2>/dev/null | awk 'NR > 1 { print $1 }'";

std::string live(const char* command, std::string_view noun) {
  std::string text(command);
  return text.replace(text.find("%s"), 2, noun);
}

std::string first_words() {
  std::string text;
  for (const Verb& verb : kVerbs) {
    const std::string_view first = verb.name.substr(0, verb.name.find(' '));
    if ((text + " ").find(" " + std::string(first) + " ") == std::string::npos) {
      text += " " + std::string(first);
    }
  }
  return text;
}

// A shell command that prints the words, one per line; empty for file names.
std::string word_command(std::string_view words) {
  if (words == "%files" || words.empty()) return {};
  if (words == "%assets") return live(kLiveWords, "assets");
  if (words == "%plans") return live(kLiveIds, "plans");
  if (words == "%records") {
    return live(kLiveIds, "certificates") + "; " + live(kLiveIds, "plans");
  }
  if (words == "%holds") return live(kLiveIds, "holds");
  if (words == "%all") {
    return live(kLiveWords, "assets") + "; " + live(kLiveIds, "plans") + "; " +
           live(kLiveIds, "certificates") + "; " + live(kLiveIds, "holds");
  }
  std::string text = "printf '%s\\n'";
  return text + " " + (words == "%verbs" ? first_words() : std::string(words));
}

std::string option_words(std::span<const Option> options) {
  std::string text;
  for (const Option& option : options) text += " --" + std::string(option.name);
  return text;
}

struct Family {
  std::string first;
  std::string second;  // all of them, with spaces between
};

// Verbs of two words, by their first.
std::vector<Family> families() {
  std::vector<Family> all;
  for (const Verb& verb : kVerbs) {
    const std::size_t space = verb.name.find(' ');
    if (space == std::string_view::npos) continue;
    const std::string first(verb.name.substr(0, space));
    if (all.empty() || all.back().first != first) all.push_back({first, {}});
    std::string& second = all.back().second;
    second += (second.empty() ? "" : " ") + std::string(verb.name.substr(space + 1));
  }
  return all;
}

std::string family_pattern() {
  std::string text;
  for (const Family& family : families()) text += (text.empty() ? "" : "|") + family.first;
  return text;
}

std::string seconds_of(const std::string& first) {
  for (const Family& family : families()) {
    if (family.first == first) return family.second;
  }
  return {};
}

std::string family_cases(const std::string& indent) {
  std::string text;
  for (const Family& family : families()) {
    text +=
        indent + "\"" + family.first + "\") _aierase_words '" + family.second + "'; return ;;\n";
  }
  return text;
}

// "verb:--option" cases of options whose values can be completed.
std::string value_cases(const std::string& indent) {
  std::string text;
  const auto add = [&](const std::string& pattern, const Option& option) {
    if (option.arity == Arity::flag) return;
    const std::string command = word_command(option.words);
    if (option.words.empty()) {  // a text of the person's own
      text += indent + pattern + ":--" + std::string(option.name) + ") return ;;\n";
      return;
    }
    text += indent + pattern + ":--" + std::string(option.name) + ") " +
            (command.empty() ? "_aierase_files" : "_aierase_words \"$(" + command + ")\"") +
            "; return ;;\n";
  };
  for (const Option& option : kGlobalOptions) add("*", option);
  for (const Verb& verb : kVerbs) {
    for (const Option& option : verb.options) add("\"" + std::string(verb.name) + "\"", option);
  }
  return text;
}

std::string operand_cases(const std::string& indent) {
  std::string text;
  for (const Verb& verb : kVerbs) {
    if (verb.words.empty()) continue;
    const std::string command = word_command(verb.words);
    text += indent + "\"" + std::string(verb.name) + "\") ";
    if (verb.words == "%verbs") {
      text += "case \"$previous\" in\n" + family_cases(indent + "    ") + indent + "  esac\n" +
              indent + "  ";
    }
    text +=
        (command.empty() ? "_aierase_files" : "_aierase_words \"$(" + command + ")\"") + " ;;\n";
  }
  return text;
}

std::string option_cases(const std::string& indent) {
  std::string text;
  for (const Verb& verb : kVerbs) {
    text += indent + "\"" + std::string(verb.name) + "\") _aierase_words \"" +
            option_words(verb.options) + option_words(kGlobalOptions) + "\" ;;\n";
  }
  return text + indent + "*) _aierase_words \"" + option_words(kGlobalOptions) +
         " --version\" ;;\n";
}

// The part that bash and zsh share: finds the verb among "$@" and offers words for "$current".
std::string common_body() {
  return "  local verb='' word family='' skip=''\n"
         "  for word in \"$@\"; do\n"
         "    if [ -n \"$skip\" ]; then skip=''; continue; fi\n"
         "    case \"$word\" in\n"
         "      -H|--host|--bus) [ -n \"$verb\" ] || skip=1 ;;\n"
         "      -*) ;;\n"
         "      *) if [ -n \"$family\" ]; then verb=\"$family $word\"; break; fi\n"
         "         verb=$word\n"
         "         case \"$word\" in " +
         family_pattern() +
         ") family=$word ;; *) break ;; esac ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$verb:$previous\" in\n" +
         value_cases("    ") +
         "  esac\n"
         "  if [ -z \"$verb\" ]; then\n"
         "    case \"$current\" in\n"
         "      -*) _aierase_words \"" +
         option_words(kGlobalOptions) +
         " --version\" ;;\n"
         "      *) _aierase_words \"" +
         first_words() +
         "\" ;;\n"
         "    esac\n"
         "    return\n"
         "  fi\n"
         "  case \"$verb\" in\n" +
         family_cases("    ") +
         "  esac\n"
         "  case \"$current\" in\n"
         "    -*)\n"
         "      case \"$verb\" in\n" +
         option_cases("        ") +
         "      esac\n"
         "      return ;;\n"
         "  esac\n"
         "  case \"$verb\" in\n" +
         operand_cases("    ") +
         "    *) _aierase_files ;;\n"
         "  esac\n";
}

std::string bash_script() {
  return "# bash completion for aierase; made by: aierase completion bash\n"
         "_aierase_words() {\n"
         "  local IFS=$' \\t\\n'\n"
         "  COMPREPLY+=($(compgen -W \"$1\" -- \"$current\"))\n"
         "}\n"
         "_aierase_files() {\n"
         "  local IFS=$'\\n'\n"
         "  compopt -o filenames 2>/dev/null\n"
         "  COMPREPLY+=($(compgen -f -- \"$current\"))\n"
         "}\n"
         "_aierase_offer() {\n" +
         common_body() +
         "}\n"
         "_aierase() {\n"
         "  local current previous words cword\n"
         "  COMPREPLY=()\n"
         "  if declare -F _get_comp_words_by_ref >/dev/null; then\n"
         "    _get_comp_words_by_ref -n : -w words -i cword\n"
         "  else\n"
         "    words=(\"${COMP_WORDS[@]}\") cword=$COMP_CWORD\n"
         "  fi\n"
         "  current=${words[cword]} previous=${words[cword-1]}\n"
         "  _aierase_offer \"${words[@]:1:cword-1}\"\n"
         "  if declare -F __ltrim_colon_completions >/dev/null; then\n"
         "    __ltrim_colon_completions \"$current\"\n"
         "  fi\n"
         "}\n"
         "complete -F _aierase aierase\n";
}

std::string zsh_script() {
  return "#compdef aierase\n"
         "# zsh completion for aierase; made by: aierase completion zsh\n"
         "_aierase_words() { local -a offered; offered=(${=1}); compadd -a offered }\n"
         "_aierase_files() { _files }\n"
         "_aierase_offer() {\n" +
         common_body() +
         "}\n"
         "_aierase() {\n"
         "  local current=${words[CURRENT]} previous=${words[CURRENT-1]}\n"
         "  _aierase_offer \"${(@)words[2,CURRENT-1]}\"\n"
         "}\n"
         "if [ \"$funcstack[1]\" = _aierase ]; then _aierase \"$@\"; else compdef _aierase "
         "aierase; "
         "fi\n";
}

std::string fish_quoted(std::string_view text) {
  std::string result = "'";
  for (const char character : text) {
    if (character == '\'' || character == '\\') result += '\\';
    result += character;
  }
  return result + "'";
}

std::string fish_option(const Option& option, const std::string& condition) {
  std::string text = "complete -c aierase" + condition + " -l " + std::string(option.name);
  if (option.name == "host") text += " -s H";
  if (option.name == "quiet") text += " -s q";
  if (option.name == "help") text += " -s h";
  if (option.arity != Arity::flag) {
    const std::string command = word_command(option.words);
    text += option.words == "%files" ? " -r -F" : " -x";
    if (!command.empty()) text += " -a " + fish_quoted("(" + command + ")");
  }
  return text + " -d " + fish_quoted(option.help) + "\n";
}

std::string fish_script() {
  std::string text =
      "# fish completion for aierase; made by: aierase completion fish\n"
      "complete -c aierase -f\n";
  for (const Option& option : kGlobalOptions) text += fish_option(option, "");
  for (const Verb& verb : kVerbs) {
    const std::size_t space = verb.name.find(' ');
    const std::string first(verb.name.substr(0, space));
    std::string condition = " -n '__fish_seen_subcommand_from " + first;
    if (space == std::string_view::npos) {
      text += "complete -c aierase -n __fish_use_subcommand -a " + first + " -d " +
              fish_quoted(verb.summary) + "\n";
    } else {
      const std::string second(verb.name.substr(space + 1));
      text += "complete -c aierase -n __fish_use_subcommand -a " + first + "\n";
      text += "complete -c aierase" + condition + "; and not __fish_seen_subcommand_from " +
              seconds_of(first) + "' -a " + second + " -d " + fish_quoted(verb.summary) + "\n";
      condition += "; and __fish_seen_subcommand_from " + second;
    }
    condition += "'";
    const std::string command = word_command(verb.words);
    if (verb.words == "%files") text += "complete -c aierase" + condition + " -F\n";
    if (!command.empty()) {
      text += "complete -c aierase" + condition + " -a " + fish_quoted("(" + command + ")") + "\n";
    }
    for (const Option& option : verb.options) text += fish_option(option, condition);
  }
  return text;
}

}  // namespace

Result<int> run_completion(Session& session) {
  const std::string& shell = session.arguments().operands().front();
  if (shell == "bash") {
    session.out().print(bash_script());
  } else if (shell == "zsh") {
    session.out().print(zsh_script());
  } else if (shell == "fish") {
    session.out().print(fish_script());
  } else {
    return make_error(Errc::usage, "there is no completion for " + quoted(shell),
                      "bash, zsh and fish have one");
  }
  return 0;
}

}  // namespace aierase::ctl
