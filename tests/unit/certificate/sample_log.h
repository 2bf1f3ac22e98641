// A small log with certificates in it, and the keyring of its store.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "certificate/bundle.h"
#include "certificate/evidence.h"
#include "translog/note.h"
#include "translog/proof_file.h"
#include "translog/tile.h"
#include "unit/certificate/sample_record.h"

namespace aierase::certificate::sample {

// Leaves as bodies; heads and proofs over any number of the first of them.
class Log {
 public:
  explicit Log(const Uuid& store) : origin_(translog::origin_of(store)) {}

  std::uint64_t add(std::string body) {
    bodies.push_back(std::move(body));
    return bodies.size() - 1;
  }
  void fill(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) add("other leaf " + std::to_string(bodies.size()));
  }
  translog::Checkpoint head(std::uint64_t size) const {
    return {origin_, size, translog::replay(hashes(size)).root};
  }
  std::string checkpoint(std::uint64_t size, const crypto::SigningKey& key) const {
    return translog::sign_checkpoint(head(size), key).value();
  }
  translog::Proof inclusion(std::uint64_t leaf, std::uint64_t size) const {
    Nodes nodes(hashes(size));
    return translog::inclusion_proof(nodes, leaf, size).value();
  }
  std::string consistency(std::uint64_t old_size, std::uint64_t size,
                          const crypto::SigningKey& key) const {
    Nodes nodes(hashes(size));
    return translog::format_consistency({old_size,
                                         translog::consistency_proof(nodes, old_size, size).value(),
                                         checkpoint(size, key)});
  }
  LogEntry entry(std::uint64_t leaf, std::uint64_t size, const crypto::SigningKey& key) const {
    const translog::Checkpoint signed_head = head(size);
    return {leaf,
            translog::note_key_id(origin_, key.public_key()),
            inclusion(leaf, size),
            size,
            signed_head.root,
            checkpoint(size, key),
            bodies[static_cast<std::size_t>(leaf)]};
  }
  // As STORE/log has it.
  std::map<std::string, Bytes> files(const crypto::SigningKey& key) const {
    std::map<std::string, Bytes> made;
    translog::TileWriter writer;
    const translog::TileWriter::Put put = [&](const translog::TileName& name,
                                              std::span<const Digest> tile) {
      made[translog::tile_path(name)] = translog::encode_tile(tile);
      return Status();
    };
    for (const Digest& hash : hashes(bodies.size())) EXPECT_TRUE(writer.add(hash, put).ok());
    EXPECT_TRUE(writer.finish(put).ok());
    for (std::size_t at = 0; at < bodies.size(); at += translog::kTileWidth) {
      const std::size_t count = std::min<std::size_t>(translog::kTileWidth, bodies.size() - at);
      made[translog::entries_path(at / translog::kTileWidth, static_cast<unsigned>(count))] =
          translog::encode_entries(std::span(bodies).subspan(at, count)).value();
    }
    made["checkpoint"] = copy_of(as_bytes(checkpoint(bodies.size(), key)));
    return made;
  }

  std::vector<std::string> bodies;

 private:
  class Nodes final : public translog::NodeSource {
   public:
    explicit Nodes(std::vector<Digest> leaves) : leaves_(std::move(leaves)) {}
    Result<Digest> node(unsigned level, std::uint64_t index) override {
      const std::size_t count = std::size_t{1} << level;
      return translog::replay(std::span(leaves_).subspan(index * count, count)).root;
    }

   private:
    std::vector<Digest> leaves_;
  };

  std::vector<Digest> hashes(std::uint64_t size) const {
    std::vector<Digest> made;
    for (std::uint64_t i = 0; i < size; ++i) {
      made.push_back(translog::leaf_hash(as_bytes(bodies[static_cast<std::size_t>(i)])));
    }
    return made;
  }

  std::string origin_;
};

inline crypto::SigningKey log_signer(unsigned char fill = 0x61) {
  return signer(fill);
}

// One signer and one log key, from the first leaf on.
inline Keyring keyring() {
  const UtcTime since = from_unix(1'700'000'000);
  return make_keyring(record().store,
                      {{domain::KeyPurpose::signer, signer().public_key(), since, 0},
                       {domain::KeyPurpose::log, log_signer().public_key(), since, 0}},
                      {})
      .value();
}

inline TrustStore trust_of(const Keyring& keyring) {
  TrustStore trust;
  EXPECT_TRUE(trust.add(keyring, "store.keyring.json").ok());
  return trust;
}

// Logs the statement under `key`, and returns its leaf.
inline std::uint64_t log_statement(Log& log, const std::string& statement,
                                   const crypto::SigningKey& key) {
  const auto signature = sign_statement(proof(), statement, key).value();
  return log.add(log_entry_body(statement, signature, key.public_key()).value());
}

inline std::string logged_bundle(const Log& log, std::uint64_t leaf, std::uint64_t size,
                                 const std::string& statement, const crypto::SigningKey& key,
                                 const crypto::SigningKey& log_key) {
  const auto signature = sign_statement(proof(), statement, key).value();
  return bundle_json(statement, signature, key.public_key(), log.entry(leaf, size, log_key))
      .value();
}

}  // namespace aierase::certificate::sample
