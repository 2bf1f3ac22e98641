#include "ctl/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>

#include "base/secret_bytes.h"
#include "ctl/interrupt.h"

namespace aierase::ctl {
namespace {

constexpr std::size_t kMost = 1024;  // below a pipe's capacity: the write never waits

class EchoOff {
 public:
  explicit EchoOff(int terminal) : terminal_(terminal) {
    changed_ = tcgetattr(terminal_, &before_) == 0;
    if (!changed_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(terminal_, TCSAFLUSH, &silent);
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;
  ~EchoOff() {
    if (changed_) tcsetattr(terminal_, TCSAFLUSH, &before_);
  }

 private:
  int terminal_;
  bool changed_ = false;
  termios before_{};
};

struct Typed {
  SecretBytes bytes;
  std::size_t size = 0;
};

enum class Until { newline, end_of_file };

Result<Typed> read_secret(int descriptor, Until until) {
  Typed typed;
  ASSIGN_OR_RETURN(typed.bytes, SecretBytes::zeroed(kMost));
  for (;;) {
    RETURN_IF_ERROR(wait_until(descriptor, Ready::read));
    const ssize_t got = typed.bytes.fill([&](ByteSpan to) {
      return read(descriptor, to.data() + typed.size, to.size() - typed.size);
    });
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error(errno, "cannot read the passphrase");
    typed.size += static_cast<std::size_t>(got);
    const bool newline = typed.size > 0 && typed.bytes.reveal([&](ByteView all) {
      return all[typed.size - 1] == std::byte{'\n'};
    });
    if (got == 0 || (newline && until == Until::newline)) {
      if (newline) --typed.size;
      return typed;
    }
    if (typed.size == kMost) {
      return make_error(Errc::invalid_input, "the passphrase is longer than 1023 bytes");
    }
  }
}

Result<Typed> from_terminal(int terminal, const char* question) {
  const EchoOff silent(terminal);
  RETURN_IF_ERROR(write_fully(terminal, question, strlen(question)));
  auto typed = read_secret(terminal, Until::newline);
  static_cast<void>(write_fully(terminal, "\n", 1));
  return typed;
}

bool equal(const Typed& a, const Typed& b) {
  return a.size == b.size && a.bytes.equals(b.bytes);
}

// What a terminal could give as well: one line, or the same line twice where it would be asked for
// twice. Anything else could never be typed.
Status take_first_line(Typed& typed, Ask times) {
  return typed.bytes.reveal([&](ByteView all) -> Status {
    const ByteView text = all.first(typed.size);
    const auto end = std::find(text.begin(), text.end(), std::byte{'\n'});
    const auto first = static_cast<std::size_t>(end - text.begin());
    if (first == text.size()) return {};
    const ByteView second = text.subspan(first + 1);
    typed.size = first;
    if (times == Ask::twice && std::equal(second.begin(), second.end(), text.begin(), end)) {
      return {};
    }
    return make_error(Errc::invalid_input,
                      times == Ask::twice ? "the passphrase is not one line, or the same line twice"
                                          : "the passphrase is more than one line",
                      "a line break cannot be typed at a terminal later");
  });
}

Result<Typed> obtain(Prompts prompts, const char* question, Ask times) {
  if (isatty(STDIN_FILENO) != 1) {
    ASSIGN_OR_RETURN(Typed typed, read_secret(STDIN_FILENO, Until::end_of_file));
    RETURN_IF_ERROR(take_first_line(typed, times));
    return typed;
  }
  const UniqueFd terminal(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (prompts == Prompts::forbidden || !terminal.valid()) {
    return make_error(Errc::access_denied, "a passphrase is needed, and asking for it is forbidden",
                      "pipe it in, or leave --no-ask-password out");
  }
  ASSIGN_OR_RETURN(Typed first, from_terminal(terminal.get(), question));
  if (times == Ask::once) return first;
  ASSIGN_OR_RETURN(const Typed second, from_terminal(terminal.get(), "Again: "));
  if (!equal(first, second)) {
    return make_error(Errc::invalid_input, "the two passphrases differ", "try again");
  }
  return first;
}

}  // namespace

Result<UniqueFd> ask_passphrase(Prompts prompts, const char* question, Ask times) {
  ASSIGN_OR_RETURN(const Typed typed, obtain(prompts, question, times));
  if (typed.size == 0) return make_error(Errc::invalid_input, "the passphrase is empty");
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno_error(errno, "cannot make a pipe");
  UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  const ssize_t written = typed.bytes.reveal(
      [&](ByteView all) { return write(writing.get(), all.data(), typed.size); });
  if (written != static_cast<ssize_t>(typed.size)) {
    return errno_error(errno, "cannot hand the passphrase over");
  }
  return reading;
}

}  // namespace aierase::ctl
