#include "certificate/section_check.h"

#include <algorithm>
#include <map>
#include <utility>

#include "certificate/bundle.h"
#include "certificate/continuity.h"
#include "certificate/log_check.h"
#include "certificate/record_batch.h"
#include "certificate/section_keys.h"
#include "certificate/section_leaves.h"
#include "certificate/section_records.h"
#include "certificate/tally.h"
#include "translog/proof_file.h"

namespace aierase::certificate {
namespace {

constexpr std::size_t kBatchBytes = 4 << 20;
constexpr std::size_t kBatchRecords = 1'024;

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
      : name(n),
        reader(r),
        leaves(n, r.history, keys),
        batch_verifier(r.threads),
        records(n, leaves) {
    report.facts.name = n;
  }

  void take(const Member& member, std::string content);
  void take_section(const std::string& content);
  void take_keyring(const std::string& content);
  void take_head(const Member& member, const std::string& content);
  void take_consistency(const std::string& content);
  void batch_record(const Member& member, std::string content);
  void flush();
  void settle_begun();
  void settle(BatchedRecord& record);

  void conclude_history(const Check& whole);
  void conclude_signed();
  void conclude_amendments();
  void conclude_rotations();
  void conclude_period();
  const LeftOut* left_out(std::uint64_t leaf) const;
  // Only those are kept that hold under the keys of the section.
  HeadOf heads_of() const { return keys.is_trusted() ? HeadOf::the_log : HeadOf::anybody; }

  const SectionName name;
  const ArchiveReader reader;
  SectionReport report;
  std::optional<Member> last;
  Tally format;
  bool has_trusted_root = false, has_consistency = false;
  std::string head_note;
  SectionKeys keys;
  std::optional<translog::Checkpoint> before, head;
  std::vector<Check> heads;
  std::optional<Check> consistency;
  SectionLeaves leaves;
  BatchVerifier batch_verifier;
  std::vector<BatchedRecord> batch;
  std::size_t batch_bytes = 0;
  Tally certificates, refusals, amendments;
  SectionRecords records;
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
      has_trusted_root = true;
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
      return records.open(member, content, head);
    case Part::policy:
      return records.take_policy(member, content);
    case Part::certificate:
    case Part::refusal:
    case Part::amendment:
      return batch_record(member, std::move(content));
  }
}

void SectionCheck::Impl::take_section(const std::string& content) {
  Result<SectionFacts> facts = parse_section(content);
  if (!facts.ok()) return format.fault("section.json: " + facts.error().message);
  if (facts->name != name) return format.fault("section.json is of another section");
  report.facts = std::move(*facts);
  leaves.begin(report.facts);
}

void SectionCheck::Impl::take_keyring(const std::string& content) {
  settle_begun();  // under the keys that it was begun with
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
  if (later) head_note = content;
  check.name = later ? "checkpoint" : "checkpoint.before";
  if (finding.head && check.result == CheckResult::passed) (later ? head : before) = finding.head;
  heads.push_back(std::move(check));
}

// For readers with other software; the leaves themselves show the same.
void SectionCheck::Impl::take_consistency(const std::string& content) {
  has_consistency = true;
  if (name.first == 0) return format.fault("consistency: there is no head before the first leaf");
  const auto file = translog::parse_consistency(content);
  if (!file.ok()) return format.fault("consistency: " + file.error().message);
  if (file->checkpoint != head_note) format.fault("consistency: it is to another checkpoint");
  if (!before || !head) return;
  Continuity history(*before, heads_of());
  history.add_proof(file->old_size, *head, file->proof);
  consistency = history.check(*head, heads_of());
}

void SectionCheck::Impl::batch_record(const Member& member, std::string content) {
  batch_bytes += content.size();
  batch.push_back({member, std::move(content), {}, {}, {}, {}, {}});
  if (batch_bytes > kBatchBytes || batch.size() >= kBatchRecords) flush();
}

