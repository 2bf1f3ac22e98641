#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "base/unique_fd.h"
#include "certificate/verify.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {
namespace {

constexpr const char* kTrustDirectory = "/etc/aierase/trust.d";

// Not through Env: a certificate may come by a link or a pipe (`verify <(curl ...)`).
Result<std::string> certificate_file(const std::string& path) {
  const UniqueFd file(path == "-" ? dup(STDIN_FILENO)
                                  : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  const std::string shown = path == "-" ? "standard input" : quoted(path);
  if (!file.valid()) return errno_error(errno, "cannot read " + shown).about(path);
  std::string text;
  std::vector<char> piece(64 << 10);
  for (;;) {
    const ssize_t got = read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EISDIR) {
      return make_error(Errc::invalid_input, shown + " is a directory", "name the files in it",
                        path);
    }
    if (got < 0) return errno_error(errno, "cannot read " + shown).about(path);
    if (got == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(got));
    if (text.size() > limits::kCertificateBytes) {
      return make_error(Errc::resource_limit,
                        shown + " has more than " + std::to_string(limits::kCertificateBytes) +
                            " bytes; no certificate has",
                        "", path);
    }
  }
}

const char* word_of(certificate::CheckResult result) {
  switch (result) {
    case certificate::CheckResult::passed:
      return "passed";
    case certificate::CheckResult::failed:
      return "FAILED";
    case certificate::CheckResult::not_checked:
      return "not checked";
  }
  return "";
}

std::string report_text(const std::string& file, const certificate::VerifyReport& report,
                        const Output& out) {
  std::string text =
      printable(file) + ": " +
      (report.verified ? out.toned(Tone::good, "verified") : out.toned(Tone::bad, "NOT verified")) +
      "\n";
  if (!report.signer.empty()) text += "  signer " + printable(report.signer) + "\n";
  Table table({"  CHECK", "RESULT", "DETAIL"});
  for (const certificate::Check& check : report.checks) {
    table.add({"  " + check.name, word_of(check.result), printable(check.detail)});
  }
  return text + table.text(out.width());
}

struct Outcome {
  bool all_verified = true;
  Errc worst = Errc::verification_failed;
};

void take(const certificate::VerifyReport& report, Outcome& outcome) {
  if (report.verified) return;
  if (outcome.all_verified || report.outcome == Errc::verification_failed) {
    outcome.worst = report.outcome;
  }
  outcome.all_verified = false;
}

}  // namespace

Result<int> run_verify(Session& session) {
  Output& out = session.out();
  const std::string directory = session.arguments().value_or("trust", kTrustDirectory);
  PosixEnv env;
  certificate::TrustStore trust;
  struct stat status {};
  // The default directory may be missing: then every signer is unknown. A given one must be there.
  if (session.arguments().has("trust") || stat(directory.c_str(), &status) == 0) {
    ASSIGN_OR_RETURN(trust, certificate::TrustStore::load(env, directory));
  }
  Outcome outcome;
  Json files = Json::array();
  for (const std::string& path : session.arguments().operands()) {
    ASSIGN_OR_RETURN(const std::string bundle, certificate_file(path));
    const certificate::VerifyReport report = certificate::verify_bundle(bundle, trust);
    take(report, outcome);
    Json row = certificate::report_json(report);
    row["file"] = path == "-" || is_printable_utf8(path) ? path : quoted(path);
    files.push_back(std::move(row));
    if (out.for_people() && !out.quiet()) out.print(report_text(path, report, out));
  }
  if (!out.for_people()) {
    Json object = files.size() == 1 ? files[0] : Json::object();
    object["verified"] = outcome.all_verified;
    object["trust"] = printable(directory);
    object["files"] = std::move(files);
    out.print_json("verify", std::move(object));
  }
  if (outcome.all_verified) return 0;
  if (outcome.worst == Errc::signer_unknown) {
    out.remark(
        "hint: nobody here vouches for the signer: compare the fingerprint with the issuer by "
        "another way, and put the key as a .pem file into " +
        printable(directory));
  }
  return info(outcome.worst).exit_code;
}

}  // namespace aierase::ctl
