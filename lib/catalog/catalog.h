// The catalog: the only SQL in the house. Typed rows in, typed rows out, one connection, one
// thread.
//
// Contract: ReadView only reads; Transaction is a ReadView that writes, commits explicitly and
// rolls back in its destructor. commit() returns only when the commit is durable; an error from
// it, or Errc::io from anything, is final: the process stops. Hostile or broken rows are
// Errc::damaged naming table and key. The lifecycle alone decides what is written when; nothing
// here knows a rule. Pragmas and write ordering: erasure-design section 6. Schema:
// catalog/schema/NNNN.sql, aierase-store(5) CATALOG.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "catalog/enforcement.h"
#include "catalog/round.h"
#include "domain/asset.h"
#include "domain/audit.h"
#include "domain/authority.h"
#include "domain/batches.h"
#include "domain/disposition.h"
#include "domain/loaded_policy.h"
#include "domain/notice.h"
#include "domain/plan.h"
#include "domain/standing.h"

namespace aierase::catalog {

inline constexpr std::int64_t kFormat = 1;  // of the schema; a newer one is Errc::newer_format

// One row: what the store is and where it stands.
struct StoreState {
  Uuid store;
  std::int64_t format = kFormat;
  UtcTime created{};
  std::string machine_id_digest;  // whose host this store belongs to
  domain::PeopleRule people_rule = domain::PeopleRule::two_person;
  domain::AtRest at_rest = domain::AtRest::none;
  std::uint64_t epoch = 0;
  std::uint64_t generation = 0;  // counts commits; compared with the anchor at start
  std::uint32_t next_leaf = 0;   // leaves are handed out once, in order
  domain::LogState log;
  std::uint64_t hold_count = 0;  // what a TPM's counter of holds has to say
  // Trusted time (erasure-design section 9).
  UtcTime trusted{}, last_wall{};
  std::int64_t last_boottime = 0;
  std::string last_boot_id;
};

enum class NameScope { living, any };  // any: the living one, else the latest erased

struct AssetQuery {                      // all that is set must match; empty: everything
  std::optional<std::string> name_glob;  // of base name, or of the whole name where it has a ':'
  std::optional<domain::AssetState> state;
  std::optional<domain::AssetKind> kind;
  std::optional<std::string> retention;
  std::optional<domain::Custodian> custodian;  // by kind and name
  std::vector<std::pair<std::string, std::string>> labels;
  bool include_erased = true;
};

// A page may end before `limit` rows where they are large; `next` alone tells whether it is the
// last. A cursor that is not one of the same query is Errc::usage.
template <typename Row>
struct Page {
  std::vector<Row> rows;
  std::string next;  // cursor for the next page; empty at the end
};

struct CertificateRow {
  Uuid id;
  Uuid asset;
  Uuid plan;
  std::string outcome;  // "erased"
  domain::Level assurance = domain::Level::ea0;
  UtcTime issued{};
  domain::Validation validation = domain::Validation::awaiting;
  std::string statement;  // bytes that were signed (DSSE payload)
  std::string name;       // of the asset, when read
  Bytes signature;        // 64
  Bytes public_key;       // 32, the signer's
  std::uint64_t log_index = 0;
};

// Of a certificate what its validation needs: no statement, which may have tens of MB.
struct CertificateHead {
  Uuid id;
  Uuid asset;
  Uuid plan;
  domain::Validation validation = domain::Validation::awaiting;
};

// The record of a plan that ended otherwise than done.
struct RefusalHead {
  Uuid plan;
  domain::PlanState outcome = domain::PlanState::rejected;
  UtcTime issued{};
  std::uint64_t log_index = 0;  // of the leaf that commits to it, while it has no signature
  Bytes public_key;             // 32, the signer's; empty while it waits for its signature
  Bytes signature;              // 64; empty then
};
struct RefusalRow : RefusalHead {
  std::string statement;  // bytes that are signed (DSSE payload)
};

// What was said of a certificate since it was issued.
struct AmendmentRow {
  Uuid certificate;
  std::uint64_t number = 0;
  domain::AmendmentKind kind = domain::AmendmentKind::validation;
  UtcTime issued{};
  std::vector<std::string> open;  // codes of residuals, with this one
  std::uint64_t log_index = 0;
  Bytes public_key;       // 32, the signer's
  Bytes signature;        // 64
  std::string statement;  // bytes that were signed (DSSE payload)
};

struct ImportIntent {
  Uuid asset;
  domain::Actor actor;
  UtcTime started{};
  std::vector<Uuid> blobs;  // reserved so far
};

// A recorded act: who did what to which asset or plan, when, why (state changes, settings).
struct Event {
  UtcTime time{};
  domain::Actor actor;
  std::string action;    // "suspend", "retire", "approve", ...
  std::string subject;   // typed id
  std::string from, to;  // states; empty where none
  std::string reason;
};

struct StoreCounts {
  std::uint64_t active = 0, suspended = 0, retired = 0, erasing = 0, erased = 0;
  std::uint64_t open_plans = 0, certificates = 0, holds = 0;
  std::uint64_t bytes = 0;  // plaintext of all assets that are not erased
};

// Dates that retention counts from, of one asset.
struct RetentionDates {
  std::optional<UtcTime> retired;           // of the latest retirement
  std::optional<UtcTime> placed_on_market;  // as people recorded it
  std::optional<UtcTime> superseded;        // the earliest import that supersedes it
  std::optional<UtcTime> last_export;
  std::optional<UtcTime> last_mount;  // when it was last known to be mounted
  std::uint64_t exports = 0;
};

struct Measures {
  std::map<std::string, std::uint64_t> plans;         // by state
  std::map<std::string, std::uint64_t> certificates;  // by validation
  std::optional<UtcTime> oldest_open_plan;            // when it was made
  std::optional<UtcTime> last_erasure;
  std::uint64_t braked_plans = 0;  // that wait for one approval more
  std::int64_t audit_rows = 0;
  std::uint64_t key_rotations = 0;  // of signer and log, which go together
};

struct AuditQuery {                     // all that is set must match; empty: every call
  std::optional<UtcTime> since, until;  // both included
  std::optional<std::uint32_t> uid;
  std::optional<std::string> login;
  std::optional<std::string> outcome;
  std::optional<std::string> action;
};

// Of an asset what others need to know of it: one row, where the whole asset takes many.
struct AssetHead {
  domain::AssetName name;
  domain::AssetState state = domain::AssetState::active;
  std::uint64_t first_epoch = 0;
};

// An item of a plan that a legal hold keeps waiting.
struct HeldItem {
  Uuid plan;
  Uuid asset;
};

class Connection;  // RAII over sqlite3*, catalog/connection.h

class ReadView {
 public:
  // How many rows were changed through this catalog since it was opened. Two answers are the same
  // only where nothing was written in between: nobody else writes to the file.
  std::int64_t rows_changed() const;
  Result<StoreState> state() const;
  Result<StoreCounts> counts() const;
  Result<Measures> measures() const;

