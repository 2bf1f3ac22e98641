// Answers of a TPM as our errors.
//
// Contract: pure. `effect` says what is known after a failure that did not come from the TPM
// itself: nothing was asked yet (Errc::busy), or it may have been done (Errc::io). An answer that
// bears the TPM's name is not authenticated either way: no error proves that nothing was done.
// Specified in: TPM 2.0 Library, part 2, section 6.6.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace aierase::rootslot {

enum class Effect { none, unknown };

// `what` says what was tried, e.g. "NV index 0x01800004 cannot be written".
Error tpm_error(std::uint32_t code, const std::string& what, Effect effect);
// Worth asking again: the TPM works on something, or spares its NV memory.
bool asks_for_patience(std::uint32_t code);

}  // namespace aierase::rootslot
