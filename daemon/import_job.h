// The import of one asset: reads the passed descriptors, seals, and hands the result to the store.
//
// Contract: made on the loop with a ticket of begin_import(); from then on the ticket's import ends
// in finish or abort, whatever happens. Specified in: org.aierase1(5) Asset.Import.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/jobs.h"
#include "lifecycle/store.h"

namespace aierase::daemon {

// As told by the client; what matters of it is observed.
struct ToldSource {
  std::string description;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  bool retrofitted = false;  // the client saw a disk file behind its pipe
};

struct ImportOrder {
  lifecycle::ImportTicket ticket;
  domain::Actor actor;
  std::vector<ToldSource> sources;
  bool asserts_encrypted = false;  // source_history = encrypted-from-first-write
  bool generates_key = false;
  bool without_files = false;        // in what is told at the end
  std::optional<UniqueFd> metadata;  // to be sealed into the manifest
};

// For a ticket that no job took over: its import ends. Waits for nothing.
void abort_on_store(StoreThread& store, const Uuid& asset);

std::unique_ptr<JobWork> make_import(Jobs& jobs, std::shared_ptr<JobChannel> channel,
                                     ImportOrder order);

}  // namespace aierase::daemon
