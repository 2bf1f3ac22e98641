// What stands in a table for people, whatever strangers wrote into it.
#include "ctl/render.h"

#include <gtest/gtest.h>

namespace aierase::ctl {
namespace {

TEST(ATableForPeople, LeavesOneBlankOfManySoThatNobodyLaysOutALineOfHisOwn) {
  Table table({"CHECK", "DETAIL"});
  table.add({"amends", "said by carl:" + std::string(60, ' ') + "signature   passed"});
  EXPECT_EQ(table.text(200), "CHECK   DETAIL\namends  said by carl: signature passed\n");
  EXPECT_EQ(wrapped("  two   words ", 80, 2), "  two words");
}

TEST(WordsOfStrangers, HideNothingFromWhoReadsThemOnATerminal) {
  EXPECT_EQ(printable("a\u061Cb\u00AD"), "a\\xD8\\x9Cb\\xC2\\xAD");
  EXPECT_EQ(printable("\u3164\U000E0041"), "\\xE3\\x85\\xA4\\xF3\\xA0\\x81\\x81");
}

}  // namespace
}  // namespace aierase::ctl
