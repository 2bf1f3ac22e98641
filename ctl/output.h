// Standard output and standard error as this program uses them.
//
// Contract: one thread. Text is gathered and written in large pieces; the first failed write is
// kept and decides the exit code at finish(): a closed pipe ends quietly with 1 (the reader has
// left on purpose), everything else with a sentence. Colour and width are asked of the terminal
// once; NO_COLOR is obeyed. Errors are told by tell() in the form the caller asked for.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "ctl/arguments.h"

namespace aierase::ctl {

enum class Tone { plain, good, bad, faint };

inline constexpr std::size_t kNoWrap = 1 << 20;  // the width where there is no terminal

class Output {
 public:
  Output(Form form, Verbosity verbosity);

  Form form() const { return form_; }
  bool for_people() const { return form_ == Form::people; }
  bool quiet() const { return verbosity_ == Verbosity::quiet; }
  std::size_t width() const { return width_; }
  std::string toned(Tone tone, std::string_view text) const;  // on a terminal only

  void print(std::string_view text);
  // Adds "schema": "aierase/<verb>/v1" and prints the object; pretty, or one line for json_lines.
  void print_json(std::string_view verb, Json object);
  // What people should know but programs must not read: standard error, silenced by --quiet.
  void remark(std::string_view sentence);
  // What was printed so far goes out now. False where nobody reads it.
  bool push_out();
  // The exit code after everything is out; `code` where writing went well.
  int finish(int code);

 private:
  void flush();

  Form form_;
  Verbosity verbosity_;
  std::size_t width_ = 0;
  bool colour_ = false;
  std::string pending_;
  int failed_errno_ = 0;
};

// "aierase: sentence" and "hint: ..." or the object aierase/error/v1, on standard error.
void tell(const Error& error, Form form);

bool is_terminal(int descriptor);

}  // namespace aierase::ctl
