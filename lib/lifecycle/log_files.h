// STORE/log: the log as files that any web server hands out, and nothing of it is secret.
//
// Contract: a file appears whole and durable under its name or not at all, and is never changed: a
// name that is taken by other content is Errc::damaged. Only `checkpoint` is replaced. New names
// are durable after settle(). Readable for everybody, whatever the umask; the directory above is
// not. Specified in: aierase-store(5) PUBLISHED LOG.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/env.h"
#include "translog/tile.h"

namespace aierase::lifecycle {

class LogFiles {
 public:
  LogFiles(Env& env, std::string directory) : env_(env), directory_(std::move(directory)) {}

  Result<std::vector<Digest>> tile(const translog::TileName& name) const;
  translog::ReadTile reader() const {
    return [this](const translog::TileName& name) { return tile(name); };
  }
  Status put(const std::string& path, ByteView content);
  Status settle();  // what was put is durable
  Status put_checkpoint(const std::string& note);
  Result<bool> has_checkpoint(const std::string& note) const;
  // Of a tile or bundle that is full now: what stood there while it was not. Best effort.
  void drop_partials(const std::string& full_path);
  void forget();  // that directories are there: somebody removed them

 private:
  Status make_directories(const std::string& path);
  Result<std::string> write_aside(ByteView content);

  Env& env_;
  std::string directory_;
  std::set<std::string> known_;     // directories that are there
  std::set<std::string> unsynced_;  // directories with new names
};

}  // namespace aierase::lifecycle
