// One conversation with a TPM 2.0: NV indexes over a salted session with encrypted parameters.
//
// Contract: made by connect(), used by one thread, ended by the destructor, which leaves nothing
// in the TPM. The session's salt is encrypted to the TPM's own storage key, whose name the caller
// compares with the one that was recorded: somebody between us and the chip then sees and changes
// nothing. Errors: Errc::busy, resource_limit, foreign and unexpected mean that the TPM is said to
// have refused, which nothing authenticates: only a read() in the same conversation shows what a
// write() that failed left. Errc::io means that it is not known what it did. A TPM that is busy is
// asked again for Tpm2Settings::patience. What the library of the TPM keeps on its heap is out of
// our reach and not zeroized. Specified in: aierase-store(5) TPM SLOT; TPM 2.0 Library, part 3.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "domain/slot.h"

namespace aierase::rootslot {

struct Tpm2Settings {
  std::string tcti = "device:/dev/tpmrm0";  // as tpm2-tools take it
  std::chrono::milliseconds patience{8000};
};

// What a TPM says of itself.
struct Tpm2Facts {
  std::string manufacturer;  // "IFX"
  std::string vendor;        // "SLB9670"
  std::string firmware;      // "7.85.4555.0"
  Bytes key_name;            // of the storage key: another one after a clear, or of another TPM
};

enum class NvKind { slot, counter };
// unwritten, defined: as this program defines it, and nobody else does by accident.
enum class NvState { absent, unwritten, defined, other };

using NvIndex = std::uint32_t;
std::string nv_text(NvIndex index);  // "0x01800004"

inline constexpr std::size_t kNvSlotBytes = 96;
inline constexpr std::size_t kNvAuthBytes = 32;

class Tpm2 {
 public:
  // Errc::busy: nobody answers there now, or the TPM has no room for a session.
  static Result<Tpm2> connect(const Tpm2Settings& settings);
  Tpm2(Tpm2&&) noexcept;
  Tpm2& operator=(Tpm2&&) noexcept;
  ~Tpm2();

  const Tpm2Facts& facts() const;
  Result<NvState> state(NvIndex index, NvKind kind);
  // Index that is absent. `auth` is kNvAuthBytes.
  Status define(NvIndex index, NvKind kind, const SecretBytes& auth);
  Status undefine(NvIndex index);
  // kNvSlotBytes each.
  Status read(NvIndex index, const SecretBytes& auth, ByteSpan to);
  Status write(NvIndex index, const SecretBytes& auth, ByteView from);
  Result<std::uint64_t> count(NvIndex index, const SecretBytes& auth);
  Result<std::uint64_t> increment(NvIndex index, const SecretBytes& auth);
  // The key that the TPM signs its own state with, derived from the endorsement seed: P-256,
  // SHA-256, restricted. As SubjectPublicKeyInfo in DER.
  Result<Bytes> attestation_key();
  // All that the index holds, signed, with `bound_to` inside. Nothing but what holds against
  // check_nv_statement().
  Result<domain::TpmStatement> certify(NvIndex index, NvKind kind, const SecretBytes& auth,
                                       const Digest& bound_to);
  // The manufacturer's certificate of the TPM, X.509 in DER; empty where there is none.
  Result<Bytes> endorsement_certificate();

 private:
  struct Impl;
  explicit Tpm2(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Before anybody relies on a statement: Errc::unexpected unless `key` signed it, and it is about
// all of that index and bound to that, and a slot is zero.
Status check_nv_statement(const domain::TpmStatement& signed_by_tpm, ByteView key, NvIndex index,
                          NvKind kind, const Digest& bound_to);

// Errors of the library are told by us: it writes nothing of its own to standard error. To be
// called once, before any thread.
void quiet_tpm_library();

}  // namespace aierase::rootslot
