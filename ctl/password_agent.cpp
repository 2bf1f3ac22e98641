#include "ctl/password_agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "base/unique_fd.h"

namespace aierase::ctl {
namespace {

constexpr int kNotifyDescriptor = 3;  // the agent's end of the pipe, there

pid_t spawn_agent(int notify) {
  posix_spawn_file_actions_t actions;
  if (posix_spawn_file_actions_init(&actions) != 0) return -1;
  const std::string descriptor = std::to_string(kNotifyDescriptor);
  const std::string process = std::to_string(getpid());
  const char* argv[] = {"pkttyagent",  "--fallback",       "--process", process.c_str(),
                        "--notify-fd", descriptor.c_str(), nullptr};
  pid_t child = -1;
  if (posix_spawn_file_actions_adddup2(&actions, notify, kNotifyDescriptor) != 0 ||
      posix_spawnp(&child, argv[0], &actions, nullptr, const_cast<char**>(argv), environ) != 0) {
    child = -1;
  }
  posix_spawn_file_actions_destroy(&actions);
  return child;
}

}  // namespace

std::unique_ptr<PasswordAgent> PasswordAgent::start() {
  if (getuid() == 0 || isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1) return nullptr;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return nullptr;
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const pid_t child = spawn_agent(writing.get());
  if (child < 0) return nullptr;
  writing.reset();
  // It closes its end once polkit knows it, or when it ends.
  char nothing = 0;
  while (read(reading.get(), &nothing, 1) < 0 && errno == EINTR) {
  }
  return std::unique_ptr<PasswordAgent>(new PasswordAgent(child));
}

PasswordAgent::~PasswordAgent() {
  kill(process_, SIGTERM);
  kill(process_, SIGCONT);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace aierase::ctl