// No core waits while what became of the last batch is written down.
void SectionCheck::Impl::flush() {
  std::vector<BatchedRecord> done = batch_verifier.wait();
  batch_verifier.begin(std::exchange(batch, {}), keys.trust());
  batch_bytes = 0;
  for (BatchedRecord& record : done) settle(record);
}

void SectionCheck::Impl::settle_begun() {
  for (BatchedRecord& record : batch_verifier.wait()) settle(record);
}

void SectionCheck::Impl::settle(BatchedRecord& record) {
  Tally& tally = record.member.part == Part::certificate ? certificates
                 : record.member.part == Part::refusal   ? refusals
                                                         : amendments;
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
  } else if (record.amendment) {
    report.amendments.push_back({record.member.leaf, std::move(*record.amendment)});
  } else {
    report.refusals.push_back({record.member.leaf, std::move(*record.refusal)});
  }
}

// The row that names it; null where none does.
const LeftOut* SectionCheck::Impl::left_out(std::uint64_t leaf) const {
  const std::vector<LeftOut>& rows = report.facts.left_out;
  const auto behind =
      std::upper_bound(rows.begin(), rows.end(), leaf,
                       [](std::uint64_t value, const LeftOut& row) { return value < row.first; });
  if (behind == rows.begin() || leaf > std::prev(behind)->last) return nullptr;
  return &*std::prev(behind);
}

// One history with what the reader kept, and with the other sections of this log.
void SectionCheck::Impl::conclude_history(const Check& whole) {
  for (const auto& one : {before, head}) {
    const std::string vouched_by =
        keys.is_trusted() ? "" : keys.fingerprint(domain::KeyPurpose::log);
    if (reader.heads == nullptr || !one || reader.heads->add(*one, vouched_by)) continue;
    report.completeness.push_back(
        {"history", CheckResult::failed,
         "FORKED: another section has another head of " + std::to_string(one->size) +
             " leaves. This log was told differently to different readers."});
  }
  if (reader.history == nullptr || !head || reader.history->origin() != head->origin) return;
  if (whole.result == CheckResult::passed) {
    reader.history->add_tree(head->origin, leaves.roots(), heads_of());
  }
  report.completeness.push_back(reader.history->check(*head, heads_of()));
}

void SectionCheck::Impl::conclude_signed() {
  Tally tally;
  for (const SectionLeaves::SignedLeaf& one : leaves.signed_leaves()) {
    ++tally.looked_at;
    if (one.found) continue;
    const LeftOut* const row = left_out(one.leaf);
    const std::string leaf = "leaf " + std::to_string(one.leaf);
    if (row == nullptr) {
      tally.fault("the record of " + leaf + " is missing");
    } else if (row->why == LeftOutWhy::outside_period && one.in_period) {
      tally.fault(leaf + " is left out as outside of the period, and stands within it");
    } else {
      ++report.left_out;
    }
  }
  const std::string rest =
      report.left_out == 0
          ? " are all here."
          : " stand in these leaves; " + std::to_string(report.left_out) +
                " of them are left out, as outside of what was asked for: that is the word of "
                "whoever made the archive.";
  report.completeness.push_back(
      tally.check("records", "certificates, refusals and amendments", rest));
}

