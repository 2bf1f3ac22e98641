// How far the destruction of a file slot reaches: the level by allow-list, and what may hold a
// copy.
//
// Contract: pure. What is not recognised is EA0; nothing a person configures raises it. Specified
// in: erasure-design sections 3 and 4; aierase-store(5) ROOT SLOT.
#pragma once

#include <string>
#include <vector>

#include "base/env.h"
#include "domain/slot.h"

namespace aierase::rootslot {

enum class DirectIo { works, refused };
enum class Placement { as_recorded, elsewhere };

struct SlotSight {
  std::string path;
  StorageInfo storage;
  DirectIo direct = DirectIo::refused;
  Placement placement = Placement::elsewhere;
  std::vector<Extent> extents;  // empty where the file system does not tell
};

domain::SlotAssurance judge_file_slot(const SlotSight& sight);

}  // namespace aierase::rootslot
