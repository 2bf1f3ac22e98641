// Rows of the key tree as a damaged database would hand them out: refused, whatever they are.
#include <cstdint>
#include <cstdlib>

#include "crypto/keys.h"
#include "keytree/tree.h"

namespace {

class OneRow final : public aierase::keytree::NodeSource {
 public:
  explicit OneRow(aierase::Bytes row) : row_(std::move(row)) {}
  aierase::Result<std::optional<aierase::Bytes>> read(aierase::domain::NodeId) override {
    return std::optional<aierase::Bytes>(row_);
  }

 private:
  aierase::Bytes row_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const aierase::Result<aierase::crypto::RootSecret> kRoot =
      aierase::crypto::RootSecret::random();
  if (!kRoot.ok()) std::abort();
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  OneRow nodes(aierase::Bytes(bytes, bytes + size));
  const aierase::Uuid store{};
  if (aierase::keytree::read_leaf(nodes, store, *kRoot, 0).ok()) std::abort();
  const auto row = nodes.read({});
  const auto opens = aierase::keytree::opens_root(**row, store, *kRoot);
  if (opens.ok() && *opens) std::abort();
  return 0;
}
