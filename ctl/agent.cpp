#include "ctl/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "base/unique_fd.h"
#include "ctl/interrupt.h"

namespace aierase::ctl {
namespace {

constexpr const char* kAgent = "/usr/bin/pkttyagent";

// Somebody in the background would be stopped by the question instead of seeing it.
bool is_at_terminal() {
  const UniqueFd terminal(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  return terminal.valid() && tcgetpgrp(terminal.get()) == getpgrp();
}

// In the child: only what may be called between fork and exec.
[[noreturn]] void become_agent(pid_t parent, int registered, char* const* words) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);
  for (const int number : {SIGINT, SIGTERM, SIGPIPE}) signal(number, SIG_DFL);
  fcntl(registered, F_SETFD, 0);
  execv(kAgent, words);
  _exit(1);
}

}  // namespace

void Agent::start() {
  // polkit asks root for nothing.
  if (geteuid() == 0 || access(kAgent, X_OK) != 0 || !is_at_terminal()) return;
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return;
  const UniqueFd seen(ends[0]);
  UniqueFd registered(ends[1]);
  const pid_t parent = getpid();
  std::string texts[] = {kAgent, "--process", std::to_string(parent), "--notify-fd",
                         std::to_string(registered.get())};
  char* words[std::size(texts) + 1] = {};
  for (std::size_t i = 0; i < std::size(texts); ++i) words[i] = texts[i].data();
  process_ = fork();
  if (process_ == 0) become_agent(parent, registered.get(), words);
  registered.reset();
  // Its end closes once it is registered, or has given up.
  static_cast<void>(wait_until(seen.get(), Ready::read));
}

Agent::~Agent() {
  if (process_ <= 0) return;
  kill(process_, SIGTERM);
  kill(process_, SIGCONT);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace aierase::ctl
