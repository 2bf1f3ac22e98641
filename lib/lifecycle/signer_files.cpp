#include "lifecycle/core.h"

namespace aierase::lifecycle {
namespace {

// aierase-store(5) KEY FILES: magic, then either the 32-byte seed in plain (unlock "none") or a
// sealed message under HKDF(U, "aierase/keyfile/v1" || purpose), associated data = store uuid.
constexpr std::string_view kPlainMagic = "AIEKEY1P";
constexpr std::string_view kSealedMagic = "AIEKEY1S";
constexpr std::size_t kMagicBytes = 8;
constexpr std::size_t kSeedBytes = 32;

}  // namespace

Status write_secret_file(Env& env, const std::string& path, const Uuid& store,
                         const crypto::UnlockSecret* unlock, std::string_view purpose,
                         const SecretBytes& seed) {
  if (unlock) {
    ASSIGN_OR_RETURN(const crypto::SealKey seal, crypto::keyfile_key(*unlock, purpose));
    Result<Bytes> sealed = seed.reveal(
        [&](ByteView plain) { return crypto::seal_message(seal, store.view(), plain); });
    if (!sealed.ok()) return std::move(sealed).error();
    Bytes content = copy_of(as_bytes(kSealedMagic));
    append(content, *sealed);
    return write_new_file(env, path, content, 0600);
  }
  ASSIGN_OR_RETURN(SecretBytes content, SecretBytes::zeroed(kMagicBytes + kSeedBytes));
  content.fill([&](ByteSpan to) {
    const ByteView magic = as_bytes(kPlainMagic);
    std::copy(magic.begin(), magic.end(), to.begin());
    seed.reveal(
        [&](ByteView plain) { std::copy(plain.begin(), plain.end(), to.begin() + kMagicBytes); });
  });
  return content.reveal([&](ByteView bytes) { return write_new_file(env, path, bytes, 0600); });
}

Result<Authority> write_key_files(Env& env, const std::string& directory, const Uuid& store,
                                  const crypto::UnlockSecret* unlock, const std::string& ending) {
  const auto write = [&](const char* purpose, const crypto::SigningKey& key) -> Status {
    ASSIGN_OR_RETURN(const SecretBytes seed, key.seed());
    return write_secret_file(env, directory + "/" + purpose + ".key" + ending, store, unlock,
                             purpose, seed);
  };
  ASSIGN_OR_RETURN(crypto::SigningKey signer, crypto::SigningKey::generate());
  RETURN_IF_ERROR(write("signer", signer));
  ASSIGN_OR_RETURN(crypto::SigningKey log, crypto::SigningKey::generate());
  RETURN_IF_ERROR(write("log", log));
  return Authority{std::move(signer), std::move(log)};
}

Result<crypto::SigningKey> read_key_file(Env& env, const std::string& path, const Uuid& store,
                                         const crypto::UnlockSecret* unlock,
                                         std::string_view purpose) {
  ASSIGN_OR_RETURN(const SecretBytes seed, read_secret_file(env, path, store, unlock, purpose));
  return crypto::SigningKey::from_seed(seed);
}

Result<SecretBytes> read_secret_file(Env& env, const std::string& path, const Uuid& store,
                                     const crypto::UnlockSecret* unlock, std::string_view purpose) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, env.open(path, {}));
  ASSIGN_OR_RETURN(const FileInfo info, file->info());
  if (info.size < kMagicBytes + kSeedBytes || info.size > 4096) {
    return make_error(Errc::damaged, path + " is not a key file of this store",
                      "restore it from a copy of the slot's directory", path);
  }
  ASSIGN_OR_RETURN(SecretBytes content, SecretBytes::zeroed(info.size));
  RETURN_IF_ERROR(content.fill([&](ByteSpan to) { return file->read_at(0, to); }));
  return content.reveal([&](ByteView bytes) -> Result<SecretBytes> {
    const std::string_view magic = as_text(bytes.first(kMagicBytes));
    const ByteView body = bytes.subspan(kMagicBytes);
    if (magic == kPlainMagic && !unlock && body.size() == kSeedBytes) {
      return SecretBytes::copy_of(body);
    }
    if (magic == kSealedMagic && unlock) {
      ASSIGN_OR_RETURN(const crypto::SealKey seal, crypto::keyfile_key(*unlock, purpose));
      Result<SecretBytes> seed = crypto::open_message(seal, store.view(), body);
      if (seed.ok() && seed->size() == kSeedBytes) return seed;
    }
    return make_error(Errc::damaged, path + " does not open: it is another store's or changed",
                      "restore it from a copy of the slot's directory", path);
  });
}

}  // namespace aierase::lifecycle
