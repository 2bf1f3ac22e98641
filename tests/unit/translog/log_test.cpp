#include "translog/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "crypto/primitives.h"

namespace aierase::translog {
namespace {

// The reference tree of Certificate Transparency: inputs and roots as published with the log's
// first implementation and repeated in every one since.
constexpr const char* kReferenceLeaves[] = {"",
                                            "00",
                                            "10",
                                            "2021",
                                            "3031",
                                            "40414243",
                                            "5051525354555657",
                                            "606162636465666768696a6b6c6d6e6f"};
constexpr const char* kReferenceRoots[] = {
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

UtcTime log_test_time() {
  return from_unix(1'790'000'000);
}

LogRecord committed_record(std::string record) {
  return {"approval", log_test_time(), std::move(record), Visibility::committed};
}

// RFC 6962 section 2.1, word for word: split at the largest power of two below n.
Digest root_by_definition(std::span<const Digest> leaves) {
  if (leaves.empty()) return empty_root();
  if (leaves.size() == 1) return leaves[0];
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  return node_hash(root_by_definition(leaves.first(k)), root_by_definition(leaves.subspan(k)));
}

std::vector<Digest> numbered_leaves(std::size_t count) {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(leaf_hash(as_bytes(std::to_string(i))));
  return leaves;
}

TEST(TheReferenceTreeOfCertificateTransparency, HasThePublishedRootsAtEverySize) {
  domain::LogState state;
  for (std::size_t i = 0; i < std::size(kReferenceLeaves); ++i) {
    const auto body = from_hex(kReferenceLeaves[i]);
    ASSERT_TRUE(body);
    state = extended(state, leaf_hash(*body));
    EXPECT_EQ(to_hex(state.root), kReferenceRoots[i]) << "size " << i + 1;
    EXPECT_EQ(state.size, i + 1);
  }
}

TEST(AnEmptyLog, HasTheHashOfNothingAsRoot) {
  EXPECT_EQ(to_hex(empty_root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(replay({}).root, empty_root());
  const auto decoded = decode_frontier(0, {});
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->root, empty_root());
}

TEST(TheFrontier, GivesTheRootOfTheDefinitionAtEverySize) {
  const std::vector<Digest> leaves = numbered_leaves(130);
  domain::LogState state;
  for (std::size_t n = 1; n <= leaves.size(); ++n) {
    state = extended(state, leaves[n - 1]);
    EXPECT_EQ(state.root, root_by_definition(std::span(leaves).first(n))) << n;
  }
}

TEST(Replay, EqualsAppendingOneByOne) {
  const std::vector<Digest> leaves = numbered_leaves(77);
  domain::LogState state;
  for (const Digest& leaf : leaves) state = extended(state, leaf);
  const domain::LogState replayed = replay(leaves);
  EXPECT_EQ(replayed.root, state.root);
  EXPECT_EQ(replayed.frontier, state.frontier);
  EXPECT_EQ(replayed.size, state.size);
}

TEST(TheFrontierInTheCatalog, ReadsBackAsItWasWritten) {
  for (const std::size_t size : {1U, 2U, 7U, 64U, 100U}) {
    const domain::LogState state = replay(numbered_leaves(size));
    const auto decoded = decode_frontier(size, encode_frontier(state));
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(decoded->root, state.root);
    EXPECT_EQ(decoded->frontier, state.frontier);
  }
}

TEST(AFrontierThatDoesNotFitItsSize, IsDamage) {
  const domain::LogState state = replay(numbered_leaves(7));
  const Bytes bytes = encode_frontier(state);
  EXPECT_EQ(decode_frontier(8, bytes).error().code, Errc::damaged);
  EXPECT_EQ(decode_frontier(7, ByteView(bytes).first(95)).error().code, Errc::damaged);
  domain::LogState torn = state;
  torn.frontier.pop_back();
  EXPECT_EQ(append(torn, {}).error().code, Errc::damaged);
}

TEST(Appending, NumbersTheLeavesAndCarriesTheStateOn) {
  const domain::LogState before = replay(numbered_leaves(5));
  const LogRecord records[] = {committed_record("{\"a\":1}"), committed_record("{\"a\":2}"),
                               committed_record("{\"a\":3}")};
  const auto batch = append(before, records);
  ASSERT_TRUE(batch.ok());
  ASSERT_EQ(batch->leaves.size(), 3U);
  EXPECT_EQ(batch->leaves[0].index, 5U);
  EXPECT_EQ(batch->leaves[2].index, 7U);
  domain::LogState expected = before;
  for (const auto& leaf : batch->leaves) expected = extended(expected, leaf.leaf_hash);
  EXPECT_EQ(batch->state.root, expected.root);
  EXPECT_EQ(batch->state.size, 8U);
}

TEST(AnEmptyAppend, ChangesNothing) {
  const domain::LogState before = replay(numbered_leaves(6));
  const auto batch = append(before, {});
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(batch->state.root, before.root);
  EXPECT_EQ(batch->state.size, before.size);
}

TEST(ACommittedRecord, ShowsTypeAndTimeButNothingOfItself) {
  const LogRecord records[] = {committed_record("{\"reason\":\"secret reason\"}")};
  const auto batch = append({}, records);
  ASSERT_TRUE(batch.ok());
  const auto body = leaf_body(batch->leaves[0]);
  ASSERT_TRUE(body.ok());
  EXPECT_EQ(body->find("secret"), std::string::npos);
  const auto json = parse_json(*body);
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json->size(), 3U);
  EXPECT_EQ((*json)["type"], "approval");
  EXPECT_EQ((*json)["time"], to_rfc3339(log_test_time()));
  Bytes hashed = batch->leaves[0].salt;
  aierase::append(hashed, as_bytes(records[0].record));
  EXPECT_EQ((*json)["commitment"], to_hex(crypto::sha256(hashed)));
}

TEST(EqualCommittedRecords, HaveDifferentLeavesSinceSaltsAreFresh) {
  const LogRecord records[] = {committed_record("{}"), committed_record("{}")};
  const auto batch = append({}, records);
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(batch->leaves[0].salt.size(), 32U);
  EXPECT_NE(batch->leaves[0].salt, batch->leaves[1].salt);
  EXPECT_NE(batch->leaves[0].leaf_hash, batch->leaves[1].leaf_hash);
}

TEST(APublishedRecord, IsItsOwnLeafBody) {
  const LogRecord records[] = {
      {"certificate", log_test_time(), "{\"kind\":\"dsse\"}", Visibility::published}};
  const auto batch = append({}, records);
  ASSERT_TRUE(batch.ok());
  EXPECT_TRUE(batch->leaves[0].salt.empty());
  const auto body = leaf_body(batch->leaves[0]);
  ASSERT_TRUE(body.ok());
  EXPECT_EQ(*body, "{\"kind\":\"dsse\"}");
  EXPECT_EQ(batch->leaves[0].leaf_hash, leaf_hash(as_bytes(*body)));
}

TEST(AChangedLeaf, IsDamage) {
  const LogRecord records[] = {committed_record("{\"a\":1}")};
  const auto batch = append({}, records);
  ASSERT_TRUE(batch.ok());
  const domain::LogLeaf& good = batch->leaves[0];
  auto changed = [&good](auto change) {
    domain::LogLeaf leaf = good;
    change(leaf);
    const auto body = leaf_body(leaf);
    return !body.ok() && body.error().code == Errc::damaged;
  };
  EXPECT_TRUE(leaf_body(good).ok());
  EXPECT_TRUE(changed([](auto& leaf) { leaf.record = "{\"a\":2}"; }));
  EXPECT_TRUE(changed([](auto& leaf) { leaf.salt[3] ^= std::byte{1}; }));
  EXPECT_TRUE(changed([](auto& leaf) { leaf.salt.pop_back(); }));
  EXPECT_TRUE(changed([](auto& leaf) { leaf.salt.clear(); }));
  EXPECT_TRUE(changed([](auto& leaf) { leaf.type = "export"; }));
  EXPECT_TRUE(changed([](auto& leaf) { leaf.time += std::chrono::seconds(1); }));
  EXPECT_TRUE(changed([](auto& leaf) { leaf.leaf_hash[0] ^= std::byte{1}; }));
}

TEST(ARecordTypeThatIsNotUtf8, IsRefused) {
  LogRecord record = committed_record("{}");
  record.type = "\xff";
  EXPECT_EQ(append({}, std::span(&record, 1)).error().code, Errc::invalid_input);
}

}  // namespace
}  // namespace aierase::translog
