// As whom somebody logged in whose process opened a connection: the login uid of the kernel.
//
// Contract: blocks no longer than /proc does. The number of a process is used again once it is
// gone. With a handle of the process that cannot deceive; without one the account has to be that of
// the connection, and another process of the same account is not told apart. Where the kernel keeps
// no login uid there is none to hide. See pam_loginuid(8), aierase-threat-model(7).
#pragma once

#include <cstdint>
#include <optional>

#include "base/unique_fd.h"
#include "domain/people.h"

namespace aierase::daemon {

// What the bus says of it.
struct ConnectionProcess {
  std::uint32_t uid = domain::kNoUid;  // of the connection
  std::uint32_t pid = 0;               // 0: not known
  UniqueFd handle;                     // of the process (pidfd), where the bus gives one
};

struct Login {
  domain::LoginSight sight = domain::LoginSight::told;
  std::optional<std::uint32_t> uid;  // none: nobody logged in, or hidden
};
Login login_of(const ConnectionProcess& process);

}  // namespace aierase::daemon
