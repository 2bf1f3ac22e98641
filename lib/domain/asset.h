// Assets: the catalogued units of target data, with their files, sources, lineage and exports.
//
// Contract: values without behaviour. Sizes in bytes, times UTC. What stands in Manifest is sealed
// under the asset's key in the store and dies with it; what stands in Asset survives as tombstone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "base/uuid.h"
#include "domain/ids.h"
#include "domain/people.h"
#include "domain/states.h"

namespace aierase::domain {

struct FileEntry {
  std::string path;  // relative, '/' separated, as `sha256sum` would print it
  std::uint64_t bytes = 0;
  Digest sha256{};  // of the plaintext
  Uuid blob;
  std::uint64_t offset = 0;  // of the file's first byte in the blob's plaintext
};

struct BlobEntry {
  Uuid id;
  std::uint64_t bytes = 0;  // plaintext
  std::array<std::byte, 74> floe_header{};
  Digest seal_id{};  // identifies the ciphertext file, authenticates nothing
};

// Specified in aierase-store(5) MANIFEST. `metadata` is opaque JSON text that the client sealed in.
struct Manifest {
  std::vector<FileEntry> files;  // in the order of import
  std::vector<BlobEntry> blobs;
  std::string metadata;         // "" or JSON
  Digest configuration_salt{};  // kind configuration only: salt of its commitment
};

// Where plaintext came from: one per argument of `import`, plus one per place links led to.
struct Source {
  std::string description;  // absolute path, or "standard input"
  std::string filesystem;   // as observed through the descriptor: "ext4", "tmpfs", "pipe"
  SourceHistory history = SourceHistory::unknown;
  // Whether the daemon itself could see something of that name at import; where it could not (a
  // private /tmp, a mount of its own), it cannot say later that it has gone.
  SourceSight sight = SourceSight::hidden;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::optional<Actor> asserted_by;   // of encrypted-from-first-write
  std::optional<UtcTime> removed_at;  // reported by the importing client, by its user
};

struct LineageEdge {
  Uuid child;
  Relation relation = Relation::derived_from;
  Uuid parent;
  friend auto operator<=>(const LineageEdge&, const LineageEdge&) = default;
};

// A copy out of our hands, recorded durably before its first byte leaves.
struct ExportRecord {
  Uuid asset;
  UtcTime time{};
  Actor actor;
  ExportKind kind = ExportKind::plaintext;
  ExportMedium medium = ExportMedium::unknown;
  std::string scope;        // "all", a file's path, or "PATH[A-B]"
  std::string destination;  // as told by the client: a path, "standard output"
};

struct Asset {
  Uuid id;
  AssetName name;
  AssetKind kind = AssetKind::model;
  AssetState state = AssetState::active;
  std::string state_reason;
  std::uint64_t bytes = 0;
  std::uint64_t file_count = 0;
  UtcTime created{};
  Actor importer;
  std::string retention = "default";
  SourceHistory source_history = SourceHistory::unknown;  // the worst over its sources
  Digest kcv{};
  std::optional<std::uint32_t> leaf;  // position in the key tree; none once erased
  std::uint64_t first_epoch = 0;      // the epoch it was born in
  std::optional<UtcTime> erased_at;
  std::vector<Custodian> custodians;
  std::map<std::string, std::string> labels;
  std::vector<Source> sources;
};

// "<sha256>  <path>\n" per file, in byte order of path, escaped as sha256sum does; its SHA-256 is
// the manifest_sha256 by which hosts correlate an asset.
std::string sha256sum_lines(const std::vector<FileEntry>& files);

// A path inside an asset: relative, no empty, "." or ".." component, no NUL; control characters
// and invalid UTF-8 are refused with a sentence that shows them quoted.
Status check_file_path(std::string_view path);
Status check_label(std::string_view key, std::string_view value);

}  // namespace aierase::domain
