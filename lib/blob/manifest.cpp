#include "blob/manifest.h"

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/json_view.h"
#include "base/limits.h"
#include "base/secret_bytes.h"
#include "crypto/primitives.h"

namespace aierase::blob {
namespace {

constexpr std::string_view kSchema = "aierase/manifest/v1";
constexpr std::string_view kSchemaFamily = "aierase/manifest/";
// The object, an array, an entry: metadata is a text and brings no depth.
constexpr std::size_t kDepth = 3;
// Of one entry beside its path.
constexpr std::size_t kEntryBytes = 200;

Bytes manifest_associated(const Uuid& store, const Uuid& asset) {
  Bytes associated;
  associated.reserve(store.bytes.size() + asset.bytes.size());
  append(associated, store.view());
  append(associated, asset.view());
  return associated;
}

void zeroize_text(std::string& text) {
  zeroize(std::as_writable_bytes(std::span<char>(text.data(), text.size())));
}

// ---- writing: by hand, since 100,000 entries need no tree; keys stand in byte order -------------

void put(std::string& text, std::string_view key, ByteView hex) {
  text += '"';
  text += key;
  text += "\":\"";
  text += to_hex(hex);
  text += '"';
}

void put(std::string& text, std::string_view key, std::uint64_t number) {
  text += '"';
  text += key;
  text += "\":";
  text += std::to_string(number);
}

Status put_text(std::string& text, std::string_view key, const std::string& value) {
  ASSIGN_OR_RETURN(const std::string quoted_value, dump_canonical(Json(value)));
  text += '"';
  text += key;
  text += "\":";
  text += quoted_value;
  return {};
}

void put_blob(std::string& text, const domain::BlobEntry& blob) {
  text += '{';
  put(text, "bytes", blob.bytes);
  text += ',';
  put(text, "floe_header", blob.floe_header);
  text += ',';
  put(text, "id", blob.id.view());
  text += ',';
  put(text, "seal_id", blob.seal_id);
  text += '}';
}

Status put_file(std::string& text, const domain::FileEntry& file) {
  text += '{';
  put(text, "blob", file.blob.view());
  text += ',';
  put(text, "bytes", file.bytes);
  text += ',';
  put(text, "offset", file.offset);
  text += ',';
  RETURN_IF_ERROR(put_text(text, "path", file.path));
  text += ',';
  put(text, "sha256", file.sha256);
  text += '}';
  return {};
}

// ---- reading ------------------------------------------------------------------------------------

Error refused(const std::string& place, std::string_view what) {
  return make_error(Errc::invalid_input, "manifest, " + place + ": " + std::string(what));
}

// One object of the manifest: members by name, and nothing beside those.
class Members {
 public:
  Members(JsonView object, std::string place) : object_(object), place_(std::move(place)) {}

  Status check_names(std::initializer_list<std::string_view> names) const {
    if (!object_.is_object()) return refused(place_, "must be an object");
    for (std::size_t i = 0; i < object_.size(); ++i) {
      const std::string_view name = object_.key(i);
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        return refused(place_, "has the unknown member " + quoted(name));
      }
    }
    return {};
  }
  bool has(const char* name) const { return object_.contains(name); }
  Result<std::uint64_t> number(const char* name) const {
    const std::optional<std::uint64_t> number = object_[name].number();
    if (!number || *number > limits::kFileBytes) {
      return refused(place_, std::string(name) + " must be a number from 0 to " +
                                 std::to_string(limits::kFileBytes));
    }
    return *number;
  }
  Result<std::string> text(const char* name) const {
    const JsonView value = object_[name];
    if (!value.is_string()) return refused(place_, std::string(name) + " must be a text");
    return std::string(value.text());
  }
  Status hex(const char* name, ByteSpan to) const {
    const JsonView value = object_[name];
    const auto bytes = value.is_string() ? from_hex(value.text()) : std::nullopt;
    if (!bytes || bytes->size() != to.size()) {
      return refused(place_, std::string(name) + " must be " + std::to_string(2 * to.size()) +
                                 " hexadecimal digits");
    }
    std::copy(bytes->begin(), bytes->end(), to.begin());
    return {};
  }
  Result<JsonView> list(const char* name) const {
    const JsonView list = object_[name];
    if (!list.is_array()) return refused(place_, std::string(name) + " must be a list");
    if (list.size() > limits::kFilesPerAsset) {
      return make_error(Errc::resource_limit, "manifest, " + place_ + ": " + name + " has " +
                                                  std::to_string(list.size()) +
                                                  " entries; the limit is " +
                                                  std::to_string(limits::kFilesPerAsset));
    }
    return list;
  }

