// Finding: names, prefixes, queries, pages, and by which index; and rows that do not parse.
#include <algorithm>

#include "catalog/query_sql.h"
#include "unit/catalog/catalog_fixture.h"

namespace aierase::catalog::test {
namespace {

using AQuery = CatalogTest;

std::vector<std::string> names_in(const ReadView& view, const AssetQuery& query,
                                  std::size_t limit = 100) {
  std::vector<std::string> names;
  std::string cursor;
  do {
    const auto page = view.assets(query, cursor, limit);
    EXPECT_TRUE(page.ok()) << page.error().message;
    if (!page.ok()) break;
    EXPECT_LE(page->rows.size(), limit);
    for (const domain::Asset& asset : page->rows) names.push_back(asset.name.text());
    cursor = page->next;
  } while (!cursor.empty());
  return names;
}

class AQueryOverAFewAssets : public CatalogTest {
 protected:
  void SetUp() override {
    create();
    add(1, "acme/llama:1", [](domain::Asset& asset) {
      asset.labels = {{"team", "vision"}, {"tier", "1"}};
      asset.custodians = {{domain::CustodianKind::user, "bob", 7}};
    });
    add(2, "acme/llama:2", [](domain::Asset& asset) {
      asset.labels = {{"team", "vision"}};
      asset.state = domain::AssetState::retired;
      asset.custodians = {{domain::CustodianKind::group, "owners", 7},
                          {domain::CustodianKind::user, "bob", 7}};
    });
    add(3, "acme/key", [](domain::Asset& asset) {
      asset.kind = domain::AssetKind::dataset_key;
      asset.retention = "short";
    });
    add(4, "tiny", [](domain::Asset& asset) { asset.retention = "short"; });
    add(5, "gone:1", [](domain::Asset&) {});
    ASSERT_TRUE(commit([&](Transaction& t) { return erase(t, uuid_of(5, 1), at(9)); }).ok());
  }
  template <typename Change>
  void add(std::uint32_t number, const std::string& name, Change change) {
    domain::Asset asset = asset_of(number, name);
    change(asset);
    ASSERT_TRUE(insert(asset).ok());
  }
  using Names = std::vector<std::string>;
};

TEST_F(AQueryOverAFewAssets, WithoutTermsFindsAllInTheOrderOfImport) {
  EXPECT_EQ(names_in(view(), {}),
            (Names{"acme/llama:1", "acme/llama:2", "acme/key", "tiny", "gone:1"}));
  EXPECT_EQ(names_in(view(), {}, 2).size(), 5U);
  AssetQuery living;
  living.include_erased = false;
  EXPECT_EQ(names_in(view(), living, 3),
            (Names{"acme/llama:1", "acme/llama:2", "acme/key", "tiny"}));
}

TEST_F(AQueryOverAFewAssets, ByNameTakesABaseNameOrAWholeOne) {
  const auto found = [&](const char* glob) {
    AssetQuery query;
    query.name_glob = glob;
    return names_in(view(), query, 1);
  };
  EXPECT_EQ(found("acme/llama"), (Names{"acme/llama:1", "acme/llama:2"}));
  EXPECT_EQ(found("acme/llama:1"), Names{"acme/llama:1"});
  EXPECT_EQ(found("*:1"), (Names{"acme/llama:1", "gone:1"}));
  EXPECT_EQ(found("acme/*"), (Names{"acme/key", "acme/llama:1", "acme/llama:2"}));
  EXPECT_EQ(found("t?ny"), Names{"tiny"});
  EXPECT_EQ(found("[!a]*"), (Names{"gone:1", "tiny"}));
  EXPECT_EQ(found("acme"), Names{});
  EXPECT_EQ(found("*").size(), 5U);
}

TEST_F(AQueryOverAFewAssets, ByOneTermFindsWhatCarriesIt) {
  AssetQuery state;
  state.state = domain::AssetState::retired;
  EXPECT_EQ(names_in(view(), state), Names{"acme/llama:2"});
  AssetQuery active;
  active.state = domain::AssetState::active;
  EXPECT_EQ(names_in(view(), active, 1), (Names{"acme/llama:1", "acme/key", "tiny"}));
  AssetQuery kind;
  kind.kind = domain::AssetKind::dataset_key;
  EXPECT_EQ(names_in(view(), kind), Names{"acme/key"});
  AssetQuery retention;
  retention.retention = "short";
  EXPECT_EQ(names_in(view(), retention, 1), (Names{"acme/key", "tiny"}));
  AssetQuery custodian;
  custodian.custodian = domain::Custodian{domain::CustodianKind::user, "bob", 7};
  EXPECT_EQ(names_in(view(), custodian, 1), (Names{"acme/llama:1", "acme/llama:2"}));
  custodian.custodian = domain::Custodian{domain::CustodianKind::group, "owners", 7};
  EXPECT_EQ(names_in(view(), custodian), Names{"acme/llama:2"});
  AssetQuery label;
  label.labels = {{"team", "vision"}};
  EXPECT_EQ(names_in(view(), label, 1), (Names{"acme/llama:1", "acme/llama:2"}));
}

TEST_F(AQueryOverAFewAssets, ByManyTermsFindsWhatCarriesThemAll) {
  AssetQuery query;
  query.labels = {{"team", "vision"}, {"tier", "1"}};
  EXPECT_EQ(names_in(view(), query), Names{"acme/llama:1"});
  query.name_glob = "acme/*";
  query.custodian = domain::Custodian{domain::CustodianKind::user, "bob", 7};
  query.state = domain::AssetState::active;
  query.kind = domain::AssetKind::model;
  query.retention = "default";
  query.include_erased = false;
  EXPECT_EQ(names_in(view(), query), Names{"acme/llama:1"});
  query.retention = "short";
  EXPECT_EQ(names_in(view(), query), Names{});
}

TEST_F(AQueryOverAFewAssets, RefusesACursorThatIsNone) {
  for (const char* cursor : {"x", "-1", "1x", "99999999999999999999"}) {
    EXPECT_ERRC(view().assets({}, cursor, 5), Errc::usage);
  }
}

TEST_F(AQueryOverAFewAssets, TreatsHostileTextAsText) {
  AssetQuery query;
  query.retention = "x' OR 1=1 --";
  query.labels = {{"'; DROP TABLE asset; --", "\""}};
  query.name_glob = "%'";
  EXPECT_EQ(names_in(view(), query), Names{});
  EXPECT_EQ(names_in(view(), {}).size(), 5U);
}

TEST_F(AQueryOverAFewAssets, CountsWithoutLookingAtThem) {
  const StoreCounts counts = *view().counts();
  EXPECT_EQ(counts.active, 3U);
  EXPECT_EQ(counts.retired, 1U);
  EXPECT_EQ(counts.suspended, 0U);
  EXPECT_EQ(counts.erasing, 0U);
  EXPECT_EQ(counts.erased, 1U);
  EXPECT_EQ(counts.bytes, 400U);
  EXPECT_TRUE(catalog->integrity_check()->empty());
}

TEST_F(AQueryOverAFewAssets, ByExactNameMeansTheLivingOneElseTheLatestErased) {
  const auto living = [&](const char* name) {
    return *view().asset_named(name_of(name), NameScope::living);
  };
  const auto any = [&](const char* name) {
    return *view().asset_named(name_of(name), NameScope::any);
  };
  EXPECT_EQ(living("tiny"), uuid_of(4, 1));
  EXPECT_FALSE(living("acme/llama").has_value()) << "a text without version is that text only";
  EXPECT_FALSE(living("gone:1").has_value());
  EXPECT_EQ(any("gone:1"), uuid_of(5, 1));
  ASSERT_TRUE(insert(asset_of(6, "gone:1")).ok()) << "the name of an erased one is free";
  EXPECT_EQ(living("gone:1"), uuid_of(6, 1));
  EXPECT_EQ(any("gone:1"), uuid_of(6, 1));
  ASSERT_TRUE(commit([&](Transaction& t) { return erase(t, uuid_of(6, 1), at(9)); }).ok());
  EXPECT_EQ(any("gone:1"), uuid_of(6, 1)) << "the latest";
  EXPECT_FALSE(any("nothing").has_value());
}

TEST_F(AQueryOverAFewAssets, FindsIdsByPrefix) {
  const auto prefix = domain::parse_id(domain::id_text(domain::IdType::asset, uuid_of(3, 1)));
  const auto whole = view().ids(domain::IdType::asset, domain::range_of(*prefix), 10);
  EXPECT_EQ(*whole, std::vector<Uuid>{uuid_of(3, 1)});
  const auto six =
      domain::parse_id(domain::id_text(domain::IdType::asset, uuid_of(3, 1)).substr(0, 8));
  EXPECT_EQ(view().ids(domain::IdType::asset, domain::range_of(*six), 10)->size(), 5U);
  EXPECT_EQ(view().ids(domain::IdType::asset, domain::range_of(*six), 2)->size(), 2U);
  EXPECT_TRUE(view().ids(domain::IdType::plan, domain::range_of(*six), 2)->empty());
  EXPECT_TRUE(view().ids(domain::IdType::certificate, domain::range_of(*six), 2)->empty());
  EXPECT_TRUE(view().ids(domain::IdType::hold, domain::range_of(*six), 2)->empty());
  EXPECT_TRUE(view().ids(domain::IdType::job, domain::range_of(*six), 2)->empty());
}

TEST_F(AQuery, PagesOverFiveThousandAssetsSeesEachOnceAlsoWhileOthersComeIn) {
  create();
  ASSERT_TRUE(commit([&](Transaction& t) -> Status {
                for (std::uint32_t i = 0; i < 5000; ++i) {
                  // Names in another order than the imports.
                  domain::Asset asset = asset_of(i, "m" + std::to_string((i * 7919) % 5000));
                  RETURN_IF_ERROR(t.insert_asset(asset, as_bytes("m"), {}, {}, {}));
                }
                return {};
              }).ok());
  AssetQuery by_state;
  by_state.state = domain::AssetState::active;
  AssetQuery by_name;
  by_name.name_glob = "m*";
  for (const AssetQuery& query : {AssetQuery{}, by_state, by_name}) {
    std::vector<std::string> names = names_in(view(), query, 300);
    EXPECT_EQ(names.size(), 5000U);
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
  }
  const auto first = view().assets({}, "", 4999);
  ASSERT_TRUE(insert(asset_of(9000, "later")).ok());
  const auto rest = view().assets({}, first->next, 4999);
  EXPECT_EQ(rest->rows.size(), 2U);
  EXPECT_TRUE(view().assets({}, "", 5001)->next.empty());
}

std::string query_plan_of(sqlite3* raw, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(raw, ("EXPLAIN QUERY PLAN " + sql).c_str(), -1, &statement, nullptr),
            SQLITE_OK)
      << sql << "\n"
      << sqlite3_errmsg(raw);
  std::string plan;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    const void* line = sqlite3_column_text(statement, 3);
    plan += static_cast<const char*>(line);
    plan += "; ";
  }
  sqlite3_finalize(statement);
  return plan;
}

