#include "certificate/evidence.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "certificate/log_check.h"
#include "translog/proof_file.h"

namespace aierase::certificate {
namespace {

constexpr std::string_view kConsistencyStart = "old ";

bool is_json(std::string_view content) {
  const std::size_t first = content.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && content[first] == '{';
}

void conclude(VerifyReport& report) {
  report.verified = std::all_of(report.checks.begin(), report.checks.end(), [](const Check& check) {
    return check.result == CheckResult::passed;
  });
  const bool unknown = std::none_of(report.checks.begin(), report.checks.end(),
                                    [](const Check& c) { return c.result == CheckResult::failed; });
  report.outcome = unknown ? Errc::signer_unknown : Errc::verification_failed;
}

VerifyReport not_readable(const Error& error) {
  VerifyReport report;
  report.checks.push_back({"format", CheckResult::failed, "Refused: " + error.message + "."});
  return report;
}

void name_log(const HeadFinding& finding, VerifyReport& report) {
  if (finding.head) {
    report.signer = (finding.known_log ? "log " : "UNKNOWN log ") + finding.head->origin;
  }
}

VerifyReport verify_checkpoint(std::string_view note, const TrustStore& trust,
                               const Continuity* from) {
  VerifyReport report;
  const HeadFinding finding = check_head(note, trust);
  name_log(finding, report);
  report.checks.push_back(finding.check);
  if (from != nullptr) report.checks.push_back(compare_head(finding, *from));
  conclude(report);
  return report;
}

// What shows without the earlier head: whether it can be a proof of these two sizes at all.
std::string fault_of_proof(const translog::ConsistencyFile& file, std::uint64_t size) {
  if (file.old_size > size) {
    return "Refused: it goes from " + std::to_string(file.old_size) +
           " leaves to the head of fewer, of " + std::to_string(size) + ".";
  }
  const std::size_t hashes = translog::consistency_hashes(file.old_size, size);
  if (file.proof.size() == hashes) return {};
  return "Refused: a proof from " + std::to_string(file.old_size) + " to " + std::to_string(size) +
         " leaves has " + std::to_string(hashes) + " hashes, and this one " +
         std::to_string(file.proof.size()) + ".";
}

VerifyReport verify_consistency(std::string_view content, const TrustStore& trust,
                                const Continuity* from) {
  const Result<translog::ConsistencyFile> file = translog::parse_consistency(content);
  if (!file.ok()) return not_readable(file.error());
  VerifyReport report;
  const HeadFinding finding = check_head(file->checkpoint, trust);
  name_log(finding, report);
  report.checks.push_back(finding.check);
  const std::string fault =
      finding.head ? fault_of_proof(*file, finding.head->size) : std::string();
  if (!fault.empty()) {
    report.checks.push_back({"consistency", CheckResult::failed, fault});
  } else if (from != nullptr) {
    report.checks.push_back(compare_head(finding, *from));
  } else {
    report.checks.push_back({"consistency", CheckResult::not_checked,
                             "Not shown: it proves something of a head of " +
                                 std::to_string(file->old_size) +
                                 " leaves, which is not here: name the checkpoint that you kept "
                                 "with --from."});
  }
  conclude(report);
  // Here it is the earlier head that is missing, and not somebody who vouches for this one.
  if (head_of(finding) == HeadOf::the_log) report.outcome = Errc::verification_failed;
  return report;
}

// The leaf stands in the file: what is shown is that it is in the log.
VerifyReport verify_inclusion(std::string_view content, const TrustStore& trust,
                              const Continuity* from) {
  const Result<translog::InclusionFile> file = translog::parse_inclusion(content);
  if (!file.ok()) return not_readable(file.error());
  VerifyReport report;
  const HeadFinding finding = check_head(file->checkpoint, trust);
  name_log(finding, report);
  report.checks.push_back(finding.check);
  const Digest leaf = translog::leaf_hash(file->extra);
  const bool leads = finding.head && !file->extra.empty() &&
                     translog::root_of_inclusion(leaf, file->index, finding.head->size,
                                                 file->proof) == finding.head->root;
  report.checks.push_back(
      {"log", leads ? CheckResult::passed : CheckResult::failed,
       leads
           ? "The entry in this file is leaf " + std::to_string(file->index) +
                 " of that log; which certificate it is of, the bundle tells."
           : "The proof does not lead from the entry in this file to the root of the checkpoint."});
  if (from != nullptr) report.checks.push_back(compare_head(finding, *from));
  conclude(report);
  return report;
}

VerifyReport verify_certificate(std::string_view content, const TrustStore& trust,
                                const Continuity* from) {
  VerifyReport report = verify_bundle(content, trust);
  if (from == nullptr) return report;
  const std::optional<std::string> note = checkpoint_in(content);
  report.checks.push_back(compare_head(note ? check_head(*note, trust) : HeadFinding(), *from));
  if (report.checks.back().result == CheckResult::passed) return report;
  report.verified = false;
  report.outcome = Errc::verification_failed;
  return report;
}

}  // namespace

VerifyReport verify_evidence(std::string_view content, const TrustStore& trust,
                             const Continuity* from) {
  if (content.starts_with(translog::kProofHeader)) return verify_inclusion(content, trust, from);
  if (content.starts_with(kConsistencyStart)) return verify_consistency(content, trust, from);
  // A note says so by its signatures; everything else is taken for a certificate.
  if (!is_json(content) && content.find("\n\n\xe2\x80\x94 ") != std::string_view::npos) {
    return verify_checkpoint(content, trust, from);
  }
  return verify_certificate(content, trust, from);
}

std::optional<std::string> checkpoint_in(std::string_view content) {
  if (content.starts_with(translog::kProofHeader)) {
    const Result<translog::InclusionFile> file = translog::parse_inclusion(content);
    return file.ok() ? std::optional<std::string>(file->checkpoint) : std::nullopt;
  }
  if (content.starts_with(kConsistencyStart)) {
    const Result<translog::ConsistencyFile> file = translog::parse_consistency(content);
    return file.ok() ? std::optional<std::string>(file->checkpoint) : std::nullopt;
  }
  if (!is_json(content)) return std::string(content.substr(0, limits::kNoteBytes + 1));
  Result<LogEntry> entry = log_entry_of_bundle(content);
  return entry.ok() ? std::optional<std::string>(std::move(entry->checkpoint)) : std::nullopt;
}

void learn(std::string_view content, Continuity& continuity) {
  const std::optional<std::string> text = checkpoint_in(content);
  if (!text) return;
  const Result<translog::SignedNote> note = translog::parse_note(*text);
  if (!note.ok()) return;
  const Result<translog::Checkpoint> head = translog::parse_checkpoint(note->text);
  if (!head.ok()) return;
  continuity.want(head->size);
  if (!content.starts_with(kConsistencyStart)) return;
  const Result<translog::ConsistencyFile> file = translog::parse_consistency(content);
  if (file.ok()) continuity.add_proof(file->old_size, *head, file->proof);
}

}  // namespace aierase::certificate
