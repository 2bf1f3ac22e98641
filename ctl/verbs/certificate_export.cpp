#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "certificate/certificate_page.h"
#include "certificate/verify.h"
#include "ctl/evidence_file.h"
#include "ctl/outcome.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"
#include "domain/ids.h"
#include "translog/proof_file.h"

namespace aierase::ctl {
namespace {

constexpr const char* kProofEnding = ".tlog-proof";
constexpr const char* kAmendmentEnding = ".amendment-";
constexpr const char* kRequestFormat = "timestamp-request";

// Of which the record is written, that nothing or not all was erased.
bool is_plan(const std::string& wanted) {
  const auto id = domain::parse_id(wanted);
  return id && id->type == domain::IdType::plan;
}

// The id of a certificate or a plan as it is, or the certificate of an erased asset.
Result<std::string> certificate_of(Session& session, const std::string& wanted) {
  const auto id = domain::parse_id(wanted);
  if (id && id->type == domain::IdType::certificate) return wanted;
  if (is_plan(wanted)) return wanted;
  if (id && id->type != domain::IdType::asset) {
    return make_error(Errc::usage, quoted(wanted) + " is no certificate, plan or asset",
                      "aierase list certificates");
  }
  ASSIGN_OR_RETURN(const Json asset, show_asset(session, wanted));
  const std::string certificate = text_at(asset, "certificate");
  if (!certificate.empty()) return certificate;
  return make_error(
      Errc::not_found,
      quoted(wanted) + " has no certificate: it is " + printable(text_at(asset, "state")),
      "a certificate is made when the asset is erased", wanted);
}

Result<std::string> content_of(int descriptor) {
  std::string text;
  char piece[64 << 10];
  for (off_t at = 0;;) {
    const ssize_t got = pread(descriptor, piece, sizeof piece, at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error(errno, "cannot read the certificate back");
    if (got == 0) return text;
    text.append(piece, static_cast<std::size_t>(got));
    at += got;
    if (text.size() > limits::kCertificateBytes) {
      return make_error(Errc::resource_limit, "the certificate is larger than any may be");
    }
  }
}

// The bundle of a certificate, or of one of its amendments.
Result<std::string> bundle_of(Session& session, const std::string& certificate,
                              std::uint64_t amendment = 0) {
  const UniqueFd memory(memfd_create("certificate", MFD_CLOEXEC));
  if (!memory.valid()) return errno_error(errno, "no memory for the certificate");
  CallArguments arguments;
  arguments.texts = {certificate};
  arguments.descriptor = memory.get();
  ASSIGN_OR_RETURN(Job job,
                   session.start("Certificate", "Export", std::move(arguments),
                                 amendment == 0 ? Json::object() : Json{{"amendment", amendment}}));
  RETURN_IF_ERROR(job.wait({}));
  return content_of(memory.get());
}

struct Bundles {
  std::string record;
  std::vector<std::string> amendments;  // in order
  std::uint64_t left_out = 0;           // amendments that nobody asked for
  std::string waiting;                  // verdicts that are recorded, and not signed yet
};

enum class Amendments { fetched, counted };

// What was said of the certificate so far.
Status add_amendments(Session& session, const std::string& wanted, Amendments how,
                      Bundles& bundles) {
  if (is_plan(wanted)) return {};
  CallArguments arguments;
  arguments.texts = {wanted};
  ASSIGN_OR_RETURN(Json answer,
                   session.call("Certificate", "Show", std::move(arguments), Json::object()));
  const Json certificate = unwrapped(std::move(answer), "certificate");
  for (const Json& one : list_at(certificate, "amendments")) {
    if (how == Amendments::counted) {
      ++bundles.left_out;
      continue;
    }
    ASSIGN_OR_RETURN(std::string bundle, bundle_of(session, wanted, number_at(one, "number")));
    bundles.amendments.push_back(std::move(bundle));
  }
  for (const Json& one : list_at(certificate, "validations")) {
    if (one.contains("amendment")) continue;
    bundles.waiting += (bundles.waiting.empty() ? "" : ", ") + text_at(one, "verdict") + " at " +
                       text_at(one, "time");
  }
  return {};
}

struct Checked {
  certificate::TrustStore signer;
  certificate::VerifyReport report;
  std::vector<certificate::PageAmendment> amendments;
};

Result<certificate::VerifyReport> held(const std::string& bundle,
                                       const certificate::TrustStore& signer) {
  certificate::VerifyReport report = certificate::verify_bundle(bundle, signer);
  if (report.verified) return report;
  std::string why;
  for (const certificate::Check& check : report.checks) {
    if (why.empty() && check.result == certificate::CheckResult::failed) why = check.detail;
  }
  return make_error(report.outcome,
                    "the certificate does not hold under the daemon's own signer: " + why,
                    "export it with --format bundle, and look: aierase verify FILE");
}

// For people is made only what the daemon's own signer has signed; more the daemon cannot vouch
// for.
Result<Checked> checked(Session& session, const Bundles& bundles) {
  ASSIGN_OR_RETURN(const Json trust, session.call("Certificate", "Trust", {}, Json::object()));
  Checked made;
  ASSIGN_OR_RETURN(made.signer, certificate::TrustStore::of_keyring(text_at(trust, "keyring"),
                                                                    "the daemon's own keys"));
  ASSIGN_OR_RETURN(made.report, held(bundles.record, made.signer));
  std::vector<certificate::AmendmentSummary> said;
  for (const std::string& bundle : bundles.amendments) {
    ASSIGN_OR_RETURN(certificate::VerifyReport report, held(bundle, made.signer));
    if (report.amendment) said.push_back(*report.amendment);
    made.amendments.push_back({bundle, std::move(report)});
  }
  if (!made.report.certificate) return made;
  certificate::amend(made.report, std::move(said));
  if (made.report.verified) return made;
  return make_error(Errc::verification_failed, made.report.checks.back().detail,
                    "run `aierase check`");
}

Result<std::string> text_of(Session& session, const Bundles& bundles) {
  ASSIGN_OR_RETURN(const Checked held, checked(session, bundles));
  ASSIGN_OR_RETURN(std::string text, certificate::statement_text(held.report.statement));
  for (const certificate::PageAmendment& one : held.amendments) {
    ASSIGN_OR_RETURN(const std::string said, certificate::statement_text(one.report.statement));
    text += "\n" + said;
  }
  if (held.report.certificate) {
    text += "\nSINCE THEN\n  ";
    if (!bundles.waiting.empty()) {
      text += "NOT HERE, for it waits for its signature: " + printable(bundles.waiting) + ".\n  ";
    }
    text += (held.amendments.empty() ? std::string("Nothing that is signed was said of it")
                                     : "What is above is all that was said of it and signed") +
            " up to the moment of this export.\n  What is said later is in amendments that the "
            "store hands out.\n";
  }
  return text +
         "\nSIGNATURE\n"
         "  The signed bundle was checked when this text was made: it holds under the\n"
         "  signer that the daemon itself names,\n"
         "    " +
         printable(held.report.signer) +
         "\n"
         "  This text is not signed. To be sure, verify the bundle with a key that came\n"
         "  to you by another way: aierase verify FILE\n";
}

Result<std::string> page_of(Session& session, const Bundles& bundles) {
  if (!bundles.waiting.empty()) {
    return make_error(Errc::wrong_state,
                      "a verdict waits for its signature: " + printable(bundles.waiting),
                      "`aierase doctor` says what to do; export it then");
  }
  ASSIGN_OR_RETURN(const Checked held, checked(session, bundles));
  return certificate::certificate_page(bundles.record, held.report, held.signer, held.amendments);
}

// The proof beside the bundle, as a file that readers of other logs know.
Result<std::string> proof_of(const std::string& bundle) {
  ASSIGN_OR_RETURN(const certificate::LogEntry entry, certificate::log_entry_of_bundle(bundle));
  return translog::format_inclusion(
      {entry.leaf, entry.hashes, entry.checkpoint, copy_of(as_bytes(entry.body))});
}

Status write_with_proof(const std::string& path, const std::string& bundle) {
  ASSIGN_OR_RETURN(const std::string proof, proof_of(bundle));
  RETURN_IF_ERROR(write_evidence(path, bundle));
  Status written = write_evidence(path + kProofEnding, proof);
  if (!written.ok()) unlink(path.c_str());
  return written;
}

// All or nothing of it.
Status write_bundles(const std::string& path, const Bundles& bundles) {
  RETURN_IF_ERROR(write_with_proof(path, bundles.record));
  std::vector<std::string> written{path};
  for (const std::string& one : bundles.amendments) {
    const std::string beside = path + kAmendmentEnding + std::to_string(written.size());
    const Status status = write_with_proof(beside, one);
    if (!status.ok()) {
      for (const std::string& there : written) {
        unlink(there.c_str());
        unlink((there + kProofEnding).c_str());
      }
      return status;
    }
    written.push_back(beside);
  }
  return {};
}

// What was said of the certificate, and is not in what was written.
void tell_what_is_missing(Output& out, const Bundles& bundles) {
  if (bundles.left_out > 0) {
    out.remark("What was said of it since is not in it, " + counted(bundles.left_out, "amendment") +
               ": export it into a file, and they stand beside it");
  }
  if (!bundles.waiting.empty()) {
    out.remark("A verdict is not in it, for it waits for its signature: " +
               printable(bundles.waiting) + "; `aierase doctor` says what to do");
  }
}

}  // namespace

Result<int> run_certificate_export(Session& session) {
  Output& out = session.out();
  const std::string format = session.arguments().value_or("format", "bundle");
  if (format != "bundle" && format != "text" && format != "html" && format != kRequestFormat) {
    return make_error(
        Errc::usage, "there is no format " + quoted(format),
        "bundle for programs, html or text for people, timestamp-request for authorities");
  }
  const std::vector<std::string> stamps = session.arguments().all("timestamp");
  if (!stamps.empty() && format != "bundle") {
    return make_error(Errc::usage, "--timestamp goes with the bundle alone");
  }
  const std::string& path = session.operand(1);
  ASSIGN_OR_RETURN(const std::string certificate, certificate_of(session, session.operand(0)));
  Bundles bundles;
  ASSIGN_OR_RETURN(bundles.record, bundle_of(session, certificate));
  std::string& content = bundles.record;
  if (format != kRequestFormat) {
    // Whoever asks for one file on standard output gets the certificate alone.
    const bool alone = format == "bundle" && path == "-";
    RETURN_IF_ERROR(add_amendments(session, certificate,
                                   alone ? Amendments::counted : Amendments::fetched, bundles));
  }
  for (const std::string& stamp : stamps) {
    ASSIGN_OR_RETURN(const std::string response, read_evidence(stamp, limits::kTimeStampBytes));
    Result<std::string> stamped = certificate::with_timestamp(content, as_bytes(response));
    if (!stamped.ok()) return std::move(stamped).error().in(quoted(stamp)).about(stamp);
    content = std::move(*stamped);
  }
  if (format == "text") {
    ASSIGN_OR_RETURN(content, text_of(session, bundles));
  } else if (format == "html") {
    ASSIGN_OR_RETURN(content, page_of(session, bundles));
  } else if (format == kRequestFormat) {
    ASSIGN_OR_RETURN(const Bytes request, certificate::timestamp_request_for(content));
    content = as_text(request);
  }
  if (path == "-") {
    out.print(content);
    if (format == "bundle") tell_what_is_missing(out, bundles);
    return 0;
  }
  if (format == "bundle") {
    RETURN_IF_ERROR(write_bundles(path, bundles));
    tell_what_is_missing(out, bundles);
  } else {
    RETURN_IF_ERROR(write_evidence(path, content));
  }
  if (!out.for_people()) {
    out.print_json("certificate export",
                   {{is_plan(certificate) ? "plan" : "certificate", certificate},
                    {"format", format},
                    {"amendments", bundles.amendments.size()},
                    {"waiting", bundles.waiting},
                    {"file", printable(path)}});
  } else if (out.quiet()) {
    out.print(printable(certificate) + "\n");
  } else if (format == "bundle") {
    out.print(
        (is_plan(certificate) ? "Wrote the record of how the plan ended to "
                              : "Wrote the certificate to ") +
        printable(path) + ", and its proof for the log to " + printable(path + kProofEnding) +
        (bundles.amendments.empty()
             ? std::string()
             : "; what was said of it since to " + printable(path + kAmendmentEnding) + "1 to " +
                   std::to_string(bundles.amendments.size())) +
        ".\nNext: whoever has it, and the store's keys from you by another way, verifies it:\n"
        "  aierase certificate trust DIR    writes those keys\n  aierase verify " +
        printable(path) + " --trust DIR\n");
  } else if (format == kRequestFormat) {
    out.print("Wrote a request for a time stamp to " + printable(path) +
              ".\nNext: have an authority answer it, and put the answer into the certificate:\n"
              "  aierase certificate export C FILE --timestamp ANSWER\n");
  } else if (format == "html") {
    out.print(
        "Wrote " + printable(path) +
        " for people: a page that carries the signed file, and checks it in the browser.\n"
        "Next: hand it over, and tell its reader by another way with which key it is signed:\n"
        "  aierase status    shows the fingerprint\n");
  } else {
    out.print("Wrote " + printable(path) +
              " for people to read, as checked against the daemon's own signer. It proves nothing "
              "to others;\nthe signed file does: --format bundle\n");
  }
  return 0;
}

}  // namespace aierase::ctl
