// The statement as text for people. Tolerant of what is missing, careful with what is there: a
// hostile statement may say anything, but it cannot move the cursor or fake a line.
#include <algorithm>
#include <optional>

#include "base/json_view.h"
#include "base/limits.h"
#include "certificate/page_template.h"
#include "certificate/verify.h"

namespace aierase::certificate {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kIndent = 2;
constexpr std::size_t kColumn = 22;  // where values begin
constexpr std::size_t kMaxListed = 50;
constexpr std::string_view kNotStated = "not stated";

// Start of a code point, for counting columns.
bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
}

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

// The first `count` columns of a word that is wider than a line.
std::size_t bytes_of(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  for (std::size_t seen = 0; at < text.size(); ++at) {
    if (starts_character(text[at]) && seen++ == count) break;
  }
  return at;
}

class Page {
 public:
  void heading(std::string_view title) {
    text_ += '\n';
    text_ += title;
    text_ += '\n';
  }
  void field(std::string_view label, std::string_view value) {
    std::string lead(kIndent, ' ');
    lead += label;
    lead.resize(std::max(kColumn, lead.size() + 1), ' ');
    wrap(std::move(lead), kColumn, value);
  }
  // Digests are copied and compared: never broken over two lines.
  void digest(std::string_view label, std::string_view value) {
    wrap(std::string(kIndent, ' '), kIndent, label);
    wrap(std::string(2 * kIndent, ' '), 2 * kIndent, value);
  }
  void point(std::string_view value) { wrap(std::string(kIndent, ' ') + "- ", kIndent + 2, value); }
  void line(std::string_view value) { wrap({}, 0, value); }
  std::string finish() { return std::move(text_); }

 private:
  void wrap(std::string line, std::size_t hanging, std::string_view value) {
    const std::string shown = visible_text(value);
    std::string_view rest = shown;
    std::size_t used = columns(line);
    bool fresh = true;
    bool begun = false;
    const auto break_line = [&] {
      while (!line.empty() && line.back() == ' ') line.pop_back();
      text_ += line + '\n';
      line.assign(hanging, ' ');
      used = hanging;
      fresh = true;
    };
    while (!rest.empty()) {
      const std::size_t space = rest.find(' ');
      std::string_view word = rest.substr(0, space);
      rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
      if (word.empty() && begun) continue;  // of several blanks within a text one is left
      begun = begun || !word.empty();
      if (!fresh && used + 1 + columns(word) > kWidth) break_line();
      while (fresh && used + columns(word) > kWidth) {
        const std::size_t part = bytes_of(word, kWidth - std::min(used, kWidth - 1));
        line += word.substr(0, part);
        word.remove_prefix(part);
        break_line();
      }
      if (!fresh) line += ' ', ++used;
      line += word;
      used += columns(word);
      fresh = false;
    }
    break_line();
  }
  std::string text_;
};

// A value by path of keys; nothing there, or of another type, is "not stated".
JsonView at(JsonView here, std::initializer_list<std::string_view> path) {
  for (const std::string_view key : path) here = here[key];
  return here;
}

std::string shown(JsonView value) {
  if (value.is_string()) return std::string(value.text());
  if (const auto number = value.number()) return std::to_string(*number);
  if (const auto truth = value.truth()) return *truth ? "yes" : "no";
  return std::string(kNotStated);
}

std::string shown(JsonView object, std::initializer_list<std::string_view> path) {
  return shown(at(object, path));
}

// "1,234,567"
std::string grouped(JsonView value) {
  const std::optional<std::uint64_t> number = value.number();
  if (!number) return std::string(kNotStated);
  std::string digits = std::to_string(*number);
  for (std::size_t place = digits.size(); place > 3;) {
    place -= 3;
    digits.insert(place, ",");
  }
  return digits;
}

// "1 file", "1,204 files"
std::string files_text(JsonView value) {
  const std::string count = grouped(value);
  return count == "1" ? "1 file" : count + " files";
}

