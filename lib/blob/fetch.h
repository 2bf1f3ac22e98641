// One segment of a blob on its way from the disk to plaintext, and pins on it.
//
// Contract: a Fetch belongs to a ReadAhead, whose owner begins it and takes it for another one
// once nobody has a pin on it. Whoever takes it is the one who opens it: by any thread, as many at
// once as OpenBlob has ways. A Pin keeps the plaintext where it is; it may be passed to another
// thread, and ends before the ReadAhead does.
// Specified in: aierase-store(5) BLOBS.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/env.h"
#include "base/limits.h"
#include "base/result.h"
#include "blob/layout.h"
#include "crypto/floe.h"
#include "domain/asset.h"

namespace aierase::blob {

// A blob that was found to be whole in length and header; holds its keys.
class OpenBlob {
 public:
  OpenBlob(const domain::BlobEntry& of, std::string at, std::unique_ptr<File> on_disk,
           crypto::FloeDecryptor opener);

  const domain::BlobEntry& entry() const { return *entry_; }
  const std::string& path() const { return path_; }
  // Reads and opens one segment in place. Errc::damaged names the blob's file and the segment.
  Status open(Env& env, std::uint64_t number, ByteSpan sealed);

 private:
  // A File and an Aead are used by one thread at a time. The threads of a ReadAhead, and those that
  // have pins.
  struct Way {
    std::atomic<bool> taken{false};
    std::unique_ptr<File> file;
    crypto::Aead aead;
  };
  struct GiveBack {
    void operator()(Way* way) const { way->taken.store(false, std::memory_order_release); }
  };
  std::unique_ptr<Way, GiveBack> free_way();
  Status open(Env& env, std::uint64_t number, ByteSpan sealed, Way& way);

  const domain::BlobEntry* entry_;
  const std::string path_;
  std::array<Way, 2 * limits::kLanesPerJob> ways_;
  crypto::FloeDecryptor decryptor_;
};

class Fetch {
 public:
  // ---- by the owner of the ReadAhead
  bool is_free() const { return blob_ == nullptr; }
  bool is_pinned() const { return pins_.load(std::memory_order_acquire) > 0; }
  bool is(const OpenBlob& blob, std::uint64_t number) const {
    return blob_.get() == &blob && number_ == number;
  }
  const OpenBlob* blob() const { return blob_.get(); }
  std::uint64_t number() const { return number_; }
  bool has_failed() const;
  Status begin(std::shared_ptr<OpenBlob> blob, std::uint64_t number);
  void release();  // waits for whoever is opening it

  // ---- by any thread
  // Opens it, unless somebody else does, has done or has dropped it.
  void open(Env& env) noexcept;

 private:
  friend class Pin;
  enum class State : int { idle, wanted, taken, ready };

  Status wait() const;
  ByteView whole() const { return buffer_.view(bytes_ + crypto::kFloeSegmentOverhead); }

  std::shared_ptr<OpenBlob> blob_;
  std::uint64_t number_ = 0;
  std::size_t bytes_ = 0;
  PageBuffer buffer_;
  Status status_;  // once it is ready
  std::atomic<State> state_{State::idle};
  std::atomic<unsigned> pins_{0};
};

class Pin {
 public:
  Pin(Env& env, Fetch& of) : env_(&env), of_(&of) {
    of_->pins_.fetch_add(1, std::memory_order_relaxed);  // by the owner alone
  }
  Pin(Pin&& other) noexcept : env_(other.env_), of_(std::exchange(other.of_, nullptr)) {}
  Pin& operator=(Pin&& other) noexcept {
    std::swap(env_, other.env_);
    std::swap(of_, other.of_);
    return *this;
  }
  ~Pin() {
    if (of_ != nullptr) of_->pins_.fetch_sub(1, std::memory_order_release);
  }

  // Does what nobody has begun.
  void open() const noexcept { of_->open(*env_); }
  // Until it is open, by whomever. Errc::damaged names the blob's file and the segment.
  Status wait() const { return of_->wait(); }

  // What it is, after that.
  ByteView content() const { return of_->whole().subspan(crypto::kFloePlaintextOffset, bytes()); }
  ByteView tag() const { return of_->whole().last(crypto::kGcmTagBytes); }
  std::size_t bytes() const { return of_->bytes_; }

 private:
  Env* env_;
  Fetch* of_;
};

}  // namespace aierase::blob
