// Counts what waits for the disk: fsync(2), fdatasync(2) of the whole process, SQLite's too, and
// writes through descriptors with O_DSYNC.
//
// Contract: syncs() counts since the start of the process. CountingEnv forwards to a PosixEnv and
// counts the data-synced writes; the two functions of libc are replaced in sync_count.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/env.h"

namespace aierase::bench {

std::uint64_t syncs();

class CountingEnv final : public Env {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, const OpenHow& how) override;
  Result<std::optional<FileInfo>> stat(const std::string& path) override;
  Status make_directory(const std::string& path, unsigned permissions) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<bool> is_empty(const std::string& path) override { return real_.is_empty(path); }
  Status rename(const std::string& from, const std::string& to) override;
  Status replace(const std::string& from, const std::string& to) override;
  Status unlink(const std::string& path) override;
  Status remove_directory(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<StorageInfo> storage(const std::string& path) override;
  Result<std::uint64_t> free_space(const std::string& path) override;
  const char* sqlite_vfs() const override { return real_.sqlite_vfs(); }

 private:
  PosixEnv real_;
};

}  // namespace aierase::bench
