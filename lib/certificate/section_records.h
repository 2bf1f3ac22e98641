// What a section opens of its log: decisions with the salt that their leaves commit to them by, and
// the texts of policies.
//
// Contract: hostile members are faults. Kept is a row of each record that holds, with the hold or
// the digests of the policy that it names, each of a bounded size. What nobody has to be given is
// counted, and said to be the word of whoever made the archive.
// Specified in: aierase-certificate(5) ARCHIVES.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json_view.h"
#include "certificate/archive.h"
#include "certificate/section_leaves.h"
#include "certificate/tally.h"

namespace aierase::certificate {

struct ArchivedRecord {
  std::uint64_t leaf = 0;
  std::string type;
  UtcTime time{};
  std::string by;  // the login that the record names; empty where it names none
};

class SectionRecords {
 public:
  SectionRecords(const SectionName& name, SectionLeaves& leaves) : name_(name), leaves_(leaves) {}

  // The signed head of the section, or none.
  void open(const Member& member, const std::string& content,
            const std::optional<translog::Checkpoint>& head);
  void take_policy(const Member& member, const std::string& content);

  std::vector<Check> integrity() const;
  std::vector<Check> completeness(const SectionFacts& facts) const;
  std::vector<ArchivedRecord> take_rows() { return std::move(rows_); }

 private:
  struct Lift {
    std::uint64_t leaf = 0;
    Uuid hold;
  };

  std::string objection(const OpenedLeaf& opened,
                        const std::optional<translog::Checkpoint>& head) const;
  std::string read(const OpenedLeaf& opened);
  std::string expect_policy(std::uint64_t leaf, JsonView record);
  Check holds_and_policies(const SectionFacts& facts) const;
  Check decisions() const;
  Check unsigned_refusals(const SectionFacts& facts) const;

  const SectionName name_;
  SectionLeaves& leaves_;
  Tally records_, policies_;
  std::vector<ArchivedRecord> rows_;
  std::map<std::uint64_t, std::vector<Digest>> policy_files_;  // not yet seen, by leaf
  std::set<Uuid> placed_;
  std::vector<Lift> lifted_;
  std::uint64_t opened_decisions_ = 0;  // of these leaves
};

}  // namespace aierase::certificate
