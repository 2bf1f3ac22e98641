// Plans, rounds and certificates.
#include <algorithm>

#include "unit/catalog/catalog_fixture.h"

namespace aierase::catalog::test {
namespace {

class APlan : public CatalogTest {
 protected:
  void SetUp() override {
    create();
    for (std::uint32_t i = 0; i < 4; ++i) {
      assets.push_back(asset_of(i, "asset" + std::to_string(i)));
      ASSERT_TRUE(insert(assets.back()).ok());
    }
  }
  domain::Plan full_plan() {
    domain::Plan plan = plan_of(1, {assets[2], assets[0]});
    plan.requester.audit_login_uid = 1000;
    plan.ticket = "T-1";
    plan.origin = domain::PlanOrigin::enforce;
    plan.items[0].verdict = domain::Verdict::blocked;
    plan.items[0].reasons = {{Errc::legal_hold, "held by \"Smith\""}, {Errc::busy, "\xc3\xa9"}};
    plan.edges = {{assets[1].id, domain::Relation::derived_from, assets[0].id}};
    plan.kept = {{assets[1].id, "still served"}};
    domain::Approval approval;
    approval.plan = plan.id;
    approval.actor = actor_of(1001, "bob");
    approval.time = at(10);
    approval.capacities = {"bob", "@owners"};
    approval.log_index = 7;
    approval.due = at(20);
    plan.approvals = {approval};
    return plan;
  }
  std::vector<domain::Asset> assets;
};

TEST_F(APlan, KnowsHowMuchItStillTakesWithIt) {
  domain::Plan plan = plan_of(1, {assets[2], assets[0]});
  ASSERT_TRUE(commit([&](Transaction& t) { return t.insert_plan(plan); }).ok());
  EXPECT_EQ(view().pending_amount(plan.id)->items, 2U);
  EXPECT_EQ(view().pending_amount(plan.id)->bytes, assets[2].bytes + assets[0].bytes);
  ASSERT_TRUE(commit([&](Transaction& t) {
                plan.items[1].state = domain::ItemState::dropped;
                return t.put_item(plan.id, plan.items[1]);
              }).ok());
  EXPECT_EQ(view().pending_amount(plan.id)->items, 1U);
  EXPECT_EQ(view().pending_amount(plan.id)->bytes, assets[2].bytes);
}

TEST_F(APlan, ComesBackWhole) {
  const domain::Plan plan = full_plan();
  ASSERT_TRUE(commit([&](Transaction& t) { return t.insert_plan(plan); }).ok());
  reopen();
  const auto read = view().plan(plan.id);
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_TRUE(read->has_value());
  const domain::Plan& found = **read;
  EXPECT_EQ(found.id, plan.id);
  EXPECT_EQ(found.state, domain::PlanState::requested);
  EXPECT_EQ(found.requester.login, "alice");
  EXPECT_EQ(found.requester.audit_login_uid, 1000U);
  EXPECT_EQ(found.reason, plan.reason);
  EXPECT_EQ(found.ticket, "T-1");
  EXPECT_EQ(found.created, plan.created);
  EXPECT_EQ(found.expires, plan.expires);
  EXPECT_FALSE(found.due);
  EXPECT_FALSE(found.finished);
  EXPECT_EQ(found.digest, plan.digest);
  ASSERT_EQ(found.items.size(), 2U);
  EXPECT_EQ(found.items[0].asset, assets[2].id) << "in the order of the plan";
  EXPECT_EQ(found.items[0].name, assets[2].name);
  EXPECT_EQ(found.items[0].kcv, assets[2].kcv);
  EXPECT_EQ(found.items[0].verdict, domain::Verdict::blocked);
  EXPECT_EQ(found.items[0].reasons, plan.items[0].reasons);
  EXPECT_EQ(found.items[1].state, domain::ItemState::pending);
  EXPECT_FALSE(found.items[1].certificate);
  EXPECT_EQ(found.edges, plan.edges);
  ASSERT_EQ(found.kept.size(), 1U);
  EXPECT_EQ(found.kept[0].asset, assets[1].id);
  EXPECT_EQ(found.kept[0].reason, "still served");
  ASSERT_EQ(found.approvals.size(), 1U);
  EXPECT_EQ(found.approvals[0].plan, plan.id);
  EXPECT_EQ(found.approvals[0].decision, domain::Decision::approve);
  EXPECT_EQ(found.approvals[0].actor.login, "bob");
  EXPECT_EQ(found.approvals[0].time, at(10));
  EXPECT_EQ(found.approvals[0].capacities, plan.approvals[0].capacities);
  EXPECT_EQ(found.approvals[0].log_index, 7U);
  EXPECT_EQ(found.approvals[0].due, at(20));
  EXPECT_EQ(found.origin, domain::PlanOrigin::enforce);
}

TEST_F(APlan, HasAHeadWithoutItemsAndEdges) {
  const domain::Plan plan = full_plan();
  ASSERT_TRUE(commit([&](Transaction& t) { return t.insert_plan(plan); }).ok());
  const auto head = view().plan_head(plan.id);
  ASSERT_TRUE(head.ok() && head->has_value());
  EXPECT_TRUE((*head)->items.empty());
  EXPECT_TRUE((*head)->edges.empty());
  EXPECT_EQ((*head)->kept.size(), 1U);
  EXPECT_EQ((*head)->approvals.size(), 1U);
  EXPECT_FALSE(view().plan_head(uuid_of(77))->has_value());
  EXPECT_FALSE(view().plan(uuid_of(77))->has_value());
}

TEST_F(APlan, GivesItsPendingItemsInOrderUntilNoneWaits) {
  domain::Plan plan = plan_of(1, {assets[0], assets[1], assets[2]});
  ASSERT_TRUE(commit([&](Transaction& t) { return t.insert_plan(plan); }).ok());
  EXPECT_EQ(view().pending_items(plan.id, 2)->size(), 2U);
  domain::PlanItem item = plan.items[0];
  item.state = domain::ItemState::erased;
  item.certificate = uuid_of(1, 4);
  domain::PlanItem dropped = plan.items[1];
  dropped.state = domain::ItemState::dropped;
  dropped.reasons = {{Errc::legal_hold, "held"}};
  ASSERT_TRUE(commit([&](Transaction& t) -> Status {
                RETURN_IF_ERROR(t.put_item(plan.id, item));
                return t.put_item(plan.id, dropped);
              }).ok());
  const auto pending = view().pending_items(plan.id, 10);
  ASSERT_TRUE(pending.ok());
  ASSERT_EQ(pending->size(), 1U);
  EXPECT_EQ((*pending)[0].asset, assets[2].id);
  const domain::Plan found = **view().plan(plan.id);
  EXPECT_EQ(found.items[0].certificate, uuid_of(1, 4));
  EXPECT_EQ(found.items[1].state, domain::ItemState::dropped);
  EXPECT_EQ(found.items[1].reasons, dropped.reasons);
}

TEST_F(APlan, GivesTheAssetsOfItsItemsInPages) {
  domain::Plan plan = plan_of(1, {assets[0], assets[1], assets[2]});
  ASSERT_TRUE(commit([&](Transaction& t) { return t.insert_plan(plan); }).ok());
  std::vector<Uuid> ids{assets[0].id, assets[1].id, assets[2].id};
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(*view().plan_assets(plan.id, std::nullopt, 2), (std::vector<Uuid>{ids[0], ids[1]}));
  EXPECT_EQ(*view().plan_assets(plan.id, ids[1], 2), std::vector<Uuid>{ids[2]});
  EXPECT_TRUE(view().plan_assets(plan.id, ids[2], 2)->empty());
}

TEST_F(APlan, TakesNoItemThatItDidNotName) {
  domain::Plan plan = plan_of(1, {assets[0]});
  ASSERT_TRUE(commit([&](Transaction& t) { return t.insert_plan(plan); }).ok());
  domain::PlanItem other = plan.items[0];
  other.asset = assets[1].id;
  EXPECT_ERRC(commit([&](Transaction& t) { return t.put_item(plan.id, other); }), Errc::not_found);
}

TEST_F(APlan, KnowsWhatItNamesAsItemOrAsKept) {
  const domain::Plan plan = full_plan();
  ASSERT_TRUE(commit([&](Transaction& t) { return t.insert_plan(plan); }).ok());
  EXPECT_TRUE(*view().plan_names(plan.id, assets[0].id));
  EXPECT_TRUE(*view().plan_names(plan.id, assets[1].id)) << "kept";
  EXPECT_FALSE(*view().plan_names(plan.id, assets[3].id));
}

TEST_F(APlan, IsTheOpenPlanOfAnAssetOnlyWhileItIsOpenAndTheItemWaits) {
  const domain::Plan plan = plan_of(1, {assets[0], assets[1]});
  ASSERT_TRUE(commit([&](Transaction& t) { return t.insert_plan(plan); }).ok());
  EXPECT_EQ(*view().open_plan_of(assets[0].id), plan.id);
  EXPECT_FALSE(view().open_plan_of(assets[2].id)->has_value());
  domain::PlanItem item = plan.items[1];
  item.state = domain::ItemState::dropped;
  ASSERT_TRUE(commit([&](Transaction& t) { return t.put_item(plan.id, item); }).ok());
  EXPECT_FALSE(view().open_plan_of(assets[1].id)->has_value());
  const auto in_state = [&](domain::PlanState state) {
    EXPECT_OK(commit([&](Transaction& t) { return t.set_plan_state(plan.id, state, at(3), {}); }));
    return view().open_plan_of(assets[0].id)->has_value();
  };
  EXPECT_TRUE(in_state(domain::PlanState::approved));
  EXPECT_TRUE(in_state(domain::PlanState::running));
  EXPECT_FALSE(in_state(domain::PlanState::partial));
  EXPECT_ERRC(commit([&](Transaction& t) {
                return t.set_plan_state(plan.id, domain::PlanState::running, at(3), {});
              }),
              Errc::wrong_state);
  EXPECT_EQ((*view().plan_head(plan.id))->state, domain::PlanState::partial);
}

TEST_F(APlan, TakesBackNoItemThatWasErasedOrFellOut) {
  const domain::Plan plan = plan_of(1, {assets[0]});
  ASSERT_TRUE(commit([&](Transaction& t) { return t.insert_plan(plan); }).ok());
  domain::PlanItem item = plan.items[0];
  item.state = domain::ItemState::dropped;
  ASSERT_TRUE(commit([&](Transaction& t) { return t.put_item(plan.id, item); }).ok());
  item.state = domain::ItemState::pending;
  EXPECT_ERRC(commit([&](Transaction& t) { return t.put_item(plan.id, item); }), Errc::wrong_state);
}

TEST_F(APlan, CountsAttemptsToUseWhatItRetired) {
  const domain::Plan plan = plan_of(1, {assets[0]});
  ASSERT_TRUE(commit([&](Transaction& t) { return t.insert_plan(plan); }).ok());
  EXPECT_TRUE(view().attempted_uses(plan.id)->empty());
  const auto attempt = [&](int when, const char* who) {
    return commit([&](Transaction& t) {
      return t.count_attempted_use(plan.id, {assets[0].id, 9, at(when), actor_of(1001, who)});
    });
  };
  EXPECT_OK(attempt(3, "bob"));
  EXPECT_OK(attempt(4, "dan"));
  const auto uses = view().attempted_uses(plan.id);
  ASSERT_TRUE(uses.ok());
  ASSERT_EQ(uses->size(), 1U);
  EXPECT_EQ((*uses)[0].asset, assets[0].id);
  EXPECT_EQ((*uses)[0].count, 2U);
  EXPECT_EQ((*uses)[0].last, at(4));
  EXPECT_EQ((*uses)[0].by.login, "dan");
}

TEST_F(APlan, ChangesStateDueAndEndTogether) {
  const domain::Plan plan = plan_of(1, {assets[0]});
  ASSERT_TRUE(commit([&](Transaction& t) { return t.insert_plan(plan); }).ok());
  EXPECT_EQ(view().counts()->open_plans, 1U);
  ASSERT_TRUE(commit([&](Transaction& t) -> Status {
                for (const auto state : {domain::PlanState::approved, domain::PlanState::running}) {
                  RETURN_IF_ERROR(t.set_plan_state(plan.id, state, at(5), {}));
                }
                return t.set_plan_state(plan.id, domain::PlanState::done, at(5), at(6));
              }).ok());
  const domain::Plan found = **view().plan_head(plan.id);
  EXPECT_EQ(found.state, domain::PlanState::done);
  EXPECT_EQ(found.due, at(5));
  EXPECT_EQ(found.finished, at(6));
  EXPECT_EQ(view().counts()->open_plans, 0U);
  EXPECT_EQ(*view().plans_in(domain::PlanState::done), std::vector<Uuid>{plan.id});
  EXPECT_TRUE(view().plans_in(domain::PlanState::requested)->empty());
}

TEST_F(APlan, IsListedNewestFirstPageByPage) {
  for (std::uint32_t i = 1; i <= 5; ++i) {
    domain::Plan plan = plan_of(i, {assets[0]});
    if (i == 3) plan.state = domain::PlanState::rejected;
    ASSERT_TRUE(commit([&](Transaction& t) { return t.insert_plan(plan); }).ok());
  }
  std::vector<Uuid> seen;
  std::string cursor;
  do {
    const auto page = view().plans(domain::PlanState::requested, cursor, 3);
    ASSERT_TRUE(page.ok());
    for (const domain::Plan& plan : page->rows) seen.push_back(plan.id);
    cursor = page->next;
  } while (!cursor.empty());
  EXPECT_EQ(seen, (std::vector<Uuid>{uuid_of(5, 2), uuid_of(4, 2), uuid_of(2, 2), uuid_of(1, 2)}));
  EXPECT_EQ(view().plans(std::nullopt, "", 5)->rows.size(), 5U);
  EXPECT_TRUE(view().plans(std::nullopt, "", 5)->next.empty());
  EXPECT_ERRC(view().plans(std::nullopt, "x", 5), Errc::usage);
}

TEST_F(APlan, OfTenThousandItemsEndsAPageEarly) {
  std::vector<domain::Asset> many;
  ASSERT_TRUE(commit([&](Transaction& t) -> Status {
                for (std::uint32_t i = 0; i < 10'000; ++i) {
                  many.push_back(asset_of(100 + i, "m" + std::to_string(i)));
                  RETURN_IF_ERROR(t.insert_asset(many.back(), as_bytes("m"), {}, {}, {}));
                }
                for (std::uint32_t i = 1; i <= 4; ++i) {
                  RETURN_IF_ERROR(t.insert_plan(plan_of(i, many)));
                }
                return {};
              }).ok());
  EXPECT_EQ((*view().plan(uuid_of(1, 2)))->items.size(), 10'000U);
  const auto first = view().plans(std::nullopt, "", 100);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->rows.size(), 3U);
  const auto second = view().plans(std::nullopt, first->next, 100);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->rows.size(), 1U);
  EXPECT_TRUE(second->next.empty());
}

class AnEraseRound : public APlan {
 protected:
  void SetUp() override {
    APlan::SetUp();
    const domain::Plan plan = plan_of(1, {assets[0], assets[1]});
    ASSERT_TRUE(commit([&](Transaction& t) { return t.insert_plan(plan); }).ok());
    round.from_epoch = 6;
    round.intent_at = at(8);
    for (std::uint32_t i : {1U, 0U}) {
      RoundItem item;
      item.plan = plan.id;
      item.asset = assets[i].id;
      item.leaf = i;
      item.draft = "{\"draft\":" + std::to_string(i) + "}";
      item.certificate = uuid_of(i, 4);
      round.items.push_back(item);
    }
  }
  EraseRound round;
};

TEST_F(AnEraseRound, IsTheOnlyOneAndComesBack) {
  EXPECT_FALSE(view().round()->has_value());
  ASSERT_TRUE(commit([&](Transaction& t) { return t.start_round(round); }).ok());
  EXPECT_ERRC(commit([&](Transaction& t) { return t.start_round(round); }), Errc::already_exists);
  ASSERT_TRUE(commit([&](Transaction& t) -> Status {
                return t.set_round_state(domain::RoundState::destroying);
              }).ok());
  reopen();
  const auto found = view().round();
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ((*found)->state, domain::RoundState::destroying);
  EXPECT_EQ((*found)->from_epoch, 6U);
  EXPECT_EQ((*found)->intent_at, at(8));
  ASSERT_EQ((*found)->items.size(), 2U);
  EXPECT_EQ((*found)->items[0].asset, assets[1].id) << "in the order given";
  EXPECT_EQ((*found)->items[0].plan, uuid_of(1, 2));
  EXPECT_EQ((*found)->items[0].leaf, 1U);
  EXPECT_EQ((*found)->items[0].draft, "{\"draft\":1}");
  EXPECT_EQ((*found)->items[0].certificate, uuid_of(1, 4));
  EXPECT_EQ((*view().round(Drafts::left_out))->items[0].draft, "");
  ASSERT_TRUE(commit([&](Transaction& t) { return t.drop_round_item(assets[1].id); }).ok());
  EXPECT_EQ((*view().round())->items.size(), 1U);
  EXPECT_EQ(query_text("SELECT group_concat(text) FROM draft"), "{\"draft\":0}");
  ASSERT_TRUE(commit([&](Transaction& t) { return t.end_round(); }).ok());
  EXPECT_FALSE(view().round()->has_value());
  EXPECT_EQ(query_text("SELECT count(*) FROM draft"), "0") << "nothing was certified";
  ASSERT_TRUE(commit([&](Transaction& t) { return t.start_round(round); }).ok());
}

TEST_F(AnEraseRound, IsHeldByAHoldInForceOnAnyOfItsItems) {
  ASSERT_TRUE(commit([&](Transaction& t) { return t.start_round(round); }).ok());
  EXPECT_FALSE(*view().is_round_held());
  domain::Hold hold;
  hold.id = uuid_of(1, 3);
  hold.assets = {assets[2].id};
  ASSERT_TRUE(commit([&](Transaction& t) { return t.insert_hold(hold); }).ok());
  EXPECT_FALSE(*view().is_round_held()) << "another asset";
  ASSERT_TRUE(commit([&](Transaction& t) {
                return t.bind_hold(hold.id, std::vector<Uuid>{assets[0].id});
              }).ok());
  EXPECT_TRUE(*view().is_round_held());
  ASSERT_TRUE(commit([&](Transaction& t) {
                return t.lift_hold(hold.id, {actor_of(1, "a"), at(9), "settled"});
              }).ok());
  EXPECT_FALSE(*view().is_round_held());
}

TEST_F(AnEraseRound, TakesAllItsAssetsToTheirEndOrNone) {
  const auto to = [&](std::size_t i, domain::AssetState state) {
    return commit([&](Transaction& t) { return t.set_asset_state(assets[i].id, state, "why"); });
  };
  const auto state_of = [&](std::size_t i) { return (*view().asset(assets[i].id))->state; };
  ASSERT_TRUE(commit([&](Transaction& t) { return t.start_round(round); }).ok());
  ASSERT_TRUE(to(0, domain::AssetState::retired).ok());
  EXPECT_ERRC(commit([](Transaction& t) { return t.mark_round_erasing(); }), Errc::wrong_state);
  EXPECT_EQ(state_of(0), domain::AssetState::retired);
  ASSERT_TRUE(to(1, domain::AssetState::retired).ok());
  EXPECT_ERRC(commit([](Transaction& t) { return t.mark_round_erased(at(9)); }), Errc::wrong_state);
  EXPECT_TRUE(commit([](Transaction& t) { return t.mark_round_erasing(); }).ok());
  EXPECT_EQ(state_of(1), domain::AssetState::erasing);
  EXPECT_EQ((*view().asset(assets[1].id))->state_reason, "why");
  EXPECT_EQ(state_of(2), domain::AssetState::active) << "not in the round";
  EXPECT_TRUE(commit([](Transaction& t) { return t.mark_round_erased(at(9)); }).ok());
  EXPECT_EQ(state_of(0), domain::AssetState::erased);
  EXPECT_EQ(state_of(2), domain::AssetState::active);
  EXPECT_TRUE(catalog->integrity_check()->empty()) << "the tallies count what lives";
}

TEST_F(AnEraseRound, TellsByOneNumberWhetherAnythingWasWritten) {
  const std::int64_t before = view().rows_changed();
  EXPECT_FALSE(view().round()->has_value());
  EXPECT_TRUE(view().asset(assets[0].id)->has_value());
  EXPECT_EQ(view().rows_changed(), before);
  ASSERT_TRUE(commit([&](Transaction& t) -> Status {
                EXPECT_EQ(t.rows_changed(), before);
                RETURN_IF_ERROR(t.put_label(assets[0].id, "key", "value"));
                EXPECT_NE(t.rows_changed(), before) << "inside the transaction, too";
                return {};
              }).ok());
  EXPECT_NE(view().rows_changed(), before);
}

TEST_F(AnEraseRound, NamesAnAssetOnce) {
  round.items.push_back(round.items[0]);
  EXPECT_ERRC(commit([&](Transaction& t) { return t.start_round(round); }), Errc::already_exists);
}

CertificateRow certificate_of_asset(std::uint32_t number) {
  CertificateRow row;
  row.id = uuid_of(number, 4);
  row.asset = uuid_of(number, 1);
  row.plan = uuid_of(1, 2);
  row.outcome = "erased";
  row.assurance = domain::Level::ea1;
  row.issued = at(number);
  row.signature = Bytes(64, std::byte{1});
  row.public_key = Bytes(32, std::byte{2});
  row.log_index = number;
  return row;
}

class ARoundAtItsEnd : public AnEraseRound {
 protected:
  void SetUp() override {
    AnEraseRound::SetUp();
    round.items.clear();
    for (std::uint32_t i = 0; i < 4; ++i) {
      RoundItem item;
      item.plan = uuid_of(1, 2);
      item.asset = assets[i].id;
      item.draft = draft(i);
      item.certificate = uuid_of(i, 4);
      round.items.push_back(item);
    }
    ASSERT_TRUE(commit([&](Transaction& t) { return t.start_round(round); }).ok());
    round = **view().round();
  }
  static std::string draft(std::uint32_t number) {
    return R"({"evidence":null,"name":"\"evidence\":null","times":{"intent_at":null,"verified_zero_at":null},)"
           R"("verification":null,"number":)" +
           std::to_string(number) + "}";
  }
  Status certify(const CertificateRow& row, std::size_t item) {
    return commit([&](Transaction& t) {
      return t.add_certificate(row, round.items.at(item).draft_row, end);
    });
  }
  domain::StatementEnd end{R"({"a":"null"})", "[]", R"("1")", R"("2")"};
};