std::string joined(JsonView list) {
  std::string result;
  for (const JsonView item : list) result += (result.empty() ? "" : ", ") + shown(item);
  return result.empty() ? "none" : result;
}

template <typename Line>
void listed(Page& page, JsonView list, Line line) {
  std::size_t count = 0;
  for (const JsonView item : list) {
    if (++count > kMaxListed) break;
    line(item);
  }
  const std::size_t size = list.is_array() ? list.size() : 0;
  if (size > kMaxListed) {
    page.point("and " + std::to_string(size - kMaxListed) + " more, in the statement itself");
  }
}

void write_asset(Page& page, JsonView statement, JsonView p) {
  page.heading("WHAT WAS ERASED");
  page.field("Asset", shown(p, {"asset", "name"}) + " (" + shown(p, {"asset", "id"}) + ")");
  page.field("Kind", shown(p, {"asset", "kind"}));
  page.field("Size", grouped(at(p, {"asset", "bytes"})) + " bytes in " +
                         files_text(at(p, {"asset", "file_count"})));
  page.field("Imported",
             shown(p, {"asset", "imported_at"}) + " by " + shown(p, {"asset", "imported_by"}));
  page.field("Custodians", joined(at(p, {"asset", "custodians"})));
  page.field("Classification", shown(p, {"asset", "classification"}));
  page.digest("Manifest SHA-256", shown(p, {"asset", "manifest_sha256"}));
  page.digest("Key check value", shown(p, {"asset", "key_check_value"}));
  listed(page, at(statement, {"subject"}), [&](JsonView subject) {
    page.point(shown(subject, {"name"}));
    const JsonView digests = at(subject, {"digest"});
    if (!digests.is_object()) return;
    for (std::size_t i = 0; i < digests.size(); ++i) {
      page.digest("  " + std::string(digests.key(i)), shown(digests[i]));
    }
  });
}

void write_method(Page& page, JsonView p) {
  page.heading("HOW");
  page.field("Claim", shown(p, {"method", "claim"}));
  page.field("Method",
             shown(p, {"method", "method"}) + " (" + shown(p, {"method", "standard"}) + ")");
  page.field("Technique", shown(p, {"method", "technique"}));
  page.field("Purge claimed",
             shown(p, {"method", "purge_claimed"}) + ". " + shown(p, {"method", "purge_reason"}));
  page.field("Keys", shown(p, {"keys", "destruction"}));
  page.field("Algorithm", shown(p, {"keys", "algorithm"}) + "; " + shown(p, {"keys", "module"}));
  page.field("Escrow", shown(p, {"keys", "escrow"}));
  page.field("Ciphertext", shown(p, {"ciphertext", "fate"}));
  page.field("Course", shown(p, {"evidence", "course_text"}));
  if (at(p, {"evidence", "clock"}).is_string())
    page.field("Clock", shown(p, {"evidence", "clock"}));
  page.field("Read-back", "");
  listed(page, at(p, {"evidence", "checks"}), [&](JsonView check) { page.point(shown(check)); });
  if (at(p, {"evidence", "tpm"}).is_object()) {
    page.point("signed by the TPM itself: slot and counter, for this erasure; " +
               shown(p, {"evidence", "tpm", "tpm_endorsement_text"}));
  }
  page.field("Verification", shown(p, {"verification", "method"}));
  listed(page, at(p, {"verification", "checks"}), [&](JsonView check) {
    page.point(shown(check, {"name"}) + ": " + shown(check, {"result"}));
  });
}

void write_times(Page& page, JsonView p) {
  page.heading("WHEN (UTC)");
  page.field("Requested", shown(p, {"times", "requested_at"}));
  page.field("Approved", shown(p, {"times", "approved_at"}));
  page.field("Erase began", shown(p, {"times", "intent_at"}));
  page.field("Key shown gone", shown(p, {"times", "verified_zero_at"}));
  page.field("Holds",
             shown(p, {"holds", "found"}) + " found at " + shown(p, {"holds", "checked_at"}));
}

