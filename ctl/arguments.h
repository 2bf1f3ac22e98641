// What a person typed, taken apart: global options, the verb, its options and operands.
//
// Contract: pure. Every refusal is Errc::usage with a sentence and the help to read; a scalar
// option given twice is refused, never "the last one wins". The digest behind a plan is kept for
// approve alone. The only place that knows cxxopts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ctl/verb.h"

namespace aierase::ctl {

enum class Form { people, json, json_lines };
enum class Verbosity { normal, quiet };
enum class Prompts { allowed, forbidden };
enum class Request { run, help, version, nothing };

struct CommandLine;

class Arguments {
 public:
  bool has(std::string_view option) const { return find(option) != nullptr; }
  const std::string* find(std::string_view option) const;
  std::string value_or(std::string_view option, std::string_view otherwise) const;
  std::vector<std::string> all(std::string_view option) const;
  const std::vector<std::string>& operands() const { return operands_; }

 private:
  friend class Parser;
  friend Result<CommandLine> parse_command_line(const std::vector<std::string>& words);
  std::vector<std::pair<std::string, std::string>> options_;  // in the order typed
  std::vector<std::string> operands_;
};

struct CommandLine {
  Request request = Request::run;
  const Verb* verb = nullptr;
  std::string family;  // Request::help without a verb: of those that begin with this word
  Arguments arguments;
  Form form = Form::people;
  Verbosity verbosity = Verbosity::normal;
  Prompts prompts = Prompts::allowed;
  std::string host;
  std::string bus = "system";
};

// `words` is argv without the program's name.
Result<CommandLine> parse_command_line(const std::vector<std::string>& words);
// Whether --json or --json-lines stands anywhere before `--`: decides how a usage error is told.
Form form_of(const std::vector<std::string>& words);

}  // namespace aierase::ctl