TEST_F(AQuery, IsAnsweredByAnIndexAndNeverSorts) {
  create();
  catalog.reset();
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
  sqlite3_create_function(
      raw, "name_matches", 2, SQLITE_UTF8, nullptr, [](sqlite3_context*, int, sqlite3_value**) {},
      nullptr, nullptr);
  std::vector<std::pair<AssetQuery, const char*>> queries(9);
  queries[0].second = "INTEGER PRIMARY KEY";
  queries[1].first.include_erased = false;
  queries[1].second = "asset_living";
  queries[2].first.state = domain::AssetState::retired;
  queries[2].first.retention = "short";
  queries[2].second = "asset_state";
  queries[3].first.kind = domain::AssetKind::model;
  queries[3].second = "asset_kind";
  queries[4].first.retention = "short";
  queries[4].first.state = domain::AssetState::active;
  queries[4].first.include_erased = false;
  queries[4].second = "asset_retention";
  queries[5].first.name_glob = "acme/*";
  queries[5].first.state = domain::AssetState::active;
  queries[5].second = "name<?";
  queries[6].first.labels = {{"a", "b"}, {"c", "d"}};
  queries[6].first.state = domain::AssetState::active;
  queries[6].second = "label_value";
  queries[7].first.custodian = domain::Custodian{};
  queries[7].first.kind = domain::AssetKind::model;
  queries[7].second = "custodian_who";
  queries[8].first.name_glob = "*x";
  queries[8].second = "asset_name";
  for (const auto& query : queries) {
    for (const std::int64_t after : {0, 17}) {
      const std::string plan = query_plan_of(raw, query_sql(query.first, after));
      EXPECT_NE(plan.find(query.second), std::string::npos) << plan;
      EXPECT_EQ(plan.find("SCAN"), std::string::npos) << plan;
      EXPECT_EQ(plan.find("TEMP B-TREE"), std::string::npos) << plan;
    }
  }
  for (const char* sql : {"SELECT uuid FROM asset WHERE name = ? AND erased_at IS NULL",
                          "SELECT uuid FROM asset WHERE name = ? ORDER BY id DESC LIMIT 1",
                          "SELECT uuid FROM asset WHERE uuid BETWEEN ? AND ? ORDER BY uuid LIMIT ?",
                          "SELECT b.uuid FROM orphaned o CROSS JOIN blob b ON b.asset = o.asset "
                          "ORDER BY o.asset, b.position LIMIT ?",
                          "SELECT id FROM plan WHERE id < ? AND state = ? ORDER BY id DESC LIMIT ?",
                          "SELECT uuid FROM plan WHERE state = ? ORDER BY id",
                          "SELECT id FROM event WHERE asset = ? ORDER BY id DESC LIMIT ?",
                          "SELECT id FROM event WHERE subject = ? AND asset IS NULL "
                          "ORDER BY id DESC LIMIT ?",
                          "SELECT id FROM export WHERE asset = ? ORDER BY id"}) {
    const std::string plan = query_plan_of(raw, sql);
    EXPECT_TRUE(plan.find("USING") != std::string::npos) << plan;
    EXPECT_EQ(plan.find("TEMP B-TREE"), std::string::npos) << plan;
    // Of those alone that are erased and have ciphertext yet.
    const bool of_orphaned = plan.find("SCAN o") != std::string::npos;
    EXPECT_TRUE(of_orphaned || plan.find("SCAN") == std::string::npos) << plan;
  }
  sqlite3_close(raw);
}

