// The published log of a World, read as a stranger reads it: its files and its keyring alone.
#pragma once

#include "certificate/evidence.h"
#include "fault/support/world.h"

namespace aierase::test {

inline constexpr const char* kLogDirectory = "/store/log";

inline certificate::TrustStore trust_in(World& world) {
  certificate::TrustStore trust;
  const auto keyring = world.store->keyring();
  EXPECT_TRUE(done(keyring));
  if (keyring.ok()) trust.add(*keyring, "keyring");
  return trust;
}

inline certificate::VerifyReport verify_published(World& world,
                                                  certificate::Continuity* from = nullptr) {
  const certificate::ReadLogFile reader = [&](const std::string& name, std::size_t limit) {
    return read_file(world.disk, std::string(kLogDirectory) + "/" + name, limit);
  };
  return certificate::verify_log(reader, trust_in(world), from);
}

inline ::testing::AssertionResult verified(const certificate::VerifyReport& report) {
  if (report.verified) return ::testing::AssertionSuccess();
  ::testing::AssertionResult failure = ::testing::AssertionFailure();
  for (const certificate::Check& check : report.checks) failure << check.detail << "\n";
  return failure;
}

inline std::optional<translog::Checkpoint> published_head(World& world) {
  const Result<Bytes> note =
      read_file(world.disk, std::string(kLogDirectory) + "/checkpoint", 1 << 16);
  if (!note.ok()) return std::nullopt;
  const auto parsed = translog::parse_note(as_text(*note));
  if (!parsed.ok()) return std::nullopt;
  const auto head = translog::parse_checkpoint(parsed->text);
  if (!head.ok()) return std::nullopt;
  return *head;
}

}  // namespace aierase::test
