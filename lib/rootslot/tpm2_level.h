// How far the destruction of a slot in a TPM reaches: the level by what the TPM says of itself and
// by what this machine is.
//
// Contract: pure. A manufacturer that is not known, a virtual machine or container, and a TPM that
// is not reached through the kernel are EA2; nothing a person configures raises it. Specified in:
// erasure-design section 4; aierase-store(5) TPM SLOT.
#pragma once

#include <string>

#include "domain/slot.h"
#include "rootslot/tpm2.h"

namespace aierase::rootslot {

struct Tpm2Sight {
  Tpm2Facts facts;
  std::string tcti;
  std::string virtual_machine;  // as systemd-detect-virt says it; empty on bare metal
  std::string indexes;          // "0x01800004, 0x01800005"
};

domain::SlotAssurance judge_tpm2_slot(const Tpm2Sight& sight);

}  // namespace aierase::rootslot