void write_policy(Page& page, JsonView p) {
  page.field("Retention class", shown(p, {"policy", "retention_class"}) +
                                    "; all that applied: " + joined(at(p, {"policy", "classes"})));
  page.digest("Policy version", shown(p, {"policy", "version_sha256"}));
  page.field("In force since", shown(p, {"policy", "in_force_since"}));
  page.field("Basis", joined(at(p, {"policy", "basis"})));
  page.field("Grace", shown(p, {"policy", "grace"}));
  page.field("Asked for by", shown(p, {"policy", "asked_for_by"}));
  const JsonView brake = at(p, {"policy", "brake"});
  page.field("Brake", brake.is_object() ? shown(brake, {"tripped"}) + "; released by " +
                                              shown(brake, {"released_by"})
                                        : shown(brake));
  const JsonView below = at(p, {"policy", "below_floor"});
  if (!below.is_object()) return;
  page.field("Below a floor", "on the legal basis: " + shown(below, {"legal_basis"}));
  listed(page, at(below, {"floors"}),
         [&](JsonView floor) { page.point("although " + shown(floor)); });
}

void write_person(Page& page, JsonView person) {
  page.point(shown(person, {"role"}) + ": " + shown(person, {"login"}) + ", uid " +
             shown(person, {"uid"}) + ", audit login uid " + shown(person, {"audit_login_uid"}) +
             ", " + shown(person, {"at"}));
  if (at(person, {"contact_details"}).is_object()) {
    std::string details;
    for (const char* key : {"name", "title", "organisation", "location", "contact"}) {
      const std::string value = shown(person, {"contact_details", key});
      if (value.starts_with("not applicable")) continue;
      details += (details.empty() ? "" : ", ") + value;
    }
    page.point("  that is " + details);
  }
  if (const JsonView standing = at(person, {"standing_approval"}); standing.is_object()) {
    page.point("  in advance, for what the class " + shown(standing, {"retention_class"}) +
               " makes due: given " + shown(standing, {"given_at"}) + ", valid until " +
               shown(standing, {"valid_until"}));
  }
  if (at(person, {"signature"}).is_object()) {
    page.point("  by a signature of the SSH key " + shown(person, {"signature", "key"}) +
               ", handed in by " + shown(person, {"signature", "carried_by"}));
  }
}

void write_people(Page& page, JsonView p) {
  page.heading("WHO AND WHY");
  page.field("Reason", shown(p, {"disposal", "reason"}));
  page.field("Ticket", shown(p, {"disposal", "ticket"}));
  page.field("Plan", shown(p, {"disposal", "plan"}));
  page.digest("Plan digest", shown(p, {"disposal", "plan_digest"}));
  write_policy(page, p);
  listed(page, at(p, {"people"}), [&](JsonView person) { write_person(page, person); });
  page.field("Two people", shown(p, {"disposal", "people_rule_text"}));
  page.field("Executed by", shown(p, {"disposal", "executor"}));
  page.field("Validation",
             shown(p, {"validation", "state"}) + ": " + shown(p, {"validation", "text"}));
}

void write_assurance(Page& page, JsonView p) {
  page.heading("HOW SURE");
  page.field("Level", shown(p, {"assurance", "level"}) + ": " + shown(p, {"assurance", "text"}));
  page.field("Reason", shown(p, {"assurance", "reason"}));
  page.field("Epochs", shown(p, {"assurance", "epochs"}) + " (" +
                           shown(p, {"assurance", "epoch_from"}) + " to " +
                           shown(p, {"assurance", "epoch_to"}) + "), the lowest level in " +
                           shown(p, {"assurance", "lowest_epoch"}));
  listed(page, at(p, {"root_slots"}), [&](JsonView slot) {
    page.point("root slot: " + shown(slot, {"kind"}) + ", " + shown(slot, {"path"}) + " on " +
               shown(slot, {"filesystem"}) + ", " + shown(slot, {"device"}) + ", " +
               shown(slot, {"device_model"}) + "; " + shown(slot, {"level"}));
  });
  page.field("Source", shown(p, {"source", "history"}) + ": " + shown(p, {"source", "text"}));
  page.field("At rest", shown(p, {"store", "at_rest"}));
}

