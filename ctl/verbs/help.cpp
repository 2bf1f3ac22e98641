#include <cctype>

#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {
namespace {

constexpr std::size_t kColumn = 30;
constexpr std::size_t kVerbColumn = 38;

std::string synopsis_of(const Verb& verb) {
  std::string text = "aierase " + std::string(verb.name);
  if (!verb.options.empty()) text += " [OPTION]...";
  if (!verb.operands.empty()) text += " " + std::string(verb.operands);
  return text;
}

std::string option_line(const Option& option) {
  const std::string_view name = option.name;
  std::string text = name == "host"    ? "  -H, --"
                     : name == "quiet" ? "  -q, --"
                     : name == "help"  ? "  -h, --"
                                       : "      --";
  text += name;
  if (!option.value.empty()) text += " " + std::string(option.value);
  text += text.size() + 2 > kColumn ? "\n" + std::string(kColumn, ' ')
                                    : std::string(kColumn - text.size(), ' ');
  text += option.help;
  if (option.arity == Arity::many) text += " (may be repeated)";
  return text + "\n";
}

}  // namespace

std::string overview() {
  std::string text =
      "aierase: end-of-life authority for AI models\n\n"
      "Usage: aierase [OPTION]... VERB ...\n";
  Group group{};
  bool first = true;
  for (const Verb& verb : kVerbs) {
    if (first || verb.group != group) text += "\n" + std::string(title_of(verb.group)) + "\n";
    first = false;
    group = verb.group;
    std::string line = "  " + std::string(verb.name) + " " + std::string(verb.operands);
    line += line.size() + 2 > kVerbColumn ? "\n" + std::string(kVerbColumn, ' ')
                                          : std::string(kVerbColumn - line.size(), ' ');
    text += line + std::string(verb.summary) + "\n";
  }
  text += "\noptions, before or behind the verb\n";
  for (const Option& option : kGlobalOptions) text += option_line(option);
  text += "      --version               print the version\n";
  return text +
         "\naierase VERB --help explains a verb; aierase(1) is the manual, with the exit codes.\n";
}

std::string help_of(const Verb& verb, std::size_t) {
  std::string summary(verb.summary);
  summary[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(summary[0])));
  std::string text = "Usage: " + synopsis_of(verb) + "\n\n" + summary + ".\n";
  if (!verb.options.empty()) {
    text += "\n";
    for (const Option& option : verb.options) text += option_line(option);
  }
  text += "\noptions of every verb\n";
  for (const Option& option : kGlobalOptions) text += option_line(option);
  return text;
}

std::string help_of(const std::string& name, std::size_t width) {
  std::string text;
  for (const Verb& verb : kVerbs) {
    const bool family = verb.name.substr(0, name.size() + 1) == name + " ";
    if (verb.name != name && !family) continue;
    text += (text.empty() ? "" : "\n") + help_of(verb, width);
  }
  return text;
}

Result<int> run_help(Session& session) {
  const auto& words = session.arguments().operands();
  if (words.empty()) {
    session.out().print(overview());
    return 0;
  }
  const std::string name = words.size() == 2 ? words[0] + " " + words[1] : words[0];
  const std::string text = help_of(name, session.out().width());
  if (text.empty()) {
    return make_error(Errc::usage, "there is no verb " + quoted(name),
                      "aierase --help lists the verbs");
  }
  session.out().print(text);
  return 0;
}

}  // namespace aierase::ctl
