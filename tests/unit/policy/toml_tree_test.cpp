#include "base/toml.h"
#include "unit/policy/policy_facts.h"

namespace aierase::policy {
namespace {

TomlValue tree_of(std::string_view text) {
  Result<TomlFile> file = TomlFile::parse(text, "t.toml");
  EXPECT_TRUE(file.ok());
  Result<TomlValue> tree = file->tree(4);
  EXPECT_TRUE(tree.ok()) << tree.error().message;
  return *tree;
}

TEST(ATomlTree, HoldsTypesAndPlacesInTheOrderOfTheFile) {
  const TomlValue tree = tree_of(
      "[z.\"a.b\"]\n"
      "text = \"x\"\n"
      "  list = [\"one\",\n"
      "    2]\n"
      "[a]\n"
      "yes = true\nhalf = 0.5\nday = 2026-01-31\nmoment = 2026-01-31T12:00:00Z\n"
      "there = 2026-01-31T12:00:00+02:30\nclock = 12:00:00\n");
  ASSERT_EQ(tree.entries.size(), 2u);
  EXPECT_EQ(tree.entries[0].key, "z");
  const TomlEntry& inner = tree.entries[0].value.entries.at(0);
  EXPECT_EQ(inner.key, "a.b");
  EXPECT_EQ(inner.value.entries.at(0).value.text, "x");
  const TomlEntry& list = inner.value.entries.at(1);
  EXPECT_EQ(list.place, (TomlPlace{3, 3}));
  ASSERT_EQ(list.value.items.size(), 2u);
  EXPECT_EQ(list.value.items[1].type, TomlType::integer);
  EXPECT_EQ(list.value.items[1].place, (TomlPlace{4, 5}));
  const std::vector<TomlEntry>& values = tree.entries[1].value.entries;
  EXPECT_TRUE(values[0].value.boolean);
  EXPECT_EQ(values[1].value.type, TomlType::number);
  EXPECT_EQ(values[2].value.text, "2026-01-31");
  EXPECT_EQ(values[3].value.text, "2026-01-31T12:00:00Z");
  EXPECT_EQ(values[4].value.text, "2026-01-31T12:00:00+02:30");
  EXPECT_EQ(values[5].value.text, "12:00:00");
}

TEST(ATomlTree, IsNotDeeperThanAskedFor) {
  Result<TomlFile> file = TomlFile::parse("a = [[1]]\n", "t.toml");
  EXPECT_TRUE(file->tree(3).ok());
  const auto refused = file->tree(2);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "t.toml:1:6: tables and arrays are nested too deep here");
}

TEST(ATomlTree, CountsAllKeysAsAskedFor) {
  Result<TomlFile> file = TomlFile::parse("a = 1\n[b]\nc = 2\n", "t.toml");
  EXPECT_FALSE(file->refuse_unknown_keys().ok());
  EXPECT_TRUE(file->tree(4).ok());
  EXPECT_TRUE(file->refuse_unknown_keys().ok());
}

}  // namespace
}  // namespace aierase::policy
