// What all use cases of the store share: the open catalog, the slot, the current root secret, and
// the one way to commit.
//
// Contract: owned by Store, used by the store thread alone. commit() is the only commit: it counts
// the generation, stores trusted time and writes the anchor; after an io error of it (or of the
// slot) `stop` is set and nothing may be destroyed any more by this process.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "catalog/catalog.h"
#include "crypto/primitives.h"
#include "crypto/signature.h"
#include "keytree/tree.h"
#include "lifecycle/gate.h"
#include "lifecycle/key_ring.h"
#include "lifecycle/store.h"
#include "lifecycle/unlinking.h"
#include "rootslot/root_slot.h"
#include "translog/log.h"

namespace aierase::lifecycle {

inline constexpr auto kStuckPause = std::chrono::minutes(10);  // until it is tried again
inline constexpr auto kPlanLifetime = std::chrono::days(30);   // unapproved by then: expired

// The key tree's view of the catalog.
class CatalogNodes final : public keytree::NodeSource {
 public:
  explicit CatalogNodes(const catalog::ReadView& view) : view_(view) {}
  Result<std::optional<Bytes>> read(domain::NodeId id) override { return view_.node(id); }

 private:
  const catalog::ReadView& view_;
};

// A set of rows as a tree: the undo rows, to be compared with what replaced them.
class RowNodes final : public keytree::NodeSource {
 public:
  explicit RowNodes(std::vector<domain::NodeRow> rows);
  Result<std::optional<Bytes>> read(domain::NodeId id) override;

 private:
  std::vector<domain::NodeRow> rows_;  // sorted by id
};

class Publisher;

class Core {
 public:
  Core();
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  StoreSettings settings;
  std::unique_ptr<File> store_lock;
  SlotLocator locator;
  std::optional<crypto::UnlockSecret> unlock;
  std::shared_ptr<rootslot::RootSlot> slot;  // of the store; made of the next two
  std::shared_ptr<rootslot::RootSlot> in_file, in_tpm;
  // While the slot moves: both homes; `slot` is what joins them.
  struct Homes {
    std::shared_ptr<rootslot::RootSlot> from, to;
  };
  std::optional<Homes> moving;
  std::optional<Error> move_fault;  // one of them cannot be opened; `slot` is the other
  std::unique_ptr<catalog::Catalog> catalog;
  crypto::RootSecret root;     // R_e of the current epoch
  crypto::SealKey anchor_key;  // derived from it
  std::optional<crypto::SigningKey> signer;
  std::optional<crypto::SigningKey> log_key;
  std::unique_ptr<Publisher> publisher;  // once the store is open
  KeyRing keys;
  Retention retention;
  std::set<std::string> changes;
  std::set<Uuid> importing;  // begun by this process and neither finished nor aborted
  bool stop = false;
  // one_behind, found at start: the next commit keeps its number, so that a second crash between
  // commit and anchor does not leave the anchor two behind.
  enum class Anchored { same, one_behind } anchored = Anchored::same;
  // Set after step 4 when TX3 could not be written (full disk, no signer): what it still needs.
  struct Unsigned {
    domain::DestroyedProof proof;
    domain::DestructionEvidence::Course course;
  };
  std::optional<Unsigned> waiting;
  // Why a record that waited for the signer's key did not get its signature at the start.
  std::optional<Error> refusal_fault;
  // Pauses are counted since the boot: no step of the wall clock makes one endless.
  std::chrono::seconds since_boot() const { return settings.clock->read().since_boot; }
  // Plans whose last round failed, until when they wait, and why: the others go on.
  struct Stuck {
    std::chrono::seconds until{};  // since the boot
    Error why;
  };
  std::map<Uuid, Stuck> stuck;
  // Whose last round failed in the company of others: the next one is its own.
  std::set<Uuid> alone;
  // The old secret is zero, and the TPM has not signed for that yet.
  std::optional<Stuck> unproven;
  // A hold is durable, and the TPM has not counted it yet.
  std::optional<Stuck> uncounted_hold;
  // Of a TPM that the slot has left: why it still holds something.
  std::optional<Stuck> uncleared_tpm;
  std::size_t waiting_plans() const;  // of those, that are not tried at this moment
  // Of approved plans: how many standing approvals have lapsed without which it goes on.
  std::map<Uuid, std::size_t> dispensable;
  // The plan whose items were last found to be those of its digest; nobody else writes meanwhile.
  std::optional<Uuid> compared_plan;
  // By retention class: what the brake found last that would be left of it in use.
  std::map<std::string, Uuid> left_of_class;
  // From this leaf of the log on, no amendment and no verdict was missing in the database, which
  // nobody else writes to while it is open.
  std::optional<std::uint64_t> nothing_missing_from;
  std::size_t round_limit = limits::kItemsPerEraseRound;  // 1 while the disk is full
  // The slot that is not current may hold a secret that nothing was sealed under: a TPM that was
  // busy refused to zero it.
  enum class Spare { zero, unused_secret } spare = Spare::zero;
  std::chrono::seconds next_expiry_check{}, next_mount_note{};  // since the boot
  // A nightly run is going on: one at a time.
  bool enforcing = false;
  // On the clock since the boot: since when some grace has ended by the wall clock alone.
  std::optional<std::chrono::seconds> doubted_since;
  std::int64_t noticed = 0;  // number of the last notice that was taken
  // From the first byte of step 4 until TX3: placing a hold is too late.
  enum class Return { possible, past } point_of_no_return = Return::possible;
  Unlinking unlinking;  // of what was erased; the last to come and the first to go

