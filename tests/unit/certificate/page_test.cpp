// The page for people: what strangers wrote stays text, and every part of it is the statement's.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/characters.h"
#include "certificate/certificate_page.h"
#include "certificate/page_template.h"
#include "unit/certificate/sample_log.h"
#include "unit/certificate/sample_refusal.h"

namespace aierase::certificate {
namespace {

Json sample_values() {
  return *parse_json(R"({"name":"<b>&\"'","size":1234567,"at":"2026-11-21T15:20:00Z","none":[],
                         "no":"not applicable: nobody","list":["a","b","c"],
                         "people":[{"name":"x","of":{"y":1}},{"name":"z"}]})");
}

std::string fill(std::string_view text) {
  return filled_template(text, sample_values());
}

TEST(ATemplate, ShowsValuesAsTextAndNeverAsMarkup) {
  EXPECT_EQ(fill("<p>{{name}}</p>"), "<p><bdi>&#60;b&#62;&#38;&#34;&#39;</bdi></p>");
  EXPECT_EQ(fill("{{size}} {{size|number}}"), "<bdi>1234567</bdi> <bdi>1,234,567</bdi>");
  EXPECT_EQ(fill("{{at|time}}"), "<bdi>2026-11-21 15:20:00 UTC</bdi>");
  EXPECT_EQ(fill("{{list}} {{none}} {{list|count}}"),
            "<bdi>a, b, c</bdi> <bdi>none</bdi> <bdi>3</bdi>");
  EXPECT_EQ(fill("{{absent}} {{name.deeper}} {{people}}"),
            "<bdi>not stated</bdi> <bdi>not stated</bdi> <bdi>not stated, not stated</bdi>");
}

TEST(ATemplate, GoesThroughListsUpToTheirLimit) {
  EXPECT_EQ(fill("{{#people:8}}{{.name}}{{?.of.y}}!{{/}};{{/}}"), "<bdi>x</bdi>!;<bdi>z</bdi>;");
  EXPECT_EQ(
      fill("{{#list:2}}{{.}}{{/}}"),
      "<bdi>a</bdi><bdi>b</bdi><span class=\"more\">and 1 more, in the signed statement</span>");
  EXPECT_EQ(fill("{{#none:2}}{{.}}{{/}}{{#absent:2}}{{#list:1}}{{.}}{{/}}{{/}}end"), "end");
}

TEST(ATemplate, TellsWhatIsStatedFromWhatIsNot) {
  EXPECT_EQ(fill("{{?name}}1{{/}}{{?no}}2{{/}}{{?none}}3{{/}}{{?absent}}4{{/}}{{?size}}5{{/}}"),
            "15");
  EXPECT_EQ(fill("{{!name}}1{{/}}{{!no}}2{{/}}{{!absent}}{{!name}}3{{/}}4{{/}}"), "24");
}

TEST(ATemplate, HidesNothingThatAStrangerWrote) {
  EXPECT_EQ(html_text("a\nb\x1b[31m"), "a\\x0Ab\\x1B[31m");
  EXPECT_EQ(html_text("live\u202Egnp.exe"), "live\\xE2\\x80\\xAEgnp.exe");
  EXPECT_EQ(html_text("\u200B\u2066\uFEFF"), "\\xE2\\x80\\x8B\\xE2\\x81\\xA6\\xEF\\xBB\\xBF");
  EXPECT_EQ(html_text("münchen 模型"), "münchen 模型");
  for (const char* unseen : {"\u061C", "\u00AD", "\u3164", "\U000E0041", "\u2800", "\uFE0F"}) {
    EXPECT_EQ(html_text(unseen).find("\\x"), 0U) << html_text(unseen);
  }
  const std::string cut = html_text(std::string(399, 'a') + "ü<b>");
  EXPECT_EQ(cut, std::string(399, 'a') + "ü…");
  EXPECT_EQ(html_text(std::string(400, 'a')).size(), 400U);
}

class APage : public testing::Test {
 protected:
  std::string page_of(const domain::DispositionRecord& record) {
    sample::Log log(record.store);
    log.fill(5);
    const std::string statement = sample::statement_of(record);
    const std::uint64_t leaf = sample::log_statement(log, statement, sample::signer());
    bundle_ = sample::logged_bundle(log, leaf, leaf + 1, statement, sample::signer(),
                                    sample::log_signer());
    const TrustStore trust = sample::trust_of(sample::keyring());
    const auto page = certificate_page(bundle_, verify_bundle(bundle_, trust), trust);
    EXPECT_TRUE(page.ok()) << page.error().message;
    return page.ok() ? *page : std::string();
  }
  static bool has(const std::string& page, std::string_view part) {
    return page.find(part) != std::string::npos;
  }
  std::string bundle_;
};

TEST_F(APage, CarriesTheSignedFileAndTellsWhatItSays) {
  const std::string page = page_of(sample::record());
  EXPECT_TRUE(has(page, ">" + to_base64(as_bytes(bundle_)) + "</script>"));
  EXPECT_TRUE(has(page, "Keys destroyed, CE not claimed"));
  const Json statement = *parse_json(sample::statement_of(sample::record()));
  for (const char* list : {"residuals", "not_claimed"}) {
    for (const Json& one : statement["predicate"][list]) {
      const std::string text =
          one.is_string() ? one.get<std::string>() : one["text"].get<std::string>();
      EXPECT_TRUE(has(page, "<li><bdi>" + html_text(text) + "</bdi></li>")) << text;
    }
  }
  EXPECT_FALSE(has(page, "<bdi>not stated</bdi>"));
}

TEST_F(APage, HidesTheSameFromItsScriptAsFromItsText) {
  std::string ranges;
  for (const CodePoints& range : invisible_characters()) {
    ranges += (ranges.empty() ? "[" : ",[") + std::to_string(std::uint32_t{range.first}) + "," +
              std::to_string(std::uint32_t{range.last}) + "]";
  }
  EXPECT_TRUE(has(page_of(sample::record()), "const invisible = [" + ranges + "];"));
}

TEST_F(APage, OfHostileNamesHasNoMarkupOfTheirs) {
  auto record = sample::record();
  record.reason = "</script><script>alert(1)</script>@bundle@{{signer}}";
  record.ticket = "<img src=x onerror=alert(2)>";
  const std::string page = page_of(record);
  EXPECT_FALSE(has(page, "alert(1)</script>"));
  EXPECT_FALSE(has(page, "<img"));
  EXPECT_TRUE(
      has(page, "&#60;/script&#62;&#60;script&#62;alert(1)&#60;/script&#62;@bundle@{{signer}}"));
}

TEST_F(APage, MayDoNothingButRunItsOneScript) {
  const std::string page = page_of(sample::record());
  EXPECT_TRUE(has(page, "content=\"default-src 'none'; style-src 'sha256-"));
  EXPECT_FALSE(has(page, "unsafe"));
  EXPECT_FALSE(has(page, "http://"));
  EXPECT_FALSE(has(page, " src="));
  for (const char* word : {"certified", "compliant"}) EXPECT_FALSE(has(page, word)) << word;
}

TEST_F(APage, IsNotMadeOfACertificateThatDoesNotHold) {
  page_of(sample::record());
  TrustStore nobody;
  const auto page = certificate_page(bundle_, verify_bundle(bundle_, nobody), nobody);
  ASSERT_FALSE(page.ok());
  EXPECT_EQ(page.error().code, Errc::signer_unknown);
}

TEST_F(APage, OfARefusalSaysFirstThatItIsNoCertificate) {
  sample::Log log(sample::record().store);
  const auto statement = RefusalStatement::of(sample::refusal(domain::PlanState::rejected));
  ASSERT_TRUE(statement.ok());
  const auto signature = statement->sign(sample::signer());
  const crypto::PublicKey key = sample::signer().public_key();
  log.add(log_entry_body(statement->text(), *signature, key).value());
  const std::string bundle =
      bundle_json(statement->text(), *signature, key, log.entry(0, 1, sample::log_signer()))
          .value();
  const TrustStore trust = sample::trust_of(sample::keyring());
  const auto page = certificate_page(bundle, verify_bundle(bundle, trust), trust);
  ASSERT_TRUE(page.ok()) << page.error().message;
  EXPECT_TRUE(has(*page,
                  "<main id=\"certificate\"><header class=\"refusal\">\n"
                  "  <p class=\"kind\">No certificate:"));
  EXPECT_TRUE(has(*page, "nothing was erased by it"));
  EXPECT_TRUE(has(*page, "\"https://aierase.org/refusal/v1\""));
  EXPECT_FALSE(has(*page, "<title>Disposal certificate"));
  EXPECT_FALSE(has(*page, "<bdi>not stated</bdi>"));
}

}  // namespace
}  // namespace aierase::certificate
