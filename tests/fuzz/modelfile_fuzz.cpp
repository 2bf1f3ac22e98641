// Headers of model files: the first byte chooses the format, the rest is the file. What is accepted
// lies within the file, in order, under names of their own.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

#include "base/limits.h"
#include "modelfile/modelfile.h"

namespace {

class Memory final : public aierase::modelfile::FileView {
 public:
  explicit Memory(aierase::ByteView bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  aierase::Status read_at(std::uint64_t offset, aierase::ByteSpan to) override {
    if (offset > bytes_.size() || to.size() > bytes_.size() - offset) std::abort();
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), to.size(), to.begin());
    return {};
  }

 private:
  aierase::ByteView bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using aierase::modelfile::Format;
  if (size == 0) return 0;
  Memory file({reinterpret_cast<const std::byte*>(data) + 1, size - 1});
  const auto tensors =
      aierase::modelfile::read_tensors(data[0] == 'g' ? Format::gguf : Format::safetensors, file);
  if (!tensors.ok()) return 0;
  std::set<std::string> names;
  std::uint64_t at = 0;
  for (const auto& tensor : *tensors) {
    const bool inside = tensor.offset <= file.size() && tensor.bytes <= file.size() - tensor.offset;
    if (!inside || tensor.offset < at || !names.insert(tensor.name).second) std::abort();
    if (tensor.shape.size() > aierase::limits::kTensorDimensions) std::abort();
    at = tensor.offset;
  }
  return 0;
}
