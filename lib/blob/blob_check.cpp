#include <algorithm>

#include "blob/asset_writer.h"
#include "blob/layout.h"

namespace aierase::blob {

Status check_blob_file(Env& env, const std::string& path, const domain::BlobEntry& entry) {
  const std::string name = "blob " + entry.id.hex();
  Result<std::unique_ptr<File>> file = env.open(path, {});
  if (!file.ok()) {
    if (file.error().code != Errc::not_found) return std::move(file).error().in(name);
    return make_error(Errc::not_found, name + " is missing: " + path, {}, path);
  }
  ASSIGN_OR_RETURN(const FileInfo info, (*file)->info());
  const std::uint64_t expected = container_bytes(entry.bytes);
  if (info.size != expected) {
    return make_error(Errc::damaged,
                      name + " has " + std::to_string(info.size) + " bytes instead of " +
                          std::to_string(expected),
                      {}, path);
  }
  crypto::FloeHeader header{};
  RETURN_IF_ERROR((*file)->read_at(kHeaderOffset, header));
  if (header != entry.floe_header) {
    return make_error(Errc::damaged, name + " begins with another header than its manifest names",
                      {}, path);
  }
  return {};
}

}  // namespace aierase::blob
