// A view of one asset as the kernel sees it: a read-only file system behind a descriptor of
// /dev/fuse that somebody else has mounted.
//
// Contract: start() takes the descriptor and serves it in threads of its own until the view is
// unmounted or the destructor ends it; everything else is called by one thread, the owner. What
// the kernel asks for is looked up and bounded, never trusted. No byte is handed out whose tag did
// not hold (a read of damaged content is EIO, and take_fault() tells it), and none after revoke()
// has returned: keys and plaintext are gone then, and reads are ESTALE. The kernel keeps pages of
// its own; forget_pages() has it drop them, and mapped ones with them.
// Caveat: whoever kept a second descriptor of the mount can take requests away and keep pages
// locked by not answering them: then forget_pages() and the destructor wait until he closes it.
// See fuse(4). Specified in: aierase(1) mount.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/env.h"
#include "base/result.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "blob/asset_reader.h"
#include "crypto/keys.h"
#include "domain/asset.h"

namespace aierase::view {

struct Content {
  blob::WriterOptions where;
  domain::Manifest manifest;
  crypto::Dek dek;
  std::uint32_t owner = 0, group = 0;  // that files are shown to belong to; only he reads them
  UtcTime time{};                      // that they are shown to be of
};

class Session {
 public:
  // To be called once, before any thread: threads that wait for the kernel are woken by SIGURG.
  static Status prepare_process();

  // Errc::invalid_input where the descriptor is none of /dev/fuse. `progress` outlives the session;
  // its `bytes` count what was read.
  static Result<std::unique_ptr<Session>> start(Env& env, UniqueFd device, Content content,
                                                blob::Progress& progress);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  bool ended() const;  // unmounted, or the descriptor was of no mount
  void revoke();
  // False where it takes longer than `patience`: it goes on.
  bool forget_pages(std::chrono::milliseconds patience);
  // The first error that a reader met since the last call.
  std::optional<Error> take_fault();
  // To be called now and then: buffers that nobody has used since the last call are given back.
  void rest();

 private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aierase::view
