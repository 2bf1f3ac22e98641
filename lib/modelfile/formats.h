// The two formats behind read_tensors(), and what they share.
//
// Contract: as modelfile.h; tensors come in the order of the header.
#pragma once

#include "modelfile/modelfile.h"

namespace aierase::modelfile {

Result<std::vector<Tensor>> read_safetensors(FileView& file);
Result<std::vector<Tensor>> read_gguf(FileView& file);

Error bad_header(std::string what);
// Bytes of as many elements as `shape` says, in blocks of `block` elements and `size` bytes each.
Result<std::uint64_t> bytes_of(const std::vector<std::uint64_t>& shape, std::uint64_t block,
                               std::uint64_t size);
Status check_name(std::string_view name);

}  // namespace aierase::modelfile
