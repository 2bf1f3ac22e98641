// Where the slot secret lives and dies: two slots by parity of epoch, and the anchor that
// recognises an older database.
//
// Contract: one RootSlot per store, used by one thread, locked exclusively for life by open.
// Every write is durable and read back before it returns. An Errc::io from any call is final: the
// process stops. Errc::damaged from destroy says the same; any other error of write and destroy
// means that nothing was changed, and of destroy with an intent, that the slot was seen to hold the
// secret that was to die. read() never changes anything. Specified in: aierase-store(5)
// ROOT SLOT and TPM SLOT; erasure-design section 3.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/env.h"
#include "base/result.h"
#include "base/uuid.h"
#include "crypto/keys.h"
#include "domain/destroyed_proof.h"
#include "domain/slot.h"
#include "rootslot/tpm2.h"

namespace aierase::rootslot {

// Where a secret, or a share of it, may be gone already: nothing may look as if that had not
// happened.
inline Error as_final(Error error) {
  error.code = Errc::io;
  return error;
}

enum class SlotContent {
  zero,     // all copies are zeros
  whole,    // all copies equal, and check
  torn,     // anything else of ours: one good copy may be in it
  foreign,  // a good copy of another store
};

// Of a slot file that is open: what lies at its path.
enum class SlotPlace {
  present,
  missing,   // nothing, or nothing that can be looked at
  replaced,  // another file
  linked,    // it, and under other names, too
};
std::string_view to_text(SlotPlace place) noexcept;

struct SlotReading {
  SlotContent content = SlotContent::zero;
  Uuid store;                                // of the good copy, if any
  std::uint64_t epoch = 0;                   // of the good copy, if any
  std::optional<crypto::SlotSecret> secret;  // of the good copy, if any
};

struct Anchor {
  std::uint64_t generation = 0;  // counts commits
  std::uint64_t log_size = 0;
  Digest log_root{};
  std::uint64_t hold_count = 0;  // as the store's state has it
  friend bool operator==(const Anchor&, const Anchor&) = default;
};

// What dies: the secret of an epoch, for the evidence. `intent`: what a device's evidence is bound
// to; none for a secret that nothing was sealed under, of which no evidence is asked.
struct Dying {
  Dying(std::uint64_t of_epoch) : epoch(of_epoch) {}  // NOLINT: implicit by design
  Dying(std::uint64_t of_epoch, const Digest& for_intent) : epoch(of_epoch), intent(for_intent) {}
  std::uint64_t epoch = 0;
  std::optional<Digest> intent;
};

// Makes SlotReadBackProof, nobody else does; base of the slots so that each kind can.
class ReadBack {
 protected:
  static domain::SlotReadBackProof prove(domain::SlotEvidence evidence) {
    return domain::SlotReadBackProof(std::move(evidence));
  }
};

class RootSlot : protected ReadBack {
 public:
  virtual ~RootSlot() = default;
  virtual std::string_view kind() const = 0;  // "file", "tpm2", "tpm2+file"
  // Where the secret lies, in an error's sentence: a path, or the NV indexes of a TPM.
  virtual std::string where() const = 0;
  // The store that the slot was made for, also while both slots are zero.
  virtual const Uuid& store() const = 0;
  // parity 0 or 1.
  virtual Result<SlotReading> read(unsigned parity) = 0;
  // Into the slot of the epoch's parity, both copies. A slot that holds a good copy of anything
  // else is left alone (Errc::foreign, Errc::wrong_state): it is destroyed first. With what a torn
  // slot still holds this repairs the twin, and the good copy is not written.
  virtual Status write(const Uuid& store, std::uint64_t epoch,
                       const crypto::SlotSecret& secret) = 0;
  // Zeros all copies, reads them back. A good copy of another store (Errc::foreign) or epoch
  // (Errc::wrong_state) is left alone.
  virtual Result<domain::SlotReadBackProof> destroy(unsigned parity, const Dying& dying,
                                                    const Clock& clock) = 0;
  virtual Result<domain::SlotAssurance> assess() = 0;

  // Of homes that are a file. An open file outlives its name: what is written to it then is lost
  // with the process, and what lies at the path is what the next one opens.
  virtual Result<SlotPlace> place() { return SlotPlace::present; }
  // Where it is missing: a new file at the path with what the open one holds, which is zeroed. Any
  // error: the open one is in use as before, and holds what it held.
  virtual Status put_back() { return make_error(Errc::wrong_state, "the root slot is no file"); }