  const catalog::ReadView& view() const { return catalog->read(); }
  const Uuid& store() const { return locator.store; }
  Env& env() const { return *settings.env; }
  UtcTime now() const { return settings.clock->now(); }
  // Trusted time at this moment, and the wall clock beside it.
  Result<ClockFacts> clock_facts() const;
  domain::AtRest at_rest() const {
    return locator.unlock == UnlockKind::none ? domain::AtRest::none
                                              : domain::AtRest::unlock_secret;
  }
  std::string blob_directory() const { return settings.directory + "/blobs"; }
  void at_step(EraseStep step) const {
    if (settings.at_step) settings.at_step(step);
  }

  // Remembers the first io error; passes the error on.
  Error fatal(Error error) {
    if (error.code == Errc::io || error.code == Errc::damaged) stop = true;
    return error;
  }
  Status alive() const;     // refuses everything after an io error
  Status writable() const;  // refuses tree writes while a round is destroying, too

  Status append_log(catalog::Transaction& transaction, catalog::StoreState& state,
                    std::span<const translog::LogRecord> records);
  Status commit(catalog::Transaction& transaction, catalog::StoreState& state,
                AuditTrail::Part part);
  // Rows of the audit, in the transaction of the act that they tell of; their numbers.
  Result<std::vector<std::int64_t>> add_audit(catalog::Transaction& transaction,
                                              AuditTrail::Part part);
  // Root and anchor key of an epoch from its slot secret.
  Result<crypto::RootSecret> root_of(const crypto::SlotSecret& secret, std::uint64_t epoch) const;
  Status adopt_root(crypto::RootSecret next);

  Result<crypto::Dek> dek_of(const domain::Asset& asset);  // checks the kcv
  Result<domain::Manifest> manifest_of(const domain::Asset& asset, const crypto::Dek& dek);
  // The same for many: `workspace` as blob::open_manifest takes it.
  Result<domain::Manifest> manifest_of(const domain::Asset& asset, ByteView dek,
                                       ByteSpan workspace);
  // The key that a dataset-key asset holds.
  Result<SecretBytes> payload_of(const domain::Asset& asset, const crypto::Dek& dek);

