#include "rootslot/tpm2_errors.h"

#include <tss2/tss2_common.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tpm2_types.h>

namespace aierase::rootslot {
namespace {

// Format-one codes name a parameter, handle or session as well.
std::uint32_t plain(std::uint32_t code) {
  code &= 0xFFFFU;
  return (code & TPM2_RC_FMT1) != 0 ? code & 0x0BFU : code;
}

// The TPM's own answers come with layer 0, or with that of a resource manager that passes them on.
bool is_of_tpm(std::uint32_t code) {
  const std::uint32_t layer = code & TSS2_RC_LAYER_MASK;
  return layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER ||
         layer == TSS2_RESMGR_RC_LAYER;
}

}  // namespace

bool asks_for_patience(std::uint32_t code) {
  if (!is_of_tpm(code)) return false;
  const std::uint32_t answer = plain(code);
  return answer == TPM2_RC_RETRY || answer == TPM2_RC_YIELDED || answer == TPM2_RC_TESTING ||
         answer == TPM2_RC_NV_RATE;
}

Error tpm_error(std::uint32_t code, const std::string& what, Effect effect) {
  const std::string said = what + ": " + Tss2_RC_Decode(code);
  if (!is_of_tpm(code)) {
    if (effect == Effect::unknown) {
      return make_error(Errc::io, said,
                        "the TPM does not answer, and what it did is found out at the next start: "
                        "see to the TPM, then restart aierased");
    }
    return make_error(Errc::busy, said,
                      "is the TPM there, may the user of aierased open it, and does no other "
                      "program hold it? `tpm` in aierased.toml says where it is");
  }
  switch (plain(code)) {
    case TPM2_RC_RETRY:
    case TPM2_RC_YIELDED:
    case TPM2_RC_TESTING:
    case TPM2_RC_NV_RATE:
      return make_error(Errc::busy, said, "the TPM is busy; it is tried again by itself");
    case TPM2_RC_LOCKOUT:
      return make_error(Errc::busy, said,
                        "other users of the TPM gave wrong passwords too often; it recovers by "
                        "itself, or by `tpm2_dictionarylockout --clear-lockout`");
    case TPM2_RC_NV_SPACE:
      return make_error(Errc::resource_limit, said,
                        "the NV memory of the TPM is full: `tpm2_nvreadpublic` lists what is in "
                        "it, `tpm2_nvundefine` removes what nobody needs");
    case TPM2_RC_MEMORY:
    case TPM2_RC_OBJECT_MEMORY:
    case TPM2_RC_SESSION_MEMORY:
    case TPM2_RC_OBJECT_HANDLES:
    case TPM2_RC_SESSION_HANDLES:
      return make_error(
          Errc::busy, said,
          "the TPM is full of keys or sessions of others, as happens without a "
          "resource manager: use device:/dev/tpmrm0, or `tpm2_flushcontext -t -l -s`");
    case TPM2_RC_BAD_AUTH:
    case TPM2_RC_AUTH_FAIL:
      return make_error(Errc::foreign, said,
                        "the authorization value is another one: somebody defined it anew, or set "
                        "a password for the TPM's owner");
    case TPM2_RC_INITIALIZE:
    case TPM2_RC_FAILURE:
    case TPM2_RC_DISABLED:
      return make_error(Errc::busy, said,
                        "the TPM was not started or is in failure mode: restart the machine");
    default:
      return make_error(Errc::unexpected, said);
  }
}

}  // namespace aierase::rootslot