  Result<std::optional<Bytes>> node(domain::NodeId id) const;
  Result<std::vector<domain::NodeRow>> undo_nodes() const;
  // Every node row's id, in key order, from `after` on: for `check`.
  Result<std::vector<domain::NodeId>> node_ids(std::optional<domain::NodeId> after,
                                               std::size_t limit) const;

  Result<std::optional<domain::Asset>> asset(const Uuid& id) const;
  Result<std::optional<AssetHead>> asset_head(const Uuid& id) const;
  Result<std::vector<domain::Custodian>> custodians(const Uuid& asset) const;  // in their order
  Result<std::optional<Uuid>> asset_named(const domain::AssetName& name, NameScope scope) const;
  // Ids of the type whose text begins so, at most `limit`.
  Result<std::vector<Uuid>> ids(domain::IdType type, const domain::UuidRange& range,
                                std::size_t limit) const;
  // In the order of import; with a name pattern in the order of names.
  Result<Page<domain::Asset>> assets(const AssetQuery& query, const std::string& cursor,
                                     std::size_t limit) const;
  // All that live, in the order of import, in one pass over the tables. Of each only what selectors
  // and retention look at: id, name, kind, state, created, retention, labels, custodians.
  Status visit_living(const std::function<Status(const domain::Asset&)>& visit) const;
  // The same as keyset pages, with the size and the moment of the next look: all that live, those
  // that something has changed about since they were looked at, those to be looked at by then.
  Result<std::vector<Looked>> living_page(std::int64_t after, std::size_t limit) const;
  Result<std::vector<Looked>> changed_page(std::int64_t after, std::size_t limit) const;
  Result<std::vector<Looked>> due_page(UtcTime by, const LookCursor& after,
                                       std::size_t limit) const;
  Result<Enforcement> enforcement() const;
  // Erased for plans of the nightly run since that moment of trusted time.
  Result<Amount> erased_unattended(UtcTime since) const;
  Result<Amount> pending_amount(const Uuid& plan) const;
  Result<std::int64_t> last_certificate_number() const;  // 0: there is none
  Result<std::uint64_t> certificates_after(std::int64_t number) const;
  // Items that fell out of plans that ended in (after, up_to].
  Result<std::vector<domain::PlanItem>> fallen_items(UtcTime after, UtcTime up_to,
                                                     std::size_t limit) const;
  // The latest plan of the nightly run with it that was rejected or cancelled since then.
  Result<std::optional<Uuid>> refused_plan_of(const Uuid& asset, UtcTime since) const;
  Result<bool> has_event(const Uuid& asset, const std::string& action,
                         const std::string& reason) const;
  Result<std::optional<Bytes>> sealed_manifest(const Uuid& asset) const;
  Result<std::optional<Bytes>> sealed_payload(const Uuid& asset) const;
  Result<std::vector<Uuid>> blobs(const Uuid& asset) const;        // none of an erased one: orphans
  Result<std::optional<Uuid>> blob_owner(const Uuid& blob) const;  // of orphans, too
  Result<std::vector<domain::LineageEdge>> lineage(const Uuid& asset) const;  // both ways
  Result<std::vector<domain::ExportRecord>> exports(const Uuid& asset) const;
  // Both ends included. Begun since then, but for the store's first. The latest below that level.
  Result<std::vector<domain::EpochRecord>> epochs(std::uint64_t from, std::uint64_t to) const;
  Result<std::uint64_t> epochs_since(UtcTime moment) const;
  Result<std::optional<std::uint64_t>> weak_epoch(domain::Level below) const;  // of the living
  // The latest `limit`, newest first.
  Result<std::vector<Event>> events(const std::string& subject, std::size_t limit) const;

