#include "lifecycle/core.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "blob/manifest.h"
#include "lifecycle/publishing.h"

namespace aierase::lifecycle {

Core::Core() = default;
Core::~Core() = default;

RowNodes::RowNodes(std::vector<domain::NodeRow> rows) : rows_(std::move(rows)) {
  std::sort(rows_.begin(), rows_.end(),
            [](const domain::NodeRow& a, const domain::NodeRow& b) { return a.id < b.id; });
}

Result<std::optional<Bytes>> RowNodes::read(domain::NodeId id) {
  const auto found = std::lower_bound(
      rows_.begin(), rows_.end(), id,
      [](const domain::NodeRow& row, const domain::NodeId& wanted) { return row.id < wanted; });
  if (found == rows_.end() || found->id != id) return std::optional<Bytes>();
  return found->row;
}

Status Core::alive() const {
  if (!stop) return {};
  return make_error(Errc::io, "an earlier write to the disk failed; the store accepts nothing more",
                    "look at the disk, then restart aierased: it recovers at start");
}

Status Core::writable() const {
  RETURN_IF_ERROR(alive());
  ASSIGN_OR_RETURN(const std::optional<catalog::EraseRound> round,
                   view().round(catalog::Drafts::left_out));
  if (round && round->state != domain::RoundState::intent) {
    return make_error(Errc::busy, "an erasure is between its point of no return and its record",
                      "try again in a moment; `aierase status` shows whether it is stuck");
  }
  return {};
}

Status Core::append_log(catalog::Transaction& transaction, catalog::StoreState& state,
                        std::span<const translog::LogRecord> records) {
  ASSIGN_OR_RETURN(domain::LogBatch batch, translog::append(state.log, records));
  RETURN_IF_ERROR(transaction.append_log(batch.leaves));
  state.log = std::move(batch.state);
  return {};
}

Status Core::commit(catalog::Transaction& transaction, catalog::StoreState& state,
                    AuditTrail::Part part) {
  if (stop) return make_error(Errc::io, "the store has stopped after a failed write");
  advance_trusted_time(state, settings.clock->read());
  if (anchored == Anchored::same) state.generation += 1;
  RETURN_IF_ERROR(transaction.put_state(state));
  ASSIGN_OR_RETURN(const std::vector<std::int64_t> audited, add_audit(transaction, part));
  Status committed = transaction.commit();
  if (!committed.ok()) {
    if (committed.error().code != Errc::no_space) stop = true;
    return std::move(committed).error().in("the commit failed");
  }
  if (settings.audit != nullptr) settings.audit->written(audited);
  const rootslot::Anchor anchor{state.generation, state.log.size, state.log.root, state.hold_count};
  Status written = slot->write_anchor(anchor_key, anchor);
  if (!written.ok()) {
    stop = true;
    return std::move(written).error().in("the anchor could not be written");
  }
  anchored = Anchored::same;
  return {};
}

Result<crypto::RootSecret> Core::root_of(const crypto::SlotSecret& secret,
                                         std::uint64_t epoch) const {
  return crypto::derive_root(secret, unlock ? &*unlock : nullptr, locator.store, epoch);
}

Status Core::adopt_root(crypto::RootSecret next) {
  ASSIGN_OR_RETURN(crypto::SealKey key, crypto::anchor_key(next));
  root = std::move(next);
  anchor_key = std::move(key);
  return {};
}

Result<crypto::Dek> Core::dek_of(const domain::Asset& asset) {
  if (!asset.leaf) {
    return make_error(Errc::erased, asset.name.text() + " is erased, its key is gone", {},
                      asset_text(asset.id));
  }
  CatalogNodes nodes(view());
  ASSIGN_OR_RETURN(crypto::Dek dek, keytree::read_leaf(nodes, store(), root, *asset.leaf));
  ASSIGN_OR_RETURN(const Digest kcv, crypto::key_check_value(dek, store(), asset.id));
  if (kcv != asset.kcv) {
    return make_error(Errc::damaged,
                      "the key at the leaf of " + asset.name.text() + " is not its own",
                      "catalog rows were exchanged: run `aierase check`", asset_text(asset.id));
  }
  return dek;
}

namespace {

Result<Bytes> sealed_manifest_of(const Core& core, const domain::Asset& asset) {
  ASSIGN_OR_RETURN(std::optional<Bytes> sealed, core.view().sealed_manifest(asset.id));
  if (sealed) return std::move(*sealed);
  return make_error(Errc::damaged, "the manifest of " + asset.name.text() + " is missing",
                    "run `aierase check`", asset_text(asset.id));
}

Result<domain::Manifest> readable(const domain::Asset& asset, Result<domain::Manifest> manifest) {
  if (manifest.ok()) return manifest;
  return make_error(
      Errc::damaged,
      "the manifest of " + asset.name.text() + " does not open: " + manifest.error().message,
      "run `aierase check`", asset_text(asset.id));
}

}  // namespace

Result<domain::Manifest> Core::manifest_of(const domain::Asset& asset, const crypto::Dek& dek) {
  ASSIGN_OR_RETURN(const Bytes sealed, sealed_manifest_of(*this, asset));
  return readable(asset, blob::open_manifest(sealed, dek, store(), asset.id));
}

Result<domain::Manifest> Core::manifest_of(const domain::Asset& asset, ByteView dek,
                                           ByteSpan workspace) {
  ASSIGN_OR_RETURN(const Bytes sealed, sealed_manifest_of(*this, asset));
  return readable(asset, blob::open_manifest(sealed, dek, store(), asset.id, workspace));
}

Result<SecretBytes> Core::payload_of(const domain::Asset& asset, const crypto::Dek& dek) {
  const auto refuse = [&](const std::string& what) {
    return make_error(Errc::damaged, "the sealed key of " + asset.name.text() + what,
                      "run `aierase check`, and put the database back as it was last in use",
                      asset_text(asset.id));
  };
  ASSIGN_OR_RETURN(const std::optional<Bytes> sealed, view().sealed_payload(asset.id));
  if (!sealed) return refuse(" is missing");
  ASSIGN_OR_RETURN(const crypto::SealKey seal, crypto::payload_key(dek));
  Bytes associated = copy_of(store().view());
  append(associated, asset.id.view());
  Result<SecretBytes> key = crypto::open_message(seal, associated, *sealed);
  if (key.ok()) return key;
  return refuse(" does not open: " + key.error().message);
}

namespace {

// Why nobody knows as whom a caller logged in; empty where the kernel has told.
std::string_view hidden_because(domain::LoginSight sight) {
  switch (sight) {
    case domain::LoginSight::told:
      return {};
    case domain::LoginSight::process_gone:
      return "the process that opened the connection is gone";
    case domain::LoginSight::other_account:
      return "the process that opened the connection runs under another account now, or is gone";
    case domain::LoginSight::unreadable:
      return "aierased cannot read /proc of the process that opened the connection";
  }
  return {};
}

}  // namespace

Status Core::check_login(const domain::Actor& actor) const {
  const std::string_view why = hidden_because(actor.login_sight);
  if (why.empty()) return {};
  ASSIGN_OR_RETURN(const catalog::StoreState state, view().state());
  if (state.people_rule == domain::PeopleRule::single_operator) return {};
  return make_error(Errc::access_denied,
                    "this takes two persons, and nobody knows as whom " + actor.login +
                        " logged in: " + std::string(why),
                    actor.login_sight == domain::LoginSight::unreadable
                        ? "call from the host itself, where /proc is mounted without hidepid"
                        : "call again from a process that lives until the answer: the aierase "
                          "command does");
}

namespace {

Error unknown_asset(const Uuid& id) {
  return make_error(Errc::not_found, "there is no asset " + asset_text(id),
                    "`aierase list` shows what there is", asset_text(id));
}

}  // namespace

Result<domain::Asset> Core::known_asset(const Uuid& id) {
  ASSIGN_OR_RETURN(std::optional<domain::Asset> asset, view().asset(id));
  if (!asset) return unknown_asset(id);
  return std::move(*asset);
}

Result<catalog::AssetHead> Core::known_head(const Uuid& id) {
  ASSIGN_OR_RETURN(std::optional<catalog::AssetHead> head, view().asset_head(id));
  if (!head) return unknown_asset(id);
  return std::move(*head);
}

Result<domain::Asset> Core::living_asset(const Uuid& id) {
  ASSIGN_OR_RETURN(domain::Asset asset, known_asset(id));
  if (asset.state == domain::AssetState::erased) {
    const std::string when = asset.erased_at ? to_rfc3339(*asset.erased_at) : "an unknown time";
    return make_error(Errc::erased, asset.name.text() + " was erased at " + when,
                      "its certificate tells how and when: aierase certificate export " +
                          asset_text(id) + " - --format text",
                      asset_text(id));
  }
  return asset;
}

Result<domain::LineageName> Core::lineage_name(const Uuid& id, domain::Relation relation) {
  ASSIGN_OR_RETURN(catalog::AssetHead head, known_head(id));
  domain::LineageName name;
  name.relation = relation;
  name.asset = id;
  name.name = std::move(head.name);
  name.state = head.state;
  return name;
}

domain::Actor own_actor() {
  domain::Actor daemon;
  daemon.uid = geteuid();
  daemon.login = "aierased";
  return daemon;
}

Json actor_json(const domain::Actor& actor) {
  Json json{{"uid", actor.uid}, {"login", actor.login}};
  if (actor.uid == domain::kNoUid) json["uid"] = "none";
  if (actor.audit_login_uid) {
    json["audit_login_uid"] = *actor.audit_login_uid;
  } else {
    json["audit_login_uid"] = "unknown";
  }
  return json;
}

Status check_text(std::string_view what, std::string_view text, std::size_t limit) {
  if (text.size() > limit) {
    return make_error(Errc::invalid_input,
                      std::string(what) + " is " + std::to_string(text.size()) +
                          " bytes long, the limit is " + std::to_string(limit));
  }
  if (!is_printable_utf8(text)) {
    return make_error(
        Errc::invalid_input,
        std::string(what) + " has control characters or is not UTF-8: " + quoted(text),
        "use one line of printable text");
  }
  return {};
}

std::size_t Core::waiting_plans() const {
  const std::chrono::seconds at = since_boot();
  return static_cast<std::size_t>(std::count_if(
      stuck.begin(), stuck.end(), [&](const auto& one) { return at < one.second.until; }));
}

std::string asset_text(const Uuid& id) {
  return domain::id_text(domain::IdType::asset, id);
}
std::string certificate_text(const Uuid& id) {
  return domain::id_text(domain::IdType::certificate, id);
}

std::string plan_text(const Uuid& id) {
  return domain::id_text(domain::IdType::plan, id);
}

}  // namespace aierase::lifecycle
