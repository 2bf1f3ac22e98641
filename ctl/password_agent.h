// Whoever types a password for polkit at this terminal: pkttyagent(1), for as long as this program
// runs.
//
// Contract: started where there is a terminal to ask at and nobody else does (a desktop has an
// agent of its own, and keeps it). Where it cannot be started nothing is lost but the question.
// Ended and waited for by the destructor. One thread. Specified in: aierase(1) PEOPLE.
#pragma once

#include <sys/types.h>

#include <memory>

namespace aierase::ctl {

class PasswordAgent {
 public:
  static std::unique_ptr<PasswordAgent> start();  // null where there is none
  ~PasswordAgent();
  PasswordAgent(const PasswordAgent&) = delete;
  PasswordAgent& operator=(const PasswordAgent&) = delete;

 private:
  explicit PasswordAgent(pid_t process) : process_(process) {}
  pid_t process_;
};

}  // namespace aierase::ctl