  Result<std::optional<domain::Plan>> plan(const Uuid& id) const;
  // Newest first, whole.
  Result<Page<domain::Plan>> plans(std::optional<domain::PlanState> state,
                                   const std::string& cursor, std::size_t limit) const;
  // For plans of thousands of items: everything but items and edges, and one page of what waits.
  Result<std::optional<domain::Plan>> plan_head(const Uuid& id) const;
  Result<std::vector<domain::PlanItem>> pending_items(const Uuid& plan, std::size_t limit) const;
  // Of its items, in order of id, from behind `after` on.
  Result<std::vector<Uuid>> plan_assets(const Uuid& plan, std::optional<Uuid> after,
                                        std::size_t limit) const;
  Result<std::size_t> item_count(const Uuid& plan) const;
  Result<bool> plan_names(const Uuid& plan, const Uuid& asset) const;  // as item or as kept
  // In state requested, approved or running; the item of the asset is pending or held.
  Result<std::optional<Uuid>> open_plan_of(const Uuid& asset) const;
  Result<std::vector<domain::AttemptedUse>> attempted_uses(const Uuid& plan) const;
  Result<std::vector<Uuid>> plans_in(domain::PlanState state) const;
  // Approved or running, and due by then; a plan that waits for holds alone has no moment.
  Result<std::vector<Uuid>> due_plans(UtcTime by) const;
  Result<bool> has_held_items(const Uuid& plan) const;

  Result<std::optional<domain::StandingApproval>> standing_approval(const Uuid& id) const;
  Result<Page<domain::StandingApproval>> standing_approvals(
      const std::string& cursor,
      std::size_t limit) const;  // newest first
  // Not ended, and with a day later than that, the oldest first.
  Result<std::vector<domain::StandingApproval>> standing_approvals_beyond(UtcTime moment) const;
  // Approved or running, and by a standing approval, too.
  Result<std::vector<Uuid>> plans_by_standing() const;

