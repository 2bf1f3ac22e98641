#include "certificate/section_check.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/limits.h"
#include "certificate/bundle.h"
#include "certificate/continuity.h"
#include "certificate/json_lookup.h"
#include "certificate/log_check.h"
#include "certificate/record_batch.h"
#include "certificate/section_keys.h"
#include "certificate/section_leaves.h"
#include "crypto/primitives.h"
#include "translog/proof_file.h"

namespace aierase::certificate {
namespace {

constexpr std::size_t kBatchBytes = 8 << 20;
constexpr std::size_t kBatchRecords = 1'024;
constexpr std::size_t kFaultsShown = 5;
constexpr JsonLimits kRecordLimits{limits::kArchiveRecordBytes, 32};

// How many of a kind were looked at, and what was wrong with the first of those that failed.
struct Tally {
  std::uint64_t looked_at = 0, failed = 0;
  std::string told;

  void fault(const std::string& what) {
    if (++failed <= kFaultsShown) told += (told.empty() ? "" : "; ") + what;
  }
  Check check(const char* name, const std::string& one, const std::string& good) const {
    if (failed == 0) {
      return {name, CheckResult::passed, std::to_string(looked_at) + " " + one + good};
    }
    return {name, CheckResult::failed,
            std::to_string(failed) + " of " + std::to_string(looked_at) + " " + one +
                " failed: " + told + (failed > kFaultsShown ? "; and more." : ".")};
  }
};

std::string named(const Member& member) {
  return member_name(member);
}

}  // namespace

bool holds(const std::vector<Check>& checks) {
  return std::none_of(checks.begin(), checks.end(),
                      [](const Check& check) { return check.result == CheckResult::failed; });
}

struct SectionCheck::Impl {
  Impl(const SectionName& n, const ArchiveReader& r)
      : name(n), reader(r), leaves(n, r.history), batch_verifier(r.threads) {
    report.facts.name = n;
  }

  void take(const Member& member, std::string content);
  void take_section(const std::string& content);
  void take_keyring(const std::string& content);
  void take_head(const Member& member, const std::string& content);
  void take_consistency(const std::string& content);
  void take_opened(const Member& member, const std::string& content);
  void expect_policy(std::uint64_t leaf, const Json& record);
  void take_policy(const Member& member, const std::string& content);
  void batch_record(const Member& member, std::string content);
  void flush();
  void settle(BatchedRecord& record);

  void conclude_signed();
  void conclude_rotations();
  void conclude_opened();
  bool is_left_out(std::uint64_t leaf) const;
  bool in_period(UtcTime time) const;