 private:
  JsonView object_;
  std::string place_;
};

Result<domain::BlobEntry> parse_blob(JsonView from, const std::string& place) {
  const Members members(from, place);
  RETURN_IF_ERROR(members.check_names({"bytes", "floe_header", "id", "seal_id"}));
  domain::BlobEntry blob;
  ASSIGN_OR_RETURN(blob.bytes, members.number("bytes"));
  RETURN_IF_ERROR(members.hex("floe_header", blob.floe_header));
  RETURN_IF_ERROR(members.hex("id", blob.id.bytes));
  RETURN_IF_ERROR(members.hex("seal_id", blob.seal_id));
  return blob;
}

Result<domain::FileEntry> parse_file(JsonView from, const std::string& place) {
  const Members members(from, place);
  RETURN_IF_ERROR(members.check_names({"blob", "bytes", "offset", "path", "sha256"}));
  domain::FileEntry file;
  RETURN_IF_ERROR(members.hex("blob", file.blob.bytes));
  ASSIGN_OR_RETURN(file.bytes, members.number("bytes"));
  ASSIGN_OR_RETURN(file.offset, members.number("offset"));
  ASSIGN_OR_RETURN(file.path, members.text("path"));
  RETURN_IF_ERROR(members.hex("sha256", file.sha256));
  if (Status path = domain::check_file_path(file.path); !path.ok()) {
    return std::move(path).error().in("manifest, " + place);
  }
  return file;
}

struct UuidHash {
  std::size_t operator()(const Uuid& uuid) const {
    return static_cast<std::size_t>(get_be64(uuid.view()));
  }
};

// What the members alone cannot show: unique names, and every file inside a blob that exists.
Status check_extents(const domain::Manifest& manifest) {
  std::unordered_map<Uuid, std::uint64_t, UuidHash> blobs;
  for (const domain::BlobEntry& blob : manifest.blobs) {
    if (!blobs.emplace(blob.id, blob.bytes).second) {
      return refused("blobs", "the blob " + blob.id.hex() + " stands twice");
    }
  }
  std::unordered_set<std::string_view> paths;
  for (const domain::FileEntry& file : manifest.files) {
    const std::string place = "file " + quoted(file.path);
    if (!paths.insert(file.path).second) return refused(place, "stands twice");
    const auto blob = blobs.find(file.blob);
    if (blob == blobs.end()) return refused(place, "names a blob that is not listed");
    if (file.offset > blob->second || file.bytes > blob->second - file.offset) {
      return refused(place, "reaches beyond the end of its blob");
    }
  }
  return {};
}

Status check_schema(const Members& root) {
  ASSIGN_OR_RETURN(const std::string schema, root.text("schema"));
  if (schema == kSchema) return {};
  if (schema.compare(0, kSchemaFamily.size(), kSchemaFamily) == 0) {
    return make_error(Errc::newer_format, "the manifest has the schema " + quoted(schema),
                      "Use the version of aierase that wrote it, or a later one.");
  }
  return refused("schema", "must be " + quoted(kSchema));
}

Result<domain::Manifest> parse_root(JsonView json) {
  const Members root(json, "top");
  if (!json.is_object()) return refused("top", "must be an object");
  RETURN_IF_ERROR(check_schema(root));
  RETURN_IF_ERROR(root.check_names({"blobs", "configuration_salt", "files", "metadata", "schema"}));
  domain::Manifest manifest;
  if (root.has("configuration_salt")) {
    RETURN_IF_ERROR(root.hex("configuration_salt", manifest.configuration_salt));
  }
  if (root.has("metadata")) {
    ASSIGN_OR_RETURN(manifest.metadata, root.text("metadata"));
  }
  ASSIGN_OR_RETURN(const JsonView blobs, root.list("blobs"));
  manifest.blobs.reserve(blobs.size());
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    ASSIGN_OR_RETURN(domain::BlobEntry blob, parse_blob(blobs[i], "blob " + std::to_string(i)));
    manifest.blobs.push_back(blob);
  }
  ASSIGN_OR_RETURN(const JsonView files, root.list("files"));
  manifest.files.reserve(files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    ASSIGN_OR_RETURN(domain::FileEntry file, parse_file(files[i], "file " + std::to_string(i)));
    manifest.files.push_back(std::move(file));
  }
  RETURN_IF_ERROR(check_extents(manifest));
  return manifest;
}

}  // namespace