  // In force, and of its assets the one asked for alone: a hold may bind a million.
  Result<std::vector<domain::Hold>> holds_on(const Uuid& asset) const;
  Result<bool> is_round_held() const;  // whether a hold in force binds any item of the erase round
  // The others come without their assets.
  Result<std::vector<domain::Hold>> holds_in_force() const;
  Result<std::optional<domain::Hold>> hold(const Uuid& id) const;  // lifted ones, too
  Result<Page<domain::Hold>> holds(const std::string& cursor,
                                   std::size_t limit) const;  // newest first
  Result<std::uint64_t> bound_count(const Uuid& hold) const;
  // In order of id, from behind `after` on.
  Result<std::vector<Uuid>> bound_assets(const Uuid& hold, std::optional<Uuid> after,
                                         std::size_t limit) const;
  // Items that wait for a hold although none binds their asset any more.
  Result<std::vector<HeldItem>> items_to_requeue() const;

  Result<std::optional<domain::LoadedPolicy>> policy_in_force() const;  // none: the built-in one
  // The last that came into force before that leaf of the log.
  Result<std::optional<domain::LoadedPolicy>> policy_before(std::uint64_t leaf) const;
  Result<RetentionDates> retention_dates(const Uuid& asset) const;
  // At most `limit` living assets with that part before the ':', for keep-last.
  Result<std::vector<Uuid>> versions_of(const domain::AssetName& name, std::size_t limit) const;

  Result<std::optional<EraseRound>> round(Drafts drafts = Drafts::read) const;
  Result<std::optional<CertificateRow>> certificate(const Uuid& id) const;
  Result<std::optional<CertificateRow>> certificate_at(std::uint64_t leaf) const;
  Result<std::optional<Uuid>> certificate_of(const Uuid& asset) const;
  Result<std::optional<CertificateHead>> certificate_head(const Uuid& id) const;
  Result<std::vector<CertificateHead>> certificates_of_plan(const Uuid& plan) const;
  Result<std::optional<RefusalHead>> refusal_head(const Uuid& plan) const;
  Result<std::optional<RefusalRow>> refusal(const Uuid& plan) const;
  Result<std::optional<RefusalRow>> refusal_at(std::uint64_t leaf) const;
  Result<std::vector<Uuid>> unsigned_refusals() const;  // their plans, oldest first
  // Plans whose end asks for a record (domain/refusal.h) and has none, oldest first.
  Result<std::vector<Uuid>> ends_without_record(std::size_t limit) const;
  Result<std::vector<domain::ValidationAct>> validations(const Uuid& certificate) const;
  Result<std::optional<domain::ValidationAct>> validation_at(std::uint64_t leaf) const;
  Result<std::vector<AmendmentRow>> amendments(const Uuid& certificate) const;  // by number
  Result<std::optional<AmendmentRow>> last_amendment(const Uuid& certificate) const;
  Result<std::optional<AmendmentRow>> amendment(const Uuid& of, std::uint64_t number) const;
  Result<std::optional<AmendmentRow>> amendment_at(std::uint64_t leaf) const;
  Result<bool> said_without_row(std::uint64_t leaf) const;  // an amendment or verdict from there on
  Result<std::optional<std::string>> unlogged_rows() const;  // a table that has what no leaf has
  // Verdicts that nobody could sign, from that leaf of the log on, oldest first.
  Result<std::vector<domain::ValidationAct>> unsigned_validations(std::uint64_t leaf,
                                                                  std::size_t limit) const;
  Result<std::optional<domain::SignedText>> signed_text(const Digest& signature) const;
  Result<Page<CertificateRow>> certificates(const std::string& cursor,
                                            std::size_t limit) const;  // newest first

  // Those that match with numbers in (after, up_to], in order.
  Result<std::vector<domain::AuditRow>> audit_rows(const AuditQuery& query, std::int64_t after,
                                                   std::int64_t up_to) const;
  Result<std::int64_t> last_audit() const;                             // 0: there is none
  Result<bool> hold_binds(const Uuid& hold, const Uuid& asset) const;  // a lifted one, too

