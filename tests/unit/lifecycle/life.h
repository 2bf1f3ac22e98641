// What the tests of the lifecycle share: looking at what a store says of one asset.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/json.h"
#include "fault/support/world.h"

namespace aierase::test {

// The certificate of the latest asset of that name; a failure of the test where there is none.
inline catalog::CertificateRow certificate_of(World& world, const std::string& name) {
  const auto view = world.store->show_asset(world.asset(name).id);
  EXPECT_TRUE(done(view)) << name;
  if (!view.ok() || !view->certificate) {
    ADD_FAILURE() << name << " has no certificate";
    return {};
  }
  auto row = world.store->show_certificate(*view->certificate);
  EXPECT_TRUE(done(row)) << name;
  return row.ok() ? std::move(row).value() : catalog::CertificateRow();
}

inline Json predicate_of(World& world, const std::string& name) {
  const auto json = parse_json(certificate_of(world, name).statement);
  EXPECT_TRUE(done(json)) << name;
  return json.ok() ? json->at("predicate") : Json::object();
}

inline domain::AssetState state_of(World& world, const std::string& name) {
  const auto asset = world.store->glance_at_asset(world.asset(name).id);
  EXPECT_TRUE(done(asset)) << name;
  return asset.ok() ? asset->state : domain::AssetState::erasing;
}

inline lifecycle::PlanView latest_plan(World& world) {
  const auto plans = world.store->list_plans("", 1);
  EXPECT_TRUE(done(plans));
  if (!plans.ok() || plans->rows.empty()) return {};
  const auto view = world.store->show_plan(plans->rows.front().id);
  EXPECT_TRUE(done(view));
  return view.ok() ? *view : lifecycle::PlanView();
}

}  // namespace aierase::test
