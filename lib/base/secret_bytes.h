// Bytes that must not be copied, printed, swapped or left behind.
//
// Contract: move-only; lives in guarded memory of libsodium (sodium_malloc) that is locked, and
// the lock is checked (libsodium ignores its failure); zeroized by the destructor. The bytes can
// be reached only inside reveal() and fill(); a lint (lint.secrets) lists the files that may use
// either word. Equality is constant-time. Sizes in bytes.
// Cost: one allocation takes at least one locked page and two guard pages: hold few, and carve a
// large one with span arithmetic inside fill() where many small secrets are needed at once.
// Caveat: root on this host, the hypervisor and a debugger can read it while it lives.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace aierase {

class SecretBytes {
 public:
  SecretBytes() noexcept = default;
  SecretBytes(SecretBytes&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  // Zero-filled. Fails with resource_limit when memory cannot be had or cannot be locked.
  static Result<SecretBytes> zeroed(std::size_t size);
  static Result<SecretBytes> random(std::size_t size);  // from getrandom(2)
  // Takes a copy; the caller's bytes stay the caller's to zeroize.
  static Result<SecretBytes> copy_of(ByteView bytes);

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  template <typename Callback>
  auto reveal(Callback&& callback) const {
    return std::forward<Callback>(callback)(ByteView(data_, size_));
  }
  template <typename Callback>
  auto fill(Callback&& callback) {
    return std::forward<Callback>(callback)(ByteSpan(data_, size_));
  }

  bool equals(const SecretBytes& other) const noexcept;  // constant time for equal sizes
  bool is_zero() const noexcept;                         // constant time
  Result<SecretBytes> clone() const;
  void zeroize() noexcept;  // to zeros, keeps the memory

 private:
  SecretBytes(std::byte* data, std::size_t size) noexcept : data_(data), size_(size) {}
  void release() noexcept;

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// For bytes that a library of others left on the heap or the stack.
void zeroize(ByteSpan bytes) noexcept;

// Calls sodium_init, locks a probe page, sets PR_SET_DUMPABLE 0 and the core limit to 0.
// To be called once, before the first SecretBytes and before any thread.
Status harden_process_memory();

}  // namespace aierase