  // This one, or one of the same with fewer days.
  Result<std::vector<domain::Enrolled>> enrolments() const;  // by name
  Result<bool> is_told(const domain::Notice& notice) const;
  Result<std::int64_t> last_notice() const;  // number in the audit; 0: there is none
  Result<std::vector<Uuid>> plans_due_before(UtcTime moment) const;  // approved ones

  Result<std::vector<ImportIntent>> imports() const;
  // Of erased assets, to be unlinked (step 5); whole assets before a part of the last.
  Result<std::vector<Uuid>> orphan_blobs(std::size_t limit) const;
  Result<std::optional<domain::LogLeaf>> log_leaf(std::uint64_t index) const;
  // Leaves by which holds were placed or lifted, from that index on, in order.
  Result<std::vector<domain::LogLeaf>> hold_leaves(std::uint64_t from, std::size_t limit) const;
  // Every leaf that ended a standing approval, in order.
  Result<std::vector<domain::LogLeaf>> standing_end_leaves() const;
  // The last one by which a policy came into force.
  Result<std::optional<domain::LogLeaf>> policy_leaf() const;
  Result<std::vector<Digest>> log_hashes(std::uint64_t from, std::size_t limit) const;
  // Whole leaves from that index on, without a gap.
  Result<std::vector<domain::LogLeaf>> log_leaves(std::uint64_t from, std::size_t limit) const;
  Result<std::optional<domain::SignedHead>> last_signed_head() const;
  // The first that was signed with that leaf in it.
  Result<std::optional<domain::SignedHead>> first_head_with(std::uint64_t leaf) const;
  // The last that was signed before that moment, and the first after it.
  Result<std::optional<domain::SignedHead>> last_head_before(UtcTime moment) const;
  Result<std::optional<domain::SignedHead>> first_head_after(UtcTime moment) const;
  Result<std::vector<domain::AuthorityKey>> authority_keys() const;  // in the order they came
  // At that leaf or behind it: a certificate, an amendment, or the signed record of a refusal.
  Result<bool> has_certificate_from(std::uint64_t leaf) const;

 protected:
  explicit ReadView(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
  friend class Catalog;
};

// After a write that failed, commit() returns that error: half of an act may stand in it. What is
// already as asked (an absent label, import, blob, epoch or round to be removed) is no failure;
// an asset, plan, hold or round item that has to be there and is not is Errc::not_found and
// changes nothing.
class Transaction : public ReadView {
 public:
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Status commit();

  Status put_state(const StoreState& state);
  Status put_nodes(std::span<const domain::NodeRow> rows);  // an absent row is deleted
  Status put_undo(std::span<const domain::NodeRow> rows);
  Status clear_undo();
  Status append_log(std::span<const domain::LogLeaf> leaves);
  Status add_signed_head(const domain::SignedHead& head);
  Status add_authority_key(const domain::AuthorityKey& key);

  Status start_import(const ImportIntent& intent);
  Status reserve_blobs(const Uuid& asset, std::span<const Uuid> blobs);
  Status end_import(const Uuid& asset);
  Status insert_asset(const domain::Asset& asset, ByteView sealed_manifest, ByteView sealed_payload,
                      std::span<const Uuid> blobs, std::span<const domain::LineageEdge> edges);
  Status set_asset_state(const Uuid& asset, domain::AssetState state, const std::string& reason);
  Status forget_orphans(std::span<const Uuid> blobs);
  Status put_label(const Uuid& asset, const std::string& key, const std::string& value);
  Status remove_label(const Uuid& asset, const std::string& key);
  Status put_custodians(const Uuid& asset, std::span<const domain::Custodian> custodians);
  Status put_retention(const Uuid& asset, const std::string& retention);
  // Behind those that are there; the history is the worst of all.
  Status add_sources(const Uuid& asset, std::span<const domain::Source> sources,
                     domain::SourceHistory worst);
  Status mark_source_removed(const Uuid& asset, const std::string& description, UtcTime at);
  Status add_export(const domain::ExportRecord& record);
  Status add_event(const Event& event);
  Result<std::int64_t> add_audit(const domain::AuditRow& row);  // its number
  Status put_enrolment(const domain::Enrolled& person);
  Status drop_enrolment(const std::string& person);
  Status add_notice(const domain::Notice& notice, std::int64_t audit);