void write_lists(Page& page, JsonView p) {
  if (at(p, {"exports"}).is_array() && !at(p, {"exports"}).empty()) {
    page.heading("COPIES THAT LEFT THE STORE");
    listed(page, at(p, {"exports"}), [&](JsonView copy) {
      page.point(shown(copy, {"at"}) + ", " + shown(copy, {"by"}) + ": " + shown(copy, {"kind"}) +
                 " of " + shown(copy, {"scope"}) + " to " + shown(copy, {"destination"}) + " (" +
                 shown(copy, {"medium"}) + "), " + shown(copy, {"fate"}));
    });
  }
  page.heading("NOT COVERED");
  listed(page, at(p, {"residuals"}),
         [&](JsonView residual) { page.point(shown(residual, {"text"})); });
  page.heading("NOT CLAIMED");
  listed(page, at(p, {"not_claimed"}), [&](JsonView text) { page.point(shown(text)); });
}

// Distinguishable at a glance: the title says that this is no certificate, and why.
std::string refusal_text(JsonView statement, JsonView p) {
  const RefusalSummary summary = summary_of(statement);
  Page page;
  page.line(summary.outcome == domain::PlanState::partial
                ? "RECORD OF WHAT WAS NOT ERASED - this is no certificate"
                : "RECORD THAT NOTHING WAS ERASED - this is no certificate");
  page.line(summary.sentence);
  page.line("issued by the store " + shown(p, {"store", "id"}) + " on " +
            shown(p, {"store", "host"}) + ", aierase " + shown(p, {"tool", "version"}));
  page.heading("WHAT WAS ASKED FOR");
  page.field("Plan", shown(p, {"plan", "id"}));
  page.digest("Plan digest", shown(p, {"plan", "digest"}));
  page.field("Requested",
             shown(p, {"plan", "requested_at"}) + " by " + shown(p, {"plan", "requester"}));
  page.field("Asked for by", shown(p, {"plan", "asked_for_by"}));
  page.field("Reason", shown(p, {"plan", "reason"}));
  page.field("Ticket", shown(p, {"plan", "ticket"}));
  page.digest("Policy at the request", shown(p, {"policy", "at_request_sha256"}));
  page.heading("HOW IT ENDED");
  page.field("Outcome", shown(p, {"outcome"}));
  page.field("Ended", shown(p, {"ended", "at"}) + " by " + shown(p, {"ended", "by"}));
  page.field("As custodian", joined(at(p, {"ended", "as_custodian"})));
  page.field("Why", shown(p, {"ended", "why"}));
  page.digest("Policy at the end", shown(p, {"policy", "at_end_sha256"}));
  listed(page, at(p, {"people"}), [&](JsonView person) { write_person(page, person); });
  page.heading("ASSETS");
  page.field("Erased", grouped(at(p, {"erased"})));
  page.field("Not erased", grouped(at(p, {"not_erased"})));
  listed(page, at(p, {"items"}), [&](JsonView item) {
    const JsonView certificate = at(item, {"certificate"});
    page.point(shown(item, {"name"}) + " (" + shown(item, {"asset"}) +
               "): " + shown(item, {"state"}) +
               (certificate.is_string() ? ", certificate " + shown(certificate) : ""));
    for (const JsonView reason : at(item, {"reasons"})) page.point("  " + shown(reason));
  });
  page.field("Left out", shown(p, {"left_out"}));
  page.heading("NOT CLAIMED");
  listed(page, at(p, {"not_claimed"}), [&](JsonView text) { page.point(shown(text)); });
  return page.finish();
}

