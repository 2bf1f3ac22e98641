// What the kernel asks a view for, and the answers.
//
// Contract: its functions are called by libfuse in any thread, with whatever the kernel, or whoever
// speaks for it, has sent: numbers, names, offsets and sizes are looked up and bounded. Each
// request gets one answer. revoke() returns once every answer with plaintext is with the kernel,
// and keys are gone; from then on reads and opens are ESTALE. See fuse(4).
#pragma once

#ifndef FUSE_USE_VERSION
#define FUSE_USE_VERSION 35
#endif
#include <fuse_lowlevel.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>

#include "view/session.h"
#include "view/streams.h"
#include "view/tree.h"

namespace aierase::view {

class Requests {
 public:
  Requests(Env& env, Content content, blob::Progress& progress);
  Status prepare();  // before anything is asked
  // Called by each read in its thread, once its place in the order is taken. To be set before.
  void set_in_line(std::function<void()> in_line) { in_line_ = std::move(in_line); }

  static const fuse_lowlevel_ops& operations();  // with a Requests as userdata

  void revoke();
  // Calls with each number that the kernel may have pages of.
  void for_each_opened(const std::function<void(fuse_ino_t)>& use) const;
  std::optional<Error> take_fault();
  void rest();

 private:
  struct stat attributes_of(const Node& node) const;
  void lookup(fuse_req_t request, fuse_ino_t folder, const char* name);
  void getattr(fuse_req_t request, fuse_ino_t number);
  void open(fuse_req_t request, fuse_ino_t number, fuse_file_info* info);
  void read(fuse_req_t request, fuse_ino_t number, std::size_t size, off_t offset);
  void hand_out(fuse_req_t request, const domain::FileEntry& file, std::uint64_t offset,
                std::size_t size);
  Status send(fuse_req_t request, const domain::FileEntry& file, std::uint64_t offset,
              std::uint64_t length);
  void readdir(fuse_req_t request, fuse_ino_t number, std::size_t size, off_t offset);
  void statfs(fuse_req_t request);

  const domain::Manifest manifest_;
  const std::uint32_t owner_, group_;
  const UtcTime time_;
  Tree tree_;
  // Readers hold it shared until their answer is with the kernel; revoke() takes it alone.
  std::shared_mutex reading_;
  std::atomic<bool> revoked_{false};
  Streams streams_;
  std::function<void()> in_line_;
  std::unique_ptr<std::atomic<bool>[]> opened_;  // by number less 1
  std::mutex mutex_;
  std::optional<Error> fault_;  // the first
};

}  // namespace aierase::view
