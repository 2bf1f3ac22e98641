// A store with two models, its published log, and what a stranger gets of it.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "certificate/bundle.h"
#include "fault/support/inspect.h"
#include "fault/support/published.h"
#include "unit/lifecycle/life.h"

namespace aierase::test {

class APublishedLog : public ::testing::Test {
 protected:
  APublishedLog() {
    EXPECT_TRUE(done(world.init()));
    EXPECT_TRUE(done(world.open()));
    EXPECT_TRUE(done(world.import(small_asset("model:1", 1))));
    EXPECT_TRUE(done(world.import(small_asset("model:2", 2))));
  }
  std::uint64_t log_size() { return world.store->status()->state.log.size; }
  // As `certificate export` makes it.
  std::string bundle_of(const std::string& name) {
    const catalog::CertificateRow row = certificate_of(world, name);
    const auto proof = prove(world, row.log_index);
    EXPECT_TRUE(done(proof));
    return proof.ok() ? bundle_around(row, *proof) : std::string();
  }
  template <typename Row>  // of a certificate or a refusal
  static std::string bundle_around(const Row& row, const lifecycle::LogProof& proof) {
    crypto::Signature signature{};
    crypto::PublicKey key{};
    std::copy(row.signature.begin(), row.signature.end(), signature.begin());
    std::copy(row.public_key.begin(), row.public_key.end(), key.begin());
    const auto note = translog::parse_note(proof.head.checkpoint);
    const auto head = translog::parse_checkpoint(note->text);
    certificate::LogEntry entry{proof.leaf,
                                translog::note_key_id(head->origin, proof.log_key),
                                proof.hashes,
                                proof.head.size,
                                proof.head.root,
                                proof.head.checkpoint,
                                certificate::log_entry_body(row.statement, signature, key).value()};
    return certificate::bundle_json(row.statement, signature, key, entry).value();
  }
  void overwrite(const std::string& path, ByteView bytes) {
    OpenHow how;
    how.mode = OpenMode::read_write;
    const auto file = world.disk.open(path, how);
    ASSERT_TRUE(done(file));
    ASSERT_TRUE(done((*file)->write_at(0, bytes)));
  }
  void remove_all(const std::string& path) {
    const auto names = world.disk.list(path);
    if (!names.ok()) {
      ASSERT_TRUE(done(world.disk.unlink(path)));
      return;
    }
    for (const std::string& name : *names) remove_all(path + "/" + name);
    ASSERT_TRUE(done(world.disk.remove_directory(path)));
  }
  // The code of what doctor says of that part.
  std::string finding_about(const std::string& part) {
    const auto findings = world.store->doctor();
    EXPECT_TRUE(done(findings));
    if (!findings.ok()) return {};
    for (const lifecycle::Finding& finding : *findings) {
      if (finding.code.starts_with(part + "-")) return finding.code;
    }
    return {};
  }
  World world;
};

}  // namespace aierase::test
