// May this caller do that: polkit, asked asynchronously, failing closed.
//
// Contract: runs on the loop; each question gets exactly one answer, later or at once. Where polkit
// is on the bus (its name owned or activatable, its owner uid 0 or user polkitd) it decides, and
// any error or time-out is a denial, also for root; where there is none, uid 0 and the daemon's own
// uid are allowed and nobody else. At most limits::kOpenQuestions are open.
// Specified in: aierase(1) PEOPLE; org.aierase1(5).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "bus/handles.h"
#include "daemon/task.h"

namespace aierase::daemon {

using Details = std::vector<std::pair<std::string, std::string>>;

class Authority {
 public:
  // The bus must outlive it.
  explicit Authority(sd_bus* bus);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  struct Question {
    sd_bus_message* call = nullptr;  // whose sender is the subject; kept alive until answered
    std::uint32_t uid = 0;           // of the sender
    std::string action;              // "org.aierase1.retire"
    Details details;
  };
  void ask(Question question, Task<void(Status)> answer);

 private:
  class Inquiry;
  void forget(std::uint64_t number);

  sd_bus* bus_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Inquiry>> open_;
};

}  // namespace aierase::daemon
