// The leaves of a section, hashed as they come, and what among them has to have its record.
//
// Contract: bundles of entries in order; the first thing that is wrong ends the reading, and
// check() tells it. 32 bytes are kept of each leaf, and a row of each that needs a record; never a
// leaf itself, nor more of them than the section's name has.
// Specified in: aierase-certificate(5) ARCHIVES; RFC 6962 section 2.1.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certificate/archive.h"
#include "certificate/check.h"
#include "certificate/continuity.h"
#include "certificate/section_keys.h"
#include "translog/note.h"

namespace aierase::certificate {

// Approvals, rejections, approvals in advance and validations.
bool is_decision(std::string_view type);
// That a plan ended whose record nobody could sign then.
inline constexpr std::string_view kRefusalUnsigned = "refusal-unsigned";

class SectionLeaves {
 public:
  struct SignedLeaf {
    std::uint64_t leaf = 0;
    bool found = false;
    bool in_period = false;  // it stands between leaves that are well within what was asked for
  };
  struct CommittedLeaf {
    std::uint64_t leaf = 0;
    std::string type;
    UtcTime time{};
    bool opened = false;
  };

  // How the leaves stand to the period that was asked for. Certificates and refusals tell no time.
  struct Period {
    bool begins_before = false;  // a leaf is from before it, and so is all before the section
    bool ends_behind = false;    // a leaf is from after it
    std::optional<UtcTime> last;
  };

  // Kept are the roots that `history` asks for, what the reader has of that log, or null. Keys may
  // become known up to the first entries.
  SectionLeaves(const SectionName& name, const Continuity* history, const SectionKeys& keys);
  // Before any entries, and once.
  void begin(const SectionFacts& facts);
  void add(const Member& member, const std::string& content);

  // Why that is no leaf of the section; empty where it is.
  std::string objection(std::uint64_t leaf, const Digest& hash) const;
  void mark_found(std::uint64_t leaf);
  void mark_opened(std::uint64_t leaf);
  const std::vector<SignedLeaf>& signed_leaves() const { return signed_; }
  // Of holds, policies and refusals without signature, which everybody gets who asked for
  // everything.
  const std::vector<CommittedLeaf>& needed_records() const { return needed_; }
  const Period& period() const { return period_; }
  std::uint64_t decisions() const { return decisions_; }  // approvals and the like
  std::uint64_t rotations() const { return rotations_; }
  std::uint64_t unknown_rotations() const { return unknown_rotations_; }  // not in the keyring
  const Continuity::Roots& roots() const { return roots_; }  // of use where check() passed

  // That they lead from the one signed head to the other. None: it is missing, or not signed.
  Check check(const std::optional<translog::Checkpoint>& before,
              const std::optional<translog::Checkpoint>& head) const;

 private:
  void add_leaf(std::string_view body);
  void add_committed(std::uint64_t leaf, LeafKind kind);
  void place_in_period(UtcTime time);
  void remember_root();
  std::string fault_between(const std::optional<translog::Checkpoint>& before,
                            const std::optional<translog::Checkpoint>& head) const;

  const SectionName name_;
  const Continuity* const history_;
  Continuity::Roots roots_;
  const SectionKeys& keys_;
  bool begun_ = false;
  std::optional<UtcTime> from_, until_;
  Period period_;
  bool last_in_period_ = false;
  std::size_t placed_ = 0;  // of signed_: a leaf with a time stands behind them
  domain::LogState start_, tree_;
  std::vector<Digest> hashes_;
  std::vector<SignedLeaf> signed_;     // in order
  std::vector<CommittedLeaf> needed_;  // in order
  std::uint64_t decisions_ = 0, rotations_ = 0, unknown_rotations_ = 0;
  std::string fault_;
};

}  // namespace aierase::certificate
