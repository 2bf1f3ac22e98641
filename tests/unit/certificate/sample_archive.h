// A section of an archive with two certificates, a hold, a policy and an approval from before it.
#pragma once

#include <functional>
#include <map>

#include "certificate/archive_check.h"
#include "certificate/archive_index.h"
#include "crypto/primitives.h"
#include "unit/certificate/sample_log.h"

namespace aierase::certificate::sample {

inline constexpr const char* kPolicyText = "[class.default]\n";

// Members of a section by place; what is changed in it is what a test is about.
struct Section {
  SectionName name;
  std::map<Member, std::string> members;
};

inline OpenedLeaf opened_leaf(std::uint64_t leaf, std::string type, std::int64_t at,
                              std::string record) {
  return {leaf, std::move(type), time_at(at), Bytes(32, std::byte{0x5A}), std::move(record), {}};
}

inline std::uint64_t log_opened(Log& log, const OpenedLeaf& opened) {
  return log.add(body_of(opened).value());
}

inline std::string statement_numbered(unsigned char number) {
  auto from = record();
  from.certificate = uuid_of(number);
  return statement_of(from);
}

inline std::string certificate_id(unsigned char number) {
  return domain::id_text(domain::IdType::certificate, uuid_of(number));
}

inline std::string policy_record_text() {
  return R"({"files":[{"name":"rules.toml","sha256":")" +
         to_hex(crypto::sha256(as_bytes(kPolicyText))) + R"("}],"version":"00"})";
}

inline constexpr std::int64_t kLater = 10'000;  // hours behind the beginning of the period

// The log of the sample: leaf 1 is an approval, the section has leaves 2 to 300, the first of them
// from before its period, among them certificates at 5 and 290.
struct Story {
  Log log{record().store};
  OpenedLeaf approval = opened_leaf(1, "approval", 10, R"({"by":"alice"})");
  OpenedLeaf hold = opened_leaf(3, "hold-placed", 20, R"({"matter":"case 7"})");
  OpenedLeaf policy = opened_leaf(4, "policy-loaded", 30, policy_record_text());

  Story() {
    other(1);
    log_opened(log, approval);
    other(1, 15);
    log_opened(log, hold);
    log_opened(log, policy);
    log_statement(log, statement_numbered(0x31), signer());
    other(290 - 6);
    log_statement(log, statement_numbered(0x32), signer());
    other(10);
  }
  void other(std::size_t count, std::int64_t at = kLater) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t leaf = log.bodies.size();
      log_opened(log, opened_leaf(leaf, "export", at, std::to_string(leaf)));
    }
  }
};

inline std::string entries_of(const Log& log, std::uint64_t from, std::uint64_t end) {
  const auto count = static_cast<std::size_t>(end - from);
  const Bytes entries =
      translog::encode_entries(std::span(log.bodies).subspan(static_cast<std::size_t>(from), count))
          .value();
  return std::string(as_text(entries));
}

inline SectionFacts facts_of(const Log& log, std::uint64_t first) {
  SectionFacts facts;
  facts.name = {record().store, first, log.bodies.size()};
  facts.host = "vault.example";
  std::vector<Digest> hashes;
  for (std::uint64_t i = 0; i < first; ++i) {
    hashes.push_back(translog::leaf_hash(as_bytes(log.bodies[static_cast<std::size_t>(i)])));
  }
  facts.before = translog::replay(hashes).frontier;
  return facts;
}

inline constexpr std::uint64_t kFirst = 2;

inline SectionFacts section_facts(const Log& log) {
  SectionFacts facts = facts_of(log, kFirst);
  facts.from = time_at(20);
  return facts;
}

// With what it says of itself changed, as whoever hands it on can.
inline void restate(Section& section, const Log& log,
                    const std::function<void(SectionFacts&)>& change) {
  SectionFacts facts = section_facts(log);
  change(facts);
  section.members[{Part::section, 0, 0, {}}] = section_json(facts).value();
}

inline void add_certificate(Section& section, const Log& log, std::uint64_t leaf,
                            unsigned char number) {
  section.members[{Part::certificate, leaf, 0, certificate_id(number)}] = logged_bundle(
      log, leaf, log.bodies.size(), statement_numbered(number), signer(), log_signer());
}

inline Section section_of(const Story& story) {
  const Log& log = story.log;
  const std::uint64_t size = log.bodies.size();
  const SectionFacts facts = section_facts(log);
  Section section{facts.name, {}};
  const auto put = [&](Part part, std::string content) {
    section.members[{part, 0, 0, {}}] = std::move(content);
  };
  put(Part::section, section_json(facts).value());
  put(Part::keyring, keyring_json(keyring()).value());
  put(Part::trusted_root, trusted_root_json(keyring()).value());
  put(Part::checkpoint_before, log.checkpoint(kFirst, log_signer()));
  put(Part::checkpoint, log.checkpoint(size, log_signer()));
  put(Part::consistency, log.consistency(kFirst, size, log_signer()));
  section.members[{Part::entries, kFirst, 0, {}}] = entries_of(log, kFirst, 256);
  section.members[{Part::entries, 256, 0, {}}] = entries_of(log, 256, size);
  OpenedLeaf approval = story.approval;
  approval.proof = log.inclusion(1, size);
  for (const OpenedLeaf& one : {approval, story.hold, story.policy}) {
    section.members[{Part::record, one.leaf, 0, {}}] = opened_json(one).value();
  }
  section.members[{Part::policy, 4, 0, {}}] = kPolicyText;
  add_certificate(section, log, 5, 0x31);
  add_certificate(section, log, 290, 0x32);
  return section;
}

// The log from that leaf on, with nothing but its leaves.
inline Section bare_section(const Log& log, std::uint64_t first = 0) {
  const std::uint64_t size = log.bodies.size();
  const SectionFacts facts = facts_of(log, first);
  Section section{facts.name, {}};
  const auto put = [&](Part part, std::uint64_t leaf, std::string content) {
    section.members[{part, leaf, 0, {}}] = std::move(content);
  };
  put(Part::section, 0, section_json(facts).value());
  put(Part::keyring, 0, keyring_json(keyring()).value());
  put(Part::trusted_root, 0, trusted_root_json(keyring()).value());
  put(Part::checkpoint, 0, log.checkpoint(size, log_signer()));
  if (first > 0) {
    put(Part::checkpoint_before, 0, log.checkpoint(first, log_signer()));
    put(Part::consistency, 0, log.consistency(first, size, log_signer()));
  }
  for (std::uint64_t leaf = first; leaf < size;) {
    const std::uint64_t end =
        std::min(size, (leaf / translog::kTileWidth + 1) * translog::kTileWidth);
    put(Part::entries, leaf, entries_of(log, leaf, end));
    leaf = end;
  }
  return section;
}

inline const TrustStore& everybody() {
  static const TrustStore trust = trust_of(keyring());
  return trust;
}

inline SectionReport report_of(const Section& section, const TrustStore& trust,
                               Continuity* history = nullptr) {
  SectionCheck check(section.name, {&trust, 2, history, nullptr});
  for (const auto& [member, content] : section.members) check.add(member, content);
  return check.finish();
}

}  // namespace aierase::certificate::sample
