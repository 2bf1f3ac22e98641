// check: one finding type per broken invariant, in slices, so that a hold waits for one of them.
// SQLite's own check of the whole database is one.

#include <algorithm>
#include <map>

#include "base/limits.h"
#include "blob/asset_reader.h"
#include "blob/blob_check.h"
#include "blob/layout.h"
#include "lifecycle/content_check.h"
#include "lifecycle/core.h"
#include "lifecycle/published_check.h"
#include "lifecycle/reserve.h"
#include "lifecycle/word_check.h"

namespace aierase::lifecycle {
namespace {

using Severity = Finding::Severity;

constexpr std::size_t kLeavesPerStep = 2048;
constexpr std::uint64_t kSegmentsPerStep = 16 * blob::kRunSegments;  // of content: 16 MiB
constexpr unsigned kBlobDirectories = 256;

enum class Phase { database, log, published, words, leaves, assets, unowned, imports, blobs, done };

}  // namespace

struct CheckRun::Impl {
  Impl(Store& s, std::vector<Uuid> a, CheckDepth d)
      : store(s), core(*s.impl_), chosen(std::move(a)), depth(d) {
    if (!chosen.empty()) phase = Phase::assets;
  }

  void find(Severity severity, std::string code, std::string subject, std::string text,
            std::string mend) {
    findings.push_back(
        {severity, std::move(code), std::move(subject), std::move(text), std::move(mend)});
  }

  Result<bool> step();
  Status check_phase();
  void leave_phase();
  Status check_database();
  Status check_log();
  Status check_published();
  Status check_words();
  Status check_leaves();
  Status check_assets();
  Result<bool> check_asset(const domain::Asset& asset);
  Status check_key(const domain::Asset& asset);
  Status check_blob_files(const domain::Asset& asset, const domain::Manifest& manifest);
  Result<bool> check_bytes(const domain::Asset& asset, domain::Manifest manifest, crypto::Dek dek);
  void check_unowned();
  Status check_imports();
  Status check_blobs();
  Result<std::optional<domain::Asset>> next_asset();

  Store& store;
  Core& core;
  std::vector<Uuid> chosen;  // empty: everything
  CheckDepth depth;
  Phase phase = Phase::database;
  std::vector<Finding> findings;
  std::uint64_t bytes = 0, assets = 0;

  std::uint64_t log_at = 0;
  std::optional<PublishedCheck> published;
  domain::LogState replayed;
  std::optional<WordCheck> words;
  std::uint32_t leaf_at = 0;
  std::vector<bool> used;  // leaves with a key and no owner yet
  std::string cursor;
  std::vector<domain::Asset> page;
  std::size_t page_at = 0;
  bool pages_begun = false;
  std::optional<ContentCheck> content;  // of the asset that is being read
  std::uint64_t segments_left = 0;      // of this step
  unsigned directory_at = 0;
};

Status CheckRun::Impl::check_database() {
  if (std::optional<Finding> lost = lost_slot_file(core)) findings.push_back(std::move(*lost));
  ASSIGN_OR_RETURN(const std::vector<std::string> broken, core.catalog->integrity_check());
  for (const std::string& text : broken) {
    find(Severity::error, "database-damaged", core.settings.directory + "/catalog.db", text,
         "put an undamaged copy of the current database back");
  }
  return {};
}

Status CheckRun::Impl::check_log() {
  ASSIGN_OR_RETURN(const std::vector<Digest> hashes,
                   core.view().log_hashes(log_at, limits::kPageRows));
  for (const Digest& hash_of_leaf : hashes) replayed = translog::extended(replayed, hash_of_leaf);
  log_at += hashes.size();
  if (hashes.size() == limits::kPageRows) return {};
  ASSIGN_OR_RETURN(const catalog::StoreState state, core.view().state());
  // Leaves appended while the check ran are in both.
  if (replayed.size == state.log.size && replayed.root != state.log.root) {
    find(Severity::error, "log-root", "log", "the leaves of the log do not hash to its root",
         "rows of the log were changed; compare with an older copy");
  }
  phase = Phase::published;
  return {};
}

Status CheckRun::Impl::check_published() {
  if (!published) published.emplace(core);
  using Fault = PublishedCheck::Fault;
  const auto tell = [this](Fault fault, const std::string& path) {
    if (fault == Fault::missing) {
      find(Severity::warning, "log-file-missing", path, "a file of the published log is missing",
           "it is being written anew from the database: check again");
    } else {
      find(Severity::error, "log-file-differs", path,
           "a file of the published log is not what the log of this store holds",
           "find out who changed it, then remove it: it is written anew");
    }
  };
  ASSIGN_OR_RETURN(const bool more, published->step(tell));
  if (!more) phase = Phase::words;
  return {};
}

Status CheckRun::Impl::check_words() {
  if (!words) words.emplace(core);
  ASSIGN_OR_RETURN(const bool more, words->step(findings));
  if (!more) phase = Phase::leaves;
  return {};
}

Status CheckRun::Impl::check_leaves() {
  ASSIGN_OR_RETURN(const catalog::StoreState state, core.view().state());
  const std::uint32_t end = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(state.next_leaf, leaf_at + kLeavesPerStep));
  std::vector<std::uint32_t> leaves;
  for (std::uint32_t leaf = leaf_at; leaf < end; ++leaf) leaves.push_back(leaf);
  used.resize(end);
  CatalogNodes nodes(core.view());
  const Status walked = keytree::visit_leaves(nodes, core.store(), core.root, leaves,
                                              [&](std::uint32_t leaf, ByteView dek) {
                                                used[leaf] = !dek.empty();
                                                return Status();
                                              });
  if (!walked.ok()) {
    if (walked.error().code == Errc::io) return walked;
    find(Severity::error, "tree-damaged", walked.error().subject,
         "leaves " + std::to_string(leaf_at) + " to " + std::to_string(end) +
             " of the key tree: " + walked.error().message,
         "put an undamaged copy of the current database back");
  }
  leaf_at = end;
  if (leaf_at >= state.next_leaf) phase = Phase::assets;
  return {};
}