// Each follows the one before and the certificate, where these are here; what is not here was left
// out, and that leaf is counted already.
void SectionCheck::Impl::conclude_amendments() {
  std::map<std::string_view, const CertificateSummary*> known;
  for (const ArchivedCertificate& one : report.certificates) {
    known[one.summary.id] = &one.summary;
  }
  struct Chain {
    const AmendmentSummary* last = nullptr;
    std::optional<domain::AmendedState> state;  // none: what was before is not here
  };
  std::map<std::string_view, Chain> chains;
  std::uint64_t apart = 0;
  for (const ArchivedAmendment& one : report.amendments) {
    const AmendmentSummary& is = one.summary;
    const std::string which = "amendment " + std::to_string(is.number) + " of " + is.certificate;
    const auto certificate = known.find(is.certificate);
    Chain& chain = chains[is.certificate];
    if (certificate != known.end()) {
      const CertificateSummary& of = *certificate->second;
      if (of.statement_sha256 != is.certificate_sha256) {
        amendments.fault(which + ": it amends another statement");
      }
      if (of.of != is.of) amendments.fault(which + ": it speaks of another store, asset or plan");
      if (chain.last == nullptr) chain.state = of.start;
    }
    if (chain.last != nullptr &&
        (chain.last->certificate_sha256 != is.certificate_sha256 || chain.last->of != is.of)) {
      amendments.fault(which + ": it is of another certificate than the one before");
    }
    if (chain.state) {
      const domain::AmendedState& state = *chain.state;
      if (is.number <= state.number) {
        amendments.fault(which + ": it stands behind amendment " + std::to_string(state.number));
      } else if (is.number == state.number + 1) {
        const std::string fault = step_fault(is, state);
        if (!fault.empty()) amendments.fault(which + ": " + fault);
      } else {
        ++apart;
        if (!std::includes(state.open.begin(), state.open.end(), is.open.begin(), is.open.end())) {
          amendments.fault(which + ": it tells of other residuals than one before");
        }
      }
    }
    chain = {&is, state_after(is)};
  }
  if (apart == 0) return;
  report.completeness.push_back(
      {"amendments", CheckResult::not_checked,
       "Before " + std::to_string(apart) + " of the amendments here others are left out."});
}

void SectionCheck::Impl::conclude_rotations() {
  Tally tally;
  tally.looked_at = leaves.rotations();
  for (std::uint64_t i = 0; i < leaves.unknown_rotations(); ++i) {
    tally.fault("a change of keys is not in the keyring");
  }
  report.completeness.push_back(
      tally.check("rotations", "changes of keys", " in these leaves are in the keyring."));
}

// That the leaves are those of the period, which nobody has signed: times stand in the leaves.
void SectionCheck::Impl::conclude_period() {
  const SectionFacts& facts = report.facts;
  const SectionLeaves::Period& period = leaves.period();
  const auto conclude = [this](CheckResult result, std::string detail) {
    report.completeness.push_back({"period", result, std::move(detail)});
  };
  const std::string first = std::to_string(name.first);
  if (!facts.from && name.first > 0) {
    return conclude(
        CheckResult::failed,
        "It says to have all from the first leaf on, and begins with leaf " + first + ".");
  }
  if (facts.from && name.first > 0 && !period.begins_before) {
    return conclude(CheckResult::failed,
                    "Nothing shows that the leaves before leaf " + first +
                        " are from before the period: no leaf here is from before " +
                        to_rfc3339(*facts.from) + ".");
  }
  if (facts.until && !period.ends_behind) {
    return conclude(CheckResult::not_checked,
                    "Not shown that the leaves go to the end of the period: the last that tells "
                    "its time is of " +
                        (period.last ? to_rfc3339(*period.last) : "no time") +
                        ". An archive made when the log has gone on shows it.");
  }
  conclude(CheckResult::passed,
           facts.until ? "These are all leaves of the period, by the clock of the store."
                       : "These are all leaves from the beginning of the period on, by the clock "
                         "of the store; the log may have gone on behind them.");
}

SectionReport SectionCheck::finish() {
  Impl& impl = *impl_;
  impl.flush();
  impl.settle_begun();
  if (!impl.has_trusted_root) impl.format.fault("trusted_root.json is missing");
  if (!impl.has_consistency && impl.name.first > 0) impl.format.fault("consistency is missing");
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
  impl.conclude_amendments();
  report.integrity.push_back(
      impl.amendments.check("amendments", "amendments of certificates", " hold."));
  for (Check& check : impl.records.integrity()) report.integrity.push_back(std::move(check));
  const Check whole = impl.leaves.check(impl.before, impl.head);
  report.completeness.push_back(whole);
  impl.conclude_period();
  impl.conclude_signed();
  impl.conclude_rotations();
  for (Check& check : impl.records.completeness(report.facts)) {
    report.completeness.push_back(std::move(check));
  }
  report.records = impl.records.take_rows();
  impl.conclude_history(whole);
  return std::move(report);
}

}  // namespace aierase::certificate
