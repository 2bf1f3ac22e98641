// What is asked of a store, and what it answers: one request and one report for each use case.
//
// Contract: values. Actors come from the bus, never from arguments; ids have been looked up. What
// holds a key says so. Uses: aierase(1).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "blob/asset_reader.h"
#include "blob/asset_writer.h"
#include "catalog/catalog.h"
#include "certificate/keyring.h"
#include "certificate/signed_act.h"
#include "crypto/keys.h"
#include "domain/amendment.h"
#include "domain/asset.h"
#include "domain/plan.h"
#include "domain/selector.h"
#include "lifecycle/key_ring.h"
#include "lifecycle/retention.h"
#include "policy/compare.h"

namespace aierase::lifecycle {

// ---- import -----------------------------------------------------------------------------------
struct ImportRequest {
  domain::Actor actor;
  std::string name;
  domain::AssetKind kind = domain::AssetKind::model;
  std::vector<domain::Custodian> custodians;  // resolved by the daemon
  std::string retention = "default";
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<std::pair<domain::Relation, std::string>> lineage;  // relation, parent as typed
};

// What an import job needs away from the store thread. Holds the new asset's key.
struct ImportTicket {
  Uuid asset;
  domain::Asset draft;  // name, kind, custodians, labels; no content yet
  std::vector<domain::LineageEdge> edges;
  crypto::Dek dek;
  blob::WriterOptions writer;
};

enum class Changed { yes, no };
struct AssetView {
  domain::Asset asset;
  Changed changed = Changed::yes;        // of set_asset: no where all was so already
  std::vector<domain::FileEntry> files;  // empty once erased, and for dataset keys
  // Why the manifest cannot be opened (damaged); then files, metadata and digest are missing.
  std::optional<Error> unreadable;
  std::string metadata;
  std::optional<Digest> manifest_sha256;  // kinds that carry digests, while alive
  std::vector<domain::LineageName> parents, dependants;
  std::vector<domain::ExportRecord> exports;
  std::vector<domain::Hold> holds;
  std::optional<Uuid> open_plan;
  std::optional<Uuid> certificate;
  std::vector<catalog::Event> events;  // newest last, at most 100
  std::size_t running_exports = 0;
  std::vector<Holder> holders;                // of mounted views
  std::vector<std::string> remarks;           // of one that was changed: what to know about that
  std::optional<policy::Decision> retention;  // what the policy in force says; none once erased
};

enum class ImportOutcome { created, existing };
struct ImportReport {
  ImportOutcome outcome = ImportOutcome::created;
  AssetView view;
};

// ---- export -----------------------------------------------------------------------------------
struct ExportRequest {
  domain::Actor actor;
  Uuid asset;
  std::optional<std::string> file;                               // one file's path
  std::optional<std::pair<std::uint64_t, std::uint64_t>> range;  // [first, last], of that file
  std::string destination;                                       // as told by the client
  domain::ExportMedium medium = domain::ExportMedium::unknown;   // as observed by the daemon
};
// The record is durable when this is handed out. The lease ends with the ticket; a revoked lease
// sets progress.cancelled.
struct ExportTicket {
  domain::Asset asset;
  domain::Manifest manifest;       // all files, or the one asked for
  KeyLease lease;                  // dek inside; goes last, after all that came from it
  std::optional<SecretBytes> key;  // of a dataset key
  blob::WriterOptions reader;
  std::uint64_t first = 0, length = 0;  // of the range; length 0: everything
};

// ---- mount ------------------------------------------------------------------------------------
struct MountRequest {
  Holder holder;  // since: filled in
  Uuid asset;
};
struct MountTicket {
  domain::Asset asset;
  domain::Manifest manifest;
  KeyLease lease;  // dek inside; goes last, after all that came from it
  blob::WriterOptions reader;
};

// ---- plans ------------------------------------------------------------------------------------
enum class Persist { yes, dry_run };
enum class Cascade { no, yes };
enum class SkipBlocked { no, yes };
struct RetireRequest {
  domain::Actor actor;
  std::vector<Uuid> assets;
  std::string reason;
  std::string ticket;
  Cascade cascade = Cascade::no;
  std::vector<std::pair<std::string, std::string>> keep;  // dependant as typed, reason
  SkipBlocked skip_blocked = SkipBlocked::no;
  domain::Timing timing = domain::Timing::after_grace;
  std::string below_floor;  // legal basis for an erasure below a floor; empty: none is asked for
  domain::PlanOrigin origin = domain::PlanOrigin::person;  // enforce: by the nightly run alone
  Persist persist = Persist::yes;
};

// What approvals a plan needs and who could give them.
struct ApprovalsNeeded {
  std::vector<std::string> custodians;    // text of those whose word may still come, per item union
  std::vector<std::string> by_signature;  // of them, who has no account here
  std::size_t items_waiting = 0;
  std::size_t items_of_nobody = 0;  // of those, for which too few are left who may
  std::size_t people = 0;           // the most that an item still waits for
};
// What an approved plan waits for: the end of its grace, after that a person who says that the
// clock is right, or one who releases the brake, or others that go with it.
enum class WaitsFor { nothing, grace, clock, brake, company };
std::string_view to_text(WaitsFor what) noexcept;  // "grace"
struct PlanView {
  domain::Plan plan;
  Persist persist = Persist::yes;  // dry_run: one that might be made, and has no id nor digest
  std::vector<domain::PlanItem> left_out;        // by its request, since they are blocked
  std::map<Uuid, domain::AssetName> kept_names;  // of the dependants that stay
  WaitsFor waits_for = WaitsFor::nothing;
  std::optional<UtcTime> waits_until;  // WaitsFor::company: at the latest
  ApprovalsNeeded needed;
  std::optional<UtcTime> due_if_approved_now;        // of one that waits for approvals
  std::vector<domain::AttemptedUse> attempted_uses;  // of what it has retired
  std::optional<catalog::RefusalHead> refusal;  // its record, where it ended otherwise than done
  std::map<Uuid, std::vector<Holder>> holders;  // of its items that are mounted
};

// ---- policies ---------------------------------------------------------------------------------
struct PolicyRequest {
  domain::Actor actor;
  std::vector<domain::PolicyFile> files;
  std::string reason;
  Persist persist = Persist::yes;
};
// What the load of a policy changes, or would.
struct PolicyReport {
  struct Row {
    Uuid asset;
    domain::AssetName name;
    policy::Change change;
  };
  Digest version{}, previous{};
  std::uint64_t assets = 0;       // living ones, all looked at
  std::uint64_t weakened = 0;     // due sooner, or kept for a shorter time
  std::uint64_t due = 0;          // now, under the new one
  std::uint64_t in_conflict = 0;  // now, under the new one
  std::vector<Row> rows;          // of what is weakened, at most limits::kPolicyRowsShown
  // Approvals in advance that end with it, since their class has other rules.
  std::vector<domain::StandingApproval> voided;
};

// How a decision came that was signed; see signed_acts.h.
struct SignedDecision {
  domain::SignedBy by;
  domain::SignedText text;
  UtcTime valid_until{};
};
struct SigningWish;
struct HandIn;
struct HandInReport;
struct StandingRequest;
struct StandingRevocation;
struct StandingView;
struct StandingWish;

// ---- validation -------------------------------------------------------------------------------
struct ValidateRequest {
  domain::Actor actor;
  Uuid certificate;          // this one,
  std::optional<Uuid> plan;  // or all of this plan that the actor is a custodian of
  domain::Validation verdict = domain::Validation::accepted;
  std::string reason;  // needed unless accepted
  std::string remedy;  // what has to be done
  const SignedDecision* signed_decision = nullptr;
};
struct ValidateReport {
  domain::Validation verdict = domain::Validation::accepted;
  std::vector<Uuid> certificates;
  std::size_t awaiting = 0;  // of the plan, after this
};

// ---- amendments -------------------------------------------------------------------------------
// A file of evidence, or the certificate of a later erasure of the same content: one of the two.
struct AmendRequest {
  domain::Actor actor;
  Uuid certificate;
  std::optional<domain::EvidenceFile> evidence;
  std::optional<Uuid> again;
  std::vector<std::string> closes;  // codes of residuals, by evidence alone
  std::string reason;
};
struct AmendReport {
  Uuid certificate;
  std::uint64_t number = 0;
  domain::Validation validation = domain::Validation::awaiting;
  std::vector<std::string> open;  // codes of residuals
};

// ---- holds ------------------------------------------------------------------------------------
struct HoldRequest {
  domain::Actor actor;
  std::string matter;
  std::string reason;
  std::vector<domain::Selector> selectors;  // all of them; none is refused
  domain::HoldReach reach = domain::HoldReach::present;
};
struct HoldView {
  struct Bound {
    Uuid asset;
    domain::AssetName name;
    domain::AssetState state = domain::AssetState::active;
  };
  domain::Hold hold;
  std::uint64_t bound = 0;             // assets
  std::vector<Bound> assets;           // of one that is shown: the first page of them
  std::vector<Uuid> requeued;          // plans that its lifting made due
  std::vector<catalog::Event> events;  // of one that is shown
};

// What was signed: a certificate, the record of a plan that ended otherwise than done, or what was
// said of a certificate afterwards.
using SignedRecord =
    std::variant<catalog::CertificateRow, catalog::RefusalRow, catalog::AmendmentRow>;

// ---- log --------------------------------------------------------------------------------------
// That a leaf is in the log whose head it ends with.
struct LogProof {
  std::uint64_t leaf = 0;
  std::vector<Digest> hashes;
  domain::SignedHead head;
  crypto::PublicKey log_key{};  // that signed the head
};
struct LogHead {
  domain::SignedHead head;
  std::vector<Digest> consistency;  // from the size that was asked for
};

// ---- check ------------------------------------------------------------------------------------
enum class CheckDepth { structure, deep };

}  // namespace aierase::lifecycle