class ADamagedRow : public CatalogTest {
 protected:
  void SetUp() override {
    create();
    ASSERT_TRUE(insert(asset_of(1, "a")).ok());
    domain::Plan plan = plan_of(1, {asset_of(1, "a")});
    plan.items[0].reasons = {{Errc::busy, "x"}};
    ASSERT_TRUE(commit([&](Transaction& t) { return t.insert_plan(plan); }).ok());
  }
  void damage(const std::string& sql) {
    tamper("PRAGMA ignore_check_constraints = ON; " + sql);
    reopen();
  }
};

TEST_F(ADamagedRow, IsNamedByTableKeyAndColumn) {
  damage("UPDATE asset SET kind = 'toy'");
  const auto read = view().asset(uuid_of(1, 1));
  EXPECT_ERRC(read, Errc::damaged);
  EXPECT_NE(read.error().message.find("table asset"), std::string::npos);
  EXPECT_NE(read.error().message.find(domain::id_text(domain::IdType::asset, uuid_of(1, 1))),
            std::string::npos);
  EXPECT_NE(read.error().message.find("column kind"), std::string::npos);
}

TEST_F(ADamagedRow, IsNeverTakenForAValue) {
  const std::vector<std::string> of_asset{
      "state = 'dead'",      "kcv = x'0102'",
      "leaf = -1",           "leaf = 4294967296",
      "bytes = -5",          "name = 'a b'",
      "file_count = -1",     "importer_uid = 5000000000",
      "source_history = ''", "state_reason = CAST(x'ff' AS TEXT)"};
  for (const std::string& change : of_asset) {
    damage("UPDATE asset SET " + change);
    EXPECT_ERRC(view().asset(uuid_of(1, 1)), Errc::damaged);
    EXPECT_ERRC(view().assets({}, "", 10), Errc::damaged);
    damage(
        "UPDATE asset SET state = 'active', kcv = zeroblob(32), leaf = 1, bytes = 0, name = 'a', "
        "file_count = 0, importer_uid = 1, source_history = 'unknown', state_reason = ''");
    EXPECT_TRUE(view().asset(uuid_of(1, 1)).ok());
  }
}

