// The ways in which secrets come in and go out: credential, key file, descriptors.
//
// Contract: secrets are read straight into SecretBytes, without a copy elsewhere. A descriptor
// is never changed and stays the caller's; waiting for it ends with `cancelled` or the deadline.
// Sizes in bytes.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "crypto/keys.h"

namespace aierase::daemon {

// $CREDENTIALS_DIRECTORY/aierase.unlock: 32 raw bytes, or 64 hex digits and perhaps a line feed.
Result<std::optional<crypto::UnlockSecret>> read_credential();
// 32 raw bytes in a regular file of ours, mode 0600 or less, not a symbolic link.
Result<crypto::UnlockSecret> read_keyfile(const std::string& path);

struct SecretRead {
  std::size_t most = 0;                           // more is Errc::invalid_input
  std::string what;                               // "the passphrase", for messages
  const std::atomic<bool>* cancelled = nullptr;   // may be null
  std::optional<std::chrono::milliseconds> time;  // none: for ever
};
Result<SecretBytes> read_secret(int descriptor, const SecretRead& how);
// Without a trailing line feed.
Result<SecretBytes> read_passphrase(int descriptor);
Status write_secret(int descriptor, const SecretBytes& secret, const std::atomic<bool>& cancelled);

}  // namespace aierase::daemon
