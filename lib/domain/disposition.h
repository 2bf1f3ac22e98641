// All that a disposal statement says, gathered before the key goes: read from manifest and catalog
// in TX1, when they can still be read. Evidence and times of destruction come in TX3.
//
// Contract: values; filled by lifecycle, rendered by certificate. Fields answer R38
// (aierase-certificate(5) STATEMENT). Unavailable fields say "not applicable: reason".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain/asset.h"
#include "domain/plan.h"
#include "domain/slot.h"

namespace aierase::domain {

enum class PeopleRule { two_person, single_operator };

struct LineageName {
  Relation relation = Relation::derived_from;
  Uuid asset;
  AssetName name;
  AssetState state = AssetState::active;
  std::string kept_because;  // of a dependant that stays
};

struct HoldCheck {
  UtcTime time{};
  std::uint64_t holds_found = 0;  // 0, or there would be no certificate
};

// What the policy said when it was decided.
struct PolicyApplied {
  std::string retention_class;       // the asset's own
  std::vector<std::string> classes;  // all that applied
  Digest version{};
  std::optional<UtcTime> in_force_since;  // none: built in, nobody loaded one
  std::vector<std::string> bases;
  std::string below_floor;  // legal basis of an erasure below a floor; empty: none was below
  std::vector<std::string> floors;  // that it went below
  Timing timing = Timing::after_grace;
  std::optional<UtcTime> due;  // the end of grace, or the approval
  PlanOrigin origin = PlanOrigin::person;
  std::string brake;        // why it had tripped; empty: it had not
  std::string released_by;  // login of who let the plan go on
};

// A source that its importer reported as removed, and what lies under its name all the same.
// Removing takes files away and never a directory, so an empty one is what is expected.
struct RemovedSource {
  enum class Left { nothing, empty_directory, filled_directory, closed_directory, file };
  std::string description;
  UtcTime reported{};
  Left left = Left::nothing;
};

struct DispositionRecord {
  Uuid certificate;
  Uuid store;
  std::string host;               // host name
  std::string machine_id_digest;  // SHA-256 of the machine id, hex: identifies, does not expose
  std::string tool_version;       // "0.1.0"
  std::string tool_build;         // build id of the daemon, hex

  Asset asset;                   // as it was, sources and custodians included
  std::vector<FileEntry> files;  // of kinds that carry digests; path and size alone of others
  std::vector<BlobEntry> blobs;
  Digest manifest_sha256{};     // kinds that carry digests
  Digest configuration_salt{};  // kind configuration: never printed, only its commitment is
  std::vector<LineageName> parents;
  std::vector<LineageName> dependants;
  std::vector<ExportRecord> exports;
  std::vector<std::string> sources_still_present;  // seen by the daemon at TX1
  std::vector<RemovedSource> sources_removed;      // by report; what was seen at TX1
  std::vector<std::string> sources_not_visible;    // to the daemon: present or not, nobody knows

  Uuid plan;
  Digest plan_digest{};
  Actor requester;
  std::string reason;
  std::string ticket;
  UtcTime requested{};
  std::vector<Approval> approvals;
  std::map<Digest, SignedText> signed_texts;  // of approvals by signature, by SHA-256 of that
  PeopleRule people_rule = PeopleRule::two_person;
  PolicyApplied policy;
  HoldCheck holds;

  std::vector<EpochRecord> epochs;  // every epoch that the asset lived in
  AtRest at_rest = AtRest::none;
  std::vector<std::string> host_findings;  // "unencrypted swap was active", ...
};

// Why the round was to be: one line for each of its assets, hashed as the leaves of an RFC 6962
// tree; a device signs the root. The way from one leaf to the root, its neighbours in order.
struct IntentStep {
  enum class Side { left, right } side = Side::left;  // of the neighbour
  Digest neighbour{};
};
struct IntentPath {
  std::string intent;
  std::vector<IntentStep> steps;
};

// What TX3 adds.
struct DestructionEvidence {
  SlotEvidence slot;
  IntentPath intent;  // goes with evidence of a TPM
  UtcTime intent_at{};
  enum class Course {
    undisturbed,
    recovered
  } course = Course::undisturbed;     // recovered: read back after a restart
  std::vector<std::string> verified;  // names of the checks that passed, in order
};

// The same as canonical JSON: members of a statement that are null in its draft.
struct StatementEnd {
  std::string evidence, verification, intent_at, verified_zero_at;
};

}  // namespace aierase::domain