Result<std::optional<domain::Asset>> CheckRun::Impl::next_asset() {
  if (!chosen.empty()) {
    if (page_at >= chosen.size()) return std::optional<domain::Asset>();
    return core.view().asset(chosen[page_at]);
  }
  if (page_at >= page.size()) {
    if (pages_begun && cursor.empty()) return std::optional<domain::Asset>();
    catalog::AssetQuery living;
    living.include_erased = false;
    ASSIGN_OR_RETURN(catalog::Page<domain::Asset> next,
                     core.view().assets(living, cursor, limits::kListPageRows));
    pages_begun = true;
    cursor = next.next;
    page = std::move(next.rows);
    page_at = 0;
    if (page.empty()) return std::optional<domain::Asset>();
  }
  // Read anew: it may have changed since the page was read.
  return core.view().asset(page[page_at].id);
}

Status CheckRun::Impl::check_assets() {
  segments_left = kSegmentsPerStep;
  for (std::size_t looked = 0; looked < 64 && segments_left > 0; ++looked) {
    ASSIGN_OR_RETURN(const std::optional<domain::Asset> asset, next_asset());
    if (!asset) {
      phase = chosen.empty() ? Phase::unowned : Phase::done;
      return {};
    }
    ASSIGN_OR_RETURN(const bool more, check_asset(*asset));
    if (more) continue;
    // Also where it was erased, or could not be read any more, in the middle.
    content.reset();
    ++page_at;
    ++assets;
  }
  return {};
}

Status CheckRun::Impl::check_key(const domain::Asset& asset) {
  if (asset.leaf && *asset.leaf < used.size()) used[*asset.leaf] = false;
  const Result<crypto::Dek> dek = core.dek_of(asset);
  if (dek.ok()) return {};
  if (dek.error().code == Errc::io) return dek.error();
  find(Severity::error, "key-missing", asset_text(asset.id), dek.error().message,
       "the asset cannot be read; put an undamaged copy of the current database back");
  return dek.error();
}

// Whether more of it is left.
Result<bool> CheckRun::Impl::check_asset(const domain::Asset& asset) {
  if (asset.state == domain::AssetState::erased || asset.state == domain::AssetState::erasing) {
    return false;
  }
  const Status key = check_key(asset);
  if (!key.ok()) {
    if (key.error().code == Errc::io) return key.error();
    return false;
  }
  ASSIGN_OR_RETURN(crypto::Dek dek, core.dek_of(asset));
  Result<domain::Manifest> manifest = core.manifest_of(asset, dek);
  if (!manifest.ok()) {
    if (manifest.error().code == Errc::io) return manifest.error();
    find(Severity::error, "manifest-damaged", asset_text(asset.id), manifest.error().message,
         "the asset cannot be read; put an undamaged copy of the current database back");
    return false;
  }
  if (asset.kind == domain::AssetKind::dataset_key) {
    const Result<SecretBytes> payload = core.payload_of(asset, dek);
    if (payload.ok()) return false;
    if (payload.error().code == Errc::io) return payload.error();
    find(Severity::error, "sealed-key-damaged", asset_text(asset.id), payload.error().message,
         "the key cannot be released; put an undamaged copy of the current database back");
    return false;
  }
  if (!content) RETURN_IF_ERROR(check_blob_files(asset, *manifest));
  if (depth == CheckDepth::deep && !manifest->files.empty()) {
    return check_bytes(asset, std::move(*manifest), std::move(dek));
  }
  return false;
}

Status CheckRun::Impl::check_blob_files(const domain::Asset& asset,
                                        const domain::Manifest& manifest) {
  for (const domain::BlobEntry& entry : manifest.blobs) {
    const std::string path = blob::blob_path(core.blob_directory(), entry.id);
    const Result<std::unique_ptr<File>> whole = blob::open_blob_file(core.env(), path, entry);
    if (whole.ok()) continue;
    const bool missing = whole.error().code == Errc::not_found;
    find(Severity::error, missing ? "blob-missing" : "blob-damaged", asset_text(asset.id),
         whole.error().message, "put the file back from a copy of the store, or import again");
  }
  return {};
}

