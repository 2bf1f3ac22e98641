#include "blob/blob_check.h"

#include <array>

#include "blob/layout.h"

namespace aierase::blob {

Error damaged_blob(const std::string& path, std::string_view what) {
  return make_error(Errc::damaged, "the blob " + path + " " + std::string(what),
                    "Restore the blob from a backup of the store, or retire the asset.", path);
}

Result<std::unique_ptr<File>> open_blob_file(Env& env, const std::string& path,
                                             const domain::BlobEntry& entry) {
  OpenHow how;
  how.caching = Caching::as_found;
  Result<std::unique_ptr<File>> file = env.open(path, how);
  if (!file.ok()) {
    if (file.error().code == Errc::invalid_input) {
      return damaged_blob(path, "is not a regular file");
    }
    if (file.error().code != Errc::not_found) return std::move(file).error();
    Error missing = damaged_blob(path, "is missing");
    missing.code = Errc::not_found;
    return missing;
  }
  ASSIGN_OR_RETURN(const FileInfo info, (*file)->info());
  if (info.type != FileType::regular) return damaged_blob(path, "is not a regular file");
  const std::uint64_t expected = container_bytes(entry.bytes);
  if (info.size != expected) {
    return damaged_blob(path, "has " + std::to_string(info.size) + " bytes on disk where " +
                                  std::to_string(expected) + " were written");
  }
  std::array<std::byte, crypto::kFloeHeaderBytes> header{};
  RETURN_IF_ERROR((*file)->read_at(kHeaderOffset, header));
  if (header != entry.floe_header) {
    return damaged_blob(path, "has another header than was written");
  }
  return file;
}

}  // namespace aierase::blob
