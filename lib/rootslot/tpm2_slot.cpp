#include "rootslot/tpm2_slot.h"

#include <algorithm>

#include "crypto/primitives.h"
#include "rootslot/tpm2_level.h"

namespace aierase::rootslot {
namespace {

// The range that the TCG leaves to the TPM's owner; four numbers for each store.
constexpr NvIndex kFirstIndex = 0x01800000;
constexpr NvIndex kStores = 1U << 20U;

Bytes zeros() {
  return Bytes(kNvSlotBytes);
}

}  // namespace

std::string Tpm2Indexes::text() const {
  return nv_text(slot[0]) + ", " + nv_text(slot[1]);
}

Tpm2Indexes indexes_of(const Uuid& store) {
  const NvIndex first = kFirstIndex + 4 * (get_be32(store.view().first(4)) % kStores);
  return {{first, first + 1}, first + 2, first + 3};
}

Status remove_indexes(Tpm2& tpm, const Tpm2Indexes& indexes) {
  const auto remove = [&](NvIndex index, NvKind kind) -> Status {
    ASSIGN_OR_RETURN(const NvState state, tpm.state(index, kind));
    const bool ours = state == NvState::defined || state == NvState::unwritten;
    return ours ? tpm.undefine(index) : Status();
  };
  RETURN_IF_ERROR(remove(indexes.slot[0], NvKind::slot));
  RETURN_IF_ERROR(remove(indexes.slot[1], NvKind::slot));
  RETURN_IF_ERROR(remove(indexes.counter, NvKind::counter));
  return remove(indexes.holds, NvKind::counter);
}

Status check_unused(Tpm2& tpm, const Uuid& store,
                    const std::function<Result<SecretBytes>()>& auth_of, std::uint64_t epoch) {
  for (const NvIndex index : indexes_of(store).slot) {
    ASSIGN_OR_RETURN(const NvState state, tpm.state(index, NvKind::slot));
    if (state != NvState::defined) continue;
    ASSIGN_OR_RETURN(const SecretBytes auth, auth_of());
    ASSIGN_OR_RETURN(SecretBytes block, SecretBytes::zeroed(kBlockBytes));
    ASSIGN_OR_RETURN(const SlotCopy copy, block.fill([&](ByteSpan bytes) -> Result<SlotCopy> {
      RETURN_IF_ERROR(tpm.read(index, auth, bytes.first(kNvSlotBytes)));
      return decode_copy(bytes);
    }));
    if (copy.state != CopyState::good) continue;
    if (copy.store == store && copy.epoch <= epoch + 1) continue;
    return make_error(Errc::foreign,
                      "NV index " + nv_text(index) + " of the TPM holds the secret of epoch " +
                          std::to_string(copy.epoch) + " of the store " + copy.store.text() +
                          ", which no move has left behind",
                      "it was not touched: an older image of the disk was put back, or another "
                      "store uses the index. Put the newest state of the store back",
                      nv_text(index));
  }
  return {};
}

Tpm2Slot::Tpm2Slot(Parts parts)
    : parts_(std::move(parts)), indexes_(indexes_of(parts_.anchor->store())) {}

std::string Tpm2Slot::where() const {
  return "NV indexes " + indexes_.text() + " of the TPM";
}

Error Tpm2Slot::about(Errc code, unsigned parity, std::string what, std::string hint) const {
  const std::string index = nv_text(indexes_.slot[parity]);
  return make_error(code, "NV index " + index + " of the TPM " + std::move(what), std::move(hint),
                    index);
}

// Each time: the TPM may have been exchanged or cleared since the last one.
Result<Tpm2> Tpm2Slot::connect() {
  ASSIGN_OR_RETURN(Tpm2 tpm, Tpm2::connect(parts_.tpm));
  if (tpm.facts().key_name != parts_.key_name) {
    return make_error(
        Errc::foreign,
        "the TPM at " + parts_.tpm.tcti +
            " is not the one that this store was made with, or it was cleared since",
        "if it was cleared, the root secret went with it, and so did every model of this store; "
        "else give the machine its TPM back. Nothing was touched",
        parts_.tpm.tcti);
  }
  return tpm;
}

Status Tpm2Slot::look() {
  ASSIGN_OR_RETURN(Tpm2 tpm, connect());
  facts_ = tpm.facts();
  unsigned absent = 0;
  for (const unsigned parity : {0U, 1U}) {
    ASSIGN_OR_RETURN(const NvState state, tpm.state(indexes_.slot[parity], NvKind::slot));
    if (state == NvState::absent) ++absent;
    if (state != NvState::other) continue;
    return about(Errc::foreign, parity, "is not as aierased defined it: somebody else uses it",
                 "nothing was touched; find out who did, and if nobody needs it: tpm2_nvundefine " +
                     nv_text(indexes_.slot[parity]) + ", then restart aierased");
  }
  if (absent < 2) return {};
  return make_error(Errc::damaged, "the TPM has none of this store's NV indexes " + indexes_.text(),
                    "somebody removed them, and with them the root secret: no model of this store "
                    "can ever be read again",
                    parts_.tpm.tcti);
}

Status Tpm2Slot::define_all() {
  ASSIGN_OR_RETURN(Tpm2 tpm, connect());
  facts_ = tpm.facts();
  const auto define = [&]() -> Status {
    for (const unsigned parity : {0U, 1U}) {
      RETURN_IF_ERROR(tpm.define(indexes_.slot[parity], NvKind::slot, parts_.auth));
      RETURN_IF_ERROR(put(tpm, parity, zeros(), Found()));
    }
    RETURN_IF_ERROR(prepare_counter(tpm, indexes_.counter));
    RETURN_IF_ERROR(prepare_counter(tpm, indexes_.holds));
    // A TPM that cannot sign could never certify an erasure: seen now, not then.
    const Result<domain::TpmEvidence> trial = evidence(tpm, 0, Digest{});
    return trial.ok() ? Status() : Status(trial.error());
  };
  Status done = define();
  if (!done.ok()) static_cast<void>(remove_indexes(tpm, indexes_));
  return done;
}

Result<Tpm2Slot::Found> Tpm2Slot::find(Tpm2& tpm, unsigned parity) {
  Found found;
  ASSIGN_OR_RETURN(const NvState state, tpm.state(indexes_.slot[parity], NvKind::slot));
  if (state != NvState::defined) return found;
  ASSIGN_OR_RETURN(found.bytes, SecretBytes::zeroed(kBlockBytes));
  ASSIGN_OR_RETURN(found.copy, found.bytes->fill([&](ByteSpan bytes) -> Result<SlotCopy> {
    RETURN_IF_ERROR(tpm.read(indexes_.slot[parity], parts_.auth, bytes.first(kNvSlotBytes)));
    return decode_copy(bytes);
  }));
  return found;
}

Result<SlotReading> Tpm2Slot::read(unsigned parity) {
  ASSIGN_OR_RETURN(Tpm2 tpm, connect());
  ASSIGN_OR_RETURN(Found found, find(tpm, parity));
  SlotCopy& copy = found.copy;
  SlotReading reading;
  switch (copy.state) {
    case CopyState::zero:
      return reading;
    case CopyState::bad:
      reading.content = SlotContent::torn;
      return reading;
    case CopyState::good:
      break;
  }
  reading.content = copy.store == store() ? SlotContent::whole : SlotContent::foreign;
  reading.store = copy.store;
  reading.epoch = copy.epoch;
  reading.secret = std::move(copy.secret);
  return reading;
}

// What the TPM says of a command that failed carries no HMAC: somebody between may have said it,
// and passed the command on, or keep it for later. A read in the same session proves both wrong:
// the TPM's nonce moves on with every command that it carried out, and then with this read.
bool Tpm2Slot::is_as_found(Tpm2& tpm, unsigned parity, const Found& before, ByteSpan now) {
  if (!before.bytes || !tpm.read(indexes_.slot[parity], parts_.auth, now).ok()) return false;
  return before.bytes->reveal(
      [&](ByteView bytes) { return crypto::equal_constant_time(bytes.first(kNvSlotBytes), now); });
}

Status Tpm2Slot::put(Tpm2& tpm, unsigned parity, ByteView content, const Found& before) {
  // Before the write, not after it: memory may run out.
  ASSIGN_OR_RETURN(SecretBytes block, SecretBytes::zeroed(kNvSlotBytes));
  return block.fill([&](ByteSpan now) -> Status {
    Status written = tpm.write(indexes_.slot[parity], parts_.auth, content);
    if (!written.ok()) {
      return is_as_found(tpm, parity, before, now) ? std::move(written)
                                                   : as_final(std::move(written).error());
    }
    const Status read_back = tpm.read(indexes_.slot[parity], parts_.auth, now);
    if (!read_back.ok()) return as_final(read_back.error());
    if (crypto::equal_constant_time(now, content)) return {};
    return about(Errc::io, parity, "reads back other bytes than were written",
                 "the TPM does not keep what it is given: replace it");
  });
}

// An index that somebody removed is defined anew.
Status Tpm2Slot::zero(Tpm2& tpm, unsigned parity, const Found& before) {
  ASSIGN_OR_RETURN(const NvState state, tpm.state(indexes_.slot[parity], NvKind::slot));
  // Never written: we defined it anew, and died before the zeros.
  was_removed_[parity] = state == NvState::absent || state == NvState::unwritten;
  if (state == NvState::absent) {
    RETURN_IF_ERROR(tpm.define(indexes_.slot[parity], NvKind::slot, parts_.auth));
  }
  return put(tpm, parity, zeros(), before);
}

Status Tpm2Slot::write(const Uuid& store, std::uint64_t epoch, const crypto::SlotSecret& secret) {
  const auto parity = static_cast<unsigned>(epoch % 2);
  ASSIGN_OR_RETURN(Tpm2 tpm, connect());
  ASSIGN_OR_RETURN(const Found found, find(tpm, parity));
  const SlotCopy& there = found.copy;
  if (store != this->store() || (there.state == CopyState::good && there.store != store)) {
    return about(Errc::foreign, parity, "belongs to another store", "nothing was written");
  }
  if (there.state == CopyState::good) {
    const bool same = there.epoch == epoch && there.secret->bytes().equals(secret.bytes());
    if (same) return {};
    return about(Errc::wrong_state, parity,
                 "still holds the secret of epoch " + std::to_string(there.epoch) +
                     " where that of epoch " + std::to_string(epoch) + " would go",
                 "nothing was written: the old secret is destroyed first");
  }
  ASSIGN_OR_RETURN(const NvState state, tpm.state(indexes_.slot[parity], NvKind::slot));
  if (state == NvState::absent) {
    RETURN_IF_ERROR(tpm.define(indexes_.slot[parity], NvKind::slot, parts_.auth));
  }
  ASSIGN_OR_RETURN(SecretBytes block, SecretBytes::zeroed(kBlockBytes));
  return block.fill([&](ByteSpan bytes) -> Status {
    RETURN_IF_ERROR(encode_copy(store, epoch, secret, bytes));
    return put(tpm, parity, bytes.first(kNvSlotBytes), found);
  });
}

// What a TPM may refuse for long is tried while there is a way back: to count, and to sign. The
// slot itself is not certified yet: its secret would be in the statement.
Status Tpm2Slot::prepare(Tpm2& tpm, const Dying& dying) {
  RETURN_IF_ERROR(prepare_counter(tpm, indexes_.counter));
  if (!dying.intent) return {};
  const Result<domain::TpmStatement> trial =
      tpm.certify(indexes_.counter, NvKind::counter, parts_.auth, *dying.intent);
  return trial.ok() ? Status() : Status(trial.error());
}

// A counter that somebody removed is defined anew; the TPM lets none begin below one that it had.
Status Tpm2Slot::prepare_counter(Tpm2& tpm, NvIndex counter) {
  ASSIGN_OR_RETURN(const NvState state, tpm.state(counter, NvKind::counter));
  if (state == NvState::defined) return {};
  if (state == NvState::other) {
    const std::string index = nv_text(counter);
    return make_error(
        Errc::foreign, "NV index " + index + " of the TPM is not the counter that aierased defined",
        "find out who uses it, and if nobody needs it: tpm2_nvundefine " + index, index);
  }
  if (state == NvState::absent) {
    RETURN_IF_ERROR(tpm.define(counter, NvKind::counter, parts_.auth));
  }
  const Result<std::uint64_t> first = tpm.increment(counter, parts_.auth);
  return first.ok() ? Status() : Status(first.error());
}

Status Tpm2Slot::check_is_dying(const SlotCopy& there, unsigned parity, const Dying& dying) const {
  if (there.state != CopyState::good) return {};
  if (there.store != store()) {
    return about(Errc::foreign, parity, "holds the secret of another store",
                 "nothing was overwritten");
  }
  if (there.epoch == dying.epoch) return {};
  return about(Errc::wrong_state, parity,
               "holds the secret of epoch " + std::to_string(there.epoch) + ", and that of epoch " +
                   std::to_string(dying.epoch) + " was to be destroyed",
               "nothing was overwritten");
}

Result<domain::SlotReadBackProof> Tpm2Slot::destroy(unsigned parity, const Dying& dying,
                                                    const Clock& clock) {
  // Where models lived under the secret, there is a way back once it was seen whole, and not
  // before: it may be gone already. `zero` looks once more if it fails.
  bool way_back = !dying.intent;
  const auto failed = [&](Error error) {
    return way_back ? std::move(error) : as_final(std::move(error));
  };
  Result<Tpm2> tpm = connect();
  if (!tpm.ok()) return failed(std::move(tpm).error());
  const Result<Found> found = find(*tpm, parity);
  if (!found.ok()) return failed(found.error());
  Status is_dying = check_is_dying(found->copy, parity, dying);
  if (!is_dying.ok()) return failed(std::move(is_dying).error());
  way_back = way_back || found->copy.state == CopyState::good;
  Status prepared = prepare(*tpm, dying);
  if (!prepared.ok() && way_back) return std::move(prepared).error();
  Status zeroed = zero(*tpm, parity, *found);
  if (!zeroed.ok()) return failed(std::move(zeroed).error());
  const Result<std::uint64_t> count = tpm->increment(indexes_.counter, parts_.auth);
  if (!count.ok()) return as_final(count.error());
  return prove_zero(*tpm, parity, dying, *count, clock);
}

Result<domain::SlotReadBackProof> Tpm2Slot::prove_zero(Tpm2& tpm, unsigned parity,
                                                       const Dying& dying, std::uint64_t count,
                                                       const Clock& clock) {
  const Result<Found> found = find(tpm, parity);
  if (!found.ok()) return as_final(found.error());
  if (found->copy.state != CopyState::zero) {
    return about(Errc::damaged, parity, "does not read back as zeros",
                 "no certificate is issued. Stop, and look at the TPM");
  }
  domain::SlotEvidence proven{std::string(kind()), dying.epoch, clock.now(), {}, {}};
  proven.checks.push_back("NV index " + nv_text(indexes_.slot[parity]) +
                          " read back as zeros from the TPM, through a salted session");
  proven.checks.push_back("NV counter " + nv_text(indexes_.counter) + " stands at " +
                          std::to_string(count));
  if (was_removed_[parity]) {
    proven.checks.push_back("NV index " + nv_text(indexes_.slot[parity]) +
                            " had been removed by somebody, with what it held, and was defined "
                            "anew: the zeros overwrote no secret");
  }
  if (!dying.intent) return prove(std::move(proven));
  // Without evidence there is no certificate: the next start asks for it again.
  Result<domain::TpmEvidence> signed_by_tpm = evidence(tpm, parity, *dying.intent);
  if (!signed_by_tpm.ok()) return as_final(signed_by_tpm.error());
  proven.tpm = std::move(*signed_by_tpm);
  return prove(std::move(proven));
}

Result<domain::TpmEvidence> Tpm2Slot::evidence(Tpm2& tpm, unsigned parity, const Digest& intent) {
  domain::TpmEvidence evidence;
  ASSIGN_OR_RETURN(evidence.key, tpm.attestation_key());
  ASSIGN_OR_RETURN(evidence.slot,
                   tpm.certify(indexes_.slot[parity], NvKind::slot, parts_.auth, intent));
  ASSIGN_OR_RETURN(evidence.counter,
                   tpm.certify(indexes_.counter, NvKind::counter, parts_.auth, intent));
  // The certificate proves nothing by itself, and no erasure waits for it.
  Result<Bytes> certificate = tpm.endorsement_certificate();
  if (certificate.ok()) evidence.endorsement_certificate = std::move(*certificate);
  return evidence;
}

Result<domain::SlotAssurance> Tpm2Slot::assess() {
  return judge_tpm2_slot({facts_, parts_.tpm.tcti, parts_.virtual_machine, indexes_.text()});
}

Result<std::uint64_t> Tpm2Slot::holds_counted(Tpm2& tpm) {
  ASSIGN_OR_RETURN(const NvState state, tpm.state(indexes_.holds, NvKind::counter));
  if (state == NvState::defined) return tpm.count(indexes_.holds, parts_.auth);
  const std::string index = nv_text(indexes_.holds);
  return make_error(Errc::foreign,
                    "the counter of holds, NV index " + index +
                        " of the TPM, was removed or defined anew by somebody else",
                    "whether this is the newest state of the store, nobody can tell now: compare "
                    "its holds with your records; `aierase init --adopt` accepts it, and the log "
                    "keeps that",
                    index);
}

Result<std::optional<std::uint64_t>> Tpm2Slot::hold_count() {
  ASSIGN_OR_RETURN(Tpm2 tpm, connect());
  ASSIGN_OR_RETURN(const std::uint64_t count, holds_counted(tpm));
  return std::optional<std::uint64_t>(count);
}

Result<std::uint64_t> Tpm2Slot::advance_hold_count(std::uint64_t to, std::uint64_t at_most) {
  ASSIGN_OR_RETURN(Tpm2 tpm, connect());
  ASSIGN_OR_RETURN(std::uint64_t count, holds_counted(tpm));
  for (; count < to && at_most > 0; --at_most) {
    ASSIGN_OR_RETURN(count, tpm.increment(indexes_.holds, parts_.auth));
  }
  return count;
}

Result<std::uint64_t> Tpm2Slot::renew_hold_count() {
  ASSIGN_OR_RETURN(Tpm2 tpm, connect());
  RETURN_IF_ERROR(prepare_counter(tpm, indexes_.holds));
  return holds_counted(tpm);
}

Result<std::optional<Anchor>> Tpm2Slot::read_anchor(const crypto::SealKey& key) {
  return parts_.anchor->read_anchor(key);
}

Status Tpm2Slot::write_anchor(const crypto::SealKey& key, const Anchor& anchor) {
  return parts_.anchor->write_anchor(key, anchor);
}

}  // namespace aierase::rootslot