  // A counter that no image of a disk brings back, for holds; none where the home has no such
  // thing. Errc::foreign: somebody removed it.
  virtual Result<std::optional<std::uint64_t>> hold_count() {
    return std::optional<std::uint64_t>();
  }
  // Until it says at least that, but not by more than `at_most`; what it says then. May be tried
  // again after any error.
  virtual Result<std::uint64_t> advance_hold_count(std::uint64_t to, std::uint64_t at_most) {
    static_cast<void>(at_most);
    return to;
  }
  // Where it was removed it is defined anew; what it says then.
  virtual Result<std::uint64_t> renew_hold_count() { return std::uint64_t{0}; }

  // The newer of the two anchor blocks that authenticate under `key`; none: nullopt.
  virtual Result<std::optional<Anchor>> read_anchor(const crypto::SealKey& key) = 0;
  virtual Status write_anchor(const crypto::SealKey& key, const Anchor& anchor) = 0;
};

// The file slot. `path` is the slot file itself, e.g. /var/lib/aierase-root/slot.
struct FileSlotOptions {
  std::string path;
  // Where `init` will move it: what is said of the slot names this. Empty: path.
  std::string destination = {};
};
// Creates the zeroed file (preallocated, CACHEDIR.TAG beside it, nodump), syncs file and directory,
// and locks it. The directory must exist. Errc::already_exists if the file is there. When the
// directory is renamed afterwards, close the slot and open it under its new path.
Result<std::unique_ptr<RootSlot>> create_file_slot(Env& env, const FileSlotOptions& options,
                                                   const Uuid& store);
// Locks (Errc::busy if another process holds it) before it reads anything. Refuses links, wrong
// owner or mode wider than 0600 (Errc::damaged with what to do), a file that is no slot.
Result<std::unique_ptr<RootSlot>> open_file_slot(Env& env, const FileSlotOptions& options);

// The slot in a TPM: the secret in NV indexes whose numbers follow from the store's uuid; anchor
// and lock in a slot file.
struct Tpm2SlotOptions {
  std::string file_path;  // of the slot file, now
  Tpm2Settings tpm;
  Bytes key_name;    // of the TPM's storage key, as find_tpm2 told it when the slot was made
  SecretBytes auth;  // of the indexes, kNvAuthBytes
};
// Asks the TPM who it is.
Result<Tpm2Facts> find_tpm2(const Tpm2Settings& settings);
// Errc::already_exists if something is defined under one of the store's numbers. Changes nothing.
Status check_free_in_tpm2(const Tpm2Settings& settings, const Uuid& store);
Result<std::shared_ptr<RootSlot>> create_tpm2_slot(Env& env, std::shared_ptr<RootSlot> file,
                                                   Tpm2SlotOptions options);
// Errc::busy: no TPM answers now; Errc::foreign: another TPM, one that was cleared, or an index
// that somebody else defined; Errc::damaged: the indexes are gone.
Result<std::shared_ptr<RootSlot>> open_tpm2_slot(Env& env, std::shared_ptr<RootSlot> file,
                                                 Tpm2SlotOptions options);
// After an interrupted init: removes what was defined for that store, and nothing else.
Status remove_from_tpm2(const Tpm2Settings& settings, const Uuid& store);
// After a move: the same, where the store lives elsewhere in `epoch`. `auth` is asked for only if
// there is something; it must be the value of the indexes, and what they hold no secret that is
// newer than one which the next epoch did not get to use. Any error: nothing was removed, or it may
// be tried again.
enum class Retired { nothing_left, another_tpm };
Result<Retired> retire_from_tpm2(const Tpm2Settings& settings, const Uuid& store, ByteView key_name,
                                 const std::function<Result<SecretBytes>()>& auth,
                                 std::uint64_t epoch);

// Both homes at once: a share of the secret lies in each, and each alone says nothing about it.
// Both are destroyed; the destruction of one would do.
std::shared_ptr<RootSlot> both_slots(std::shared_ptr<RootSlot> tpm, std::shared_ptr<RootSlot> file);
// From one home into another, which share their slot file: the secret of `from_epoch` lies in
// `from`, that of the next epoch in `to`. What is assessed is `to`.
std::shared_ptr<RootSlot> moving_slot(std::shared_ptr<RootSlot> from, std::shared_ptr<RootSlot> to,
                                      std::uint64_t from_epoch);

}  // namespace aierase::rootslot
