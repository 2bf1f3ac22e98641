// The published log of a World, read as a stranger reads it: its files and its keyring alone.
#pragma once

#include "certificate/evidence.h"
#include "fault/support/world.h"

namespace aierase::test {

inline constexpr const char* kLogDirectory = "/store/log";

inline certificate::TrustStore trust_in(World& world) {
  certificate::TrustStore trust;
  const auto keyring = world.store->keyring();
  EXPECT_TRUE(done(keyring) && trust.add(*keyring, "keyring").ok());
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

// In slices, as the daemon asks.
inline Result<lifecycle::LogHead> log_head(World& world,
                                           std::optional<std::uint64_t> from = std::nullopt) {
  for (;;) {
    ASSIGN_OR_RETURN(std::optional<lifecycle::LogHead> head, world.store->log_head(from));
    if (head) return std::move(*head);
  }
}

inline Result<lifecycle::LogProof> prove(World& world, std::uint64_t leaf) {
  for (;;) {
    ASSIGN_OR_RETURN(std::optional<lifecycle::LogProof> proof, world.store->prove(leaf));
    if (proof) return std::move(*proof);
  }
}

inline Status publish(World& world) {
  const Result<lifecycle::LogHead> head = log_head(world);
  return head.ok() ? Status() : Status(head.error());
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
