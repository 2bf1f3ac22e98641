// Which assets the policy makes due by a moment, or whose rules contradict each other then.
//
// Contract: used by a nightly run. Every asset has a moment of the next look in the catalog, no
// later than its decision may change by time alone; what changes about it otherwise is noted by the
// catalog itself. All living assets are looked at once under each policy and once a week, so that a
// moment that is wrong delays by a week at the most, and never hastens: what is found is decided
// anew by whoever acts on it. Each step() looks at one page. Specified in: aierase-store(5)
// CATALOG.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lifecycle/core.h"

namespace aierase::lifecycle {

// When it has to be looked at next, whatever else does not change; none: never.
std::optional<UtcTime> next_look(const policy::Decision& decision);

class Sweep {
 public:
  struct Found {
    std::int64_t row = 0;
    Uuid asset;
    std::size_t retention_class = 0;  // that decides: index into classes()
  };
  struct Failure {
    std::int64_t row = 0;
    Uuid asset;
    domain::AssetName name;
    Error why;
  };

  Sweep(Core& core, Persist persist, UtcTime moment)
      : core_(core), persist_(persist), moment_(moment) {}
  Status begin(const catalog::Enforcement& last);
  Result<bool> step();  // false: everything was looked at

  // Class by class, the newest import first, each once.
  std::vector<Found> take_found();
  const std::vector<std::string>& classes() const { return classes_; }
  const std::vector<Failure>& failures() const { return failures_; }
  std::uint64_t looked_at() const { return looked_at_; }
  bool looks_at_all() const { return sweeps_under_.has_value(); }
  // The version of the policy under which all that lives was looked at; none: not all of it was.
  const std::optional<Digest>& swept_policy() const { return swept_policy_; }

 private:
  enum class Phase { all, changed, due, over };
  enum class After { more, last_page };

  Result<std::vector<catalog::Look>> look_at(const std::vector<catalog::Looked>& page);
  void note(const catalog::Looked& looked, const policy::Decision& decision);
  Result<After> all_page();
  Result<After> changed_page();
  Result<After> due_page();
  Status write_looks();

  Core& core_;
  const Persist persist_;
  const UtcTime moment_;
  Phase phase_ = Phase::over;
  std::int64_t after_ = 0;
  catalog::LookCursor due_after_;
  std::vector<catalog::Look> looks_;  // to be written
  std::vector<Found> found_;
  std::vector<std::string> classes_;
  std::vector<Failure> failures_;
  std::uint64_t looked_at_ = 0;
  std::optional<Digest> sweeps_under_, swept_policy_;
};

}  // namespace aierase::lifecycle