TEST_F(ARoundAtItsEnd, LeavesCertificatesThatComeBackNewestFirst) {
  for (std::uint32_t i = 0; i < 4; ++i) ASSERT_TRUE(certify(certificate_of_asset(i), i).ok());
  const auto found = view().certificate(uuid_of(2, 4));
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ((*found)->asset, assets[2].id);
  EXPECT_EQ((*found)->name, assets[2].name.text());
  EXPECT_EQ((*found)->plan, uuid_of(1, 2));
  EXPECT_EQ((*found)->outcome, "erased");
  EXPECT_EQ((*found)->assurance, domain::Level::ea1);
  EXPECT_EQ((*found)->issued, at(2));
  EXPECT_EQ((*found)->validation, domain::Validation::awaiting);
  EXPECT_EQ((*found)->statement,
            R"({"evidence":{"a":"null"},"name":"\"evidence\":null","times":{"intent_at":"1",)"
            R"("verified_zero_at":"2"},"verification":[],"number":2})");
  EXPECT_EQ((*found)->signature, Bytes(64, std::byte{1}));
  EXPECT_EQ((*found)->public_key, Bytes(32, std::byte{2}));
  EXPECT_EQ((*found)->log_index, 2U);
  EXPECT_EQ(*view().certificate_of(assets[2].id), uuid_of(2, 4));
  EXPECT_FALSE(view().certificate(uuid_of(77))->has_value());
  EXPECT_FALSE(view().certificate_of(uuid_of(77))->has_value());
  EXPECT_EQ(view().counts()->certificates, 4U);
  const auto first = view().certificates("", 3);
  ASSERT_TRUE(first.ok());
  ASSERT_EQ(first->rows.size(), 3U);
  EXPECT_EQ(first->rows[0].id, uuid_of(3, 4));
  const auto second = view().certificates(first->next, 3);
  ASSERT_TRUE(second.ok());
  ASSERT_EQ(second->rows.size(), 1U);
  EXPECT_EQ(second->rows[0].id, uuid_of(0, 4));
  EXPECT_TRUE(second->next.empty());
  ASSERT_TRUE(commit([&](Transaction& t) { return t.end_round(); }).ok());
  EXPECT_EQ(query_text("SELECT count(*) FROM draft"), "4") << "they are what was signed";
  EXPECT_EQ(query_text("SELECT count(*) FROM statement_end"), "1") << "once for all of them";
}

