#include <sys/stat.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/env.h"
#include "base/limits.h"
#include "certificate/erasure.h"
#include "certificate/evidence.h"
#include "certificate/log_check.h"
#include "ctl/archive_file.h"
#include "ctl/describe_archive.h"
#include "ctl/evidence_file.h"
#include "ctl/progress.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {
namespace {

constexpr const char* kTrustDirectory = "/etc/aierase/trust.d";

bool is_there(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0;
}

bool is_regular(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

bool is_log(const std::string& path) {
  return is_there(path + "/checkpoint");
}

// That a file is no certificate stands in its first line, and no word of a stranger does.
std::string verdict(const certificate::VerifyReport& report, const Output& out) {
  if (!report.verified) return out.toned(Tone::bad, "NOT verified");
  if (report.amendment) {
    return out.toned(Tone::good, "verified") + " as an amendment, which is no certificate";
  }
  if (!report.amendments.empty()) {
    const certificate::AmendmentSummary& last = report.amendments.back();
    const bool accepted = last.validation == domain::Validation::accepted;
    return out.toned(Tone::good, "verified") + ", and amended: " +
           out.toned(accepted ? Tone::good : Tone::bad,
                     std::string(domain::to_text(last.validation))) +
           ", " + last.outcome;
  }
  if (!report.refusal) return out.toned(Tone::good, "verified");
  const bool partial = report.refusal->outcome == domain::PlanState::partial;
  return "verified as a record that " +
         out.toned(Tone::bad, partial ? "not all was erased" : "NOTHING WAS ERASED") + ". " +
         printable(report.refusal->sentence);
}

// Of many files, which is about what.
std::string erasure_text(const certificate::Erasure& erasure, const Output& out) {
  const auto list = [](const std::vector<std::string>& logins) {
    std::string all;
    for (const std::string& login : logins) all += (all.empty() ? "" : ", ") + quoted(login);
    return all;
  };
  Fields fields;
  fields.add("  certificate", erasure.certificate);
  fields.add("  asset", quoted(erasure.name) + " (" + erasure.asset + ")");
  fields.add("  outcome", erasure.outcome + " at " + erasure.erased_at);
  fields.add("  requester", quoted(erasure.requester));
  fields.add("  approvers", list(erasure.approvers));
  return fields.text(out.width());
}

std::string report_text(const std::string& file, const certificate::VerifyReport& report,
                        const Output& out) {
  std::string text = printable(file) + ": " + verdict(report, out) + "\n";
  const std::optional<certificate::Erasure> erasure = certificate::erasure_of(report);
  if (erasure) text += erasure_text(*erasure, out);
  if (!report.signer.empty()) text += "  signer " + printable(report.signer) + "\n";
  Table table({"  CHECK", "RESULT", "DETAIL"});
  add_checks(report.checks, table);
  return text + table.text(out.width());
}

// How a plan ended, as the exit status of whoever has only its record.
Errc code_of(domain::PlanState ended) {
  switch (ended) {
    case domain::PlanState::stale:
      return Errc::plan_stale;
    case domain::PlanState::partial:
    case domain::PlanState::failed:
      return Errc::partial;
    case domain::PlanState::expired:
      return Errc::approval_expired;
    default:
      return Errc::approval_refused;
  }
}

struct Outcome {
  bool all_verified = true;
  Errc worst = Errc::verification_failed;
  std::optional<Errc> refused;  // the lowest of what verified records and last verdicts say
};

// The last that is known of an erasure is that a custodian did not accept it.
bool is_denied(const certificate::VerifyReport& report) {
  if (!report.certificate || report.amendments.empty()) return false;
  const domain::Validation last = report.amendments.back().validation;
  return last == domain::Validation::rejected || last == domain::Validation::escalated;
}

void take(const certificate::VerifyReport& report, Outcome& outcome) {
  if (report.verified) {
    if (!report.refusal && !is_denied(report)) return;
    const Errc code = report.refusal ? code_of(report.refusal->outcome) : Errc::approval_refused;
    const bool lower = !outcome.refused || info(code).exit_code < info(*outcome.refused).exit_code;
    if (lower) outcome.refused = code;
    return;
  }
  if (outcome.all_verified || report.outcome == Errc::verification_failed) {
    outcome.worst = report.outcome;
  }
  outcome.all_verified = false;
}

constexpr std::string_view kAmendmentMark = ".amendment-";

struct Evidence {
  std::string path;
  ReadKind kind = ReadKind::named;
  std::optional<std::string> content;  // none: a directory
  certificate::VerifyReport report;
  std::optional<certificate::ArchiveReport> archive;  // where it is one
};

// What the reader kept has to hold itself, where its log is known here.
Result<certificate::Continuity> kept_head(const std::string& path,
                                          const certificate::TrustStore& trust) {
  ASSIGN_OR_RETURN(const std::string note, read_checkpoint(path));
  const certificate::HeadFinding finding = certificate::check_head(note, trust);
  if (finding.check.result != certificate::CheckResult::failed) {
    return certificate::Continuity(*finding.head, certificate::head_of(finding));
  }
  return make_error(Errc::verification_failed,
                    "the checkpoint to compare with, " + quoted(path) + ": " + finding.check.detail,
                    "compare with one that holds", path);
}

Status look_at_archive(Evidence& one, const certificate::ArchiveReader& reader, const Output& out) {
  ASSIGN_OR_RETURN(const std::unique_ptr<MemberSource> members,
                   open_archive(one.path, Leading::kept));
  Progress progress(out, "Verifying " + printable(one.path), 0);
  ASSIGN_OR_RETURN(one.archive, check_members(*members, reader, [&](std::uint64_t bytes) {
                     progress.update(bytes);
                   }));
  one.report.verified = certificate::is_verified(*one.archive);
  one.report.outcome = certificate::outcome_of(*one.archive);
  return {};
}

// Files teach which heads there are, then directories what these heads were.
Status look_at_all(std::vector<Evidence>& files, const certificate::TrustStore& trust,
                   certificate::Continuity* history, const Output& out) {
  PosixEnv env;
  certificate::HeadsSeen heads;
  for (Evidence& one : files) {
    if (is_log(one.path) || is_archive(one.path)) continue;
    ASSIGN_OR_RETURN(one.content, read_evidence(one.path, limits::kCertificateBytes, one.kind));
    if (begins_as_archive(*one.content)) {
      return make_error(Errc::usage, "an archive is verified as a file, not as a stream",
                        "write it to a file first, and name that", one.path);
    }
    RETURN_IF_ERROR(refuse_what_people_read(one.path, *one.content));
    if (history != nullptr) certificate::learn(*one.content, *history);
  }
  for (Evidence& one : files) {
    if (one.content) continue;
    if (!is_log(one.path)) {
      RETURN_IF_ERROR(look_at_archive(one, {&trust, all_cores(), history, &heads}, out));
      continue;
    }
    const certificate::ReadLogFile reader = [&](const std::string& name, std::size_t limit) {
      return read_file(env, one.path + "/" + name, limit);
    };
    one.report = certificate::verify_log(reader, trust, history);
  }
  for (Evidence& one : files) {
    if (one.content) one.report = certificate::verify_evidence(*one.content, trust, history);
  }
  return {};
}

// Each amendment goes with its certificate, where that is among the files: by the statement that
// it amends, so that another certificate of the same name gets none of it.
void join_amendments(std::vector<Evidence>& files) {
  std::map<std::string, std::vector<certificate::AmendmentSummary>> found;
  std::set<std::string> seen;
  std::map<std::string, std::string> broken;  // which file; by statement, or by what it lies beside
  for (const Evidence& one : files) {
    const auto& amendment = one.report.amendment;
    if (!one.report.verified) {
      if (amendment) broken[amendment->certificate_sha256] = one.path;
      const std::size_t mark = one.path.rfind(kAmendmentMark);
      if (mark != std::string::npos) broken[one.path.substr(0, mark)] = one.path;
    }
    if (!one.report.verified || !amendment) continue;
    if (!seen.insert(amendment->statement_sha256).second) continue;
    found[amendment->certificate_sha256].push_back(*amendment);
  }
  for (Evidence& one : files) {
    if (!one.report.verified || !one.report.certificate) continue;
    const std::string& statement = one.report.certificate->statement_sha256;
    auto fault = broken.find(statement);
    if (fault == broken.end()) fault = broken.find(one.path);
    if (fault == broken.end()) {
      certificate::amend(one.report, found[statement]);
    } else {
      certificate::leave_amendments_open(one.report, printable(fault->second));
    }
  }
}

// What `certificate export` wrote beside a certificate, unless it is named already.
std::vector<Evidence> with_amendments(const std::vector<std::string>& paths) {
  const std::set<std::string> named(paths.begin(), paths.end());
  std::vector<Evidence> all;
  const auto add = [&](const std::string& path, ReadKind kind) {
    all.push_back({path, kind, std::nullopt, {}, std::nullopt});
  };
  for (const std::string& path : paths) {
    add(path, ReadKind::named);
    bool further = path != "-";  // verdicts have no limit
    for (std::size_t i = 1; further || i <= limits::kAmendmentsPerCertificate; ++i) {
      const std::string beside = path + std::string(kAmendmentMark) + std::to_string(i);
      further = path != "-" && is_regular(beside);
      if (!further) continue;
      if (named.count(beside) == 0) add(beside, ReadKind::found);
    }
  }
  return all;
}

Result<certificate::TrustStore> trusted(const Session& session, const std::string& directory) {
  PosixEnv env;
  // The default directory may be missing: then every signer is unknown. A given one must be there.
  if (!is_there(directory)) {
    if (!session.arguments().has("trust")) return certificate::TrustStore();
    return make_error(Errc::not_found, "there is no directory " + quoted(directory),
                      "--trust names the directory that the keys to be trusted lie in", directory);
  }
  return certificate::TrustStore::load(env, directory);
}

}  // namespace

Result<int> run_verify(Session& session) {
  Output& out = session.out();
  const std::string directory = session.arguments().value_or("trust", kTrustDirectory);
  ASSIGN_OR_RETURN(const certificate::TrustStore trust, trusted(session, directory));
  std::optional<certificate::Continuity> history;
  if (session.arguments().has("from")) {
    ASSIGN_OR_RETURN(history, kept_head(session.arguments().value_or("from", ""), trust));
  }
  std::vector<Evidence> evidence = with_amendments(session.arguments().operands());
  RETURN_IF_ERROR(look_at_all(evidence, trust, history ? &*history : nullptr, out));
  join_amendments(evidence);
  Outcome outcome;
  Json files = Json::array();
  for (const Evidence& one : evidence) {
    take(one.report, outcome);
    Json row = one.archive ? archive_json(*one.archive) : certificate::report_json(one.report);
    const std::optional<certificate::Erasure> erasure = certificate::erasure_of(one.report);
    if (erasure) row["erasure"] = certificate::erasure_json(*erasure);
    row["file"] = one.path == "-" || is_printable_utf8(one.path) ? one.path : quoted(one.path);
    files.push_back(std::move(row));
    if (!out.for_people() || out.quiet()) continue;
    out.print(one.archive ? archive_text(printable(one.path), *one.archive, out)
                          : report_text(one.path, one.report, out));
  }
  if (!out.for_people()) {
    const bool one = session.arguments().operands().size() == 1;
    Json object = one ? files[0] : Json::object();
    object["verified"] = outcome.all_verified;
    object["trust"] = printable(directory);
    object["files"] = std::move(files);
    out.print_json("verify", std::move(object));
  }
  if (outcome.all_verified) return outcome.refused ? info(*outcome.refused).exit_code : 0;
  if (outcome.worst == Errc::signer_unknown) {
    out.remark(
        "hint: nobody here vouches for the signer: compare the fingerprint with the issuer by "
        "another way, and put the keyring that `aierase certificate trust` writes into " +
        printable(directory));
  }
  return info(outcome.worst).exit_code;
}

}  // namespace aierase::ctl
