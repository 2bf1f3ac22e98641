// Where polkit's questions for a password reach the person at this terminal: its own agent, for as
// long as the calls of this program last.
//
// Contract: start() comes before the first call, from the main thread, and returns once the agent
// is registered for this process, or cannot be (then polkit's answer stands as it is). It goes
// before the agent of a desktop: polkit takes one that steps back only where there is a session of
// logind, and whoever typed the command looks at this terminal. It ends with this program, however
// that ends. Specified in: aierase(1) PEOPLE.
#pragma once

#include <sys/types.h>

namespace aierase::ctl {

class Agent {
 public:
  Agent() = default;
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  void start();

 private:
  pid_t process_ = -1;
};

}  // namespace aierase::ctl
