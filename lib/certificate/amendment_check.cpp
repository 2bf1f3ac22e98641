// Does an amendment agree with itself, and do several agree with each other?

#include <algorithm>

#include "base/limits.h"
#include "base/time.h"
#include "certificate/amendment.h"
#include "certificate/naming.h"
#include "certificate/people_check.h"
#include "certificate/statement.h"
#include "certificate/statement_parts.h"
#include "crypto/primitives.h"
#include "domain/ids.h"

namespace aierase::certificate {
namespace {

using Fault = std::optional<std::string>;
using domain::AmendmentKind;
using domain::Validation;

constexpr std::size_t kCodes = 64;  // of residuals
constexpr std::size_t kCodeBytes = 64;
constexpr const char* kAmendmentParts[] = {
    "schema_version", "certificate_id", "number",           "previous_sha256", "kind",
    "outcome",        "validation",     "residuals_closed", "residuals_open",  "at",
    "reason",         "remedy",         "as_custodian",     "store",           "asset",
    "plan",           "evidence",       "erased_again",     "people",          "tool",
    "not_claimed"};

std::optional<std::vector<std::string>> codes_of(JsonView list) {
  if (!list.is_array() || list.size() > kCodes) return std::nullopt;
  std::vector<std::string> codes;
  for (const JsonView one : list) {
    const std::string_view code = one.text();
    if (code.empty() || code.size() > kCodeBytes) return std::nullopt;
    if (!codes.empty() && !(codes.back() < code)) return std::nullopt;
    codes.emplace_back(code);
  }
  return codes;
}

Fault frame_fault(JsonView statement, JsonView predicate) {
  if (!statement.is_object() || statement.size() != 4 ||
      statement["_type"].text() != kStatementType || !is_amendment(statement)) {
    return "it is no in-toto statement v1 of an amendment";
  }
  if (predicate["schema_version"].number() != 1U) {
    return "its schema_version is not 1; a later aierase may know it";
  }
  for (const char* part : kAmendmentParts) {
    if (predicate[part].is_null()) return "its predicate lacks " + std::string(part);
  }
  if (predicate.size() != std::size(kAmendmentParts)) return "its predicate has a member too many";
  return std::nullopt;
}

Fault subject_fault(JsonView statement, JsonView predicate) {
  const std::string id(predicate["certificate_id"].text());
  if (!is_id(domain::IdType::certificate, id)) return "it names no certificate";
  const JsonView subjects = statement["subject"];
  const std::string digest(subjects.is_array() && subjects.size() == 1
                               ? subjects[0]["digest"]["sha256"].text()
                               : std::string_view());
  if (!is_digest(digest) || !is_only_subject(subjects, id, digest)) {
    return "its subject is not its certificate";
  }
  const std::optional<std::uint64_t> number = predicate["number"].number();
  const std::string_view previous = predicate["previous_sha256"].text();
  if (number.value_or(0) == 0 || !is_digest(previous)) {
    return "its number, or what it follows, is missing";
  }
  if ((number == 1U) != (previous == digest)) {
    return "only the first follows the certificate itself";
  }
  const JsonView plan = predicate["plan"];
  if (!is_id(domain::IdType::plan, plan["id"].text()) || !is_digest(plan["digest"].text()) ||
      !is_id(domain::IdType::asset, predicate["asset"]["id"].text())) {
    return "asset or plan are not named";
  }
  if (!from_rfc3339(predicate["at"].text())) return "it says not when";
  return std::nullopt;
}

// A file, a later erasure and a verdict belong to one kind each.
Fault kind_fault(JsonView predicate) {
  const auto kind = domain::parse_amendment_kind(predicate["kind"].text());
  const auto validation = domain::parse_validation(predicate["validation"].text());
  if (!kind || !validation) return "its kind or its verdict is unknown";
  const JsonView file = predicate["evidence"];
  const bool file_named = file.is_object() && !file["name"].text().empty() &&
                          is_digest(file["sha256"].text()) && file["bytes"].number() &&
                          !file["media_type"].text().empty();
  if ((*kind == AmendmentKind::evidence) != file_named || (!file_named && !file.is_string())) {
    return "its kind and its file of evidence contradict each other";
  }
  const JsonView again = predicate["erased_again"];
  const bool later = again.is_object() &&
                     is_id(domain::IdType::certificate, again["certificate"].text()) &&
                     is_digest(again["statement_sha256"].text()) &&
                     again["certificate"].text() != predicate["certificate_id"].text();
  if ((*kind == AmendmentKind::erased_again) != later || (!later && !again.is_string())) {
    return "its kind and its later erasure contradict each other";
  }
  if (*kind == AmendmentKind::validation && *validation == Validation::awaiting) {
    return "it is a verdict that says nothing";
  }
  const bool first = predicate["number"].number() == 1U;
  if (first && *kind != AmendmentKind::validation && *validation != Validation::awaiting) {
    return "it knows a verdict, and none was before it";
  }
  return std::nullopt;
}

Fault outcome_fault(JsonView predicate) {
  const auto closed = codes_of(predicate["residuals_closed"]);
  const auto open = codes_of(predicate["residuals_open"]);
  if (!closed || !open) return "its residuals are no list of codes in order";
  for (const std::string& code : *closed) {
    if (std::binary_search(open->begin(), open->end(), code)) {
      return "the residual " + quoted(code) + " is closed and open";
    }
  }
  const bool evidence = predicate["kind"].text() == "evidence";
  if (!evidence && !closed->empty()) return "it closes a residual without a file of evidence";
  const bool final =
      domain::is_final(*domain::parse_validation(predicate["validation"].text()), open->size());
  if (predicate["outcome"].text() != (final ? "final" : "partial")) {
    return "its outcome is not what verdict and residuals say";
  }
  return std::nullopt;
}

Fault person_fault(JsonView predicate) {
  const JsonView people = predicate["people"];
  if (!people.is_array() || people.size() != 1) return "it names not exactly one person";
  const JsonView person = people[0];
  const bool verdict = predicate["kind"].text() == "validation";
  if (person["role"].text() != (verdict ? "validator" : "amender")) {
    return "the role of its person is not that of its kind";
  }
  if (!person["uid"].number() && person["person"].text().empty()) {
    return "its person has neither uid nor entry";
  }
  const JsonView signature = person["signature"];
  if (!signature.is_object()) return std::nullopt;
  if (!verdict) return "it has the signature of a person, which no amendment of its kind has";
  return verdict_fault(signature, predicate);
}

std::string verb_of(Validation verdict) {
  switch (verdict) {
    case Validation::accepted:
      return "Accepted";
    case Validation::rejected:
      return "Rejected";
    case Validation::escalated:
      return "Escalated";
    case Validation::awaiting:
      break;
  }
  return "Awaiting validation";
}

std::string listed(const std::vector<std::string>& codes) {
  std::string text;
  for (const std::string& code : codes) text += (text.empty() ? "" : ", ") + code;
  return text;
}

std::string sentence_of(JsonView predicate, const AmendmentSummary& is) {
  const std::string by = " by " + is.by + " at " + is.at;
  const std::string reason(predicate["reason"].text());
  const std::string why =
      reason == kNoneGiven ? "" : ": " + quoted(std::string_view(reason), limits::kReasonBytes);
  switch (is.kind) {
    case AmendmentKind::validation:
      return verb_of(is.validation) + by + why;
    case AmendmentKind::evidence:
      return "Evidence " + quoted(predicate["evidence"]["name"].text()) + " was named" + by +
             (is.closed.empty() ? "" : " to close " + listed(is.closed)) + why;
    case AmendmentKind::erased_again:
      return "Erased again under " + std::string(predicate["erased_again"]["certificate"].text()) +
             ", named" + by + why;
  }
  return {};
}

}  // namespace

std::string step_fault(const AmendmentSummary& one, const domain::AmendedState& before) {
  if (one.previous_sha256 != to_hex(before.last_sha256)) {
    return "it follows another one than is here";
  }
  std::vector<std::string> open;
  std::set_difference(before.open.begin(), before.open.end(), one.closed.begin(), one.closed.end(),
                      std::back_inserter(open));
  if (open != one.open || open.size() + one.closed.size() != before.open.size()) {
    return "it tells of other residuals than the one before";
  }
  if (one.kind != AmendmentKind::validation && one.validation != before.validation) {
    return "it changes the verdict without one";
  }
  return {};
}

domain::AmendedState state_after(const AmendmentSummary& one) {
  domain::AmendedState state;
  state.number = one.number;
  const Bytes digest = from_hex(one.statement_sha256).value_or(Bytes());
  if (digest.size() == state.last_sha256.size()) {
    std::copy(digest.begin(), digest.end(), state.last_sha256.begin());
  }
  state.validation = one.validation;
  state.open = one.open;
  return state;
}

bool is_amendment(JsonView statement) {
  return statement["predicateType"].text() == kAmendmentPredicateType;
}

std::optional<std::string> amendment_fault(JsonView statement) {
  const JsonView predicate = statement["predicate"];
  if (Fault fault = frame_fault(statement, predicate)) return fault;
  if (Fault fault = subject_fault(statement, predicate)) return fault;
  if (Fault fault = kind_fault(predicate)) return fault;
  if (Fault fault = outcome_fault(predicate)) return fault;
  return person_fault(predicate);
}

AmendedSubject subject_of_certificate(JsonView statement) {
  const JsonView predicate = statement["predicate"];
  const JsonView disposal = predicate["disposal"];
  return {std::string(predicate["store"]["id"].text()),
          std::string(predicate["asset"]["id"].text()), std::string(disposal["plan"].text()),
          std::string(disposal["plan_digest"].text())};
}

AmendmentSummary summary_of_amendment(JsonView statement, std::string_view text) {
  const JsonView predicate = statement["predicate"];
  const auto word = [&](const char* key) { return std::string(predicate[key].text()); };
  AmendmentSummary is;
  is.certificate = word("certificate_id");
  is.certificate_sha256 = statement["subject"][0]["digest"]["sha256"].text();
  const JsonView plan = predicate["plan"];
  is.of = {std::string(predicate["store"]["id"].text()),
           std::string(predicate["asset"]["id"].text()), std::string(plan["id"].text()),
           std::string(plan["digest"].text())};
  is.number = predicate["number"].number().value_or(0);
  is.previous_sha256 = word("previous_sha256");
  is.statement_sha256 = to_hex(crypto::sha256(as_bytes(text)));
  is.kind = *domain::parse_amendment_kind(word("kind"));
  is.validation = *domain::parse_validation(word("validation"));
  is.closed = codes_of(predicate["residuals_closed"]).value_or(std::vector<std::string>());
  is.open = codes_of(predicate["residuals_open"]).value_or(std::vector<std::string>());
  is.at = word("at");
  is.outcome = word("outcome");
  const JsonView person = predicate["people"][0];
  is.by = person["login"].text();
  if (is.by.empty()) is.by = person["person"].text();
  is.sentence = sentence_of(predicate, is);
  return is;
}

Check check_amendments(std::string_view statement,
                       const std::vector<AmendmentSummary>& amendments) {
  constexpr const char* kName = "amendments";
  if (amendments.empty()) {
    return {kName, CheckResult::not_checked,
            "None is here. What was said of this certificate since it was issued, its validation "
            "too, is in amendments: ask the store for them, or look at an archive of its log."};
  }
  const auto failed = [](const std::string& why) {
    return Check{kName, CheckResult::failed, "Refused: " + why + "."};
  };
  const auto json = read_json(statement, JsonLimits{limits::kCertificateBytes, 32});
  if (!json.ok()) return failed(json.error().message);
  Result<domain::AmendedState> start =
      state_of_certificate(json->root(), crypto::sha256(as_bytes(statement)));
  if (!start.ok()) return failed(start.error().message);
  domain::AmendedState state = std::move(*start);
  const AmendedSubject subject = subject_of_certificate(json->root());
  const std::string id(json->root()["predicate"]["certificate_id"].text());
  const std::string certificate = to_hex(state.last_sha256);
  for (const AmendmentSummary& one : amendments) {
    if (one.certificate_sha256 != certificate || one.certificate != id) {
      return failed("amendment " + std::to_string(one.number) + " is of another certificate");
    }
    if (one.of != subject) {
      return failed("amendment " + std::to_string(one.number) +
                    " speaks of another store, asset or plan than its certificate");
    }
    if (one.number != state.number + 1) {
      return failed("amendment " + std::to_string(state.number + 1) + " is missing");
    }
    const std::string fault = step_fault(one, state);
    if (!fault.empty()) return failed("amendment " + std::to_string(one.number) + ": " + fault);
    state = state_after(one);
  }
  const AmendmentSummary& last = amendments.back();
  return {kName, CheckResult::passed,
          std::to_string(amendments.size()) +
              (amendments.size() == 1 ? " amendment, in" : " amendments, in") +
              " order and without a gap; with the last, of " + last.at + ", it is " + last.outcome +
              ": " + std::string(domain::to_text(last.validation)) +
              (last.open.empty() ? ", no residual open" : ", open: " + listed(last.open)) +
              ". Later ones may be in the log."};
}

}  // namespace aierase::certificate
