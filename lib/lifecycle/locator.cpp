#include <nlohmann/json.hpp>

#include "base/json.h"
#include "lifecycle/core.h"

namespace aierase::lifecycle {
namespace {

constexpr std::string_view kSchema = "aierase/root-slot/v1";
constexpr std::size_t kMaxBytes = 16 << 10;
constexpr const char* kNextLocator = ".next";
constexpr const char* kToBeCleared = "to-be-cleared";

Error broken(const std::string& path, const std::string& what) {
  return make_error(
      Errc::damaged, path + ": " + what,
      "the file names where the root slot lies: put its newest copy back, not one that "
      "is older than the last `aierase slot move`",
      path);
}

const std::string* text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() ? found->get_ptr<const std::string*>() : nullptr;
}

Status read_passphrase(const Json& json, const std::string& path, SlotLocator& locator) {
  const std::string* salt = text_of(json, "argon2id_salt");
  const std::optional<Bytes> bytes = salt ? from_hex(*salt) : std::nullopt;
  const auto operations = json.find("argon2id_operations");
  const auto memory = json.find("argon2id_memory_bytes");
  if (!bytes || bytes->size() != 16 || operations == json.end() ||
      !operations->is_number_unsigned() || memory == json.end() || !memory->is_number_unsigned()) {
    return broken(path, "salt or cost of the passphrase is missing or malformed");
  }
  locator.passphrase_salt = *bytes;
  locator.passphrase_cost.operations = operations->get<std::uint64_t>();
  locator.passphrase_cost.memory_bytes = memory->get<std::uint64_t>();
  if (locator.passphrase_cost.operations > 64 ||
      locator.passphrase_cost.memory_bytes > (8ULL << 30)) {
    return broken(path, "the cost of the passphrase is beyond any sensible value");
  }
  return {};
}

}  // namespace

std::string_view to_text(UnlockKind kind) noexcept {
  switch (kind) {
    case UnlockKind::none:
      return "none";
    case UnlockKind::credential:
      return "credential";
    case UnlockKind::keyfile:
      return "keyfile";
    case UnlockKind::passphrase:
      return "passphrase";
  }
  return "none";
}

std::optional<UnlockKind> parse_unlock_kind(std::string_view text) noexcept {
  for (const UnlockKind kind :
       {UnlockKind::none, UnlockKind::credential, UnlockKind::keyfile, UnlockKind::passphrase}) {
    if (to_text(kind) == text) return kind;
  }
  return std::nullopt;
}

std::string_view to_text(SlotKind kind) noexcept {
  switch (kind) {
    case SlotKind::file:
      return "file";
    case SlotKind::tpm2:
      return "tpm2";
    case SlotKind::tpm2_and_file:
      return "tpm2+file";
  }
  return "file";
}

std::optional<SlotKind> parse_slot_kind(std::string_view text) noexcept {
  for (const SlotKind kind : {SlotKind::file, SlotKind::tpm2, SlotKind::tpm2_and_file}) {
    if (to_text(kind) == text) return kind;
  }
  return std::nullopt;
}

namespace {

Status write_locator_file(Env& env, const std::string& path, const SlotLocator& locator) {
  Json json{{"schema", kSchema},
            {"store", locator.store.hex()},
            {"slot_kind", to_text(locator.slot_kind)},
            {"slot_path", locator.slot_path},
            {"unlock", to_text(locator.unlock)}};
  if (!locator.tpm_key_name.empty()) json["tpm_key_name"] = to_hex(locator.tpm_key_name);
  if (locator.move) {
    json["move_to"] = to_text(locator.move->to);
    json["move_from_epoch"] = locator.move->from_epoch;
  }
  if (locator.left_tpm != SlotLocator::LeftTpm::none) json["left_tpm"] = kToBeCleared;
  if (locator.unlock == UnlockKind::keyfile) json["keyfile"] = locator.keyfile_path;
  if (locator.unlock == UnlockKind::passphrase) {
    json["argon2id_salt"] = to_hex(locator.passphrase_salt);
    json["argon2id_operations"] = locator.passphrase_cost.operations;
    json["argon2id_memory_bytes"] = locator.passphrase_cost.memory_bytes;
  }
  ASSIGN_OR_RETURN(std::string text, dump_pretty(json));
  text += '\n';
  return write_new_file(env, path, as_bytes(text), 0600);
}

// Of a root slot that is on its way, or has left a TPM.
Status read_move(const Json& json, const std::string& path, SlotLocator& locator) {
  if (const std::string* left = text_of(json, "left_tpm")) {
    if (*left != kToBeCleared) return broken(path, "left_tpm says " + quoted(*left));
    locator.left_tpm = SlotLocator::LeftTpm::to_be_cleared;
  }
  if (json.find("move_to") != json.end()) {
    const std::string* to = text_of(json, "move_to");
    const std::optional<SlotKind> home = parse_slot_kind(to ? *to : std::string());
    const auto epoch = json.find("move_from_epoch");
    if (!home || epoch == json.end() || !epoch->is_number_unsigned()) {
      return broken(path, "what it says of a move is malformed");
    }
    locator.move = SlotMove{*home, epoch->get<std::uint64_t>()};
  }
  if (uses_tpm(locator) || locator.left_tpm != SlotLocator::LeftTpm::none) {
    const std::string* name = text_of(json, "tpm_key_name");
    const std::optional<Bytes> bytes = name ? from_hex(*name) : std::nullopt;
    if (!bytes || bytes->empty()) return broken(path, "the name of the TPM's key is missing");
    locator.tpm_key_name = *bytes;
  }
  return {};
}

}  // namespace

