#include "ctl/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "ctl/render.h"

namespace aierase::ctl {
namespace {

constexpr std::size_t kGather = 64 << 10;

// errno of the first failure, 0 where all was written.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

std::size_t terminal_width() {
  winsize size{};
  if (!is_terminal(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return kNoWrap;
  return size.ws_col < 40 ? kNoWrap : size.ws_col;
}

bool wants_colour() {
  const char* refused = getenv("NO_COLOR");
  const char* terminal = getenv("TERM");
  return is_terminal(STDOUT_FILENO) && (refused == nullptr || *refused == '\0') &&
         (terminal == nullptr || strcmp(terminal, "dumb") != 0);
}

}  // namespace

bool is_terminal(int descriptor) {
  return isatty(descriptor) == 1;
}

Output::Output(Form form, Verbosity verbosity)
    : form_(form), verbosity_(verbosity), width_(terminal_width()), colour_(wants_colour()) {}

std::string Output::toned(Tone tone, std::string_view text) const {
  if (!colour_ || tone == Tone::plain) return std::string(text);
  const char* start = tone == Tone::good ? "\x1b[32m" : tone == Tone::bad ? "\x1b[31m" : "\x1b[2m";
  return start + std::string(text) + "\x1b[0m";
}

void Output::print(std::string_view text) {
  pending_ += text;
  if (pending_.size() >= kGather) flush();
}

void Output::print_json(std::string_view verb, Json object) {
  std::string schema(verb);
  for (char& character : schema) {
    if (character == ' ') character = '-';
  }
  object["schema"] = "aierase/" + schema + "/v1";
  const auto text = form_ == Form::json_lines ? dump_canonical(object) : dump_pretty(object);
  print(text.ok() ? *text + "\n" : std::string());
  if (!text.ok() && failed_errno_ == 0) failed_errno_ = EILSEQ;
}

void Output::remark(std::string_view sentence) {
  if (quiet() || !for_people()) return;
  flush();
  static_cast<void>(write_all(STDERR_FILENO, std::string(sentence) + "\n"));
}

void Output::flush() {
  if (failed_errno_ == 0) failed_errno_ = write_all(STDOUT_FILENO, pending_);
  pending_.clear();
}

bool Output::push_out() {
  flush();
  return failed_errno_ == 0;
}

int Output::finish(int code) {
  flush();
  if (failed_errno_ == 0) return code;
  if (failed_errno_ != EPIPE) {
    const std::string why =
        failed_errno_ == EBADF ? std::string("it is closed") : std::string(strerror(failed_errno_));
    tell(make_error(Errc::unexpected, "cannot write to standard output: " + why,
                    "what was asked for has been done; only the answer is lost"),
         form_);
  }
  return code == 0 ? 1 : code;
}

void tell(const Error& error, Form form) {
  std::string text;
  if (form == Form::people) {
    text = "aierase: " + printable(error.message) + "\n";
    if (!error.hint.empty()) text += "hint: " + printable(error.hint) + "\n";
  } else {
    const Json object = {{"schema", "aierase/error/v1"},
                         {"error",
                          {{"code", std::string(info(error.code).name)},
                           {"message", printable(error.message)},
                           {"hint", printable(error.hint)},
                           {"subject", printable(error.subject)}}}};
    const auto dumped = dump_canonical(object);
    text = dumped.ok() ? *dumped + "\n" : "{}\n";
  }
  static_cast<void>(write_all(STDERR_FILENO, text));
}

}  // namespace aierase::ctl
