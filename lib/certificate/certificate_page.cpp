#include "certificate/certificate_page.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/bytes.h"
#include "base/characters.h"
#include "base/limits.h"
#include "certificate/bundle.h"
#include "certificate/page_template.h"
#include "certificate/refusal.h"
#include "certificate/statement.h"
#include "crypto/primitives.h"
#include "translog/note.h"

namespace aierase::certificate {
namespace {

struct Keys {
  crypto::PublicKey signer{}, log{};
};

// Those under which the bundle was verified.
Result<Keys> keys_of(const VerifyReport& report, const LogEntry& entry, const TrustStore& trust) {
  std::string_view hint = report.signer;
  if (hint.starts_with(kFingerprintPrefix)) hint.remove_prefix(kFingerprintPrefix.size());
  const TrustedKey* signer = trust.signer(hint);
  for (const TrustedLog& log : trust.logs) {
    if (signer == nullptr || translog::note_key_id(log.origin, log.role.key) != entry.log_id) {
      continue;
    }
    return Keys{signer->key, log.role.key};
  }
  return make_error(Errc::signer_unknown, "the keys that the page has to carry are not known here");
}

// What certificate.html tells of, besides the statement.
Result<Json> values_of(const VerifyReport& report, const LogEntry& entry, const Keys& keys) {
  ASSIGN_OR_RETURN(const Json statement,
                   parse_json(report.statement, JsonLimits{limits::kCertificateBytes, 32}));
  ASSIGN_OR_RETURN(const translog::SignedNote note, translog::parse_note(entry.checkpoint));
  ASSIGN_OR_RETURN(const translog::Checkpoint head, translog::parse_checkpoint(note.text));
  return Json{{"p", statement["predicate"]},
              {"subject", statement["subject"]},
              {"signer", key_id(keys.signer)},
              {"log_key", key_id(keys.log)},
              {"log", {{"leaf", entry.leaf}, {"size", head.size}, {"origin", head.origin}}}};
}

std::string digest_for_policy(std::string_view text) {
  return "sha256-" + to_base64(crypto::sha256(as_bytes(text)));
}

// Each @name@ of the page is one of the parts; what stands in a part is not looked at again.
std::string assembled(std::string_view page, const std::map<std::string_view, std::string>& parts) {
  std::string whole;
  for (std::size_t at = 0; at < page.size();) {
    const std::size_t open = std::min(page.find('@', at), page.size());
    whole += page.substr(at, open - at);
    const std::size_t close = std::min(page.find('@', open + 1), page.size());
    const auto part = parts.find(
        page.substr(std::min(open + 1, page.size()), close - std::min(open + 1, page.size())));
    if (part != parts.end()) whole += part->second;
    at = close + 1;
  }
  return whole;
}

// What a page is made for. `id`: the member of the predicate that its title ends with.
struct PageKind {
  const char* text;  // the template
  std::string_view predicate_type, title, id, kind, file;
};
const PageKind kCertificatePage{html::kCertificate,       kPredicateType,
                                "Disposal certificate",   "certificate_id",
                                "a disposal certificate", "certificate.json"};
const PageKind kRefusalPage{html::kRefusal,
                            kRefusalPredicateType,
                            "Record of a refusal",
                            "plan.id",
                            "the record of a plan that was not carried out",
                            "refusal.json"};

// Pairs of first and last, as lib/base has them.
std::string invisible_literal() {
  Json pairs = Json::array();
  for (const CodePoints& range : invisible_characters()) {
    pairs.push_back(
        {static_cast<std::uint32_t>(range.first), static_cast<std::uint32_t>(range.last)});
  }
  return pairs.dump();
}

// The template goes into the script, so that the policy of the page binds both.
Result<std::string> script_for(const PageKind& page) {
  ASSIGN_OR_RETURN(const std::string literal, dump_canonical(Json(page.text)));
  return assembled(html::kScript, {{"template", literal.substr(1, literal.size() - 2)},
                                   {"invisible", invisible_literal()},
                                   {"predicate", std::string(page.predicate_type)},
                                   {"title", std::string(page.title)},
                                   {"id", std::string(page.id)},
                                   {"kind", std::string(page.kind)},
                                   {"file", std::string(page.file)}});
}

// The signed file with the keys that it was verified under.
std::string evidence_element(std::string_view attributes, std::string_view bundle,
                             const Keys& keys) {
  return "<script type=\"text/plain\" " + std::string(attributes) + " data-signer=\"" +
         to_base64(crypto::public_key_der(keys.signer)) + "\" data-log=\"" +
         to_base64(crypto::public_key_der(keys.log)) + "\">" + to_base64(as_bytes(bundle)) +
         "</script>";
}

// Into `values` what the template tells of them; back come their elements.
Result<std::string> with_amendments(const std::vector<PageAmendment>& amendments,
                                    const TrustStore& trust, Json& values) {
  std::string elements;
  std::set<std::string> further;  // keys that are none of the certificate's
  values["amendments"] = Json::array();
  for (const PageAmendment& one : amendments) {
    if (!one.report.verified || !one.report.amendment) {
      return make_error(one.report.outcome, "no page is made of an amendment that does not hold");
    }
    ASSIGN_OR_RETURN(const LogEntry entry, log_entry_of_bundle(one.bundle));
    ASSIGN_OR_RETURN(const Keys keys, keys_of(one.report, entry, trust));
    ASSIGN_OR_RETURN(Json told, values_of(one.report, entry, keys));
    values["amendments"].push_back({{"p", told["p"]}, {"signer", told["signer"]}});
    for (const crypto::PublicKey& key : {keys.signer, keys.log}) further.insert(key_id(key));
    elements += "\n" + evidence_element("class=\"amendment\"", one.bundle, keys);
  }
  const Json& said = values["amendments"];
  values["last"] = said.empty() ? Json() : said.back()["p"];
  values["further"] = Json::array();
  for (const std::string& key : further) {
    if (values["signer"] != key && values["log_key"] != key) {
      values["further"].push_back({{"key", key}});
    }
  }
  return elements;
}

}  // namespace

Result<std::string> certificate_page(std::string_view bundle, const VerifyReport& report,
                                     const TrustStore& trust,
                                     const std::vector<PageAmendment>& amendments) {
  if (!report.verified) {
    return make_error(report.outcome, "no page is made of a certificate that does not hold");
  }
  const PageKind& page = report.refusal ? kRefusalPage : kCertificatePage;
  ASSIGN_OR_RETURN(const LogEntry entry, log_entry_of_bundle(bundle));
  ASSIGN_OR_RETURN(const Keys keys, keys_of(report, entry, trust));
  ASSIGN_OR_RETURN(Json values, values_of(report, entry, keys));
  ASSIGN_OR_RETURN(const std::string said, with_amendments(amendments, trust, values));
  if (report.amendment) {
    return make_error(Errc::usage, "a page is made of a certificate, with its amendments in it");
  }
  const Json& p = values["p"];
  const Json& id = report.refusal ? p["plan"]["id"] : p["certificate_id"];
  ASSIGN_OR_RETURN(const std::string script, script_for(page));
  return assembled(html::kPage,
                   {{"style_hash", digest_for_policy(html::kStyle)},
                    {"script_hash", digest_for_policy(script)},
                    {"title", std::string(page.title) + " " +
                                  html_text(id.is_string() ? id.get<std::string>() : "")},
                    {"style", html::kStyle},
                    {"script", script},
                    {"certificate", filled_template(page.text, values)},
                    {"evidence", evidence_element("id=\"evidence\"", bundle, keys) + said}});
}

}  // namespace aierase::certificate
