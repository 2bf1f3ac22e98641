// The leaves of a section, hashed as they come, and what among them has to have its record.
//
// Contract: bundles of entries in order; the first thing that is wrong ends the reading, and
// check() tells it. 32 bytes are kept of each leaf, and a row of each that needs a record.
// Specified in: aierase-certificate(5) ARCHIVES; RFC 6962 section 2.1.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certificate/archive.h"
#include "certificate/check.h"
#include "certificate/continuity.h"
#include "translog/note.h"

namespace aierase::certificate {

class SectionLeaves {
 public:
  struct SignedLeaf {
    std::uint64_t leaf = 0;
    bool found = false;
  };
  struct CommittedLeaf {
    std::uint64_t leaf = 0;
    std::string type;
    UtcTime time{};
    bool opened = false;
  };

  // What the reader kept of that log, or null, learns the roots that it asks for.
  SectionLeaves(const SectionName& name, Continuity* history);
  // Before any entries: the subtrees of what is before the section.
  void begin(const std::vector<Digest>& before);
  void add(const Member& member, const std::string& content);

  // Why that is no leaf of the section; empty where it is.
  std::string objection(std::uint64_t leaf, const Digest& hash) const;
  void mark_found(std::uint64_t leaf);
  void mark_opened(std::uint64_t leaf);
  const std::vector<SignedLeaf>& signed_leaves() const { return signed_; }
  // Holds and policies, which everybody gets who asked for everything.
  const std::vector<CommittedLeaf>& needed_records() const { return needed_; }
  const std::vector<std::string>& rotations() const { return rotations_; }  // bodies

  // That they lead from the one signed head to the other. None: it is missing, or not signed.
  Check check(const std::optional<translog::Checkpoint>& before,
              const std::optional<translog::Checkpoint>& head) const;

 private:
  void add_leaf(std::string_view body);
  void remember_root();
  std::string fault_between(const std::optional<translog::Checkpoint>& before,
                            const std::optional<translog::Checkpoint>& head) const;

  const SectionName name_;
  const std::string origin_;
  Continuity* const history_;
  bool begun_ = false;
  domain::LogState start_, tree_;
  std::vector<Digest> hashes_;
  std::vector<SignedLeaf> signed_;     // in order
  std::vector<CommittedLeaf> needed_;  // in order
  std::vector<std::string> rotations_;
  std::string fault_;
};

}  // namespace aierase::certificate
