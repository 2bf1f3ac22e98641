// One erase round while it is decided: the items that go, those that fell out and why.
//
// Contract: used by erasing.cpp, which does what is decided here; the gate is asked anew for every
// item, before TX1 and again inside TX2. Specified in: erasure-design section 5.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lifecycle/core.h"

namespace aierase::lifecycle {

// One item on its way through a round.
struct Candidate {
  domain::PlanItem item;
  domain::Asset asset;
  AssetFacts facts;  // of the catalog, as it was when this was decided last
  GateDecision decision;
  std::string draft;
  Uuid certificate;
};

struct Round {
  domain::Plan plan;
  std::vector<Candidate> going;    // decided to go, at TX1 and again at TX2
  std::vector<Candidate> dropped;  // fell out, with their reasons
  std::uint64_t from_epoch = 0;
  ClockFacts clock;                    // when it was decided first
  std::vector<domain::Reason> trips;   // of the brake: nobody goes, the plan waits for a person
  Binding items = Binding::unchanged;  // all of the plan's, with what its digest covers
  // catalog::ReadView::rows_changed() before the first row was read, and when assets and facts were
  // last known to be those of the catalog. Nothing: they are to be read anew.
  std::int64_t loaded_at = 0;
  std::optional<std::int64_t> known_at;
};

// Before step 2 readers are still to be revoked and are no reason yet.
enum class Readers { to_be_drained, drained };

// The plan's next pending items, as many as a round takes.
Result<Round> load_round(Core& core, const Uuid& plan);
// Decides every candidate anew; those that may not go move to `dropped`.
Status decide(Core& core, const catalog::ReadView& view, Round& round, Readers readers);
// Where the brake has tripped the plan says so, loses its moment and waits for one approval more.
Status write_braked(Core& core, catalog::Transaction& transaction, catalog::StoreState& state,
                    const Round& round);
// What fell out leaves the plan with its reason, and its asset suspended until somebody decides;
// what a legal hold alone keeps stays retired and waits.
Status write_dropped(Core& core, catalog::Transaction& transaction, const Round& round);

std::vector<std::uint32_t> leaves_of(const std::vector<Candidate>& candidates);
GateDecision refused_by(const Error& error);
// Errors that are about one asset: it falls out, the others go on. All else ends the round.
bool concerns_one(const Error& error);

}  // namespace aierase::lifecycle