  Status insert_plan(const domain::Plan& plan);
  Status set_plan_state(const Uuid& plan, domain::PlanState state, std::optional<UtcTime> due,
                        std::optional<UtcTime> finished);
  // Back from approved: it waits for people again, until then.
  Status reopen_plan(const Uuid& plan, UtcTime expires);
  Status put_item(const Uuid& plan, const domain::PlanItem& item);  // all but name and kcv
  // The brake has tripped: it has no moment until somebody releases it.
  Status put_brake(const Uuid& plan, const std::string& why, std::uint64_t log_index);
  // One more attempt, the last for now; `use.count` is not looked at.
  Status count_attempted_use(const Uuid& plan, const domain::AttemptedUse& use);
  Status add_approval(const domain::Approval& approval);
  // Before the approval or validation that names it; one that is there already stays.
  Status keep_signed_text(const Digest& signature, const domain::SignedText& text);
  Status add_standing_approval(const domain::StandingApproval& approval);  // not its end
  Status end_standing_approval(const Uuid& id, const domain::StandingEnd& end);
  Status add_policy(const domain::LoadedPolicy& policy);
  Status put_enforcement(const Enforcement& enforcement);
  // Everything will be looked at: nothing is known to have changed since.
  Status begin_sweep();
  Status put_looks(std::span<const Look> looks);
  Status forget_changes(std::span<const Look> looked);
  // Of the round that ends: what of it was made by the nightly run counts for the brake.
  Status count_unattended(UtcTime trusted);
  Status put_event(const Uuid& asset, domain::AssetEvent event, UtcTime at);
  Status insert_hold(const domain::Hold& hold);  // binds its assets
  Status bind_hold(const Uuid& hold, std::span<const Uuid> assets);
  Status lift_hold(const Uuid& hold, const domain::Lift& lift);  // not in force: not_found

  Status start_round(const EraseRound& round);
  Status set_round_state(domain::RoundState state);
  Status drop_round_item(const Uuid& asset);
  // All assets of the round become erasing.
  Status mark_round_erasing();
  // And then tombstones: leaf, manifest and payload go; name, lineage, labels, exports stay. Their
  // blobs are orphans.
  Status mark_round_erased(UtcTime at);
  Status end_round();
  // RoundItem::draft_row, and what completes it: both together are kept as the statement.
  Status add_certificate(const CertificateRow& row, std::int64_t draft,
                         const domain::StatementEnd& end);
  Status add_refusal(const RefusalRow& row);
  Status sign_refusal(const RefusalHead& head);  // of one that waits: leaf, key and signature
  Status add_validation(const domain::ValidationAct& act);  // and the certificate's state with it
  Status add_amendment(const AmendmentRow& row);
  // Of a verdict that waited: the amendment that says it.
  Status sign_validation(std::uint64_t log_index, std::uint64_t amendment);
  Status put_epoch(const domain::EpochRecord& record);  // new, or assessed anew
  Status remove_epoch(std::uint64_t epoch);

 private:
  friend class Catalog;
  explicit Transaction(Connection& connection);
  bool open_ = true;
};

class Catalog {
 public:
  // The file must not exist; it gets mode 0600, and its directory is synced. Writes the schema and
  // the first StoreState in one commit.
  static Result<std::unique_ptr<Catalog>> create(Env& env, const std::string& path,
                                                 const StoreState& state);
  // Plays back a hot journal, checks application id and format. Damaged: says what was seen.
  static Result<std::unique_ptr<Catalog>> open(Env& env, const std::string& path);
  ~Catalog();

  const ReadView& read() const;
  // IMMEDIATE. Only one at a time: a second is Errc::unexpected.
  Result<Transaction> begin();
  // Under EXCLUSIVE locking a re-read otherwise hits the cache. Not inside a transaction.
  Status drop_page_cache();
  // Pages, references between rows, and the kept counts; empty is good. Reads everything.
  Result<std::vector<std::string>> integrity_check();

 private:
  struct Impl;
  explicit Catalog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aierase::catalog
