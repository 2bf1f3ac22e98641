// A certificate from a stranger: verifying it gives an answer, and never "verified" for bytes that
// nobody here signed with a trusted key. The input stands once as a bundle, and once as a payload
// that a trusted key did sign, so that the checks behind the signature are reached too.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/json.h"
#include "base/limits.h"
#include "certificate/bundle.h"
#include "certificate/page_template.h"
#include "certificate/statement.h"
#include "certificate/verify.h"
#include "crypto/signature.h"

namespace {

using aierase::certificate::TrustStore;

const aierase::crypto::SigningKey& signing_key() {
  static const aierase::crypto::SigningKey key =
      aierase::crypto::SigningKey::from_seed(
          aierase::SecretBytes::copy_of(aierase::Bytes(32, std::byte{0x42})).value())
          .value();
  return key;
}

void verify_as_bundle(std::string_view text) {
  const TrustStore nobody;
  const auto report = aierase::certificate::verify_bundle(text, nobody);
  if (report.verified || !report.statement.empty()) std::abort();
  if (!aierase::dump_canonical(aierase::certificate::report_json(report)).ok()) std::abort();
}

void verify_as_signed_payload(std::string_view text) {
  const auto& key = signing_key();
  TrustStore trust;
  trust.add(key.public_key(), "fuzz.pem");
  const std::string encoded =
      aierase::certificate::pre_authentication_encoding(aierase::certificate::kPayloadType, text);
  const auto signature = key.sign(aierase::as_bytes(encoded));
  const auto bundle = aierase::certificate::bundle_json(text, signature.value(), key.public_key());
  const auto report = aierase::certificate::verify_bundle(bundle.value(), trust);
  if (report.statement != text) std::abort();
  if (!aierase::dump_canonical(aierase::certificate::report_json(report)).ok()) std::abort();
}

// Whatever a statement says, no element on the page is of its making.
void show_on_the_page(std::string_view text) {
  namespace certificate = aierase::certificate;
  const auto json = aierase::parse_json(text, {aierase::limits::kCertificateBytes, 32});
  if (!json.ok()) return;
  constexpr std::string_view kTemplate =
      "{{p}}{{p.asset.name}}{{p.asset.bytes|number}}{{p.times.intent_at|time}}{{signer|groups}}"
      "{{#subject:3}}{{.name}}{{.}}{{/}}{{?p.exports}}{{p.exports|count}}{{/}}";
  const auto member = [&](const char* name) {
    return json->is_object() && json->contains(name) ? (*json)[name] : aierase::Json();
  };
  const std::string page = certificate::filled_template(
      kTemplate, {{"p", member("predicate")}, {"subject", member("subject")}});
  for (std::size_t at = 0; (at = page.find('<', at)) != std::string::npos; ++at) {
    const std::string_view rest = std::string_view(page).substr(at);
    if (!rest.starts_with("<bdi>") && !rest.starts_with("</bdi>") &&
        !rest.starts_with("<span class=\"more\">and ") && !rest.starts_with("</span>")) {
      std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  verify_as_bundle(text);
  verify_as_signed_payload(text);
  show_on_the_page(text);
  const auto page = aierase::certificate::statement_text(text);
  if (page.ok() && page->find('\x1b') != std::string::npos) std::abort();
  return 0;
}
