// The plain form of a manifest, as if somebody had the key: what is accepted can be written again,
// means the same, and keeps every file inside its blob.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "blob/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = aierase::blob::parse_manifest(text);
  if (!parsed.ok()) return 0;
  for (const auto& file : parsed->files) {
    bool inside = false;
    for (const auto& blob : parsed->blobs) {
      inside = inside || (blob.id == file.blob && file.offset + file.bytes <= blob.bytes);
    }
    if (!inside || !aierase::domain::check_file_path(file.path).ok()) std::abort();
  }
  const auto written = aierase::blob::manifest_text(*parsed);
  if (!written.ok()) std::abort();
  const auto again = aierase::blob::parse_manifest(*written);
  if (!again.ok() || *aierase::blob::manifest_text(*again) != *written) std::abort();
  return 0;
}
