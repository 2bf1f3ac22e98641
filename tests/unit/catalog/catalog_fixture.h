// A real SQLite catalog in a fresh directory, and rows to put into it.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catalog/catalog.h"
#include "unit/support/temp_directory.h"

namespace aierase::catalog::test {

inline UtcTime at(std::int64_t seconds) {
  return from_unix(1'800'000'000 + seconds);
}

inline Digest digest_of(unsigned fill) {
  Digest digest{};
  digest.fill(static_cast<std::byte>(fill));
  return digest;
}

// Numbered, so that the order is known.
inline Uuid uuid_of(std::uint32_t number, unsigned group = 0) {
  Uuid uuid;
  uuid.bytes[0] = static_cast<std::byte>(group);
  put_be32(ByteSpan(uuid.bytes).subspan(12, 4), number);
  return uuid;
}

inline domain::AssetName name_of(const std::string& text) {
  return domain::AssetName::parse(text).value();
}

inline domain::Actor actor_of(std::uint32_t uid, const std::string& login) {
  domain::Actor actor;
  actor.uid = uid;
  actor.login = login;
  return actor;
}

inline domain::Asset asset_of(std::uint32_t number, const std::string& name) {
  domain::Asset asset;
  asset.id = uuid_of(number, 1);
  asset.name = name_of(name);
  asset.bytes = 100;
  asset.file_count = 1;
  asset.created = at(number);
  asset.importer = actor_of(1000, "alice");
  asset.kcv = digest_of(number % 251);
  asset.leaf = number;
  return asset;
}

inline domain::Plan plan_of(std::uint32_t number, const std::vector<domain::Asset>& assets) {
  domain::Plan plan;
  plan.id = uuid_of(number, 2);
  plan.requester = actor_of(1000, "alice");
  plan.reason = "end of project";
  plan.created = at(0);
  plan.expires = at(2'592'000);
  plan.digest = digest_of(number);
  for (const domain::Asset& asset : assets) {
    domain::PlanItem item;
    item.asset = asset.id;
    item.name = asset.name;
    item.kcv = asset.kcv;
    plan.items.push_back(std::move(item));
  }
  return plan;
}

inline StoreState first_state() {
  StoreState state;
  state.store = uuid_of(7, 9);
  state.created = at(0);
  state.machine_id_digest = "ab12";
  return state;
}

inline Bytes bytes_of(std::string_view text) {
  return copy_of(as_bytes(text));
}

// A round of one asset, in a plan of that number.
inline Status start_round_of(Transaction& transaction, const domain::Asset& asset) {
  const domain::Plan plan = plan_of(asset.leaf.value_or(0) + 1'000, {asset});
  RETURN_IF_ERROR(transaction.insert_plan(plan));
  EraseRound round;
  round.items.push_back(
      {plan.id, asset.id, asset.leaf.value_or(0), "{}", uuid_of(asset.leaf.value_or(0), 4), 0});
  return transaction.start_round(round);
}

// The way of an asset to its end, with nothing between.
inline Status erase(Transaction& transaction, const Uuid& id, UtcTime when) {
  ASSIGN_OR_RETURN(const std::optional<domain::Asset> asset, transaction.asset(id));
  RETURN_IF_ERROR(transaction.set_asset_state(id, domain::AssetState::retired, ""));
  RETURN_IF_ERROR(start_round_of(transaction, asset.value()));
  RETURN_IF_ERROR(transaction.mark_round_erasing());
  RETURN_IF_ERROR(transaction.mark_round_erased(when));
  return transaction.end_round();
}

class CatalogTest : public ::testing::Test {
 protected:
  CatalogTest() : path(directory / "catalog.db") {}

  void create() {
    Result<std::unique_ptr<Catalog>> created = Catalog::create(env, path, first_state());
    ASSERT_TRUE(created.ok()) << created.error().message;
    catalog = std::move(created).value();
  }
  void reopen() {
    catalog.reset();
    Result<std::unique_ptr<Catalog>> opened = Catalog::open(env, path);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    catalog = std::move(opened).value();
  }
  const ReadView& view() const { return catalog->read(); }

  // One transaction: `act` takes it and returns a Status.
  template <typename Act>
  Status commit(Act act) {
    ASSIGN_OR_RETURN(Transaction transaction, catalog->begin());
    RETURN_IF_ERROR(act(transaction));
    return transaction.commit();
  }
  Status insert(const domain::Asset& asset, const std::vector<Uuid>& blobs = {},
                const std::vector<domain::LineageEdge>& edges = {}) {
    return commit([&](Transaction& transaction) {
      return transaction.insert_asset(asset, as_bytes("manifest"), {}, blobs, edges);
    });
  }

  // As another program would, while the catalog is closed.
  void tamper(const std::string& sql) {
    catalog.reset();
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK)
        << (message == nullptr ? "" : message);
    sqlite3_free(message);
    sqlite3_close(raw);
  }

  // What another program reads there, and the catalog open again: the first column of the first
  // row.
  std::string query_text(const std::string& sql) {
    catalog.reset();
    sqlite3* raw = nullptr;
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
    EXPECT_EQ(sqlite3_prepare_v2(raw, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
        << sqlite3_errmsg(raw);
    EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW);
    const void* text = sqlite3_column_text(statement, 0);
    std::string answer = text == nullptr ? "" : static_cast<const char*>(text);
    sqlite3_finalize(statement);
    sqlite3_close(raw);
    reopen();
    return answer;
  }

  PosixEnv env;
  aierase::test::TempDirectory directory;
  std::string path;
  std::unique_ptr<Catalog> catalog;
};

#define EXPECT_OK(expression)                                               \
  do {                                                                      \
    const auto& expect_ok_status = (expression);                            \
    EXPECT_TRUE(expect_ok_status.ok()) << expect_ok_status.error().message; \
  } while (false)

#define EXPECT_ERRC(expression, errc)                                                       \
  do {                                                                                      \
    const auto& expect_errc_status = (expression);                                          \
    ASSERT_FALSE(expect_errc_status.ok());                                                  \
    EXPECT_EQ(expect_errc_status.error().code, errc) << expect_errc_status.error().message; \
  } while (false)

}  // namespace aierase::catalog::test
