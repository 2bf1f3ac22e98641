#include "daemon/roles.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>

namespace aierase::daemon {
namespace {

TEST(TheGroupsOfAnAction, AreThoseOfTheShippedRules) {
  std::ifstream rules(AIERASE_SOURCE_DIR "/policies/polkit/50-aierase.rules");
  const std::regex row("^ +\"(aierase-[a-z-]+)\": \\[(.*)\\],?$");
  const std::regex word("\"([a-z-]+)\"");
  std::map<std::string, std::string> groups;  // by action
  for (std::string line; std::getline(rules, line);) {
    std::smatch match;
    if (!std::regex_match(line, match, row)) continue;
    const std::string actions = match[2];
    for (std::sregex_iterator at(actions.begin(), actions.end(), word), end; at != end; ++at) {
      std::string& of_action = groups[(*at)[1]];
      of_action += (of_action.empty() ? "" : " or ") + match[1].str();
    }
  }
  EXPECT_EQ(groups.size(), 13u);
  for (const auto& [action, names] : groups) {
    EXPECT_EQ(groups_for("org.aierase1." + action), names) << action;
  }
}

TEST(TheGroupsOfAnAction, AreNoneWhereItIsNotOurs) {
  EXPECT_EQ(groups_for("org.freedesktop.policykit.exec"), "");
  EXPECT_EQ(groups_for("org.aierase1.erase"), "");
  EXPECT_EQ(groups_for("org.aierase1."), "");
}

}  // namespace
}  // namespace aierase::daemon
