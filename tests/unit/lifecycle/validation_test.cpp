// Custodians after the erasure: who may say what, and what becomes of it.
#include <gtest/gtest.h>

#include "fault/support/crashes.h"

namespace aierase::test {
namespace {

using domain::PeopleRule;
using domain::Validation;
using lifecycle::ValidateRequest;

class AnOutcome : public ::testing::Test {
 protected:
  void erase(PeopleRule rule) {
    ASSERT_TRUE(done(world.init(rule)));
    ASSERT_TRUE(done(world.open()));
    ASSERT_TRUE(done(world.import(small_asset("bobs:1", 1))));
    ImportWish carols = small_asset("carols:1", 2);
    carols.custodians = {{domain::CustodianKind::user, "carol", 1002}};
    ASSERT_TRUE(done(world.import(carols)));
    const auto asked = world.request({"bobs:1", "carols:1"});
    ASSERT_TRUE(done(asked));
    plan = asked->plan.id;
    for (const domain::Actor& who : {bob(), carol}) {
      const auto approved = world.store->approve(who, plan, to_hex(asked->plan.digest));
      const bool surplus = rule == PeopleRule::single_operator && who.uid == carol.uid;
      ASSERT_EQ(approved.ok(), !surplus);
    }
    ASSERT_TRUE(done(world.execute()));
  }
  Uuid certificate(const std::string& name) {
    return *world.store->show_asset(world.asset(name).id)->certificate;
  }
  Result<lifecycle::ValidateReport> say(const domain::Actor& who, const Uuid& id,
                                        Validation verdict,
                                        const std::string& reason = "looked at") {
    ValidateRequest request;
    request.actor = who;
    request.certificate = id;
    request.verdict = verdict;
    request.reason = reason;
    return world.store->validate(request);
  }
  Result<lifecycle::ValidateReport> say_of_plan(const domain::Actor& who, Validation verdict) {
    ValidateRequest request;
    request.actor = who;
    request.plan = plan;
    request.verdict = verdict;
    request.reason = "looked at";
    return world.store->validate(request);
  }
  Errc refusal(const domain::Actor& who, const Uuid& id, Validation verdict) {
    const auto said = say(who, id, verdict);
    return said.ok() ? Errc::unexpected : said.error().code;
  }
  Validation state(const std::string& name) {
    return world.store->show_certificate(certificate(name))->validation;
  }

  World world;
  Uuid plan;
  const domain::Actor carol = person(1002, "carol");
};

TEST_F(AnOutcome, IsAcceptedByACustodianOfTheAssetAlone) {
  ASSERT_NO_FATAL_FAILURE(erase(PeopleRule::two_person));
  const Uuid id = certificate("bobs:1");
  EXPECT_EQ(state("bobs:1"), Validation::awaiting);
  EXPECT_EQ(refusal(alice(), id, Validation::accepted), Errc::access_denied) << "who requested";
  EXPECT_EQ(refusal(person(0, "root"), id, Validation::accepted), Errc::access_denied);
  EXPECT_EQ(refusal(carol, id, Validation::accepted), Errc::access_denied) << "of another asset";
  domain::Actor alias = bob();
  alias.audit_login_uid = alice().uid;
  EXPECT_EQ(refusal(alias, id, Validation::accepted), Errc::access_denied) << "alice by su";
  const std::string before = world.store->show_certificate(id)->statement;
  ASSERT_TRUE(done(say(bob(), id, Validation::accepted, "")));
  EXPECT_EQ(state("bobs:1"), Validation::accepted);
  EXPECT_EQ(world.store->show_certificate(id)->statement, before);
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(state("bobs:1"), Validation::accepted);
}

TEST_F(AnOutcome, OfAPlanIsJudgedByEachCustodianForHisOwn) {
  ASSERT_NO_FATAL_FAILURE(erase(PeopleRule::two_person));
  const auto first = say_of_plan(bob(), Validation::accepted);
  ASSERT_TRUE(done(first));
  EXPECT_EQ(first->certificates, std::vector<Uuid>{certificate("bobs:1")});
  EXPECT_EQ(first->awaiting, 1U);
  const auto second = say_of_plan(carol, Validation::accepted);
  ASSERT_TRUE(done(second));
  EXPECT_EQ(second->awaiting, 0U);
  EXPECT_EQ(say_of_plan(carol, Validation::accepted).error().code, Errc::wrong_state);
}

TEST_F(AnOutcome, MayBeJudgedAnewButNotTwiceTheSame) {
  ASSERT_NO_FATAL_FAILURE(erase(PeopleRule::two_person));
  const Uuid id = certificate("bobs:1");
  constexpr Validation kAll[] = {Validation::awaiting, Validation::accepted, Validation::rejected,
                                 Validation::escalated};
  for (const Validation from :
       {Validation::accepted, Validation::rejected, Validation::escalated}) {
    for (const Validation to : kAll) {
      if (state("bobs:1") != from) {
        ASSERT_TRUE(done(say(bob(), id, from)));
      }
      const auto said = say(bob(), id, to);
      if (to == Validation::awaiting) {
        EXPECT_EQ(said.error().code, Errc::usage);
      } else if (to == from) {
        EXPECT_EQ(said.error().code, Errc::wrong_state);
      } else {
        EXPECT_TRUE(done(said));
      }
    }
  }
}

TEST_F(AnOutcome, ThatIsNotAcceptedNeedsAReasonAndCarriesItsRemedy) {
  ASSERT_NO_FATAL_FAILURE(erase(PeopleRule::two_person));
  const Uuid id = certificate("bobs:1");
  EXPECT_EQ(say(bob(), id, Validation::rejected, "").error().code, Errc::usage);
  ValidateRequest request;
  request.actor = bob();
  request.certificate = id;
  request.verdict = Validation::escalated;
  request.reason = "a copy was seen";
  request.remedy = "find it";
  ASSERT_TRUE(done(world.store->validate(request)));
  const auto acts = world.store->validations(id);
  ASSERT_TRUE(done(acts));
  ASSERT_EQ(acts->size(), 1U);
  EXPECT_EQ(acts->front().remedy, "find it");
  EXPECT_EQ(acts->front().actor.login, "bob");
  EXPECT_EQ(acts->front().capacities, std::vector<std::string>{"bob"});
  request.verdict = Validation::accepted;
  EXPECT_EQ(world.store->validate(request).error().code, Errc::usage) << "accepted, and a remedy";
}

TEST_F(AnOutcome, InASingleOperatorStoreIsJudgedByWhoAsked) {
  ASSERT_NO_FATAL_FAILURE(erase(PeopleRule::single_operator));
  ASSERT_TRUE(done(say(alice(), certificate("bobs:1"), Validation::accepted)));
  EXPECT_EQ(world.store->validations(certificate("bobs:1"))->front().capacities,
            std::vector<std::string>{"single operator"});
}

TEST_F(AnOutcome, OfWhatWasNotErasedThereIsNone) {
  ASSERT_TRUE(done(world.init(PeopleRule::two_person)));
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(world.import(small_asset("bobs:1", 1))));
  const auto asked = world.request({"bobs:1"});
  ASSERT_TRUE(done(asked));
  plan = asked->plan.id;
  EXPECT_EQ(say_of_plan(bob(), Validation::accepted).error().code, Errc::wrong_state);
  EXPECT_EQ(say(bob(), Uuid::random(), Validation::accepted).error().code, Errc::not_found);
}

}  // namespace
}  // namespace aierase::test
