// Does an amendment agree with itself, and do several agree with each other?

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "base/time.h"
#include "certificate/amendment.h"
#include "certificate/json_lookup.h"
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

std::optional<std::vector<std::string>> codes_of(const Json& list) {
  if (!list.is_array() || list.size() > kCodes) return std::nullopt;
  std::vector<std::string> codes;
  for (const Json& one : list) {
    if (!one.is_string()) return std::nullopt;
    const std::size_t size = one.get_ref<const std::string&>().size();
    if (size == 0 || size > kCodeBytes) return std::nullopt;
    if (!codes.empty() && !(codes.back() < one.get_ref<const std::string&>())) return std::nullopt;
    codes.push_back(one.get<std::string>());
  }
  return codes;
}

Fault frame_fault(const Json& statement, const Json& predicate) {
  if (!statement.is_object() || statement.size() != 4 ||
      text_at(statement, "_type") != kStatementType || !is_amendment(statement)) {
    return "it is no in-toto statement v1 of an amendment";
  }
  const Json& version = at(predicate, "schema_version");
  if (!version.is_number_unsigned() || version.get<std::uint64_t>() != 1) {
    return "its schema_version is not 1; a later aierase may know it";
  }
  for (const char* part : kAmendmentParts) {
    if (at(predicate, part).is_null()) return "its predicate lacks " + std::string(part);
  }
  if (predicate.size() != std::size(kAmendmentParts)) return "its predicate has a member too many";
  return std::nullopt;
}

Fault subject_fault(const Json& statement, const Json& predicate) {
  const std::string id(text_at(predicate, "certificate_id"));
  if (!is_id(domain::IdType::certificate, id)) return "it names no certificate";
  const Json& subjects = at(statement, "subject");
  const std::string digest(subjects.is_array() && subjects.size() == 1
                               ? text_at(at(subjects[0], "digest"), "sha256")
                               : std::string_view());
  const Json expected = Json::array({{{"name", id}, {"digest", {{"sha256", digest}}}}});
  if (!is_digest(digest) || subjects != expected) return "its subject is not its certificate";
  const Json& number = at(predicate, "number");
  const std::string_view previous = text_at(predicate, "previous_sha256");
  if (!number.is_number_unsigned() || number.get<std::uint64_t>() == 0 || !is_digest(previous)) {
    return "its number, or what it follows, is missing";
  }
  if ((number.get<std::uint64_t>() == 1) != (previous == digest)) {
    return "only the first follows the certificate itself";
  }
  const Json& plan = at(predicate, "plan");
  if (!is_id(domain::IdType::plan, text_at(plan, "id")) || !is_digest(text_at(plan, "digest")) ||
      !is_id(domain::IdType::asset, text_at(at(predicate, "asset"), "id"))) {
    return "asset or plan are not named";
  }
  if (!from_rfc3339(text_at(predicate, "at"))) return "it says not when";
  return std::nullopt;
}

// A file, a later erasure and a verdict belong to one kind each.
Fault kind_fault(const Json& predicate) {
  const auto kind = domain::parse_amendment_kind(text_at(predicate, "kind"));
  const auto validation = domain::parse_validation(text_at(predicate, "validation"));
  if (!kind || !validation) return "its kind or its verdict is unknown";
  const Json& file = at(predicate, "evidence");
  const bool file_named =
      file.is_object() && !text_at(file, "name").empty() && is_digest(text_at(file, "sha256")) &&
      at(file, "bytes").is_number_unsigned() && !text_at(file, "media_type").empty();
  if ((*kind == AmendmentKind::evidence) != file_named || (!file_named && !file.is_string())) {
    return "its kind and its file of evidence contradict each other";
  }
  const Json& again = at(predicate, "erased_again");
  const bool later = again.is_object() &&
                     is_id(domain::IdType::certificate, text_at(again, "certificate")) &&
                     is_digest(text_at(again, "statement_sha256")) &&
                     text_at(again, "certificate") != text_at(predicate, "certificate_id");
  if ((*kind == AmendmentKind::erased_again) != later || (!later && !again.is_string())) {
    return "its kind and its later erasure contradict each other";
  }
  if (*kind == AmendmentKind::validation && *validation == Validation::awaiting) {
    return "it is a verdict that says nothing";
  }
  const bool first = at(predicate, "number") == 1U;
  if (first && *kind != AmendmentKind::validation && *validation != Validation::awaiting) {
    return "it knows a verdict, and none was before it";
  }
  return std::nullopt;
}

