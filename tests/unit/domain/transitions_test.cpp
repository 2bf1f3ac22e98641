#include "domain/transitions.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace aierase::domain {
namespace {

// One row per state that is left, one column per state that is reached, both in the order of the
// enumeration; x: allowed.
template <typename State>
void expect_table(const std::vector<std::string_view>& rows) {
  for (std::size_t from = 0; from < rows.size(); ++from) {
    ASSERT_EQ(rows[from].size(), rows.size());
    for (std::size_t to = 0; to < rows.size(); ++to) {
      const auto before = static_cast<State>(from);
      const auto after = static_cast<State>(to);
      EXPECT_EQ(may_follow(before, after), rows[from][to] == 'x')
          << to_text(before) << " to " << to_text(after);
    }
  }
  EXPECT_EQ(to_text(static_cast<State>(rows.size())), "unknown") << "every state has its row";
}

TEST(AnAsset, IsErasedOnlyFromErasingAndReturnsFromRetiredOnlySuspended) {
  //                        to: a s r e e
  expect_table<AssetState>({".xx..",    // active
                            "x.x..",    // suspended
                            ".x.x.",    // retired
                            "..x.x",    // erasing
                            "....."});  // erased
}

TEST(APlansState, LeavesRequestedByADecisionAndNeverLeavesItsEnd) {
  //                       to: r a r d p r c e s f
  expect_table<PlanState>({".x...xxxx.",    // requested
                           ".xx.x.x..x",    // approved
                           ".xxxx.x..x",    // running
                           "..........",    // done
                           "..........",    // partial
                           "..........",    // rejected
                           "..........",    // cancelled
                           "..........",    // expired
                           "..........",    // stale
                           ".........."});  // failed
}

TEST(AnItem, ComesBackFromHeldAndFromNothingElse) {
  //                       to: p e d h
  expect_table<ItemState>({".xxx",    // pending
                           "....",    // erased
                           "....",    // dropped
                           "x.x."});  // held
}

TEST(AValidation, IsNeverAwaitedAgainNorSaidTwice) {
  //                        to: a a r e
  expect_table<Validation>({".xxx",    // awaiting
                            "..xx",    // accepted
                            ".x.x",    // rejected
                            ".xx."});  // escalated
}

}  // namespace
}  // namespace aierase::domain
