// Which tensors a model file holds, and where their bytes lie in it.
//
// Contract: pure but for `file`, of which only the header is read. Everything in it is hostile:
// what does not fit its format, its limits (limits.h) or its own size is refused with a sentence,
// and nothing else happens. Offsets count from the beginning of the file; a tensor lies within it.
// Specified in: the formats safetensors and GGUF (versions 2 and 3, little-endian); aierase(1)
// SHOW.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace aierase::modelfile {

enum class Format { safetensors, gguf };
std::string_view to_text(Format format) noexcept;
// By the end of its name, as the programs that read them go.
std::optional<Format> format_of(std::string_view path) noexcept;

class FileView {
 public:
  virtual ~FileView() = default;
  virtual std::uint64_t size() const = 0;
  virtual Status read_at(std::uint64_t offset, ByteSpan to) = 0;  // exactly so many bytes
};

struct Tensor {
  std::string name;
  std::string type;  // as the format calls it: F16, Q4_K
  std::vector<std::uint64_t> shape;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

// In order of their place in the file.
Result<std::vector<Tensor>> read_tensors(Format format, FileView& file);

}  // namespace aierase::modelfile