  // With what people.toml says of him now, unless that is known already. A file that cannot be read
  // refuses the decision: a certificate would say for ever that nothing stood there.
  Result<domain::Actor> with_entry(domain::Actor actor) const {
    if (actor.person || !settings.person_of) return actor;
    ASSIGN_OR_RETURN(actor.person, settings.person_of(actor.uid));
    return actor;
  }
  // Where it takes two persons, nobody acts whose login is hidden: he might be either of them.
  Status check_login(const domain::Actor& actor) const;
  void changed(domain::IdType type, const Uuid& id) { changes.insert(domain::id_text(type, id)); }
  Result<domain::Asset> living_asset(const Uuid& id);  // erased: Errc::erased; absent: not_found
  Result<domain::Asset> known_asset(const Uuid& id);
  Result<catalog::AssetHead> known_head(const Uuid& id);
  Result<domain::LineageName> lineage_name(const Uuid& id, domain::Relation relation);
};

struct Store::Impl : Core {};

// The daemon, where it acts by itself.
domain::Actor own_actor();

// Canonical JSON records for the log; texts of actors and times as everywhere.
Json actor_json(const domain::Actor& actor);
Status check_text(std::string_view what, std::string_view text, std::size_t limit);
std::string asset_text(const Uuid& id);
std::string plan_text(const Uuid& id);
std::string certificate_text(const Uuid& id);

// assessing.cpp: the slot as it is now, against what the current epoch's row says of it. A level
// only ever falls: where the slot was copied, everything alive then keeps the lower one.
struct SlotReview {
  domain::EpochRecord record;  // as it has to be
  bool worse = false;          // than the row
};
Result<SlotReview> review_slot(Core& core);
Status record_slot_review(Core& core);  // commits only what is worse
// That the slot file lies at its path. Where it does not, everything hangs on the open one: nothing
// is destroyed, and nothing begun that a restart would lose.
Status check_slot_file(const Core& core);
std::optional<Finding> lost_slot_file(const Core& core);  // the same, for doctor and check

// signed_records.cpp: into the record of a decision what binds person and signature to it, and
// whether what the catalog keeps of the signature is that.
void add_signed_by(Json& record, const domain::Actor& actor,
                   const std::optional<domain::SignedBy>& signed_by);
Result<bool> is_kept(const catalog::ReadView& view, const domain::SignedBy& signed_by);
Status keep(catalog::Transaction& transaction, const SignedDecision* decision);
std::string carried_text(const std::optional<domain::SignedBy>& signed_by);  // for events

// approving.cpp: what the log holds of an approval or a refusal.
Result<std::string> decision_record(const domain::Plan& plan, const domain::Approval& approval);
// Whether each approval is word for word what the log committed to; the first that is not.
Result<std::optional<std::string>> altered_approval(const catalog::ReadView& view,
                                                    const domain::Plan& plan);

// The end of grace as the log committed to it; what stands in the plan may be later, never earlier.
UtcTime agreed_due(const domain::Plan& plan);

// executing.cpp: until when, at the latest, a plan that is due waits for others to go with it.
std::optional<UtcTime> waits_for_company(const Core& core, const domain::Plan& plan, UtcTime now);

// executing.cpp: the plan waits, the others go on; back comes what concerns more than one.
Status set_aside(Core& core, const Uuid& plan, const Error& why);
// None where there is no such plan, and where it cannot be read: then it is set aside.
Result<std::optional<domain::Plan>> readable_head(Core& core, const Uuid& plan);

// enrolling.cpp: who came, went or got other keys in people.toml since the log was last told;
// looked at each minute, and before a signature counts.
Status note_enrolments(Core& core);

// using.cpp: whether an asset may be used now; an attempt on a retired one is counted.
Status check_usable(Core& core, const domain::Actor& actor, const domain::Asset& asset);

// mounting.cpp: once an hour, that what is mounted is in use.
Status note_mounts(Core& core);

// braking.cpp: the approval that let a plan go on although the brake had tripped, or null.
const domain::Approval* release_of(const domain::Plan& plan);
bool is_braked(const domain::Plan& plan);  // tripped, and nobody has released it

// cataloguing.cpp
Status check_class(const Core& core, const std::string& name);
Status check_custodians(const std::vector<domain::Custodian>& custodians, domain::PeopleRule rule);

// selecting.cpp
Result<domain::Ancestry> ancestry_of(const catalog::ReadView& view, const Uuid& asset);
// By row, lineage, use and policy in force. `view`: of the transaction, where one is open.
// `memory`: of a page of assets, during which nobody writes.
Result<bool> is_selected(Core& core, const catalog::ReadView& view,
                         const std::vector<domain::Selector>& selectors, const domain::Asset& asset,
                         RankMemory* memory = nullptr);

// holding.cpp: whether the holds in force are, word for word, those that the log has placed and not
// lifted; the first that is not.
Result<std::optional<std::string>> altered_hold(const catalog::ReadView& view);
// Of an asset that is new or was changed: holds that reach into the future bind it.
Status bind_future_holds(Core& core, catalog::Transaction& transaction, const Uuid& asset);

// What a plan covers, so that a dependant in it does not block: its items and what is kept.
class PlanCover {
 public:
  // A plan's head comes without its items: the catalog knows them.
  explicit PlanCover(const domain::Plan& plan);
  // Of a plan in the making: nothing at first.
  static PlanCover growing(const Uuid& plan);
  void add(const Uuid& asset);
  // An open plan that will be none any more: what it names is free.
  void pass_over(const Uuid& plan) { passed_over_.push_back(plan); }
  bool leaves_free(const Uuid& plan) const;
  const Uuid& plan() const { return plan_; }
  Result<bool> covers(const catalog::ReadView& view, const Uuid& asset) const;

