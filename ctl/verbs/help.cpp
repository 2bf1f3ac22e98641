#include <cctype>

#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {
namespace {

constexpr std::size_t kColumn = 30;
constexpr std::size_t kVerbColumn = 38;

constexpr std::size_t kPageWidth = 80;  // where there is no terminal

std::size_t page_width(std::size_t width) {
  return width == kNoWrap ? kPageWidth : width;
}

// `text` in a column of its own, behind `line` or below it.
std::string in_column(std::string line, std::size_t column, std::string_view text,
                      std::size_t width) {
  const std::string folded = wrapped(text, width, column);
  if (line.size() + 2 > column) return line + "\n" + folded + "\n";
  return line + folded.substr(line.size()) + "\n";
}

std::string synopsis_of(const Verb& verb) {
  std::string text = "aierase " + std::string(verb.name);
  if (!verb.options.empty()) text += " [OPTION]...";
  if (!verb.operands.empty()) text += " " + std::string(verb.operands);
  return text;
}

std::string option_line(const Option& option, std::size_t width) {
  const std::string_view name = option.name;
  std::string text = name == "host"    ? "  -H, --"
                     : name == "quiet" ? "  -q, --"
                     : name == "help"  ? "  -h, --"
                                       : "      --";
  text += name;
  if (!option.value.empty()) text += " " + std::string(option.value);
  std::string help(option.help);
  if (option.arity == Arity::many) help += " (may be repeated)";
  return in_column(std::move(text), kColumn, help, width);
}

std::string global_options(std::string_view heading, std::size_t width) {
  std::string text = "\n" + std::string(heading) + "\n";
  for (const Option& option : kGlobalOptions) text += option_line(option, width);
  return text;
}

// Without the options of every verb.
std::string own_help_of(const Verb& verb, std::size_t width) {
  std::string summary(verb.summary);
  summary[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(summary[0])));
  std::string text =
      "Usage: " + synopsis_of(verb) + "\n\n" + wrapped(summary + ".", width, 0) + "\n";
  if (!verb.options.empty()) text += "\n";
  for (const Option& option : verb.options) text += option_line(option, width);
  return text;
}

}  // namespace

std::string overview(std::size_t terminal) {
  const std::size_t width = page_width(terminal);
  std::string text =
      "aierase: end-of-life authority for AI models\n\n"
      "Usage: aierase [OPTION]... VERB ...\n";
  Group group{};
  bool first = true;
  for (const Verb& verb : kVerbs) {
    if (first || verb.group != group) text += "\n" + std::string(title_of(verb.group)) + "\n";
    first = false;
    group = verb.group;
    text += in_column("  " + std::string(verb.name) + " " + std::string(verb.operands), kVerbColumn,
                      verb.summary, width);
  }
  text += global_options("options, before or behind the verb", width);
  text += in_column("      --version", kColumn, "print the version", width);
  return text + "\n" +
         wrapped(
             "aierase VERB --help explains a verb; aierase(1) is the manual, with the exit codes.",
             width, 0) +
         "\n";
}

std::string help_of(const Verb& verb, std::size_t terminal) {
  const std::size_t width = page_width(terminal);
  return own_help_of(verb, width) + global_options("options of every verb", width);
}

std::string help_of(const std::string& name, std::size_t terminal) {
  const std::size_t width = page_width(terminal);
  std::string text;
  for (const Verb& verb : kVerbs) {
    const bool family = verb.name.substr(0, name.size() + 1) == name + " ";
    if (verb.name != name && !family) continue;
    text += (text.empty() ? "" : "\n") + own_help_of(verb, width);
  }
  return text.empty() ? text : text + global_options("options of every verb", width);
}

Result<int> run_help(Session& session) {
  const auto& words = session.arguments().operands();
  if (words.empty()) {
    session.out().print(overview(session.out().width()));
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
