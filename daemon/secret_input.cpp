#include "daemon/secret_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/json.h"
#include "base/unique_fd.h"
#include "blob/descriptor_io.h"

namespace aierase::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kPassphraseBytes = 1024;
constexpr milliseconds kPassphraseTime{5000};

Result<std::optional<SecretBytes>> read_whole(const std::string& path, std::size_t most) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY));
  if (!file.valid()) {
    if (errno == ENOENT) return std::optional<SecretBytes>();
    return errno_error(errno, "cannot open " + path).about(path);
  }
  SecretRead how;
  how.most = most;
  how.what = path;
  ASSIGN_OR_RETURN(SecretBytes secret, read_secret(file.get(), how));
  return std::optional<SecretBytes>(std::move(secret));
}

int digit_of(std::byte character) {
  const int value = std::to_integer<int>(character);
  if (value >= '0' && value <= '9') return value - '0';
  if (value >= 'a' && value <= 'f') return value - 'a' + 10;
  if (value >= 'A' && value <= 'F') return value - 'A' + 10;
  return -1;
}

// 64 hex digits in `text` to 32 bytes; false where there is anything else.
bool decode_hex(ByteView text, ByteSpan out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = digit_of(text[2 * i]);
    const int low = digit_of(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::byte>(high * 16 + low);
  }
  return true;
}

Result<SecretBytes> first_bytes(const SecretBytes& whole, std::size_t size) {
  return whole.reveal([size](ByteView bytes) { return SecretBytes::copy_of(bytes.first(size)); });
}

bool ends_with_line_feed(const SecretBytes& secret) {
  return secret.reveal(
      [](ByteView bytes) { return !bytes.empty() && bytes.back() == std::byte{'\n'}; });
}

Error too_long(const SecretRead& how) {
  return make_error(Errc::invalid_input,
                    how.what + " is longer than " + std::to_string(how.most) + " bytes");
}

}  // namespace

Result<SecretBytes> read_secret(int descriptor, const SecretRead& how) {
  const std::atomic<bool> never{false};
  blob::Deadline deadline;
  if (how.time) deadline = steady_clock::now() + *how.time;
  blob::DescriptorSource source(descriptor, how.cancelled != nullptr ? *how.cancelled : never,
                                deadline);
  ASSIGN_OR_RETURN(SecretBytes buffer, SecretBytes::zeroed(how.most + 1));
  std::size_t size = 0;
  for (;;) {
    Result<std::size_t> got =
        buffer.fill([&](ByteSpan bytes) { return source.read(bytes.subspan(size)); });
    if (!got.ok()) return std::move(got).error().in("cannot read " + how.what);
    if (*got == 0) break;
    size += *got;
    if (size > how.most) return too_long(how);
  }
  return first_bytes(buffer, size);
}

Result<SecretBytes> read_passphrase(int descriptor) {
  SecretRead how;
  how.most = kPassphraseBytes;
  how.what = "the passphrase";
  how.time = kPassphraseTime;
  ASSIGN_OR_RETURN(SecretBytes secret, read_secret(descriptor, how));
  if (ends_with_line_feed(secret)) return first_bytes(secret, secret.size() - 1);
  return secret;
}

Result<std::optional<crypto::UnlockSecret>> read_credential() {
  const char* directory = getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr) return std::optional<crypto::UnlockSecret>();
  const std::string path = std::string(directory) + "/aierase.unlock";
  ASSIGN_OR_RETURN(std::optional<SecretBytes> text, read_whole(path, 65));
  if (!text) return std::optional<crypto::UnlockSecret>();
  const bool hex = text->size() == 64 || (text->size() == 65 && ends_with_line_feed(*text));
  if (!hex && text->size() != crypto::kKeyBytes) {
    return make_error(
        Errc::invalid_input,
        "the credential aierase.unlock has " + std::to_string(text->size()) + " bytes",
        "it is 32 random bytes, or 64 hex digits");
  }
  if (hex) {
    ASSIGN_OR_RETURN(SecretBytes decoded, SecretBytes::zeroed(crypto::kKeyBytes));
    const bool good = text->reveal([&](ByteView digits) {
      return decoded.fill([&](ByteSpan out) { return decode_hex(digits, out); });
    });
    if (!good) {
      return make_error(Errc::invalid_input, "the credential aierase.unlock is not hex");
    }
    text = std::move(decoded);
  }
  ASSIGN_OR_RETURN(crypto::UnlockSecret secret, crypto::UnlockSecret::adopt(std::move(*text)));
  return std::optional<crypto::UnlockSecret>(std::move(secret));
}

Result<crypto::UnlockSecret> read_keyfile(const std::string& path) {
  const UniqueFd file(
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK));
  if (!file.valid()) return errno_error(errno, "cannot open the key file " + path).about(path);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return errno_error(errno, "cannot look at " + path);
  if (!S_ISREG(status.st_mode) || (status.st_mode & 0177U) != 0) {
    return make_error(Errc::invalid_input,
                      "the key file " + path + " must be a regular file of mode 0600 or less",
                      "chmod 0600 " + path, path);
  }
  SecretRead how;
  how.most = crypto::kKeyBytes;
  how.what = "the key file " + path;
  ASSIGN_OR_RETURN(SecretBytes secret, read_secret(file.get(), how));
  if (secret.size() != crypto::kKeyBytes) {
    return make_error(
        Errc::invalid_input,
        "the key file " + path + " has " + std::to_string(secret.size()) + " bytes instead of 32",
        "head -c 32 /dev/urandom makes one", path);
  }
  return crypto::UnlockSecret::adopt(std::move(secret));
}

Status write_secret(int descriptor, const SecretBytes& secret, const std::atomic<bool>& cancelled) {
  blob::DescriptorSink sink(descriptor, cancelled);
  return secret.reveal([&](ByteView bytes) { return sink.write(bytes); });
}

}  // namespace aierase::daemon
