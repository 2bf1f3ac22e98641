#include "domain/selector.h"
#include "unit/policy/policy_facts.h"

namespace aierase::policy {
namespace {

using domain::AssetName;

domain::Asset gauss() {
  domain::Asset asset;
  asset.id = Uuid{};
  asset.name = AssetName::parse("acme/gauss:2").value();
  asset.kind = domain::AssetKind::dataset_key;
  asset.state = domain::AssetState::suspended;
  asset.retention = "logs";
  asset.labels = {{"project", "gauss"}, {"team/unit", "a=b"}};
  asset.custodians = {{domain::CustodianKind::user, "alice", 1},
                      {domain::CustodianKind::group, "owners", 2}};
  return asset;
}

domain::Ancestry ancestry() {
  return {{AssetName::parse("acme/base:7").value()},
          {AssetName::parse("personal/survey:1").value()}};
}

bool fits(const std::string& text) {
  const auto selector = domain::parse_selector(text);
  EXPECT_TRUE(selector.ok()) << text;
  if (!selector.ok()) return false;
  EXPECT_EQ(selector->text(), text);
  const domain::Ancestry from = ancestry();
  return domain::matches(*selector, gauss(), {from});
}

TEST(ASelector, MatchesByEachKeyOfTheLanguage) {
  for (const char* text :
       {"asset=acme/gauss:2", "asset=a-aaaaaaaa", "name=acme/gauss", "name=acme/*", "name=*:2",
        "name=acme/gauss:?", "label.project=gauss", "label.project=g*", "label.team/unit=a=b",
        "label.project=*", "retention=logs", "kind=dataset-key", "custodian=alice",
        "custodian=@owners", "state=suspended", "derived-from=acme/base", "derived-from=*/base:7",
        "trained-on=personal/*"}) {
    EXPECT_TRUE(fits(text)) << text;
  }
  for (const char* text :
       {"asset=acme/gauss", "asset=a-bbbbbbbb", "asset=p-aaaaaaaa", "name=gauss", "name=*:1",
        "label.project=euler", "label.other=*", "retention=log", "kind=model", "custodian=@alice",
        "custodian=owners", "state=active", "derived-from=acme/gauss", "trained-on=acme/*"}) {
    EXPECT_FALSE(fits(text)) << text;
  }
}

TEST(ASelector, ByUseHoldsFromTheSecondOnInWhichThePeriodEnds) {
  const domain::Ancestry from = ancestry();
  const auto selector = domain::parse_selector("unused-for=6 months").value();
  domain::MatchFacts facts{from};
  facts.idle_since = at("2026-08-31");
  facts.now = at("2027-02-27T23:59:59Z");
  EXPECT_FALSE(domain::matches(selector, gauss(), facts));
  facts.now = at("2027-02-28");
  EXPECT_TRUE(domain::matches(selector, gauss(), facts));
  facts.idle_since.reset();
  EXPECT_FALSE(domain::matches(selector, gauss(), facts)) << "it is in use";
}

TEST(ASelector, ByADeadlineTakesADayOrATime) {
  EXPECT_EQ(domain::parse_selector("due-before=2031-01-01").value().moment, at("2031-01-01"));
  EXPECT_EQ(domain::parse_selector("due-before=2031-01-01T12:00:00Z").value().moment,
            at("2031-01-01T12:00:00Z"));
  const domain::Ancestry from = ancestry();
  const auto selector = domain::parse_selector("due-before=2031-01-01").value();
  EXPECT_FALSE(domain::matches(selector, gauss(), {from}));
  domain::MatchFacts facts{from};
  facts.due = domain::MatchFacts::Due::yes;
  EXPECT_TRUE(domain::matches(selector, gauss(), facts));
}

TEST(ASelector, IsRefusedWithTheKeysThatThereAre) {
  for (const char* text : {"", "=", "kind", "kind=", "=model", "colour=red", "label.=x", "label=x",
                           "kind=banana", "state=gone", "name=\x01", "Kind=model", "unused-for=90",
                           "unused-for=-1 days", "unused-for=0 days", "due-before=soon",
                           "due-before=2031-13-01", "due-before=2031-01-01T00:00:00+01:00"}) {
    EXPECT_FALSE(domain::parse_selector(text).ok()) << text;
  }
  EXPECT_NE(domain::parse_selector("colour=red").error().hint.find("derived-from"),
            std::string::npos);
}

TEST(SeveralSelectors, AreRefusedWhereTogetherTheyMatchNothing) {
  EXPECT_FALSE(domain::parse_selectors({"kind=model", "kind=adapter"}).ok());
  EXPECT_TRUE(
      domain::parse_selectors({"label.a=1", "label.b=2", "trained-on=x", "trained-on=y"}).ok());
}

TEST(SeveralSelectors, MustAllHold) {
  const auto both = domain::parse_selectors({"kind=dataset-key", "label.project=gauss"}).value();
  const domain::Ancestry from = ancestry();
  EXPECT_TRUE(domain::matches_all(both, gauss(), {from}));
  const auto one = domain::parse_selectors({"kind=dataset-key", "label.project=euler"}).value();
  EXPECT_FALSE(domain::matches_all(one, gauss(), {from}));
}

}  // namespace
}  // namespace aierase::policy