std::string amendment_text(std::string_view statement, JsonView json, JsonView p) {
  const AmendmentSummary is = summary_of_amendment(json, statement);
  Page page;
  page.line("AMENDMENT " + std::to_string(is.number) + " OF " + shown(p, {"certificate_id"}) +
            " - this is no certificate");
  page.line(visible_text(is.sentence) + ".");
  page.line("issued by the store " + shown(p, {"store", "id"}) + " on " +
            shown(p, {"store", "host"}) + ", aierase " + shown(p, {"tool", "version"}));
  page.heading("WHAT WAS SAID");
  page.field("Kind", shown(p, {"kind"}));
  page.field("At", shown(p, {"at"}));
  page.field("Reason", shown(p, {"reason"}));
  page.field("Remedy", shown(p, {"remedy"}));
  page.field("As custodian", joined(at(p, {"as_custodian"})));
  listed(page, at(p, {"people"}), [&](JsonView person) { write_person(page, person); });
  if (at(p, {"evidence"}).is_object()) {
    page.field("File", shown(p, {"evidence", "name"}) + ", " +
                           grouped(at(p, {"evidence", "bytes"})) + " bytes, " +
                           shown(p, {"evidence", "media_type"}));
    page.digest("SHA-256 of the file", shown(p, {"evidence", "sha256"}));
  }
  if (at(p, {"erased_again"}).is_object()) {
    page.field("Erased again", shown(p, {"erased_again", "certificate"}));
    page.digest("SHA-256 of its statement", shown(p, {"erased_again", "statement_sha256"}));
  }
  page.heading("OF WHAT");
  page.field("Asset", shown(p, {"asset", "name"}) + " (" + shown(p, {"asset", "id"}) + ")");
  page.field("Plan", shown(p, {"plan", "id"}));
  page.digest("SHA-256 of the certificate's statement", visible_text(is.certificate_sha256));
  page.digest("SHA-256 of the statement before", shown(p, {"previous_sha256"}));
  page.heading("WHERE IT STANDS");
  page.field("Outcome", shown(p, {"outcome"}));
  page.field("Validation", shown(p, {"validation"}));
  page.field("Residuals closed", joined(at(p, {"residuals_closed"})));
  page.field("Residuals open", joined(at(p, {"residuals_open"})));
  page.heading("NOT CLAIMED");
  listed(page, at(p, {"not_claimed"}), [&](JsonView text) { page.point(shown(text)); });
  return page.finish();
}

}  // namespace

Result<std::string> statement_text(std::string_view statement) {
  ASSIGN_OR_RETURN(const JsonDocument document,
                   read_json(statement, JsonLimits{limits::kCertificateBytes, 32}));
  const JsonView json = document.root();
  const JsonView p = at(json, {"predicate"});
  if (!p.is_object()) {
    return make_error(Errc::invalid_input, "this is no disposal statement: it has no predicate");
  }
  if (is_refusal(json)) return refusal_text(json, p);
  if (is_amendment(json)) {
    if (const auto fault = amendment_fault(json)) return make_error(Errc::invalid_input, *fault);
    return amendment_text(statement, json, p);
  }
  Page page;
  page.line("DISPOSAL CERTIFICATE " + shown(p, {"certificate_id"}));
  page.line("issued by the store " + shown(p, {"store", "id"}) + " on " +
            shown(p, {"store", "host"}) + ", aierase " + shown(p, {"tool", "version"}));
  write_asset(page, json, p);
  write_method(page, p);
  write_times(page, p);
  write_people(page, p);
  write_assurance(page, p);
  write_lists(page, p);
  return page.finish();
}

}  // namespace aierase::certificate
