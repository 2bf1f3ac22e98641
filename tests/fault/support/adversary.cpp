#include "fault/support/adversary.h"

#include <algorithm>
#include <array>
#include <deque>

#include "crypto/keys.h"
#include "crypto/primitives.h"
#include "keytree/node.h"
#include "rootslot/blocks.h"
#include "rootslot/tpm2_slot.h"

namespace aierase::test {
namespace {

using keytree::kEntryBytes;

std::optional<Bytes> root_key(const StolenSlot& slot, ByteView unlock_bytes, const Uuid& store) {
  Result<SecretBytes> raw = SecretBytes::copy_of(slot.secret);
  if (!raw.ok()) return std::nullopt;
  const auto secret = crypto::SlotSecret::adopt(std::move(raw).value());
  std::optional<crypto::UnlockSecret> unlock;
  if (!unlock_bytes.empty()) {
    Result<SecretBytes> copy = SecretBytes::copy_of(unlock_bytes);
    if (!copy.ok()) return std::nullopt;
    auto adopted = crypto::UnlockSecret::adopt(std::move(copy).value());
    if (!adopted.ok()) return std::nullopt;
    unlock.emplace(std::move(adopted).value());
  }
  if (!secret.ok()) return std::nullopt;
  const auto root = crypto::derive_root(*secret, unlock ? &*unlock : nullptr, store, slot.epoch);
  if (!root.ok()) return std::nullopt;
  return root->bytes().reveal([](ByteView key) { return copy_of(key); });
}

bool is_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

void Adversary::learn(ByteView bytes) {
  Bytes needle = copy_of(as_bytes("AEN1"));
  append_be32(needle, 1);
  append(needle, store_.view());
  auto at = bytes.begin();
  while (true) {
    at = std::search(at, bytes.end(), needle.begin(), needle.end());
    if (static_cast<std::size_t>(bytes.end() - at) < keytree::kNodeRowBytes) return;
    const ByteView row(at, at + static_cast<std::ptrdiff_t>(keytree::kNodeRowBytes));
    const std::uint32_t level = get_be32(row.subspan(24, 4));
    const domain::NodeId id{static_cast<std::uint8_t>(level), get_be32(row.subspan(28, 4))};
    if (level < 5) rows_[id].emplace(copy_of(row.subspan(32, 24)), copy_of(row));
    at += static_cast<std::ptrdiff_t>(needle.size());
  }
}

void Adversary::learn(FakeDisk& disk, const std::string& directory) {
  for (const char* name : {"/catalog.db", "/catalog.db-journal"}) {
    const std::string path = directory + name;
    const Result<std::optional<FileInfo>> there = disk.stat(path);
    if (!there.ok() || !*there) continue;
    learn(disk.content(path));
    learn(disk.durable_content(path));
  }
}

std::set<StolenSlot> Adversary::slots(FakeDisk& disk, const std::string& slot_path) {
  std::set<StolenSlot> found;
  for (const Bytes& content : {disk.content(slot_path), disk.durable_content(slot_path)}) {
    for (const unsigned parity : {0U, 1U}) {
      for (unsigned copy = 0; copy < rootslot::kCopies; ++copy) {
        const auto at = static_cast<std::size_t>(rootslot::slot_offset(parity, copy));
        if (content.size() < at + rootslot::kBlockBytes) continue;
        const Result<rootslot::SlotCopy> read =
            rootslot::decode_copy(ByteView(content).subspan(at, rootslot::kBlockBytes));
        if (!read.ok() || !read->secret) continue;
        found.insert({read->epoch, read->secret->bytes().reveal(
                                       [](ByteView secret) { return copy_of(secret); })});
      }
    }
  }
  return found;
}

std::set<StolenSlot> Adversary::slots(SoftwareTpm& tpm, const Uuid& store, ByteView auth) {
  std::set<StolenSlot> found;
  Result<rootslot::Tpm2> open = rootslot::Tpm2::connect(tpm.settings());
  const Result<SecretBytes> value = SecretBytes::copy_of(auth);
  if (!open.ok() || !value.ok()) return found;
  for (const rootslot::NvIndex index : rootslot::indexes_of(store).slot) {
    Bytes block(rootslot::kBlockBytes);
    const ByteSpan content = ByteSpan(block).first(rootslot::kNvSlotBytes);
    if (!open->read(index, *value, content).ok()) continue;
    const Result<rootslot::SlotCopy> copy = rootslot::decode_copy(block);
    if (!copy.ok() || !copy->secret) continue;
    found.insert({copy->epoch,
                  copy->secret->bytes().reveal([](ByteView secret) { return copy_of(secret); })});
  }
  return found;
}

std::set<Uuid> Adversary::readable(const std::set<StolenSlot>& slots,
                                   const std::vector<Target>& targets) const {
  std::set<Uuid> read;
  std::set<std::pair<domain::NodeId, Bytes>> seen;
  std::deque<std::pair<domain::NodeId, Bytes>> keys;
  for (const StolenSlot& slot : slots) {
    if (auto key = root_key(slot, unlock_, store_)) {
      keys.emplace_back(domain::NodeId{4, 0}, std::move(*key));
    }
  }
  crypto::Aead aead;
  Bytes derived(keytree::kDerivedBytes);
  Bytes entries(keytree::kEntriesBytes);
  while (!keys.empty()) {
    const auto [id, key] = keys.front();
    keys.pop_front();
    const auto versions = rows_.find(id);
    if (versions == rows_.end() || !seen.insert({id, key}).second) continue;
    for (const auto& [salt, row] : versions->second) {
      if (!keytree::open_node(aead, store_, id, key, row, derived, entries).ok()) continue;
      for (std::uint32_t entry = 0; entry < 64; ++entry) {
        const ByteView value = ByteView(entries).subspan(entry * kEntryBytes, kEntryBytes);
        if (is_zero(value)) continue;
        const std::uint32_t below = (id.index << 6U) | entry;
        if (id.level > 0) {
          keys.emplace_back(domain::NodeId{static_cast<std::uint8_t>(id.level - 1U), below},
                            copy_of(value));
          continue;
        }
        for (const Target& target : targets) {
          if (target.leaf != below) continue;
          const Result<Digest> kcv = crypto::key_check_value(value, store_, target.asset);
          if (kcv.ok() && *kcv == target.kcv) read.insert(target.asset);
        }
      }
    }
  }
  return read;
}

std::size_t Adversary::rows() const {
  std::size_t count = 0;
  for (const auto& [id, versions] : rows_) count += versions.size();
  return count;
}

}  // namespace aierase::test
