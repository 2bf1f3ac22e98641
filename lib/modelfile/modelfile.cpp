#include "modelfile/modelfile.h"

#include <algorithm>
#include <unordered_set>

#include "base/json.h"
#include "base/limits.h"
#include "modelfile/formats.h"

namespace aierase::modelfile {

std::string_view to_text(Format format) noexcept {
  return format == Format::gguf ? "gguf" : "safetensors";
}

std::optional<Format> format_of(std::string_view path) noexcept {
  if (path.ends_with(".safetensors")) return Format::safetensors;
  if (path.ends_with(".gguf")) return Format::gguf;
  return std::nullopt;
}

Error bad_header(std::string what) {
  return make_error(Errc::invalid_input, std::move(what));
}

Result<std::uint64_t> bytes_of(const std::vector<std::uint64_t>& shape, std::uint64_t block,
                               std::uint64_t size) {
  std::uint64_t elements = 1;
  for (const std::uint64_t extent : shape) {
    if (__builtin_mul_overflow(elements, extent, &elements)) {
      return bad_header("a tensor has more elements than can be counted");
    }
  }
  std::uint64_t bytes = 0;
  if (elements % block != 0) return bad_header("a tensor ends within a block of its type");
  if (__builtin_mul_overflow(elements / block, size, &bytes)) {
    return bad_header("a tensor has more bytes than can be counted");
  }
  return bytes;
}

Status check_name(std::string_view name) {
  if (name.size() > limits::kTensorNameBytes || !is_printable_utf8(name)) {
    return bad_header("a tensor's name is no printable text of at most " +
                      std::to_string(limits::kTensorNameBytes) + " bytes: " + quoted(name));
  }
  return {};
}

Result<std::vector<Tensor>> read_tensors(Format format, FileView& file) {
  ASSIGN_OR_RETURN(std::vector<Tensor> tensors,
                   format == Format::gguf ? read_gguf(file) : read_safetensors(file));
  std::unordered_set<std::string_view> names;
  for (const Tensor& tensor : tensors) {
    if (tensor.offset > file.size() || tensor.bytes > file.size() - tensor.offset) {
      return bad_header("the tensor " + quoted(tensor.name) +
                        " reaches beyond the end of the file");
    }
    if (!names.insert(tensor.name).second) {
      return bad_header("the tensor " + quoted(tensor.name) + " stands twice");
    }
  }
  std::sort(tensors.begin(), tensors.end(), [](const Tensor& a, const Tensor& b) {
    return a.offset != b.offset ? a.offset < b.offset : a.name < b.name;
  });
  return tensors;
}

}  // namespace aierase::modelfile
