// Store, tree, assets and lineage go in and come out as they were; what must be unique is.
#include <algorithm>

#include "unit/catalog/catalog_fixture.h"

namespace aierase::catalog::test {
namespace {

using ARow = CatalogTest;

TEST_F(ARow, OfTheStoreStateComesBack) {
  create();
  StoreState state = first_state();
  state.people_rule = domain::PeopleRule::single_operator;
  state.at_rest = domain::AtRest::unlock_secret;
  state.epoch = 3;
  state.generation = 41;
  state.next_leaf = 17;
  state.log.size = 5;
  state.log.frontier = {digest_of(1), digest_of(2)};
  state.log.root = digest_of(3);
  state.trusted = at(1);
  state.last_wall = at(2);
  state.last_boottime = 12345;
  state.last_boot_id = "boot";
  ASSERT_TRUE(commit([&](Transaction& t) { return t.put_state(state); }).ok());
  reopen();
  const auto found = view().state();
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->store, state.store);
  EXPECT_EQ(found->format, 1);
  EXPECT_EQ(found->created, state.created);
  EXPECT_EQ(found->machine_id_digest, "ab12");
  EXPECT_EQ(found->people_rule, state.people_rule);
  EXPECT_EQ(found->at_rest, state.at_rest);
  EXPECT_EQ(found->epoch, 3U);
  EXPECT_EQ(found->generation, 41U);
  EXPECT_EQ(found->next_leaf, 17U);
  EXPECT_EQ(found->log.size, 5U);
  EXPECT_EQ(found->log.frontier, state.log.frontier);
  EXPECT_EQ(found->log.root, state.log.root);
  EXPECT_EQ(found->trusted, at(1));
  EXPECT_EQ(found->last_wall, at(2));
  EXPECT_EQ(found->last_boottime, 12345);
  EXPECT_EQ(found->last_boot_id, "boot");
}

TEST_F(ARow, OfTheKeyTreeIsPutReplacedAndRemoved) {
  create();
  const domain::NodeId root{4, 0}, leaf{0, 5};
  const std::vector<domain::NodeRow> rows{{root, bytes_of("root")}, {leaf, bytes_of("leaf")}};
  ASSERT_TRUE(commit([&](Transaction& t) { return t.put_nodes(rows); }).ok());
  EXPECT_EQ(**view().node(root), bytes_of("root"));
  EXPECT_EQ(*view().node_ids(std::nullopt, 10), (std::vector<domain::NodeId>{leaf, root}));
  EXPECT_EQ(*view().node_ids(leaf, 10), std::vector<domain::NodeId>{root});
  EXPECT_EQ(view().node_ids(std::nullopt, 1)->size(), 1U);
  const std::vector<domain::NodeRow> next{{root, bytes_of("new")}, {leaf, std::nullopt}};
  ASSERT_TRUE(commit([&](Transaction& t) -> Status {
                RETURN_IF_ERROR(t.put_nodes(next));
                return t.put_undo(rows);
              }).ok());
  EXPECT_EQ(**view().node(root), bytes_of("new"));
  EXPECT_FALSE(view().node(leaf)->has_value());
}

TEST_F(ARow, OfTheUndoListKeepsOrderAndAbsence) {
  create();
  const std::vector<domain::NodeRow> rows{{{4, 0}, bytes_of("root")}, {{0, 5}, std::nullopt}};
  ASSERT_TRUE(commit([&](Transaction& t) { return t.put_undo(rows); }).ok());
  const auto undo = view().undo_nodes();
  ASSERT_TRUE(undo.ok());
  ASSERT_EQ(undo->size(), 2U);
  EXPECT_EQ((*undo)[0].id, rows[0].id);
  EXPECT_EQ((*undo)[0].row, rows[0].row);
  EXPECT_EQ((*undo)[1].id, rows[1].id);
  EXPECT_FALSE((*undo)[1].row);
  EXPECT_ERRC(commit([&](Transaction& t) { return t.put_undo(rows); }), Errc::already_exists);
  ASSERT_TRUE(commit([&](Transaction& t) { return t.clear_undo(); }).ok());
  EXPECT_TRUE(view().undo_nodes()->empty());
}

domain::Asset full_asset() {
  domain::Asset asset = asset_of(9, "acme/llama:1");
  asset.kind = domain::AssetKind::dataset_key;
  asset.state = domain::AssetState::suspended;
  asset.state_reason = "under review";
  asset.bytes = 123'456'789'012;
  asset.file_count = 7;
  asset.importer.audit_login_uid = 1001;
  asset.importer.groups = {5};  // never stored
  asset.retention = "short";
  asset.source_history = domain::SourceHistory::retrofitted;
  asset.leaf = 0xffff'fffe;
  asset.first_epoch = 4;
  asset.custodians = {{domain::CustodianKind::group, "owners", 200},
                      {domain::CustodianKind::user, "bob", 1002}};
  asset.labels = {{"team", "vision"}, {"empty", ""}};
  domain::Source source;
  source.description = "/data/model";
  source.filesystem = "ext4";
  source.history = domain::SourceHistory::retrofitted;
  source.files = 7;
  source.bytes = 5;
  domain::Source stream;
  stream.description = "standard input";
  stream.filesystem = "pipe";
  stream.history = domain::SourceHistory::encrypted_from_first_write;
  stream.asserted_by = actor_of(1003, "carol");
  stream.removed_at = at(50);
  asset.sources = {source, stream};
  return asset;
}

TEST_F(ARow, OfAnAssetComesBackWhole) {
  create();
  const domain::Asset asset = full_asset();
  ASSERT_TRUE(commit([&](Transaction& t) -> Status {
                return t.insert_asset(asset, as_bytes("sealed-m"), as_bytes("sealed-p"), {}, {});
              }).ok());
  reopen();
  const auto read = view().asset(asset.id);
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_TRUE(read->has_value());
  const domain::Asset& found = **read;
  EXPECT_EQ(found.name, asset.name);
  EXPECT_EQ(found.kind, asset.kind);
  EXPECT_EQ(found.state, asset.state);
  EXPECT_EQ(found.state_reason, asset.state_reason);
  EXPECT_EQ(found.bytes, asset.bytes);
  EXPECT_EQ(found.file_count, asset.file_count);
  EXPECT_EQ(found.created, asset.created);
  EXPECT_EQ(found.importer.uid, 1000U);
  EXPECT_EQ(found.importer.login, "alice");
  EXPECT_EQ(found.importer.audit_login_uid, 1001U);
  EXPECT_TRUE(found.importer.groups.empty());
  EXPECT_EQ(found.retention, "short");
  EXPECT_EQ(found.source_history, asset.source_history);
  EXPECT_EQ(found.kcv, asset.kcv);
  EXPECT_EQ(found.leaf, asset.leaf);
  EXPECT_EQ(found.first_epoch, 4U);
  EXPECT_FALSE(found.erased_at);
  EXPECT_EQ(found.custodians, asset.custodians);
  EXPECT_EQ(found.labels, asset.labels);
  ASSERT_EQ(found.sources.size(), 2U);
  EXPECT_EQ(found.sources[0].description, "/data/model");
  EXPECT_EQ(found.sources[0].files, 7U);
  EXPECT_FALSE(found.sources[0].asserted_by);
  EXPECT_EQ(found.sources[1].history, domain::SourceHistory::encrypted_from_first_write);
  EXPECT_EQ(found.sources[1].asserted_by->login, "carol");
  EXPECT_FALSE(found.sources[1].asserted_by->audit_login_uid);
  EXPECT_EQ(found.sources[1].removed_at, at(50));
  EXPECT_EQ(**view().sealed_manifest(asset.id), bytes_of("sealed-m"));
  EXPECT_EQ(**view().sealed_payload(asset.id), bytes_of("sealed-p"));
  EXPECT_FALSE(view().sealed_payload(uuid_of(77))->has_value());
  EXPECT_FALSE(view().asset(uuid_of(77))->has_value());
}

TEST_F(ARow, OfAnAssetTakesItsChanges) {
  create();
  const domain::Asset asset = full_asset();
  ASSERT_TRUE(insert(asset).ok());
  const std::vector<domain::Custodian> custodians{{domain::CustodianKind::user, "dan", 1},
                                                  {domain::CustodianKind::user, "dan", 1}};
  ASSERT_TRUE(commit([&](Transaction& t) -> Status {
                RETURN_IF_ERROR(t.set_asset_state(asset.id, domain::AssetState::retired, "old"));
                RETURN_IF_ERROR(t.put_label(asset.id, "team", "audio"));
                RETURN_IF_ERROR(t.put_label(asset.id, "new", "1"));
                RETURN_IF_ERROR(t.remove_label(asset.id, "empty"));
                RETURN_IF_ERROR(t.remove_label(asset.id, "never there"));
                RETURN_IF_ERROR(t.put_custodians(asset.id, custodians));
                RETURN_IF_ERROR(t.put_retention(asset.id, "long"));
                return t.mark_source_removed(asset.id, "/data/model", at(9));
              }).ok());
  const domain::Asset found = **view().asset(asset.id);
  EXPECT_EQ(found.state, domain::AssetState::retired);
  EXPECT_EQ(found.state_reason, "old");
  EXPECT_EQ(found.labels, (std::map<std::string, std::string>{{"new", "1"}, {"team", "audio"}}));
  ASSERT_EQ(found.custodians.size(), 1U) << "named twice is named once";
  EXPECT_EQ(found.custodians[0].name, "dan");
  EXPECT_EQ(found.retention, "long");
  EXPECT_EQ(found.sources[0].removed_at, at(9));
}

TEST_F(ARow, OfAnAssetTakesOnlyStatesThatMayFollow) {
  create();
  const domain::Asset asset = asset_of(1, "a");
  ASSERT_TRUE(insert(asset).ok());
  const auto to = [&](domain::AssetState state) {
    return commit([&](Transaction& t) { return t.set_asset_state(asset.id, state, "why"); });
  };
  EXPECT_ERRC(to(domain::AssetState::erasing), Errc::wrong_state);
  const auto in_round = [&](auto act) {
    return commit([&](Transaction& t) -> Status {
      RETURN_IF_ERROR(start_round_of(t, asset));
      return act(t);
    });
  };
  EXPECT_ERRC(in_round([](Transaction& t) { return t.mark_round_erasing(); }), Errc::wrong_state);
  EXPECT_ERRC(in_round([](Transaction& t) { return t.mark_round_erased(at(9)); }),
              Errc::wrong_state);
  EXPECT_EQ((*view().asset(asset.id))->state, domain::AssetState::active);
  EXPECT_OK(to(domain::AssetState::retired));
  EXPECT_ERRC(to(domain::AssetState::active), Errc::wrong_state);
  EXPECT_OK(to(domain::AssetState::suspended));
  EXPECT_OK(to(domain::AssetState::active));
}

TEST_F(ARow, OfAnUnknownAssetCannotBeChanged) {
  create();
  const Uuid unknown = uuid_of(77);
  const auto refused = [&](auto act) { EXPECT_ERRC(commit(act), Errc::not_found); };
  refused(
      [&](Transaction& t) { return t.set_asset_state(unknown, domain::AssetState::retired, ""); });
  refused([&](Transaction& t) { return t.put_label(unknown, "k", "v"); });
  refused([&](Transaction& t) { return t.put_custodians(unknown, {}); });
  refused([&](Transaction& t) { return t.put_retention(unknown, "x"); });
  refused([&](Transaction& t) { return t.mark_source_removed(unknown, "x", at(0)); });
  refused([&](Transaction& t) -> Status {
    return t.set_plan_state(unknown, domain::PlanState::done, std::nullopt, std::nullopt);
  });
  refused([&](Transaction& t) { return t.put_item(unknown, domain::PlanItem{}); });
  refused([&](Transaction& t) { return t.lift_hold(unknown, domain::Lift{}); });
  refused([&](Transaction& t) { return t.drop_round_item(unknown); });
  refused([&](Transaction& t) { return t.set_round_state(domain::RoundState::destroying); });
}

TEST_F(ARow, OfALivingAssetAmongTheOrphansLosesNoBlob) {
  create();
  const domain::Asset asset = full_asset();
  const std::vector<Uuid> blobs{uuid_of(2, 5)};
  ASSERT_TRUE(insert(asset, blobs).ok());
  tamper("INSERT INTO orphaned SELECT id FROM asset");
  reopen();
  EXPECT_TRUE(view().orphan_blobs(100)->empty());
  ASSERT_TRUE(commit([&](Transaction& t) { return t.forget_orphans(blobs); }).ok());
  EXPECT_EQ(*view().blobs(asset.id), blobs);
}

TEST_F(ARow, OfAnErasedAssetIsATombstoneAndItsBlobsAreOrphansUntilForgotten) {
  create();
  const domain::Asset asset = full_asset();
  const domain::Asset parent = asset_of(10, "parent");
  const std::vector<Uuid> blobs{uuid_of(2, 5), uuid_of(1, 5)};
  const auto forget = [&](const Uuid& blob) {
    return commit([&](Transaction& t) { return t.forget_orphans(std::vector<Uuid>{blob}); });
  };
  ASSERT_TRUE(insert(parent).ok());
  ASSERT_TRUE(insert(asset, blobs, {{asset.id, domain::Relation::trained_on, parent.id}}).ok());
  EXPECT_EQ(*view().blobs(asset.id), blobs) << "in the order given";
  EXPECT_TRUE(view().orphan_blobs(100)->empty());
  ASSERT_TRUE(commit([&](Transaction& t) { return erase(t, asset.id, at(99)); }).ok());

  const domain::Asset found = **view().asset(asset.id);
  EXPECT_EQ(found.state, domain::AssetState::erased);
  EXPECT_EQ(found.erased_at, at(99));
  EXPECT_FALSE(found.leaf);
  EXPECT_EQ(found.labels, asset.labels);
  EXPECT_EQ(found.sources.size(), 2U);
  EXPECT_FALSE(view().sealed_manifest(asset.id)->has_value());
  EXPECT_FALSE(view().sealed_payload(asset.id)->has_value());
  EXPECT_EQ(view().lineage(parent.id)->size(), 1U);
  EXPECT_TRUE(view().blobs(asset.id)->empty());
  EXPECT_EQ(view().orphan_blobs(100)->size(), 2U);
  EXPECT_EQ(*view().blob_owner(blobs[0]), asset.id);

  ASSERT_TRUE(forget(blobs[0]).ok());
  ASSERT_TRUE(forget(blobs[0]).ok()) << "again";
  EXPECT_EQ(*view().orphan_blobs(100), std::vector<Uuid>{blobs[1]});
  EXPECT_FALSE(view().blob_owner(blobs[0])->has_value());
  ASSERT_TRUE(forget(blobs[1]).ok());
  EXPECT_TRUE(view().orphan_blobs(100)->empty());
  EXPECT_EQ(query_text("SELECT count(*) FROM orphaned"), "0") << "nothing is left of it";
  EXPECT_ERRC(commit([&](Transaction& t) -> Status {
                domain::Asset again = asset;
                again.leaf = 500;
                RETURN_IF_ERROR(start_round_of(t, again));
                return t.mark_round_erased(at(100));
              }),
              Errc::wrong_state);
}

TEST_F(ARow, OfALivingAssetsBlobIsNotForgotten) {
  create();
  ASSERT_TRUE(insert(asset_of(1, "a"), {uuid_of(1, 5)}).ok());
  ASSERT_TRUE(commit([&](Transaction& t) {
                return t.forget_orphans(std::vector<Uuid>{uuid_of(1, 5)});
              }).ok());
  EXPECT_EQ(view().blobs(uuid_of(1, 1))->size(), 1U);
}

TEST_F(ARow, OfAnAssetCannotBecomeErasedWithItsKeyStillThere) {
  create();
  ASSERT_TRUE(insert(asset_of(1, "a")).ok());
  EXPECT_FALSE(commit([&](Transaction& t) -> Status {
                 const Uuid id = uuid_of(1, 1);
                 RETURN_IF_ERROR(t.set_asset_state(id, domain::AssetState::retired, ""));
                 RETURN_IF_ERROR(t.set_asset_state(id, domain::AssetState::erasing, ""));
                 return t.set_asset_state(id, domain::AssetState::erased, "");
               }).ok());
  domain::Asset without_leaf = asset_of(2, "b");
  without_leaf.leaf.reset();
  EXPECT_FALSE(insert(without_leaf).ok());
}

TEST_F(ARow, OfLineageNamesBothEnds) {
  create();
  const domain::Asset base = asset_of(1, "base"), tuned = asset_of(2, "tuned"),
                      data = asset_of(3, "data");
  ASSERT_TRUE(insert(base).ok());
  ASSERT_TRUE(insert(data).ok());
  const domain::LineageEdge derived{tuned.id, domain::Relation::derived_from, base.id};
  const domain::LineageEdge trained{tuned.id, domain::Relation::trained_on, data.id};
  ASSERT_TRUE(insert(tuned, {}, {derived, trained}).ok());
  EXPECT_EQ(view().lineage(tuned.id)->size(), 2U);
  EXPECT_EQ(*view().lineage(base.id), std::vector<domain::LineageEdge>{derived});
  EXPECT_EQ(*view().lineage(data.id), std::vector<domain::LineageEdge>{trained});
  const domain::Asset lost = asset_of(4, "lost");
  EXPECT_ERRC(insert(lost, {}, {{lost.id, domain::Relation::derived_from, uuid_of(77)}}),
              Errc::not_found);
}

TEST_F(ARow, ThatMustBeUniqueIs) {
  create();
  ASSERT_TRUE(insert(asset_of(1, "a"), {uuid_of(1, 5)}).ok());
  domain::Asset again = asset_of(1, "b");
  again.leaf = 50;
  EXPECT_ERRC(insert(again), Errc::already_exists);             // uuid
  EXPECT_ERRC(insert(asset_of(2, "a")), Errc::already_exists);  // living name
  domain::Asset same_leaf = asset_of(3, "c");
  same_leaf.leaf = 1;
  EXPECT_ERRC(insert(same_leaf), Errc::already_exists);                          // leaf
  EXPECT_ERRC(insert(asset_of(4, "d"), {uuid_of(1, 5)}), Errc::already_exists);  // blob
  const domain::Asset asset = asset_of(1, "a");
  ASSERT_TRUE(commit([&](Transaction& t) { return t.insert_plan(plan_of(1, {asset})); }).ok());
  EXPECT_ERRC(commit([&](Transaction& t) { return t.insert_plan(plan_of(1, {})); }),
              Errc::already_exists);  // plan
  EXPECT_ERRC(commit([&](Transaction& t) -> Status {
                return t.insert_plan(plan_of(2, {asset, asset}));
              }),
              Errc::already_exists);  // item
  EXPECT_EQ(view().counts()->active, 1U);
}

}  // namespace
}  // namespace aierase::catalog::test
