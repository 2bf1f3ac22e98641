#include "base/secret_bytes.h"

#include <sodium.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/random.h"

namespace aierase {
namespace {

constexpr std::size_t kProbeBytes = 4096;

Error not_locked(std::size_t size) {
  return make_error(Errc::resource_limit,
                    "cannot lock " + std::to_string(size) +
                        " bytes of memory for a secret: the limit of locked memory is reached",
                    "Raise LimitMEMLOCK= in the unit, or `ulimit -l`.");
}

}  // namespace

void fill_random(ByteSpan out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) std::abort();
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    release();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

SecretBytes::~SecretBytes() {
  release();
}

void SecretBytes::release() noexcept {
  if (data_ != nullptr) sodium_free(data_);  // zeroizes before it unlocks
  data_ = nullptr;
  size_ = 0;
}

Result<SecretBytes> SecretBytes::zeroed(std::size_t size) {
  if (size == 0) return SecretBytes();
  // Idempotent and cheap: without it the first sodium_malloc would not know the page size.
  if (sodium_init() < 0) return make_error(Errc::unexpected, "libsodium cannot be initialised");
  auto* data = static_cast<std::byte*>(sodium_malloc(size));
  if (data == nullptr) {
    return make_error(Errc::resource_limit,
                      "no guarded memory for a secret of " + std::to_string(size) + " bytes",
                      "The machine is out of memory, or vm.max_map_count is reached.");
  }
  SecretBytes secret(data, size);
  // sodium_malloc ignores a refused lock. Locking the same pages again changes nothing when they
  // are locked, and tells when they are not.
  if (::mlock(data, size) != 0) return not_locked(size);
  std::memset(data, 0, size);
  return secret;
}

Result<SecretBytes> SecretBytes::random(std::size_t size) {
  ASSIGN_OR_RETURN(SecretBytes secret, zeroed(size));
  fill_random(ByteSpan(secret.data_, secret.size_));
  return secret;
}

Result<SecretBytes> SecretBytes::copy_of(ByteView bytes) {
  ASSIGN_OR_RETURN(SecretBytes secret, zeroed(bytes.size()));
  std::copy(bytes.begin(), bytes.end(), secret.data_);
  return secret;
}

Result<SecretBytes> SecretBytes::clone() const {
  return copy_of(ByteView(data_, size_));
}

bool SecretBytes::equals(const SecretBytes& other) const noexcept {
  if (size_ != other.size_) return false;
  return size_ == 0 || sodium_memcmp(data_, other.data_, size_) == 0;
}

bool SecretBytes::is_zero() const noexcept {
  return size_ == 0 || sodium_is_zero(reinterpret_cast<const unsigned char*>(data_), size_) == 1;
}

void SecretBytes::zeroize() noexcept {
  aierase::zeroize(ByteSpan(data_, size_));
}

void zeroize(ByteSpan bytes) noexcept {
  if (!bytes.empty()) sodium_memzero(bytes.data(), bytes.size());
}

Status harden_process_memory() {
  ASSIGN_OR_RETURN(const SecretBytes probe, SecretBytes::zeroed(kProbeBytes));
  if (!probe.is_zero()) return make_error(Errc::unexpected, "guarded memory is not zero-filled");
  const rlimit no_core{0, 0};
  if (::setrlimit(RLIMIT_CORE, &no_core) != 0) {
    return errno_error(errno, "cannot set the core file limit to 0");
  }
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return errno_error(errno, "cannot make the process undumpable");
  }
  return {};
}

}  // namespace aierase