// As far as this step goes; no key is held until the next.
Result<bool> CheckRun::Impl::check_bytes(const domain::Asset& asset, domain::Manifest manifest,
                                         crypto::Dek dek) {
  blob::Progress progress;
  ASSIGN_OR_RETURN(
      blob::AssetReader reader,
      blob::AssetReader::open(core.env(), {core.blob_directory(), core.store(), asset.id},
                              std::move(dek), std::move(manifest), progress));
  if (!content) content.emplace();
  const std::uint64_t before = content->bytes();
  Result<bool> more =
      content->step(reader, segments_left, [&](const std::string& path, const std::string& what) {
        find(Severity::error, "file-damaged", asset_text(asset.id), quoted(path) + ": " + what,
             "put the blob back from a copy of the store, or import again");
      });
  bytes += content->bytes() - before;
  return more;
}

void CheckRun::Impl::check_unowned() {
  const auto count = std::count(used.begin(), used.end(), true);
  if (count > 0) {
    find(Severity::error, "key-unowned", "key tree",
         std::to_string(count) + " keys in the tree belong to no asset",
         "rows of the catalog are missing; put an undamaged copy of the database back");
  }
  phase = Phase::imports;
}

Status CheckRun::Impl::check_imports() {
  ASSIGN_OR_RETURN(const std::vector<catalog::ImportIntent> intents, core.view().imports());
  for (const catalog::ImportIntent& intent : intents) {
    if (core.importing.count(intent.asset) != 0) continue;
    RETURN_IF_ERROR(store.abort_import(intent.asset));
    find(Severity::note, "import-interrupted", asset_text(intent.asset),
         "what an interrupted import of " + to_rfc3339(intent.started) + " left behind is removed",
         "nothing; import again if it is still wanted");
  }
  phase = Phase::blobs;
  return {};
}

// An unknown blob is reported and never unlinked: it may be evidence of something.
Status CheckRun::Impl::check_blobs() {
  const std::string directory =
      core.blob_directory() + "/" + to_hex(Bytes{static_cast<std::byte>(directory_at)});
  const Result<std::vector<std::string>> names = core.env().list(directory);
  if (names.ok()) {
    ASSIGN_OR_RETURN(const std::vector<catalog::ImportIntent> intents, core.view().imports());
    std::set<Uuid> known;
    for (const catalog::ImportIntent& intent : intents) {
      known.insert(intent.blobs.begin(), intent.blobs.end());
    }
    for (const std::string& name : *names) {
      const std::optional<Bytes> raw = from_hex(name);
      const std::optional<Uuid> id = raw ? Uuid::from_bytes(*raw) : std::nullopt;
      if (id && known.count(*id) != 0) continue;
      if (id) {
        ASSIGN_OR_RETURN(const std::optional<Uuid> owner, core.view().blob_owner(*id));
        if (owner) continue;
      }
      find(Severity::warning, "blob-unknown", directory + "/" + name,
           "nothing in the catalog names this file", "find out who put it there; then remove it");
    }
  } else if (names.error().code != Errc::not_found) {
    return names.error();
  }
  if (++directory_at == kBlobDirectories) phase = Phase::done;
  return {};
}

Status CheckRun::Impl::check_phase() {
  switch (phase) {
    case Phase::database:
      RETURN_IF_ERROR(check_database());
      phase = Phase::log;
      return {};
    case Phase::log:
      return check_log();
    case Phase::published:
      return check_published();
    case Phase::words:
      return check_words();
    case Phase::leaves:
      return check_leaves();
    case Phase::assets:
      return check_assets();
    case Phase::unowned:
      check_unowned();
      return {};
    case Phase::imports:
      return check_imports();
    case Phase::blobs:
      return check_blobs();
    case Phase::done:
      break;
  }
  return {};
}

void CheckRun::Impl::leave_phase() {
  // Keys whose owners could not all be read are not called unowned.
  if (phase == Phase::leaves || phase == Phase::assets) used.clear();
  const bool last = !chosen.empty() || phase == Phase::done;
  phase = last ? Phase::done : static_cast<Phase>(static_cast<int>(phase) + 1);
}

Result<bool> CheckRun::Impl::step() {
  Status checked = check_phase();
  if (!checked.ok()) {
    if (checked.error().code != Errc::damaged) return std::move(checked).error();
    // Rows that cannot even be read are what a check is for: named, and the rest looked at.
    find(Severity::error, "database-damaged", core.settings.directory + "/catalog.db",
         checked.error().message, "put an undamaged copy of the current database back");
    leave_phase();
  }
  return phase != Phase::done;
}

CheckRun::CheckRun(Store& store, std::vector<Uuid> assets, CheckDepth depth)
    : impl_(std::make_unique<Impl>(store, std::move(assets), depth)) {}
CheckRun::~CheckRun() = default;
Result<bool> CheckRun::step() {
  return impl_->step();
}
const std::vector<Finding>& CheckRun::findings() const {
  return impl_->findings;
}
std::uint64_t CheckRun::bytes() const {
  return impl_->bytes;
}
std::uint64_t CheckRun::assets() const {
  return impl_->assets;
}

}  // namespace aierase::lifecycle