TEST_F(ADamagedRow, InTheJsonOfAPlanIsFound) {
  for (const char* reasons :
       {"", "{}", "[1]", "[{\"code\":\"busy\"}]", "[{\"code\":\"unheard of\",\"text\":\"x\"}]",
        "[{\"code\":1,\"text\":\"x\"}]"}) {
    damage("UPDATE plan_item SET reasons = '" + std::string(reasons) + "'");
    EXPECT_ERRC(view().plan(uuid_of(1, 2)), Errc::damaged);
    EXPECT_TRUE(view().plan_head(uuid_of(1, 2)).ok());
  }
}

TEST_F(ADamagedRow, OfTheStoreOrTheTreeIsFound) {
  damage("UPDATE store SET log_size = 3");
  EXPECT_ERRC(view().state(), Errc::damaged);
  damage("UPDATE store SET log_size = 0, at_rest = 'x'");
  EXPECT_ERRC(view().state(), Errc::damaged);
  damage("DELETE FROM store");
  EXPECT_ERRC(view().state(), Errc::damaged);
  damage("INSERT INTO node VALUES (5 << 56, x'00')");
  EXPECT_ERRC(view().node_ids(std::nullopt, 10), Errc::damaged);
}

}  // namespace
}  // namespace aierase::catalog::test