 private:
  Uuid plan_;
  std::vector<Uuid> assets_;  // sorted
  std::vector<Uuid> passed_over_;
  enum class Items { here, in_catalog } items_;
};

// plan_terms.cpp: Errc::usage of a reason to keep what depends on nothing that the edges name, and
// of a basis to go below floors where none is.
Status check_kept(const RetireRequest& request, const std::vector<domain::KeptDependant>& kept,
                  const std::vector<domain::LineageEdge>& edges);
Status check_below_floor(Core& core, const domain::Plan& plan);

// planning.cpp: facts for the gate, from the catalog.
Result<AssetFacts> asset_facts(Core& core, const catalog::ReadView& view,
                               const domain::Asset& asset, const PlanCover& plan);
Result<PlanView> plan_view(Core& core, const Uuid& id);
// What the gate says of an asset that the plan would name: the item, with its reasons.
Result<domain::PlanItem> item_for(Core& core, const domain::Plan& plan, const domain::Asset& asset,
                                  const PlanCover& cover, const ClockFacts& clock);
// The edges from what depends on it and lives.
Result<std::vector<domain::LineageEdge>> dependence_on(Core& core, const Uuid& asset);
// Made at once, with its digest: every plan comes into being here.
Status add_plan(Core& core, domain::Plan& plan);
Digest plan_digest(const Uuid& store, const domain::Plan& plan);

// erasing.cpp: one erase round of a plan, from decision to step 5.
enum class RoundCourse { ran, nothing_pending };
// Those in `along` go with it, as far as they have room.
Result<RoundCourse> run_next_round(Core& core, const Uuid& plan, const std::vector<Uuid>& along);

// slot_home.cpp: the slot by its kind. Made in the staging directory of an init, with the key that
// the TPM asks for; opened where the locator says; and what is left of an interrupted init.
Result<std::shared_ptr<rootslot::RootSlot>> make_slot(Core& core, const std::string& staging);
Status open_slot(Core& core);  // and the two homes, while it moves
// The other home of a move that the locator names; what it needs is made in the slot's directory.
Status make_new_home(Core& core);
Status remove_slot_of_init(const StoreSettings& settings, const SlotLocator& locator);
// Whether that home's secret is of the current epoch and opens the tree.
Result<bool> holds_living_secret(Core& core, rootslot::RootSlot& home);
// What a move, or one that was given up, left in a TPM and beside the slot.
Status clear_left_tpm(Core& core);

// moving.cpp: a move is over as soon as no round is open: then its home is the one of the epoch.
Status settle_home(Core& core);
// TX3 of a round that names no asset.
Status finish_move(Core& core, const domain::SlotEvidence& evidence);
// The same where the old home cannot tell of its end any more; the log keeps why.
Status finish_unproven_move(Core& core, const catalog::EraseRound& round, std::string_view why);
// The home that the secret of that epoch lies in.
rootslot::RootSlot& home_of(Core& core, std::uint64_t epoch);
// Digest that a device's evidence of a move is bound to.
Digest move_digest(const Core& core, std::uint64_t from_epoch);

// counting.cpp: the TPM's counter of holds. An image of the whole disk brings its anchor along; the
// database of an older one has counted fewer holds than the TPM. `anchored`: as the anchor has it,
// which nobody can write who has not the root.
Status check_hold_count(Core& core, const catalog::StoreState& state, std::uint64_t anchored,
                        Store::Adopt adopt);
bool counts_holds(const Core& core, std::uint64_t epoch);
// Says nothing where it fails: it is tried again, and doctor tells.
void count_holds(Core& core);
bool try_count_again(Core& core);  // true: there is more to count at once

// intents.cpp: what a device's evidence of a round is bound to, and each item's way to it; from the
// rows of the round alone, so that recovery comes to the same.
Result<Digest> intents_digest(const Core& core, const catalog::EraseRound& round);
// In the order of the round's items.
Result<std::vector<domain::IntentPath>> intent_paths(const Core& core,
                                                     const catalog::EraseRound& round);

// destroying.cpp: the parts that recovery needs, too.
// Step 4: zeros the slot of that round's epoch; its evidence is bound to the round.
Result<domain::SlotReadBackProof> destroy_slot(Core& core, const catalog::EraseRound& round);
// The slot of that epoch holds a secret that nothing was sealed under.
Status zero_unused_slot(Core& core, std::uint64_t epoch);
// What a TPM that is busy refuses to zero now is zeroed before it is written again; every other
// fault stops the process.
Status spare_zeroed_or_kept(Core& core, std::uint64_t epoch);
// After a failure of destroy_slot: where the TPM shows zeros, its word for them is all that is
// missing; the record waits for it, the living models do not. Else: why.
Status wait_for_proof(Core& core, const catalog::EraseRound& round, Error why);
// Asks for it again, from time to time; true: the record is written.
Result<bool> ask_for_proof(Core& core);
Status finish_round(Core& core, domain::DestroyedProof proof,
                    domain::DestructionEvidence::Course course);  // TX3
// Of which nothing was destroyed: its plans are approved, and decided again.
Status end_undecided(catalog::Transaction& transaction, const catalog::EraseRound& round);
Status undo_round(Core& core, crypto::RootSecret old_root);  // back to from_epoch
std::vector<Uuid> assets_of(const catalog::EraseRound& round);

// signer_files.cpp: secrets of 32 bytes in files beside the slot, sealed under the unlock secret
// where there is one.
Status write_secret_file(Env& env, const std::string& path, const Uuid& store,
                         const crypto::UnlockSecret* unlock, std::string_view purpose,
                         const SecretBytes& seed);
Result<SecretBytes> read_secret_file(Env& env, const std::string& path, const Uuid& store,
                                     const crypto::UnlockSecret* unlock, std::string_view purpose);
// signer.key and log.key among them. `ending` is that of the files: none, or ".next" until a
// rotation that is durable moves them to their names.
struct Authority {
  crypto::SigningKey signer, log;
};
Result<Authority> write_key_files(Env& env, const std::string& directory, const Uuid& store,
                                  const crypto::UnlockSecret* unlock, const std::string& ending);
Result<crypto::SigningKey> read_key_file(Env& env, const std::string& path, const Uuid& store,
                                         const crypto::UnlockSecret* unlock,
                                         std::string_view purpose);

// rotating.cpp: the key files are those that the catalog names last; a rotation that was
// interrupted is finished, or was none.
Status settle_key_files(Core& core);
// The key of that purpose, only if it is the one that the catalog names; also from the file that a
// rotation has not moved yet.
Result<crypto::SigningKey> read_authority_key(const Core& core, domain::KeyPurpose purpose);

// locator.cpp
Status write_locator(Env& env, const std::string& directory, const SlotLocator& locator);
// In the place of the one that is there: at no moment is there none. Errc::no_space: that one is
// still in force. Which of them is after any other error, the next start finds out.
Status replace_locator(Env& env, const std::string& directory, const SlotLocator& locator);
Result<SlotLocator> read_locator_file(Env& env, const std::string& path);

// status.cpp: how the last nightly run ended, and why somebody has to look.
Result<EnforceState> enforce_state(const Core& core);

// trusted_time.cpp: erasure-design section 9, pure.
void advance_trusted_time(catalog::StoreState& state, const ClockReading& reading);
// Whether somebody attends when the plan is executed: its approval made it due. Otherwise time
// alone did, and neither clock is believed by itself.
Attendance attendance_of(const domain::Plan& plan);
bool is_due(const domain::Plan& plan, const ClockFacts& clock);

// executing.cpp: an item of it is erased, so it can only be ended, not undone.
bool has_begun(const domain::Plan& plan);

}  // namespace aierase::lifecycle