TEST_F(ARoundAtItsEnd, GivesEachCertificateTheEvidenceItWasSignedWith) {
  const auto differs = [&](std::uint32_t number, std::string domain::StatementEnd::*member) {
    end = {"1", "2", "3", "4"};
    end.*member = "5";
    ASSERT_TRUE(certify(certificate_of_asset(number), number).ok());
  };
  differs(0, &domain::StatementEnd::evidence);
  differs(1, &domain::StatementEnd::verification);
  differs(2, &domain::StatementEnd::intent_at);
  differs(3, &domain::StatementEnd::verified_zero_at);
  const auto has = [&](std::uint32_t number, std::string_view member) {
    const auto found = view().certificate(uuid_of(number, 4));
    return (*found)->statement.find(member) != std::string::npos;
  };
  EXPECT_TRUE(has(0, R"("evidence":5)") && has(1, R"("evidence":1)"));
  EXPECT_TRUE(has(1, R"("verification":5)") && has(2, R"("verification":2)"));
  EXPECT_TRUE(has(2, R"("intent_at":5)") && has(3, R"("intent_at":3)"));
  EXPECT_TRUE(has(3, R"("verified_zero_at":5)") && has(0, R"("verified_zero_at":4)"));
}

TEST_F(ARoundAtItsEnd, KeepsTheDraftsOfThoseThatAreCertifiedAndNoOthers) {
  ASSERT_TRUE(certify(certificate_of_asset(2), 2).ok());
  ASSERT_TRUE(commit([&](Transaction& t) { return t.end_round(); }).ok());
  EXPECT_EQ(query_text("SELECT group_concat(text) FROM draft"), draft(2));
  EXPECT_TRUE(catalog->integrity_check()->empty());
}

