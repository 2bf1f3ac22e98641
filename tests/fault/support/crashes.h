// Stops an act at every operation of the disk, lets the machine fall in several ways, recovers
// (also with the recovery stopped again), and asks what must be true.
//
// Contract: every failure names the operation, the fall and the seed. Sampled so that all runs
// together stay within seconds; AIERASE_TEST_ALL=1 leaves nothing out.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "fault/support/world.h"

namespace aierase::test {

bool test_all();  // AIERASE_TEST_ALL=1

// What a life of the process saw, and what it had promised when it ended.
struct Seen {
  std::set<lifecycle::EraseStep> reached;
  std::set<Uuid> doomed;  // being erased when step 4 began
  std::set<Uuid> held;    // place_hold() said yes
  std::size_t refused_holds = 0;
  std::map<Uuid, std::string> statements;  // of certificates once TX3 was durable
};

// Installs itself as the hook of the world; a hold upon `asset` is placed when `at` begins.
class Watch {
 public:
  explicit Watch(World& world) : world_(world) {
    world.hook = [this](lifecycle::EraseStep step) { look(step); };
  }
  ~Watch() { world_.hook = nullptr; }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void hold(const std::string& asset, lifecycle::EraseStep at) { wish_.emplace(asset, at); }

  Seen seen;

 private:
  void look(lifecycle::EraseStep step);

  World& world_;
  std::optional<std::pair<std::string, lifecycle::EraseStep>> wish_;
};

// No living asset lost, no certificate without destruction, no destruction without certificate, no
// hold lost. The world is open and recovered.
// quick: by rows and keys; readings: every living asset read back; thorough: and a deep check.
enum class Look { quick, readings, thorough };
void expect_sound(World& world, const Seen& seen, Look look = Look::thorough);

struct StopPlan {
  std::function<void(World&)> act;    // in the first life, open or not
  std::function<void(World&)> check;  // after recovery, open
  std::function<Status(World&)> recover = [](World& world) { return world.open(); };
  std::size_t stride = 1;  // of operations, in a sampled run
  enum class Nested { no, yes } nested = Nested::yes;
};
// Returns how many futures were looked at.
std::size_t stop_everywhere(World& world, const World::Moment& start, const StopPlan& plan);

}  // namespace aierase::test
