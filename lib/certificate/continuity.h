// Whether heads of a log belong to one history: nothing dropped, put elsewhere or replaced between
// them.
//
// Contract: holds what a reader kept (`from`) and what the files at hand prove; check() says of a
// head whether it and `from` are of one log. What nothing proves is failed, never passed over.
// Specified in: aierase-certificate(5) VERIFYING; RFC 9162 section 2.1.4.2.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "certificate/check.h"
#include "translog/merkle.h"
#include "translog/note.h"

namespace aierase::certificate {

class Continuity {
 public:
  explicit Continuity(translog::Checkpoint from) : from_(std::move(from)), sizes_{from_.size} {}

  const std::string& origin() const { return from_.origin; }

  // The root at these sizes is wanted of whoever goes through a whole log.
  void want(std::uint64_t size) { sizes_.insert(size); }
  bool wants(std::uint64_t size) const { return sizes_.count(size) != 0; }

  // A proof that a log of `old_size` leaves became the one with this head; believed only as far as
  // its hashes go.
  void add_proof(std::uint64_t old_size, translog::Checkpoint head, translog::Proof proof);
  // A root that a whole log, gone through leaf by leaf, had at that size.
  void add_root(const std::string& origin, std::uint64_t size, const Digest& root);

  Check check(const translog::Checkpoint& head) const;

 private:
  struct Link {
    std::uint64_t old_size = 0;
    translog::Checkpoint head;
    translog::Proof proof;
  };
  bool is_linked(const translog::Checkpoint& earlier, const translog::Checkpoint& later,
                 bool& refuted) const;

  translog::Checkpoint from_;
  std::set<std::uint64_t> sizes_;
  std::vector<Link> links_;
  std::map<std::pair<std::string, std::uint64_t>, Digest> roots_;
};

}  // namespace aierase::certificate
