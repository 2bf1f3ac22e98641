#include <gtest/gtest.h>

#include "base/toml.h"

namespace aierase {
namespace {

TomlFile tables_file(std::string_view text) {
  return TomlFile::parse(text, "tables.toml").value();
}

TEST(TablesOfATomlFile, AreNamedInTheOrderOfTheFile) {
  TomlFile file = tables_file("[x.zeta]\na=1\n[x.\"an.na\"]\na=1\n[x.mid]\na=1\n");
  EXPECT_EQ(file.table_names("x").value(), (std::vector<std::string>{"zeta", "an.na", "mid"}));
  EXPECT_EQ(file.table_names("").value(), (std::vector<std::string>{"x"}));
  EXPECT_TRUE(file.table_names("y").value().empty());
  EXPECT_TRUE(file.table_names("y.z").value().empty());
}

TEST(TablesOfATomlFile, AreReadByQuotedParts) {
  TomlFile file = tables_file("[x.\"an.na\"]\na=1\n[x.'qu\"ote']\na=2\n[x.an]\nna.a=3\n");
  EXPECT_EQ(file.get_integer("x." + toml_part("an.na") + ".a").value(), 1);
  EXPECT_EQ(file.get_integer("x." + toml_part("qu\"ote") + ".a").value(), 2);
  EXPECT_EQ(file.get_integer("x.an.na.a").value(), 3);
  EXPECT_TRUE(file.refuse_unknown_keys().ok());
}

TEST(TablesOfATomlFile, AreStillUnknownInsideUntilSomebodyAsks) {
  TomlFile file = tables_file("[x]\nstray = 1\n[x.a]\nk = 1\n");
  ASSERT_TRUE(file.table_names("x").ok());
  EXPECT_EQ(file.refuse_unknown_keys().error().message, "tables.toml:2:1: unknown key \"stray\"");
  TomlFile empty = tables_file("[x]\n");
  EXPECT_FALSE(empty.refuse_unknown_keys().ok());
  ASSERT_TRUE(empty.table_names("x").ok());
  EXPECT_TRUE(empty.refuse_unknown_keys().ok());
}

TEST(TablesOfATomlFile, AreTablesOrRefused) {
  TomlFile file = tables_file("x = 1\n[[y]]\na=1\n");
  EXPECT_NE(file.table_names("x").error().message.find("'x' has to be a table"), std::string::npos);
  EXPECT_FALSE(file.table_names("x.a").ok());
  EXPECT_FALSE(file.table_names("y").ok());
}

TEST(AnErrorOfMeaning, NamesThePlaceOfTheValueOrTheNearestTable) {
  const TomlFile file = tables_file("[x.a]\n\n  k = 5\n");
  EXPECT_EQ(file.error_at("x.a.k", "too small").message, "tables.toml:3:7: too small");
  EXPECT_EQ(file.error_at("x.a.m", "missing").message, "tables.toml:1:1: missing");
}

TEST(OneStringOrSeveral, AreBothRead) {
  TomlFile file = tables_file("a = \"x\"\nb = [\"y\", \"z\"]\nc = 3\nd = [\"y\", 3]\n");
  EXPECT_EQ(file.get_string_or_strings("a").value(), (std::vector<std::string>{"x"}));
  EXPECT_EQ(file.get_string_or_strings("b").value(), (std::vector<std::string>{"y", "z"}));
  EXPECT_FALSE(file.get_string_or_strings("c").ok());
  EXPECT_FALSE(file.get_string_or_strings("d").ok());
  EXPECT_FALSE(file.get_string_or_strings("e").value().has_value());
}

}  // namespace
}  // namespace aierase