Fault outcome_fault(const Json& predicate) {
  const auto closed = codes_of(at(predicate, "residuals_closed"));
  const auto open = codes_of(at(predicate, "residuals_open"));
  if (!closed || !open) return "its residuals are no list of codes in order";
  for (const std::string& code : *closed) {
    if (std::binary_search(open->begin(), open->end(), code)) {
      return "the residual " + quoted(code) + " is closed and open";
    }
  }
  const bool evidence = text_at(predicate, "kind") == "evidence";
  if (!evidence && !closed->empty()) return "it closes a residual without a file of evidence";
  const bool final =
      domain::is_final(*domain::parse_validation(text_at(predicate, "validation")), open->size());
  if (text_at(predicate, "outcome") != (final ? "final" : "partial")) {
    return "its outcome is not what verdict and residuals say";
  }
  return std::nullopt;
}

Fault person_fault(const Json& predicate) {
  const Json& people = at(predicate, "people");
  if (!people.is_array() || people.size() != 1) return "it names not exactly one person";
  const Json& person = people[0];
  const bool verdict = text_at(predicate, "kind") == "validation";
  if (text_at(person, "role") != (verdict ? "validator" : "amender")) {
    return "the role of its person is not that of its kind";
  }
  if (!at(person, "uid").is_number_unsigned() && text_at(person, "person").empty()) {
    return "its person has neither uid nor entry";
  }
  const Json& signature = at(person, "signature");
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

std::string sentence_of(const Json& predicate, const AmendmentSummary& is) {
  const std::string by = " by " + is.by + " at " + is.at;
  const std::string reason(text_at(predicate, "reason"));
  const std::string why = reason == kNoneGiven ? "" : ": " + reason;
  switch (is.kind) {
    case AmendmentKind::validation:
      return verb_of(is.validation) + by + why;
    case AmendmentKind::evidence:
      return "Evidence " + quoted(text_at(at(predicate, "evidence"), "name")) + " was named" + by +
             (is.closed.empty() ? "" : " to close " + listed(is.closed)) + why;
    case AmendmentKind::erased_again:
      return "Erased again under " +
             std::string(text_at(at(predicate, "erased_again"), "certificate")) + ", named" + by +
             why;
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

bool is_amendment(const Json& statement) {
  return text_at(statement, "predicateType") == kAmendmentPredicateType;
}

std::optional<std::string> amendment_fault(const Json& statement) {
  const Json& predicate = at(statement, "predicate");
  if (Fault fault = frame_fault(statement, predicate)) return fault;
  if (Fault fault = subject_fault(statement, predicate)) return fault;
  if (Fault fault = kind_fault(predicate)) return fault;
  if (Fault fault = outcome_fault(predicate)) return fault;
  return person_fault(predicate);
}

AmendedSubject subject_of_certificate(const Json& statement) {
  const Json& predicate = at(statement, "predicate");
  const Json& disposal = at(predicate, "disposal");
  return {std::string(text_at(at(predicate, "store"), "id")),
          std::string(text_at(at(predicate, "asset"), "id")),
          std::string(text_at(disposal, "plan")), std::string(text_at(disposal, "plan_digest"))};
}

AmendmentSummary summary_of_amendment(const Json& statement, std::string_view text) {
  const Json& predicate = at(statement, "predicate");
  const auto word = [&](const char* key) { return std::string(text_at(predicate, key)); };
  AmendmentSummary is;
  is.certificate = word("certificate_id");
  is.certificate_sha256 = text_at(at(at(statement, "subject")[0], "digest"), "sha256");
  const Json& plan = at(predicate, "plan");
  is.of = {std::string(text_at(at(predicate, "store"), "id")),
           std::string(text_at(at(predicate, "asset"), "id")), std::string(text_at(plan, "id")),
           std::string(text_at(plan, "digest"))};
  is.number = at(predicate, "number").get<std::uint64_t>();
  is.previous_sha256 = word("previous_sha256");
  is.statement_sha256 = to_hex(crypto::sha256(as_bytes(text)));
  is.kind = *domain::parse_amendment_kind(word("kind"));
  is.validation = *domain::parse_validation(word("validation"));
  is.closed = codes_of(at(predicate, "residuals_closed")).value_or(std::vector<std::string>());
  is.open = codes_of(at(predicate, "residuals_open")).value_or(std::vector<std::string>());
  is.at = word("at");
  is.outcome = word("outcome");
  const Json& person = at(predicate, "people")[0];
  is.by = text_at(person, "login");
  if (is.by.empty()) is.by = text_at(person, "person");
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
  const Result<Json> json = parse_json(statement, JsonLimits{limits::kCertificateBytes, 32});
  if (!json.ok()) return failed(json.error().message);
  Result<domain::AmendedState> start =
      state_of_certificate(*json, crypto::sha256(as_bytes(statement)));
  if (!start.ok()) return failed(start.error().message);
  domain::AmendedState state = std::move(*start);
  const AmendedSubject subject = subject_of_certificate(*json);
  const std::string id(text_at(at(*json, "predicate"), "certificate_id"));
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
