// Imports, exports, events, epochs, log leaves and holds go in and come out as they were.
#include "unit/catalog/catalog_fixture.h"

namespace aierase::catalog::test {
namespace {

using ARecord = CatalogTest;

TEST_F(ARecord, OfAnImportIntentLivesUntilTheImportEnds) {
  create();
  ImportIntent intent;
  intent.asset = uuid_of(1, 1);
  intent.actor = actor_of(1000, "alice");
  intent.started = at(3);
  intent.blobs = {uuid_of(9, 5)};
  ASSERT_TRUE(commit([&](Transaction& t) { return t.start_import(intent); }).ok());
  const std::vector<Uuid> more{uuid_of(3, 5), uuid_of(4, 5)};
  ASSERT_TRUE(commit([&](Transaction& t) { return t.reserve_blobs(intent.asset, more); }).ok());
  const auto imports = view().imports();
  ASSERT_TRUE(imports.ok());
  ASSERT_EQ(imports->size(), 1U);
  EXPECT_EQ((*imports)[0].asset, intent.asset);
  EXPECT_EQ((*imports)[0].actor.login, "alice");
  EXPECT_EQ((*imports)[0].started, at(3));
  EXPECT_EQ((*imports)[0].blobs, (std::vector<Uuid>{uuid_of(9, 5), uuid_of(3, 5), uuid_of(4, 5)}));
  EXPECT_ERRC(commit([&](Transaction& t) { return t.reserve_blobs(intent.asset, more); }),
              Errc::already_exists);
  EXPECT_ERRC(commit([&](Transaction& t) { return t.start_import(intent); }), Errc::already_exists);
  EXPECT_ERRC(commit([&](Transaction& t) -> Status {
                const std::vector<Uuid> blobs{uuid_of(8, 5)};
                return t.reserve_blobs(uuid_of(2, 1), blobs);
              }),
              Errc::not_found);
  ASSERT_TRUE(commit([&](Transaction& t) { return t.end_import(intent.asset); }).ok());
  EXPECT_TRUE(view().imports()->empty());
}

TEST_F(ARecord, OfAnExportComesBackInOrder) {
  create();
  ASSERT_TRUE(insert(asset_of(1, "a")).ok());
  domain::ExportRecord record;
  record.asset = uuid_of(1, 1);
  record.time = at(1);
  record.actor = actor_of(1000, "alice");
  record.kind = domain::ExportKind::key_release;
  record.medium = domain::ExportMedium::stream;
  record.scope = "all";
  record.destination = "standard output";
  ASSERT_TRUE(commit([&](Transaction& t) -> Status {
                RETURN_IF_ERROR(t.add_export(record));
                record.scope = "model.bin[0-9]";
                return t.add_export(record);
              }).ok());
  const auto exports = view().exports(record.asset);
  ASSERT_TRUE(exports.ok());
  ASSERT_EQ(exports->size(), 2U);
  EXPECT_EQ((*exports)[0].scope, "all");
  EXPECT_EQ((*exports)[0].kind, domain::ExportKind::key_release);
  EXPECT_EQ((*exports)[0].medium, domain::ExportMedium::stream);
  EXPECT_EQ((*exports)[0].destination, "standard output");
  EXPECT_EQ((*exports)[1].scope, "model.bin[0-9]");
}

TEST_F(ARecord, OfAnEventComesBackNewestFirst) {
  create();
  Event event;
  event.time = at(1);
  event.actor = actor_of(1000, "alice");
  event.action = "suspend";
  event.subject = "a-x";
  event.from = "active";
  event.to = "suspended";
  event.reason = "why";
  Event other = event;
  other.subject = "a-y";
  Event later = event;
  later.action = "resume";
  ASSERT_TRUE(commit([&](Transaction& t) -> Status {
                RETURN_IF_ERROR(t.add_event(event));
                RETURN_IF_ERROR(t.add_event(other));
                return t.add_event(later);
              }).ok());
  const auto events = view().events("a-x", 10);
  ASSERT_TRUE(events.ok());
  ASSERT_EQ(events->size(), 2U);
  EXPECT_EQ((*events)[0].action, "resume");
  EXPECT_EQ((*events)[1].action, "suspend");
  EXPECT_EQ((*events)[1].from, "active");
  EXPECT_EQ((*events)[1].to, "suspended");
  EXPECT_EQ((*events)[1].reason, "why");
  EXPECT_EQ(view().events("a-x", 1)->size(), 1U);
}

TEST_F(ARecord, OfAnEventOfAnAssetIsFoundByItsId) {
  create();
  ASSERT_TRUE(insert(asset_of(1, "a")).ok());
  ASSERT_TRUE(insert(asset_of(2, "b")).ok());
  Event event;
  event.time = at(1);
  event.actor = actor_of(1000, "alice");
  event.action = "suspend";
  event.subject = domain::id_text(domain::IdType::asset, asset_of(2, "b").id);
  ASSERT_TRUE(commit([&](Transaction& t) { return t.add_event(event); }).ok());
  reopen();
  ASSERT_EQ(view().events(event.subject, 10)->size(), 1U);
  EXPECT_EQ(view().events(event.subject, 10)->front().subject, event.subject);
  EXPECT_EQ(view().events(event.subject, 10)->front().action, "suspend");
  EXPECT_TRUE(
      view().events(domain::id_text(domain::IdType::asset, asset_of(1, "a").id), 10)->empty());
  event.subject = domain::id_text(domain::IdType::asset, uuid_of(77));
  EXPECT_ERRC(commit([&](Transaction& t) { return t.add_event(event); }), Errc::invalid_input);
  EXPECT_TRUE(view().events(event.subject, 10)->empty()) << "there is no such asset";
}

TEST_F(ARecord, OfAnEpochComesBackAndIsReplacedOrRemoved) {
  create();
  domain::EpochRecord record;
  record.epoch = 1;
  record.started = at(5);
  record.assurance.level = domain::Level::ea1;
  record.assurance.kind = "file";
  record.assurance.reason = "because";
  record.assurance.path = "/slot";
  record.assurance.filesystem = "ext4";
  record.assurance.device = "vda1";
  record.assurance.device_model = "model";
  record.assurance.device_serial = "serial";
  record.assurance.may_have_copied = {"the \"host\"", "a backup"};
  record.assurance.next_level = "a TPM";
  domain::EpochRecord second = record;
  second.epoch = 2;
  ASSERT_TRUE(commit([&](Transaction& t) -> Status {
                RETURN_IF_ERROR(t.put_epoch(second));
                return t.put_epoch(record);
              }).ok());
  const auto epochs = view().epochs(1, 2);
  ASSERT_TRUE(epochs.ok());
  ASSERT_EQ(epochs->size(), 2U);
  const domain::EpochRecord& found = (*epochs)[0];
  EXPECT_EQ(found.epoch, 1U);
  EXPECT_EQ(found.started, at(5));
  EXPECT_EQ(found.assurance.level, domain::Level::ea1);
  EXPECT_EQ(found.assurance.kind, "file");
  EXPECT_EQ(found.assurance.reason, "because");
  EXPECT_EQ(found.assurance.path, "/slot");
  EXPECT_EQ(found.assurance.filesystem, "ext4");
  EXPECT_EQ(found.assurance.device, "vda1");
  EXPECT_EQ(found.assurance.device_model, "model");
  EXPECT_EQ(found.assurance.device_serial, "serial");
  EXPECT_EQ(found.assurance.may_have_copied, record.assurance.may_have_copied);
  EXPECT_EQ(found.assurance.next_level, "a TPM");
  record.assurance.level = domain::Level::ea0;
  ASSERT_TRUE(commit([&](Transaction& t) -> Status {
                RETURN_IF_ERROR(t.put_epoch(record));
                return t.remove_epoch(2);
              }).ok());
  ASSERT_EQ(view().epochs(0, 10)->size(), 1U);
  EXPECT_EQ((*view().epochs(0, 10))[0].assurance.level, domain::Level::ea0);
}

TEST_F(ARecord, OfAHoldInTheLogComesInPages) {
  create();
  std::vector<domain::LogLeaf> leaves;
  for (const char* type : {"hold-placed", "approval", "hold-placed", "hold-lifted"}) {
    domain::LogLeaf leaf;
    leaf.index = leaves.size();
    leaf.type = type;
    leaf.time = at(1);
    leaf.leaf_hash = digest_of(static_cast<unsigned>(leaves.size() + 1));
    leaves.push_back(leaf);
  }
  ASSERT_TRUE(commit([&](Transaction& t) { return t.append_log(leaves); }).ok());
  const auto first = view().hold_leaves(0, 2);
  ASSERT_TRUE(first.ok());
  ASSERT_EQ(first->size(), 2U);
  EXPECT_EQ(first->back().index, 2U);
  const auto rest = view().hold_leaves(3, 2);
  ASSERT_TRUE(rest.ok());
  ASSERT_EQ(rest->size(), 1U);
  EXPECT_EQ(rest->front().type, "hold-lifted");
}

TEST_F(ARecord, OfTheLogComesBackAndItsHashesHaveNoGap) {
  create();
  domain::LogLeaf leaf;
  leaf.type = "approval";
  leaf.time = at(1);
  leaf.record = "{\"a\":1}";
  leaf.salt = Bytes(32, std::byte{7});
  leaf.leaf_hash = digest_of(1);
  domain::LogLeaf next = leaf;
  next.index = 1;
  next.salt.clear();
  next.leaf_hash = digest_of(2);
  const std::vector<domain::LogLeaf> leaves{leaf, next};
  ASSERT_TRUE(commit([&](Transaction& t) { return t.append_log(leaves); }).ok());
  const auto found = view().log_leaf(0);
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ((*found)->type, "approval");
  EXPECT_EQ((*found)->time, at(1));
  EXPECT_EQ((*found)->record, leaf.record);
  EXPECT_EQ((*found)->salt, leaf.salt);
  EXPECT_EQ((*found)->leaf_hash, leaf.leaf_hash);
  EXPECT_TRUE((**view().log_leaf(1)).salt.empty());
  EXPECT_FALSE(view().log_leaf(2)->has_value());
  EXPECT_EQ(*view().log_hashes(0, 10), (std::vector<Digest>{digest_of(1), digest_of(2)}));
  EXPECT_EQ(*view().log_hashes(1, 1), std::vector<Digest>{digest_of(2)});
  EXPECT_ERRC(commit([&](Transaction& t) { return t.append_log(leaves); }), Errc::already_exists);
  tamper("DELETE FROM log_leaf WHERE id = 0");
  reopen();
  EXPECT_ERRC(view().log_hashes(0, 10), Errc::damaged);
}

domain::Hold hold_of(std::uint32_t number, std::vector<Uuid> assets) {
  domain::Hold hold;
  hold.id = uuid_of(number, 3);
  hold.matter = "Smith v. Acme";
  hold.reason = "litigation";
  hold.selectors = {"label.project=gauss", "kind=model"};
  hold.reach = domain::HoldReach::future;
  hold.placed_by = actor_of(1005, "keeper");
  hold.placed = at(4);
  hold.log_index = 17;
  hold.assets = std::move(assets);
  return hold;
}

TEST_F(ARecord, OfAHoldBindsUntilItIsLifted) {
  create();
  const domain::Asset one = asset_of(1, "one"), two = asset_of(2, "two"), three = asset_of(3, "x");
  for (const domain::Asset& asset : {one, two, three}) ASSERT_TRUE(insert(asset).ok());
  const domain::Hold hold = hold_of(1, {one.id, two.id});
  ASSERT_TRUE(commit([&](Transaction& t) { return t.insert_hold(hold); }).ok());
  const auto holds = view().holds_on(one.id);
  ASSERT_TRUE(holds.ok());
  ASSERT_EQ(holds->size(), 1U);
  EXPECT_EQ((*holds)[0].id, hold.id);
  EXPECT_EQ((*holds)[0].matter, hold.matter);
  EXPECT_EQ((*holds)[0].reason, hold.reason);
  EXPECT_EQ((*holds)[0].selectors, hold.selectors);
  EXPECT_EQ((*holds)[0].reach, domain::HoldReach::future);
  EXPECT_EQ((*holds)[0].placed_by.login, "keeper");
  EXPECT_EQ((*holds)[0].placed, at(4));
  EXPECT_EQ((*holds)[0].log_index, 17U);
  EXPECT_FALSE((*holds)[0].lifted);
  EXPECT_EQ(*view().bound_count(hold.id), 2U);
  EXPECT_TRUE(view().holds_on(three.id)->empty());

  ASSERT_TRUE(commit([&](Transaction& t) {
                return t.bind_hold(hold.id, std::vector<Uuid>{two.id, three.id});
              }).ok());
  EXPECT_EQ(view().holds_on(three.id)->size(), 1U);
  EXPECT_EQ(view().bound_assets(hold.id, std::nullopt, 10)->size(), 3U);
  EXPECT_EQ(view().bound_assets(hold.id, std::nullopt, 2)->size(), 2U);
  EXPECT_EQ(view().counts()->holds, 1U);

  const domain::Lift lift{actor_of(1006, "other"), at(9), "settled"};
  ASSERT_TRUE(commit([&](Transaction& t) { return t.lift_hold(hold.id, lift); }).ok());
  EXPECT_TRUE(view().holds_on(two.id)->empty());
  EXPECT_TRUE(view().holds_in_force()->empty());
  EXPECT_EQ(view().counts()->holds, 0U);
  const auto lifted = view().hold(hold.id);
  ASSERT_TRUE(lifted.ok() && *lifted && (*lifted)->lifted);
  EXPECT_EQ((*lifted)->lifted->actor.login, "other");
  EXPECT_EQ((*lifted)->lifted->time, at(9));
  EXPECT_EQ((*lifted)->lifted->reason, "settled");
  EXPECT_ERRC(commit([&](Transaction& t) { return t.lift_hold(hold.id, lift); }), Errc::not_found);
}

TEST_F(ARecord, OfHoldsIsListedNewestFirst) {
  create();
  for (std::uint32_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(commit([&](Transaction& t) { return t.insert_hold(hold_of(i, {})); }).ok());
  }
  const auto first = view().holds("", 2);
  ASSERT_TRUE(first.ok());
  ASSERT_EQ(first->rows.size(), 2U);
  EXPECT_EQ(first->rows[0].id, hold_of(3, {}).id);
  const auto second = view().holds(first->next, 2);
  ASSERT_TRUE(second.ok());
  ASSERT_EQ(second->rows.size(), 1U);
  EXPECT_EQ(second->rows[0].id, hold_of(1, {}).id);
  EXPECT_TRUE(second->next.empty());
}

TEST_F(ARecord, OfAHeldItemComesBackWhenNoHoldIsLeft) {
  create();
  const domain::Asset one = asset_of(1, "one"), two = asset_of(2, "two");
  for (const domain::Asset& asset : {one, two}) ASSERT_TRUE(insert(asset).ok());
  domain::Plan plan = plan_of(9, {one, two});
  for (domain::PlanItem& item : plan.items) item.state = domain::ItemState::held;
  plan.state = domain::PlanState::approved;
  const domain::Hold first = hold_of(1, {one.id, two.id}), second = hold_of(2, {two.id});
  ASSERT_TRUE(commit([&](Transaction& t) -> Status {
                RETURN_IF_ERROR(t.insert_plan(plan));
                RETURN_IF_ERROR(t.insert_hold(first));
                return t.insert_hold(second);
              }).ok());
  EXPECT_TRUE(view().items_to_requeue()->empty());
  EXPECT_TRUE(*view().has_held_items(plan.id));
  EXPECT_EQ(*view().open_plan_of(one.id), plan.id);
  const domain::Lift lift{actor_of(1006, "other"), at(9), "settled"};
  ASSERT_TRUE(commit([&](Transaction& t) { return t.lift_hold(first.id, lift); }).ok());
  const auto back = view().items_to_requeue();
  ASSERT_TRUE(back.ok());
  ASSERT_EQ(back->size(), 1U);  // the other is bound by the second hold
  EXPECT_EQ((*back)[0].asset, one.id);
  EXPECT_EQ((*back)[0].plan, plan.id);
}

}  // namespace
}  // namespace aierase::catalog::test
