// Which assets a sweep is given: all, those that were changed, those whose moment has come.
#include <functional>

#include "unit/catalog/catalog_fixture.h"

namespace aierase::catalog::test {
namespace {

class ALook : public CatalogTest {
 protected:
  void SetUp() override {
    create();
    for (std::uint32_t number : {1U, 2U, 3U}) {
      domain::Asset asset = asset_of(number, "m:" + std::to_string(number));
      asset.custodians = {{domain::CustodianKind::user, "bob", 1001}};
      asset.labels = {{"team", "vision"}};
      ASSERT_TRUE(insert(asset).ok());
    }
  }
  std::vector<std::int64_t> rows(const Result<std::vector<Looked>>& page) {
    EXPECT_TRUE(page.ok()) << page.error().message;
    std::vector<std::int64_t> found;
    for (const Looked& looked : *page) found.push_back(looked.row);
    return found;
  }
  std::vector<std::int64_t> changed() { return rows(view().changed_page(0, 10)); }
  using Rows = std::vector<std::int64_t>;
};

TEST_F(ALook, IsAskedForAfterAnImportAndAfterNothingElseThanAChange) {
  EXPECT_EQ(changed(), (Rows{1, 2, 3}));
  ASSERT_TRUE(commit([](Transaction& t) { return t.begin_sweep(); }).ok());
  EXPECT_EQ(changed(), Rows{});
  const Uuid two = uuid_of(2, 1);
  const std::vector<domain::Custodian> others{{domain::CustodianKind::user, "carol", 1002}};
  const std::vector<std::pair<const char*, std::function<Status(Transaction&)>>> changes{
      {"label", [&](Transaction& t) { return t.put_label(two, "purpose", "log"); }},
      {"other label", [&](Transaction& t) { return t.put_label(two, "purpose", "tmp"); }},
      {"no label", [&](Transaction& t) { return t.remove_label(two, "purpose"); }},
      {"custodians", [&](Transaction& t) { return t.put_custodians(two, others); }},
      {"class", [&](Transaction& t) { return t.put_retention(two, "logs"); }},
      {"state",
       [&](Transaction& t) { return t.set_asset_state(two, domain::AssetState::retired, "r"); }},
      {"event",
       [&](Transaction& t) { return t.put_event(two, domain::AssetEvent::retired, at(1)); }},
      {"other event",
       [&](Transaction& t) { return t.put_event(two, domain::AssetEvent::retired, at(2)); }}};
  for (const auto& [what, change] : changes) {
    ASSERT_TRUE(commit(change).ok()) << what;
    EXPECT_EQ(changed(), Rows{2}) << what;
    const std::vector<Look> looked{{2, std::nullopt}};
    ASSERT_TRUE(commit([&](Transaction& t) { return t.forget_changes(looked); }).ok());
    EXPECT_EQ(changed(), Rows{}) << what;
  }
}

TEST_F(ALook, IsAskedForWhereSomethingSupersedesIt) {
  ASSERT_TRUE(commit([](Transaction& t) { return t.begin_sweep(); }).ok());
  ASSERT_TRUE(insert(asset_of(4, "m:4"), {},
                     {{uuid_of(4, 1), domain::Relation::supersedes, uuid_of(1, 1)},
                      {uuid_of(4, 1), domain::Relation::derived_from, uuid_of(2, 1)}})
                  .ok());
  EXPECT_EQ(changed(), (Rows{1, 4}));
}

TEST_F(ALook, ComesWhenItsMomentHasComePageByPage) {
  const std::vector<Look> looks{{1, at(30)}, {2, at(10)}, {3, at(10)}};
  ASSERT_TRUE(commit([&](Transaction& t) { return t.put_looks(looks); }).ok());
  EXPECT_EQ(rows(view().due_page(at(9), {}, 10)), Rows{});
  EXPECT_EQ(rows(view().due_page(at(10), {}, 10)), (Rows{2, 3}));
  EXPECT_EQ(rows(view().due_page(at(30), {}, 1)), Rows{2});
  EXPECT_EQ(rows(view().due_page(at(30), {at(10), 2}, 10)), (Rows{3, 1}));
  const std::vector<Look> never{{2, std::nullopt}};
  ASSERT_TRUE(commit([&](Transaction& t) { return t.put_looks(never); }).ok());
  EXPECT_EQ(rows(view().due_page(at(30), {}, 10)), (Rows{3, 1}));
}

TEST_F(ALook, IsOverWithTheAsset) {
  const std::vector<Look> looks{{1, at(10)}};
  ASSERT_TRUE(commit([&](Transaction& t) { return t.put_looks(looks); }).ok());
  ASSERT_TRUE(commit([&](Transaction& t) { return erase(t, uuid_of(1, 1), at(5)); }).ok());
  EXPECT_EQ(rows(view().due_page(at(30), {}, 10)), Rows{});
  EXPECT_EQ(changed(), (Rows{2, 3}));
  EXPECT_EQ(rows(view().living_page(0, 10)), (Rows{2, 3}));
}

TEST_F(ALook, TellsOfEachAssetWhatASelectorAsksForPageByPage) {
  const auto first = view().living_page(0, 2);
  EXPECT_EQ(rows(first), (Rows{1, 2}));
  EXPECT_EQ((*first)[1].asset.labels.at("team"), "vision");
  EXPECT_EQ((*first)[1].asset.custodians.at(0).name, "bob");
  EXPECT_EQ((*first)[1].asset.bytes, 100U);
  EXPECT_EQ(rows(view().living_page(2, 2)), Rows{3});
}

TEST_F(ALook, IsGivenEvenWhereTheRowIsBroken) {
  tamper("UPDATE asset SET kind = 'none' WHERE id = 2");
  reopen();
  const auto page = view().living_page(0, 10);
  ASSERT_EQ(rows(page), (Rows{1, 2, 3}));
  EXPECT_TRUE((*page)[1].unreadable);
  EXPECT_FALSE((*page)[2].unreadable);
  EXPECT_EQ((*page)[2].asset.labels.at("team"), "vision");
  EXPECT_FALSE(view().visit_living([](const domain::Asset&) { return Status(); }).ok());
}

TEST_F(ALook, ComesWithWhatTheLastRunFound) {
  const auto none = view().enforcement();
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->started);
  Enforcement run;
  run.started = at(1);
  run.ended = run.succeeded = at(2);
  run.outcome = "waiting";
  run.overdue = 3;
  run.certificates = 4;
  run.swept = at(1);
  run.swept_policy = digest_of(5);
  ASSERT_TRUE(commit([&](Transaction& t) { return t.put_enforcement(run); }).ok());
  reopen();
  const auto kept = view().enforcement();
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(kept->ended, at(2));
  EXPECT_EQ(kept->outcome, "waiting");
  EXPECT_EQ(kept->overdue, 3U);
  EXPECT_EQ(kept->swept_policy, digest_of(5));
  ASSERT_TRUE(commit([](Transaction& t) { return t.begin_sweep(); }).ok());
  EXPECT_FALSE(view().enforcement()->swept);
}

}  // namespace
}  // namespace aierase::catalog::test
