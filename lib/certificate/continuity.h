// Whether heads of a log belong to one history: nothing dropped, put elsewhere or replaced between
// them.
//
// Contract: holds what a reader kept (`from`) and what the files at hand prove; check() says of a
// head whether it and `from` are of one log. What nothing proves is failed, never passed over. That
// a log is forked its own signatures have to show: everybody can write a head of two roots, and a
// proof that leads nowhere shows nothing but itself.
// Specified in: aierase-certificate(5) VERIFYING; RFC 9162 section 2.1.4.2.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "certificate/check.h"
#include "translog/merkle.h"
#include "translog/note.h"

namespace aierase::certificate {

// Whose word a head is: of the log, where a key of it that is trusted here has signed it.
enum class HeadOf { anybody, the_log };

class Continuity {
 public:
  explicit Continuity(translog::Checkpoint from, HeadOf from_of = HeadOf::anybody)
      : from_(std::move(from)), from_of_(from_of), sizes_{from_.size} {}

  const std::string& origin() const { return from_.origin; }

  // The root at these sizes is wanted of whoever goes through a whole log.
  void want(std::uint64_t size) { sizes_.insert(size); }
  bool wants(std::uint64_t size) const { return sizes_.count(size) != 0; }

  // A proof that a log of `old_size` leaves became the one with this head; believed only as far as
  // its hashes go.
  void add_proof(std::uint64_t old_size, translog::Checkpoint head, translog::Proof proof);
  // Roots that one tree of that log had at these sizes, gone through leaf by leaf to a head that
  // its leaves lead to, which is the word of `of`. Roots of two trees show nothing of each other,
  // so each has its own.
  using Roots = std::map<std::uint64_t, Digest>;
  void add_tree(const std::string& origin, Roots roots, HeadOf of);

  Check check(const translog::Checkpoint& head, HeadOf of = HeadOf::anybody) const;

 private:
  struct Link {
    std::uint64_t old_size = 0;
    translog::Checkpoint head;
    translog::Proof proof;
  };
  enum class Shown { nothing, linked, broken_proof, refuted };
  Shown shown(const translog::Checkpoint& earlier, const translog::Checkpoint& later) const;

  struct Tree {
    std::string origin;
    Roots roots;
    HeadOf of = HeadOf::anybody;
  };

  translog::Checkpoint from_;
  HeadOf from_of_;
  std::set<std::uint64_t> sizes_;
  std::vector<Link> links_;
  std::vector<Tree> trees_;
};

// The heads of logs that were read, whichever archive had them. Two of one size have one root, or
// the log was told differently to different readers.
class HeadsSeen {
 public:
  // Whether no other root was seen of so many leaves; `vouched_by` keeps those apart for whom
  // nobody, or somebody else, vouches.
  bool add(const translog::Checkpoint& head, const std::string& vouched_by);

 private:
  std::map<std::tuple<std::string, std::string, std::uint64_t>, Digest> roots_;
};

}  // namespace aierase::certificate
