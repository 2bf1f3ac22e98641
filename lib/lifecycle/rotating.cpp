// New keys for signer and log. The catalog names the keys in force; the files follow it.

#include "certificate/rotation.h"
#include "lifecycle/publishing.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

constexpr const char* kNextKey = ".next";

std::string key_path(const Core& core, domain::KeyPurpose purpose) {
  return parent_of(core.locator.slot_path) + "/" + std::string(domain::to_text(purpose)) + ".key";
}

Result<crypto::PublicKey> key_in_force(const Core& core, domain::KeyPurpose purpose) {
  ASSIGN_OR_RETURN(const std::vector<domain::AuthorityKey> keys, core.view().authority_keys());
  const domain::AuthorityKey* latest = nullptr;
  for (const domain::AuthorityKey& key : keys) {
    if (key.purpose == purpose) latest = &key;
  }
  if (latest != nullptr) return latest->public_key;
  return make_error(
      Errc::damaged,
      "the database names no key of the " + std::string(domain::to_text(purpose)) + " in force",
      "run `aierase check`");
}

Result<crypto::SigningKey> read_key(const Core& core, domain::KeyPurpose purpose,
                                    const char* ending) {
  return read_key_file(core.env(), key_path(core, purpose) + ending, core.store(),
                       core.unlock ? &*core.unlock : nullptr, domain::to_text(purpose));
}

Error not_in_force(const std::string& path) {
  return make_error(Errc::foreign, path + " holds another key than the one in force",
                    "put the key file back that belongs to this database", path);
}

enum class Settled { already, now };

// Nothing is replaced or removed that may be the only copy of the key in force: what lies under
// .next goes only where the key in force was read from the other file, and takes its place only
// where it was read and is that key.
Result<Settled> settle_key_file(Core& core, domain::KeyPurpose purpose) {
  const std::string path = key_path(core, purpose);
  ASSIGN_OR_RETURN(const std::optional<FileInfo> left, core.env().stat(path + kNextKey));
  if (!left) return Settled::already;
  ASSIGN_OR_RETURN(const crypto::PublicKey wanted, key_in_force(core, purpose));
  const Result<crypto::SigningKey> present = read_key(core, purpose, "");
  if (present.ok() && present->public_key() == wanted) {
    // A rotation that was not committed never was; its key has signed nothing that left.
    RETURN_IF_ERROR(core.env().unlink(path + kNextKey));
    return Settled::now;
  }
  ASSIGN_OR_RETURN(const crypto::SigningKey next, read_key(core, purpose, kNextKey));
  if (next.public_key() != wanted) return not_in_force(path);
  RETURN_IF_ERROR(core.env().replace(path + kNextKey, path));
  return Settled::now;
}

Result<Authority> write_next_files(Core& core) {
  const std::string directory = parent_of(core.locator.slot_path);
  ASSIGN_OR_RETURN(Authority next,
                   write_key_files(core.env(), directory, core.store(),
                                   core.unlock ? &*core.unlock : nullptr, kNextKey));
  RETURN_IF_ERROR(core.env().sync_directory(directory));
  return next;
}

Status check_rotatable(const Core& core) {
  RETURN_IF_ERROR(core.writable());
  RETURN_IF_ERROR(check_slot_file(core));
  if (core.waiting) {
    return make_error(Errc::busy, "a certificate waits for the signature of the present key",
                      "free disk space first; `aierase doctor` says what is in the way");
  }
  if (core.signer && core.log_key) return {};
  return make_error(Errc::wrong_state,
                    "the keys in force cannot be read, and they have to sign their successors",
                    "restore them from a copy of the slot's directory and restart aierased");
}

Status add_key(catalog::Transaction& transaction, domain::KeyPurpose purpose,
               const crypto::SigningKey& key, UtcTime since, std::uint64_t leaf) {
  return transaction.add_authority_key({purpose, key.public_key(), since, leaf});
}

}  // namespace

Result<crypto::SigningKey> read_authority_key(const Core& core, domain::KeyPurpose purpose) {
  ASSIGN_OR_RETURN(const crypto::PublicKey wanted, key_in_force(core, purpose));
  Result<crypto::SigningKey> present = read_key(core, purpose, "");
  if (present.ok() && present->public_key() == wanted) return present;
  // Of a rotation that is durable and whose files were not moved yet.
  Result<crypto::SigningKey> next = read_key(core, purpose, kNextKey);
  if (next.ok() && next->public_key() == wanted) return next;
  if (!present.ok()) return present;
  return not_in_force(key_path(core, purpose));
}

Status settle_key_files(Core& core) {
  ASSIGN_OR_RETURN(const Settled signer, settle_key_file(core, domain::KeyPurpose::signer));
  ASSIGN_OR_RETURN(const Settled log, settle_key_file(core, domain::KeyPurpose::log));
  if (signer == Settled::already && log == Settled::already) return {};
  return core.env().sync_directory(parent_of(core.locator.slot_path));
}

Status Store::rotate_keys(const domain::Actor& actor) {
  Core& core = *impl_;
  RETURN_IF_ERROR(check_rotatable(core));
  // Of an earlier rotation whose files could not be moved: a key in force may lie under .next.
  RETURN_IF_ERROR(settle_key_files(core));
  ASSIGN_OR_RETURN(Authority next, write_next_files(core));
  const UtcTime now = core.now();
  ASSIGN_OR_RETURN(
      const std::string body,
      certificate::rotation_body(core.store(), now,
                                 {&*core.signer, &*core.log_key, &next.signer, &next.log}));
  RETURN_IF_ERROR(transact(
      core, ReserveShare::none,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        const std::uint64_t leaf = state.log.size;
        RETURN_IF_ERROR(add_key(transaction, domain::KeyPurpose::signer, next.signer, now, leaf));
        RETURN_IF_ERROR(add_key(transaction, domain::KeyPurpose::log, next.log, now, leaf));
        RETURN_IF_ERROR(transaction.add_event({now, actor, "rotate-keys", "store", "", "", ""}));
        const translog::LogRecord record{"key-rotation", now, body,
                                         translog::Visibility::published};
        return core.append_log(transaction, state, {&record, 1});
      }));
  core.signer = std::move(next.signer);
  core.log_key = std::move(next.log);
  return settle_key_files(core);
}

}  // namespace aierase::lifecycle