Result<std::string> manifest_text(const domain::Manifest& manifest) {
  std::string text;
  std::size_t size = manifest.metadata.size() + kEntryBytes;
  for (const domain::FileEntry& file : manifest.files) size += file.path.size() + kEntryBytes;
  text.reserve(size + 2 * kEntryBytes * manifest.blobs.size());
  text += "{\"blobs\":[";
  for (const domain::BlobEntry& blob : manifest.blobs) {
    if (&blob != &manifest.blobs.front()) text += ',';
    put_blob(text, blob);
  }
  text += "],";
  if (manifest.configuration_salt != Digest{}) {
    put(text, "configuration_salt", manifest.configuration_salt);
    text += ',';
  }
  text += "\"files\":[";
  for (const domain::FileEntry& file : manifest.files) {
    if (&file != &manifest.files.front()) text += ',';
    RETURN_IF_ERROR(put_file(text, file));
  }
  text += "],";
  if (!manifest.metadata.empty()) {
    RETURN_IF_ERROR(put_text(text, "metadata", manifest.metadata));
    text += ',';
  }
  text += "\"schema\":\"";
  text += kSchema;
  text += "\"}";
  if (text.size() > limits::kManifestBytes) {
    return make_error(Errc::resource_limit,
                      "the manifest has " + std::to_string(text.size()) + " bytes; the limit is " +
                          std::to_string(limits::kManifestBytes),
                      "Use shorter paths, less metadata, or several assets.");
  }
  return text;
}

Result<domain::Manifest> parse_manifest(std::string_view json) {
  JsonLimits bounds;
  bounds.max_bytes = limits::kManifestBytes;
  bounds.max_depth = kDepth;
  ASSIGN_OR_RETURN(const JsonDocument document, read_json(json, bounds));
  return parse_root(document.root());
}

Result<Bytes> seal_manifest(const domain::Manifest& manifest, const crypto::Dek& dek,
                            const Uuid& store, const Uuid& asset) {
  ASSIGN_OR_RETURN(const crypto::SealKey key, crypto::manifest_key(dek));
  ASSIGN_OR_RETURN(std::string text, manifest_text(manifest));
  Result<Bytes> sealed =
      crypto::seal_message(key, manifest_associated(store, asset), as_bytes(text));
  zeroize_text(text);
  return sealed;
}

namespace {

Result<domain::Manifest> read_manifest(Result<Bytes> opened) {
  if (!opened.ok()) return std::move(opened).error();
  Bytes& text = *opened;
  Result<domain::Manifest> manifest = parse_manifest(as_text(text));
  zeroize(text);
  if (manifest.ok() || manifest.error().code == Errc::newer_format) return manifest;
  // It is authentic, so we or a later version wrote what we cannot read.
  Error error = std::move(manifest).error();
  error.code = Errc::damaged;
  return std::move(error).in("the manifest is authentic but cannot be read");
}

}  // namespace

Result<domain::Manifest> open_manifest(ByteView sealed, const crypto::Dek& dek, const Uuid& store,
                                       const Uuid& asset) {
  ASSIGN_OR_RETURN(const crypto::SealKey key, crypto::manifest_key(dek));
  return read_manifest(crypto::open_content(key, manifest_associated(store, asset), sealed));
}

Result<domain::Manifest> open_manifest(ByteView sealed, ByteView dek, const Uuid& store,
                                       const Uuid& asset, ByteSpan workspace) {
  if (workspace.size() != kManifestWorkspaceBytes) {
    return make_error(Errc::invalid_input, "a manifest is opened in a workspace of fixed size");
  }
  const ByteSpan key = workspace.first(crypto::kKeyBytes);
  RETURN_IF_ERROR(crypto::manifest_key(dek, key));
  return read_manifest(crypto::open_content(key, manifest_associated(store, asset), sealed,
                                            workspace.subspan(crypto::kKeyBytes)));
}

}  // namespace aierase::blob
