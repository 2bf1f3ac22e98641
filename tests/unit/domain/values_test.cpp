#include <gtest/gtest.h>

#include "base/limits.h"
#include "domain/asset.h"
#include "domain/batches.h"
#include "domain/people.h"
#include "domain/states.h"

namespace aierase::domain {
namespace {

template <typename Enum, typename Parse>
void expect_words_come_back(std::size_t count, Parse parse) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<Enum>(i);
    const auto back = parse(to_text(value));
    ASSERT_TRUE(back) << to_text(value);
    EXPECT_EQ(*back, value);
  }
  EXPECT_EQ(to_text(static_cast<Enum>(count)), "unknown") << "the count above is complete";
  EXPECT_FALSE(parse(""));
  EXPECT_FALSE(parse("Model"));
}

TEST(EveryWord, ComesBackFromItsText) {
  expect_words_come_back<AssetKind>(6, parse_asset_kind);
  expect_words_come_back<AssetState>(5, parse_asset_state);
  expect_words_come_back<PlanState>(10, parse_plan_state);
  expect_words_come_back<Verdict>(4, parse_verdict);
  expect_words_come_back<ItemState>(4, parse_item_state);
  expect_words_come_back<HoldReach>(2, parse_hold_reach);
  expect_words_come_back<RoundState>(3, parse_round_state);
  expect_words_come_back<Validation>(4, parse_validation);
  expect_words_come_back<Decision>(2, parse_decision);
  expect_words_come_back<Relation>(4, parse_relation);
  expect_words_come_back<SourceHistory>(3, parse_source_history);
  expect_words_come_back<ExportKind>(2, parse_export_kind);
  expect_words_come_back<ExportMedium>(4, parse_export_medium);
  expect_words_come_back<Level>(5, parse_level);
  expect_words_come_back<AtRest>(2, parse_at_rest);
}

TEST(TheWordsOfTheInterface, AreTheDocumentedOnes) {
  EXPECT_EQ(to_text(AssetKind::dataset_key), "dataset-key");
  EXPECT_EQ(to_text(AssetKind::embedding_index), "embedding-index");
  EXPECT_EQ(to_text(AssetState::retired), "retired");
  EXPECT_EQ(to_text(PlanState::cancelled), "cancelled");
  EXPECT_EQ(to_text(Verdict::conflict), "conflict");
  EXPECT_EQ(to_text(RoundState::destroying), "destroying");
  EXPECT_EQ(to_text(Relation::configured_by), "configured-by");
  EXPECT_EQ(to_text(SourceHistory::encrypted_from_first_write), "encrypted-from-first-write");
  EXPECT_EQ(to_text(ExportKind::key_release), "key-release");
  EXPECT_EQ(to_text(ExportMedium::other_medium), "other-medium");
  EXPECT_EQ(to_text(Level::ea1), "EA1");
  EXPECT_EQ(to_text(AtRest::unlock_secret), "unlock-secret");
}

TEST(ACustodian, IsAUserByUidOrAMemberOfTheGroup) {
  Actor alice;
  alice.uid = 1000;
  alice.login = "alice";
  alice.groups = {100, 200};
  const Custodian user{CustodianKind::user, "alice", 1000};
  const Custodian other{CustodianKind::user, "bob", 200};
  const Custodian group{CustodianKind::group, "ml-owners", 200};
  const Custodian foreign{CustodianKind::group, "others", 1000};
  EXPECT_TRUE(is_custodian(alice, {other, user}));
  EXPECT_TRUE(is_custodian(alice, {group}));
  EXPECT_FALSE(is_custodian(alice, {other, foreign})) << "uids and gids are different numbers";
  EXPECT_FALSE(is_custodian(alice, {}));
  EXPECT_EQ(group.text(), "@ml-owners");
  EXPECT_EQ(user.text(), "alice");
}

FileEntry file_entry(std::string path, unsigned char fill) {
  FileEntry entry;
  entry.path = std::move(path);
  entry.sha256.fill(static_cast<std::byte>(fill));
  return entry;
}

TEST(TheDigestLinesOfAnAsset, AreSortedByBytesAndEscapedLikeSha256sum) {
  const std::string b64(64, 'b'), a64(64, 'a'), c64(64, 'c');
  EXPECT_EQ(sha256sum_lines(
                {file_entry("z", 0xbb), file_entry("B\\x", 0xaa), file_entry("\xc3\xa9", 0xcc)}),
            "\\" + a64 + "  B\\\\x\n" + b64 + "  z\n" + c64 + "  \xc3\xa9\n");
  EXPECT_EQ(sha256sum_lines({file_entry("a\nb\rc", 0xaa)}), "\\" + a64 + "  a\\nb\\rc\n");
  EXPECT_EQ(sha256sum_lines({}), "");
}

TEST(AFilePath, IsRelativeAndPlain) {
  for (const char* path : {"a", "a/b.c", "...", ".hidden", "\xc3\xa9/x y", "a\\b", "-x"}) {
    EXPECT_TRUE(check_file_path(path).ok()) << path;
  }
  for (const char* path : {"", "/a", "a/", "a//b", ".", "a/..", "../a", "a/./b", "a\nb", "a\x7f",
                           "\xff", "a\x1b[31m", "\xc2\x9b"}) {
    const Status status = check_file_path(path);
    ASSERT_FALSE(status.ok()) << path;
    EXPECT_EQ(status.error().code, Errc::invalid_input);
    EXPECT_EQ(status.error().message.find('\x1b'), std::string::npos) << "shown quoted";
  }
  EXPECT_FALSE(check_file_path(std::string_view("a\0b", 3)).ok());
}

TEST(AFilePath, HasTheLimitsOfTheKernel) {
  const std::string component(limits::kPathComponentBytes, 'x');
  EXPECT_TRUE(check_file_path(component).ok());
  EXPECT_FALSE(check_file_path(component + "x").ok());
  std::string path = component;
  while (path.size() + 1 + component.size() <= limits::kPathBytes) path += "/" + component;
  EXPECT_TRUE(check_file_path(path).ok());
  EXPECT_FALSE(check_file_path(path + "/" + component).ok());
}

TEST(ALabel, HasAPlainKeyAndAPrintableValue) {
  EXPECT_TRUE(check_label("team", "vision").ok());
  EXPECT_TRUE(check_label("acme.org/team", "").ok());
  EXPECT_FALSE(check_label("", "x").ok());
  EXPECT_FALSE(check_label("-a", "x").ok());
  EXPECT_FALSE(check_label("a=b", "x").ok());
  EXPECT_FALSE(check_label("a", "x\ny").ok());
  EXPECT_FALSE(check_label(std::string(limits::kLabelKeyBytes + 1, 'k'), "x").ok());
  EXPECT_FALSE(check_label("k", std::string(limits::kLabelValueBytes + 1, 'v')).ok());
}

TEST(ANodeKey, OrdersByLevelThenIndex) {
  const NodeId leaf{0, 0xffffffffU};
  const NodeId above{1, 0};
  EXPECT_LT(leaf.key(), above.key());
  EXPECT_EQ(leaf.key(), 0xffffffffLL);
  EXPECT_EQ(above.key(), 1LL << 56);
}

}  // namespace
}  // namespace aierase::domain
