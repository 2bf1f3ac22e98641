// Rows of the erase round, as the catalog keeps them between TX1 and TX3.
//
// Contract: plain values. At most one round exists. Specified in: erasure-design section 5.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "domain/plan.h"

namespace aierase::catalog {

enum class Drafts { read, left_out };  // they are megabytes
struct RoundItem {
  Uuid plan;
  Uuid asset;
  std::uint32_t leaf = 0;
  std::string draft;              // certificate::draft_statement, TX1
  Uuid certificate;               // id, chosen at TX1
  std::uint64_t first_epoch = 0;  // of the asset; this and what follows: read, never written here
  std::int64_t draft_row = 0;
};
struct EraseRound {
  domain::RoundState state = domain::RoundState::intent;
  std::uint64_t from_epoch = 0;  // epoch whose slot secret dies
  UtcTime intent_at{};
  std::vector<RoundItem> items;
};

}  // namespace aierase::catalog
