// The store as its users see it: one function per use case, over catalog, key tree, root slot,
// blobs, log and signer.
//
// Contract: synchronous and single-threaded: every call is made by the store thread, and returns
// when its effect is durable. Nothing here knows the bus. Long work is sliced: execute_due() does
// one erase round, CheckRun::step() one page, prove() some thousand leaves. After Errc::io from any
// call the process must stop (must_stop() says so). Actors come from the bus, never from arguments.
// Uses: aierase(1).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/env.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "catalog/catalog.h"
#include "certificate/keyring.h"
#include "certificate/signed_act.h"
#include "crypto/keys.h"
#include "crypto/signature.h"
#include "domain/asset.h"
#include "domain/disposition.h"
#include "domain/plan.h"
#include "lifecycle/audit_trail.h"
#include "lifecycle/key_ring.h"
#include "lifecycle/requests.h"
#include "lifecycle/retention.h"
#include "rootslot/root_slot.h"
#include "rootslot/tpm2.h"

namespace aierase::lifecycle {

// How the unlock secret U is obtained; stands in STORE/root-slot, no secret itself.
enum class UnlockKind { none, credential, keyfile, passphrase };
std::string_view to_text(UnlockKind kind) noexcept;
std::optional<UnlockKind> parse_unlock_kind(std::string_view text) noexcept;

// Where the slot secret lives.
enum class SlotKind { file, tpm2, tpm2_and_file };  // the last: a share of it in each
std::string_view to_text(SlotKind kind) noexcept;
std::optional<SlotKind> parse_slot_kind(std::string_view text) noexcept;
inline bool has_tpm(SlotKind kind) noexcept {
  return kind != SlotKind::file;
}

// On its way from slot_kind to another home, with the same slot file.
struct SlotMove {
  SlotKind to = SlotKind::file;
  std::uint64_t from_epoch = 0;
};

// The little file STORE/root-slot, read between the store's lock and the slot's.
struct SlotLocator {
  Uuid store;
  SlotKind slot_kind = SlotKind::file;
  std::string slot_path;  // of the slot file; with a TPM only the anchor lies in it
  Bytes tpm_key_name;     // of the TPM's storage key, where a TPM has a part in it
  std::optional<SlotMove> move;
  // Its indexes and tpm.key have no use any more, and are to be removed.
  enum class LeftTpm { none, to_be_cleared } left_tpm = LeftTpm::none;
  UnlockKind unlock = UnlockKind::none;
  std::string keyfile_path;  // UnlockKind::keyfile
  Bytes passphrase_salt;     // UnlockKind::passphrase, 16 bytes
  crypto::PassphraseCost passphrase_cost;
};

// Whether a TPM is needed to open the store.
inline bool uses_tpm(const SlotLocator& locator) noexcept {
  return has_tpm(locator.slot_kind) || (locator.move && has_tpm(locator.move->to));
}

struct HostFacts {
  std::string host;               // gethostname
  std::string machine_id_digest;  // SHA-256 of /etc/machine-id, hex; empty where there is none
  std::string tool_version, tool_build;
  std::vector<std::string>
      findings;  // what certificates must say: "unencrypted swap is active", ...
};

// Steps of the erase protocol, for tests that stop, hold or look in between; never set by the
// daemon. Called with the step about to begin.
enum class EraseStep { tx1, write_slot, drain, tx2, check, zero_slot, tx3, unlink };
using StepHook = std::function<void(EraseStep)>;

// Runs a work that needs nothing of the store, apart from its thread, and has execute_due() called
// again behind it.
using Aside = std::function<void(std::function<void()> work)>;

// Who the users and @groups of those names are on this host; Errc::not_found names the first that
// is not there. For the custodians that policies name.
using FindCustodians =
    std::function<Result<std::vector<domain::Custodian>>(const std::vector<std::string>&)>;

struct StoreSettings {
  Env* env = nullptr;
  const Clock* clock = nullptr;
  std::string directory;  // /var/lib/aierase
  rootslot::Tpm2Settings tpm;
  // How long an erasure waits for others that go with it, where the slot lies in a TPM.
  std::chrono::seconds coalesce{0};
  HostFacts host;
  FindCustodians find_custodians;
  domain::PersonLookup person_of;    // what people.toml says of a user now; may be absent
  domain::PersonToday person_today;  // absent: nobody approves in advance
  domain::EnrolledPeople enrolled;   // who may speak with which account and keys; may be absent
  AuditTrail* audit = nullptr;       // written with every commit; outlives the store
  Aside aside;                       // absent: at once; outlives the store
  StepHook at_step;                  // tests only
};

struct InitRequest {
  domain::Actor actor;
  SlotKind slot_kind = SlotKind::file;
  std::string slot_path;  // /var/lib/aierase-root/slot
  UnlockKind unlock = UnlockKind::none;
  std::string keyfile_path;
  std::optional<crypto::UnlockSecret> secret;  // credential and keyfile: read by the daemon
  std::optional<SecretBytes> passphrase;       // passphrase: as typed
  domain::PeopleRule people_rule = domain::PeopleRule::two_person;
};

// The nightly run as status, doctor and monitors tell of it.
struct EnforceState {
  catalog::Enforcement last;
  std::vector<std::string> alarms;  // why somebody has to look
};

struct StatusReport {
  catalog::StoreState state;
  catalog::StoreCounts counts;
  domain::SlotAssurance slot;
  rootslot::SlotPlace slot_place = rootslot::SlotPlace::present;
  UnlockKind unlock = UnlockKind::none;
  crypto::PublicKey signer{};
  std::optional<domain::RoundState> round;  // an erase round in progress
  std::vector<std::string> findings;        // host facts that certificates carry
  EnforceState enforcement;
  std::uint64_t rotations = 0;  // of the root secret, in the last 24 hours
};

// For those who watch many stores.
struct Measures {
  catalog::Measures counted;
  EnforceState enforcement;
  enum class ClockGuard { open, closed } clock_guard = ClockGuard::open;
  UtcTime now{};
  bool clock_synchronised = false;
};

struct Finding {
  enum class Severity { note, warning, error } severity = Severity::note;
  std::string code;     // "blob-missing", "slot-level", ...: one per broken invariant
  std::string subject;  // id or path
  std::string text;     // what is so
  std::string mend;     // what to do
};

class Store;
// One run over rows, tree, log, blobs; step() does at most one page of work.
class CheckRun {
 public:
  CheckRun(Store& store, std::vector<Uuid> assets, CheckDepth depth);
  ~CheckRun();
  // False when nothing is left to do.
  Result<bool> step();
  const std::vector<Finding>& findings() const;
  std::uint64_t bytes() const;   // read so far, for progress
  std::uint64_t assets() const;  // looked at so far

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class Store {
 public:
  // Once, before any thread: the library of the TPM writes nothing to standard error by itself.
  static void prepare_process();
  // The caller holds lock(). Builds `.init` in the store and the slot directory, syncs, renames the
  // slot's first and the store's last. Refuses a directory with anything in it, a slot path inside
  // the store, a slot that is there already.
  static Result<StatusReport> initialise(const StoreSettings& settings, InitRequest request);
  // The best home for a new store's slot here: the TPM where one answers, else a file; and why, in
  // a sentence.
  struct SlotChoice {
    SlotKind kind = SlotKind::file;
    std::string why;
  };
  static SlotChoice choose_slot(const StoreSettings& settings);
  // The caller holds lock(). An interrupted init is undone first: its slot is zeroed, and only if
  // it carries the store uuid of that init.
  enum class Presence { absent, present };
  static Result<Presence> presence(const StoreSettings& settings);
  // Locks the store directory. To be held before read_locator and by open().
  static Result<std::unique_ptr<File>> lock(const StoreSettings& settings);
  static Result<SlotLocator> read_locator(const StoreSettings& settings);
  // Takes both locks, reads slot, anchor and database, recovers. `unlock` where the locator asks
  // for one. Adopt::yes accepts a changed machine-id, and records it.
  enum class Adopt { no, yes };
  static Result<std::unique_ptr<Store>> open(const StoreSettings& settings,
                                             std::unique_ptr<File> lock,
                                             std::optional<crypto::UnlockSecret> unlock,
                                             Adopt adopt = Adopt::no);
  ~Store();

  bool must_stop() const;  // an io error was seen: stop the process, recovery is at the next start

  Result<StatusReport> status();
  Result<Measures> measures();
  Result<std::vector<Finding>> doctor();
  UtcTime now() const;  // by the wall clock
  const crypto::PublicKey& signer() const;
  domain::PeopleRule people_rule() const;
  Status tighten_people_rule(const domain::Actor& actor);  // single-operator -> two-person

  // Resolving what people typed. Erased assets are found; verbs that need a living one answer
  // Errc::erased themselves.
  Result<Uuid> resolve_asset(std::string_view text, catalog::NameScope scope);
  Result<Uuid> resolve(domain::IdType type, std::string_view text);  // plan, certificate
  // All of `--match`, together; more than `limit` is Errc::resource_limit. One that is named as
  // `asset`, has to live and is erased: Errc::erased.
  Result<std::vector<Uuid>> select(const std::vector<domain::Selector>& selectors,
                                   catalog::NameScope scope, std::size_t limit);

  // What a question to polkit is about: rows alone, whatever the size of the asset or the plan.
  Result<domain::Asset> glance_at_asset(const Uuid& asset);
  struct PlanGlance {
    domain::Actor requester;
    std::size_t items = 0;
  };
  Result<PlanGlance> glance_at_plan(const Uuid& plan);

  Result<AssetView> show_asset(const Uuid& asset);
  // A page may be short, and even empty, with more behind it: `next` alone tells.
  Result<catalog::Page<domain::Asset>> list_assets(const std::vector<domain::Selector>& selectors,
                                                   const std::string& cursor, std::size_t limit);
  Result<PlanView> show_plan(const Uuid& plan);
  Result<catalog::Page<domain::Plan>> list_plans(const std::string& cursor, std::size_t limit);
  Result<catalog::CertificateRow> show_certificate(const Uuid& certificate);
  Result<catalog::Page<catalog::CertificateRow>> list_certificates(const std::string& cursor,
                                                                   std::size_t limit);

  // Of a plan that ended otherwise than done: Errc::not_found where there is no record of it,
  // Errc::wrong_state while it waits for its signature.
  Result<catalog::RefusalRow> show_refusal(const Uuid& plan);

  Result<ImportTicket> begin_import(ImportRequest request);
  Result<std::vector<Uuid>> reserve_blobs(const Uuid& asset, std::size_t count);
  // After an error, and where the same content is there already, abort_import() has to follow.
  Result<ImportReport> finish_import(ImportTicket ticket, domain::Manifest manifest,
                                     std::vector<domain::Source> sources);
  // dataset-key: `key` as read from a descriptor; none: 32 bytes are generated.
  Result<ImportReport> finish_key_import(ImportTicket ticket, std::optional<SecretBytes> key,
                                         std::vector<domain::Source> sources);
  // What abort_import() would unlink, for a thread that may take its time over it before; nothing
  // where it was committed.
  Result<std::vector<Uuid>> blobs_to_abort(const Uuid& asset);
  // Unlinks what the intent names. Also for a crashed import's intent, by check.
  Status abort_import(const Uuid& asset);
  Status report_sources_removed(const domain::Actor& actor, const Uuid& asset,
                                const std::vector<std::string>& descriptions);

  // Whether the asset may be used by anybody. An attempt on what is retired is counted on its plan;
  // the first one in its grace lets the grace begin anew.
  Status check_use(const domain::Actor& actor, const Uuid& asset);
  Result<ExportTicket> begin_export(ExportRequest request);
  // The key for a mounted view, under a lease; that it is used is durable when this returns, noted
  // every hour from then on, and once more when the view has ended.
  Result<MountTicket> begin_mount(MountRequest request);
  Status end_mount(const Uuid& asset);

  struct Changes {
    std::vector<std::pair<std::string, std::optional<std::string>>> labels;  // no value: remove
    std::optional<std::string> retention;
    std::vector<domain::Custodian> custodians;  // empty: unchanged
    std::optional<UtcTime> placed_on_market;
    std::string reason;
  };
  Result<AssetView> set_asset(const domain::Actor& actor, const Uuid& asset,
                              const Changes& changes);
  Result<AssetView> suspend_asset(const domain::Actor& actor, const Uuid& asset,
                                  const std::string& reason);
  Result<AssetView> resume_asset(const domain::Actor& actor, const Uuid& asset,
                                 const std::string& reason);

  Result<PlanView> retire(const RetireRequest& request);
  // `digest_prefix`: 12 or more hex digits of the plan's digest.
  Result<PlanView> approve(const domain::Actor& actor, const Uuid& plan,
                           std::string_view digest_prefix,
                           const SignedDecision* signed_decision = nullptr);
  Result<PlanView> reject(const domain::Actor& actor, const Uuid& plan, const std::string& reason,
                          const SignedDecision* signed_decision = nullptr);
  Result<PlanView> cancel(const domain::Actor& actor, const Uuid& plan);

  // Approvals in advance, of one retention class, for plans of the nightly run; all in standing.h.
  // R31.
  Result<StandingView> approve_standing(const StandingRequest& request);
  Result<std::vector<StandingView>> revoke_standing(const StandingRevocation& request);
  Result<catalog::Page<StandingView>> list_standing(const std::string& cursor, std::size_t limit);
  Result<certificate::SignedAct> standing_to_sign(const StandingWish& wish);

  // What a custodian found when looking at the outcome; changes no byte of a certificate. R18-R20.
  Result<ValidateReport> validate(const ValidateRequest& request);
  Result<std::vector<domain::ValidationAct>> validations(const Uuid& certificate);
  // What outside evidence, or a later erasure, adds to a certificate; the verdicts are validate().
  Result<AmendReport> amend(const AmendRequest& request);
  Result<std::vector<catalog::AmendmentRow>> amendments(const Uuid& certificate);
  Result<catalog::AmendmentRow> show_amendment(const Uuid& certificate, std::uint64_t number);

  // What a person who does not come to this host would sign; and what he did sign, handed in by
  // anybody. Both in signed_acts.h.
  Result<certificate::DecisionAct> act_to_sign(const SigningWish& wish);
  Result<HandInReport> hand_in(const HandIn& file);
  Result<domain::SignedText> signed_text(const domain::SignedBy& signed_by);

  // A legal hold on everything alive that matches, durable when it returns; with HoldReach::future
  // also on what comes to match by an import or a change. Nothing that matches is Errc::usage
  // without it. Refused once the slot secret of a round that names one of them has begun to go.
  // R27.
  Result<HoldView> place_hold(const HoldRequest& request);
  // What it kept waiting, and no other hold binds, is due again.
  Result<HoldView> lift_hold(const domain::Actor& actor, const Uuid& hold,
                             const std::string& reason);
  Result<HoldView> show_hold(const Uuid& hold);
  Result<catalog::Page<HoldView>> list_holds(const std::string& cursor, std::size_t limit);

  // Brings a policy into force, or with Persist::dry_run only says what that would change. R28.
  Result<PolicyReport> load_policy(const PolicyRequest& request);
  const Retention& retention() const;

  // The proof of a leaf, and the head of the log as it is now, signed and public, with the files of
  // STORE/log. Nothing: this call did a slice of what has to be written before; ask again. What
  // certificates need is published without being asked.
  Result<std::optional<LogProof>> prove(std::uint64_t leaf);
  Result<std::optional<LogHead>> log_head(std::optional<std::uint64_t> from);
  Result<certificate::Keyring> keyring();
  // New keys for signer and log, recorded in the log and signed by the keys before and after.
  Status rotate_keys(const domain::Actor& actor);

  // The slot secret gets another home, and the old one is destroyed: an erase round without an
  // asset. What lived before keeps the level of where its epochs lived. Errc::wrong_state: it lies
  // there already, or an erasure is open.
  Status move_slot(const domain::Actor& actor, SlotKind to);

  // A person looked at the clock: trusted time is the wall clock's from now on.
  Result<UtcTime> confirm_clock(const domain::Actor& actor);

  // What waits in the audit trail becomes durable, without any act.
  Status flush_audit(AuditTrail::Part part);
  struct AuditRequest {
    catalog::AuditQuery query;
    struct Asset {
      std::optional<Uuid> id;
      std::string name;  // as typed: what was never known is found by it
    };
    std::optional<Asset> asset;
  };
  struct AuditPage {
    std::vector<domain::AuditRow> rows;
    std::string next;         // a page may be short, and even empty, with more behind it
    std::int64_t newest = 0;  // number of the last row of all
  };
  // Oldest first; only what is durable.
  Result<AuditPage> audit(const AuditRequest& request, const std::string& cursor,
                          std::size_t limit);

  // One erase round of the oldest approved and due plan, and the expiry of old requests. True:
  // there is more to do at once. Retired assets whose keys are in use are revoked first.
  Result<bool> execute_due();
  // Whether a plan waits for people or for its time: then execute_due() is worth looking at often.
  Result<bool> plans_wait() const;
  // Ids of assets, plans and certificates that changed since the last call, for signals.
  std::vector<std::string> take_changes();
  // Notices that became durable since the last call, for journal and signals.
  Result<std::vector<domain::AuditRow>> take_notices();

 private:
  friend class CheckRun;
  friend class EnforceRun;
  friend class EvidenceRun;
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aierase::lifecycle