Status write_locator(Env& env, const std::string& directory, const SlotLocator& locator) {
  return write_locator_file(env, directory + "/root-slot", locator);
}

Status replace_locator(Env& env, const std::string& directory, const SlotLocator& locator) {
  const std::string path = directory + "/root-slot";
  const Status left = env.unlink(path + kNextLocator);  // of one that was interrupted
  if (!left.ok() && left.error().code != Errc::not_found) return left;
  RETURN_IF_ERROR(write_locator_file(env, path + kNextLocator, locator));
  Status replaced = env.replace(path + kNextLocator, path);
  if (replaced.ok()) replaced = env.sync_directory(directory);
  if (replaced.ok() || replaced.error().code != Errc::no_space) return replaced;
  Error unknown = std::move(replaced).error();
  unknown.code = Errc::io;
  return unknown;
}

Result<SlotLocator> read_locator_file(Env& env, const std::string& path) {
  ASSIGN_OR_RETURN(const Bytes content, read_file(env, path, kMaxBytes));
  Result<Json> parsed = parse_json(as_text(content), {kMaxBytes, 4});
  if (!parsed.ok()) return broken(path, parsed.error().message);
  const Json& json = *parsed;
  const std::string* schema = json.is_object() ? text_of(json, "schema") : nullptr;
  if (!schema) return broken(path, "it is not an aierase/root-slot/v1 file");
  if (*schema != kSchema) {
    return make_error(Errc::newer_format, path + ": format " + quoted(*schema) + " is not known",
                      "this store was written by another version of aierase", path);
  }
  const std::string* store = text_of(json, "store");
  const std::string* kind = text_of(json, "slot_kind");
  const std::string* slot_path = text_of(json, "slot_path");
  const std::string* unlock = text_of(json, "unlock");
  const std::optional<Bytes> uuid_bytes = store ? from_hex(*store) : std::nullopt;
  const std::optional<Uuid> uuid = uuid_bytes ? Uuid::from_bytes(*uuid_bytes) : std::nullopt;
  if (!uuid || !kind || !slot_path || !unlock)
    return broken(path, "a field is missing or malformed");
  const std::optional<SlotKind> home = parse_slot_kind(*kind);
  if (!home) {
    return make_error(
        Errc::newer_format,
        path + ": a root slot of kind " + quoted(*kind) + " is not known to this version", {},
        path);
  }
  SlotLocator locator;
  locator.store = *uuid;
  locator.slot_kind = *home;
  locator.slot_path = *slot_path;
  RETURN_IF_ERROR(read_move(json, path, locator));
  const std::optional<UnlockKind> how = parse_unlock_kind(*unlock);
  if (!how) return broken(path, "the unlock kind " + quoted(*unlock) + " is not known");
  locator.unlock = *how;
  if (*how == UnlockKind::keyfile) {
    const std::string* keyfile = text_of(json, "keyfile");
    if (!keyfile) return broken(path, "the path of the key file is missing");
    locator.keyfile_path = *keyfile;
  }
  if (*how == UnlockKind::passphrase) RETURN_IF_ERROR(read_passphrase(json, path, locator));
  return locator;
}

}  // namespace aierase::lifecycle