TEST_F(ARoundAtItsEnd, TakesAStatementWithoutItsPartsForDamage) {
  ASSERT_TRUE(certify(certificate_of_asset(0), 0).ok());
  const auto after = [&](const std::string& change) {
    tamper(change);
    reopen();
    return view().certificate(uuid_of(0, 4));
  };
  EXPECT_ERRC(after("UPDATE certificate SET statement_end = 999"), Errc::damaged);
  EXPECT_ERRC(after("UPDATE certificate SET statement_end = 1, id = 999"), Errc::damaged);
}

TEST_F(ARoundAtItsEnd, LeavesOneCertificatePerAssetAndPerLogEntry) {
  ASSERT_TRUE(certify(certificate_of_asset(0), 0).ok());
  CertificateRow same_asset = certificate_of_asset(0);
  same_asset.id = uuid_of(9, 4);
  same_asset.log_index = 9;
  EXPECT_ERRC(certify(same_asset, 1), Errc::already_exists);
  CertificateRow same_leaf = certificate_of_asset(1);
  same_leaf.log_index = 0;
  EXPECT_ERRC(certify(same_leaf, 1), Errc::already_exists);
  EXPECT_ERRC(certify(certificate_of_asset(1), 0), Errc::already_exists);  // the same draft
  CertificateRow short_signature = certificate_of_asset(1);
  short_signature.signature.pop_back();
  EXPECT_ERRC(certify(short_signature, 1), Errc::invalid_input);
}

TEST_F(ARoundAtItsEnd, TakesAShortKeyOrSignatureOnACertificateForDamage) {
  const CertificateRow row = certificate_of_asset(0);
  ASSERT_TRUE(certify(row, 0).ok());
  const auto after = [&](const std::string& lengths) {
    tamper("UPDATE certificate SET " + lengths);
    reopen();
    return view().certificate(row.id);
  };
  EXPECT_ERRC(after("public_key = zeroblob(31)"), Errc::damaged);
  EXPECT_ERRC(after("public_key = zeroblob(32), signature = zeroblob(65)"), Errc::damaged);
  EXPECT_TRUE(after("signature = zeroblob(64)").ok());
}

}  // namespace
}  // namespace aierase::catalog::test