  const SectionName name;
  const ArchiveReader reader;
  SectionReport report;
  std::optional<Member> last;
  Tally format;
  SectionKeys keys;
  std::optional<translog::Checkpoint> before, head;
  std::vector<Check> heads;
  std::optional<Check> consistency;
  SectionLeaves leaves;
  BatchVerifier batch_verifier;
  std::vector<BatchedRecord> batch;
  std::size_t batch_bytes = 0;
  Tally certificates, refusals, records, policies;
  std::map<std::uint64_t, std::vector<std::string>> policy_files;  // digests, by leaf
};

SectionCheck::SectionCheck(const SectionName& name, const ArchiveReader& reader)
    : impl_(std::make_unique<Impl>(name, reader)) {}
SectionCheck::~SectionCheck() = default;

void SectionCheck::add(const Member& member, std::string content) {
  Impl& impl = *impl_;
  ++impl.format.looked_at;
  if (impl.last && !(*impl.last < member)) {
    impl.format.fault(named(member) + " stands twice, or not in its place");
  }
  impl.last = member;
  impl.take(member, std::move(content));
}

void SectionCheck::Impl::take(const Member& member, std::string content) {
  switch (member.part) {
    case Part::section:
      return take_section(content);
    case Part::keyring:
      return take_keyring(content);
    case Part::trusted_root:
      if (!keys.is_trusted_root(content)) format.fault("trusted_root.json is not of the keyring");
      return;
    case Part::checkpoint_before:
    case Part::checkpoint:
      return take_head(member, content);
    case Part::consistency:
      return take_consistency(content);
    case Part::entries:
      return leaves.add(member, content);
    case Part::record:
      return take_opened(member, content);
    case Part::policy:
      return take_policy(member, content);
    case Part::certificate:
    case Part::refusal:
      return batch_record(member, std::move(content));
  }
}

void SectionCheck::Impl::take_section(const std::string& content) {
  Result<SectionFacts> facts = parse_section(content);
  if (!facts.ok()) return format.fault("section.json: " + facts.error().message);
  if (facts->name != name) return format.fault("section.json is of another section");
  report.facts = std::move(*facts);
  leaves.begin(report.facts.before);
}

void SectionCheck::Impl::take_keyring(const std::string& content) {
  keys = SectionKeys::choose(content, name.store, *reader.trust);
}

void SectionCheck::Impl::take_head(const Member& member, const std::string& content) {
  const HeadFinding finding = check_head(content, keys.trust());
  Check check = finding.check;
  const bool later = member.part == Part::checkpoint;
  const std::uint64_t size = later ? name.size : name.first;
  if (finding.head && finding.head->size != size) {
    check = {"", CheckResult::failed, "It is the head of another number of leaves."};
  }
  if (finding.head && finding.head->origin != translog::origin_of(name.store)) {
    check = {"", CheckResult::failed, "It is the head of another log."};
  }
  check.name = later ? "checkpoint" : "checkpoint.before";
  if (finding.head && check.result == CheckResult::passed) (later ? head : before) = finding.head;
  heads.push_back(std::move(check));
}

// For readers with other software; the leaves themselves show the same.
void SectionCheck::Impl::take_consistency(const std::string& content) {
  const auto file = translog::parse_consistency(content);
  if (!file.ok()) return format.fault("consistency: " + file.error().message);
  if (!before || !head) return;
  Continuity history(*before);
  history.add_proof(file->old_size, *head, file->proof);
  consistency = history.check(*head);
}

void SectionCheck::Impl::take_opened(const Member& member, const std::string& content) {
  ++records.looked_at;
  const auto fault = [&](const std::string& why) { records.fault(named(member) + ": " + why); };
  const Result<OpenedLeaf> opened = parse_opened(content);
  if (!opened.ok()) return fault(opened.error().message);
  const Result<std::string> body = body_of(*opened);
  if (!body.ok()) return fault(body.error().message);
  if (opened->leaf != member.leaf) return fault("it is of another leaf");
  const Digest hash = translog::leaf_hash(as_bytes(*body));
  if (opened->leaf >= name.first) {
    const std::string why = leaves.objection(opened->leaf, hash);
    if (!why.empty() || !opened->proof.empty())
      return fault(why.empty() ? "a proof too many" : why);
  } else if (!head || translog::root_of_inclusion(hash, opened->leaf, name.size, opened->proof) !=
                          head->root) {
    return fault("its proof does not lead to the head that was signed");
  }
  leaves.mark_opened(member.leaf);
  const Result<Json> record = parse_json(opened->record, kRecordLimits);
  const Json told = record.ok() ? *record : Json();
  if (opened->type == "policy-loaded") expect_policy(opened->leaf, told);
  report.records.push_back(
      {opened->leaf, opened->type, opened->time, std::string(text_at(at(told, "by"), "login"))});
}

void SectionCheck::Impl::expect_policy(std::uint64_t leaf, const Json& record) {
  std::vector<std::string>& files = policy_files[leaf];
  if (!at(record, "files").is_array()) return;
  for (const Json& file : at(record, "files")) files.emplace_back(text_at(file, "sha256"));
}

void SectionCheck::Impl::take_policy(const Member& member, const std::string& content) {
  ++policies.looked_at;
  const auto expected = policy_files.find(member.leaf);
  const auto number = static_cast<std::size_t>(member.number);
  const bool same = expected != policy_files.end() && number < expected->second.size() &&
                    expected->second[number] == to_hex(crypto::sha256(as_bytes(content)));
  if (!same) return policies.fault(named(member) + " is not the text that came into force");
  expected->second[number].clear();
}

void SectionCheck::Impl::batch_record(const Member& member, std::string content) {
  batch_bytes += content.size();
  batch.push_back({member, std::move(content), {}, {}, {}, {}});
  if (batch_bytes > kBatchBytes || batch.size() >= kBatchRecords) flush();
}

void SectionCheck::Impl::flush() {
  batch_verifier.verify(batch, keys.trust());
  for (BatchedRecord& record : batch) settle(record);
  batch.clear();
  batch_bytes = 0;
}

void SectionCheck::Impl::settle(BatchedRecord& record) {
  Tally& tally = record.member.part == Part::certificate ? certificates : refusals;
  ++tally.looked_at;
  std::string fault = record.fault;
  if (fault.empty() && (!record.logged || record.logged->leaf != record.member.leaf)) {
    fault = "it is of another leaf";
  }
  if (fault.empty()) fault = leaves.objection(record.logged->leaf, record.logged->hash);
  if (!fault.empty()) return tally.fault(named(record.member) + ": " + fault);
  leaves.mark_found(record.member.leaf);
  if (record.certificate) {
    report.certificates.push_back({record.member.leaf, std::move(*record.certificate)});
  } else {
    report.refusals.push_back({record.member.leaf, std::move(*record.refusal)});
  }
}

bool SectionCheck::Impl::is_left_out(std::uint64_t leaf) const {
  const std::vector<LeftOut>& rows = report.facts.left_out;
  const auto behind =
      std::upper_bound(rows.begin(), rows.end(), leaf,
                       [](std::uint64_t value, const LeftOut& row) { return value < row.first; });
  return behind != rows.begin() && leaf <= std::prev(behind)->last;
}

bool SectionCheck::Impl::in_period(UtcTime time) const {
  const SectionFacts& facts = report.facts;
  return (!facts.from || time >= *facts.from) && (!facts.until || time <= *facts.until);
}

void SectionCheck::Impl::conclude_signed() {
  Tally tally;
  for (const SectionLeaves::SignedLeaf& one : leaves.signed_leaves()) {
    ++tally.looked_at;
    if (one.found) continue;
    if (is_left_out(one.leaf)) {
      ++report.left_out;
    } else {
      tally.fault("the record of leaf " + std::to_string(one.leaf) + " is missing");
    }
  }
  const std::string rest =
      report.left_out == 0
          ? " are all here."
          : " stand in these leaves; " + std::to_string(report.left_out) +
                " of them are left out, as outside of what was asked for: that is the word of "
                "whoever made the archive.";
  report.completeness.push_back(tally.check("records", "certificates and refusals", rest));
}

void SectionCheck::Impl::conclude_rotations() {
  Tally tally;
  for (const std::string& body : leaves.rotations()) {
    ++tally.looked_at;
    if (!keys.has_rotation(body)) tally.fault("a change of keys is not in the keyring");
  }
  report.completeness.push_back(
      tally.check("rotations", "changes of keys", " in these leaves are in the keyring."));
}

// Who asked for everything gets every hold and every policy of the period.
void SectionCheck::Impl::conclude_opened() {
  Tally tally;
  for (const SectionLeaves::CommittedLeaf& one : leaves.needed_records()) {
    if (!in_period(one.time)) continue;
    ++tally.looked_at;
    const bool dispensable = !report.facts.match.empty() && one.type != "policy-loaded";
    if (one.opened || dispensable) continue;
    tally.fault("the record of leaf " + std::to_string(one.leaf) + ", " + one.type +
                ", is missing");
  }
  for (const auto& [leaf, files] : policy_files) {
    const bool complete = std::all_of(files.begin(), files.end(),
                                      [](const std::string& digest) { return digest.empty(); });
    // They name people of all assets: with a match the digests in their record have to do.
    if (!complete && report.facts.match.empty())
      tally.fault("a text of the policy of leaf " + std::to_string(leaf) + " is missing");
  }
  report.completeness.push_back(tally.check(
      "decisions", "holds and policies of the period",
      report.facts.match.empty() ? " are here." : " are known; others may be left out."));
}

SectionReport SectionCheck::finish() {
  Impl& impl = *impl_;
  impl.flush();
  SectionReport& report = impl.report;
  report.signer =
      impl.keys.is_trusted() ? SectionReport::Signer::trusted : SectionReport::Signer::unknown;
  report.fingerprint = impl.keys.fingerprint(domain::KeyPurpose::signer);
  report.log_fingerprint = impl.keys.fingerprint(domain::KeyPurpose::log);
  report.integrity.push_back(impl.format.check("format", "files", " have their form and place."));
  report.integrity.push_back(impl.keys.check());
  for (Check& check : impl.heads) report.integrity.push_back(std::move(check));
  if (impl.consistency) report.integrity.push_back(std::move(*impl.consistency));
  report.integrity.push_back(impl.certificates.check("certificates", "certificates", " hold."));
  report.integrity.push_back(
      impl.refusals.check("refusals", "records of plans without erasure", " hold."));
  report.integrity.push_back(
      impl.records.check("records", "decisions", " are those that the log has committed to."));
  report.integrity.push_back(
      impl.policies.check("policies", "texts of policies", " are those that came into force."));
  report.completeness.push_back(impl.leaves.check(impl.before, impl.head));
  impl.conclude_signed();
  impl.conclude_rotations();
  impl.conclude_opened();
  const bool compared = impl.reader.history != nullptr && impl.head &&
                        impl.reader.history->origin() == impl.head->origin;
  if (compared) report.completeness.push_back(impl.reader.history->check(*impl.head));
  return std::move(report);
}

}  // namespace aierase::certificate
