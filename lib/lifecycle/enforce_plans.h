// The plans of a nightly run: for each class that decides, of what the gate would let into a plan
// that a person makes.
//
// Contract: part of one EnforceRun. consider() is asked class by class, newest import first: what
// depends on an asset was imported after it and has been asked about before. weigh() comes behind
// the last of them, then make() for each draft. Specified in: aierase-policy(5) THE NIGHTLY RUN.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lifecycle/core.h"
#include "lifecycle/enforcing.h"

namespace aierase::lifecycle {

struct MadePlan {
  struct Item {
    Uuid asset;
    domain::AssetName name;
    std::optional<UtcTime> due;
  };
  Uuid id;
  std::string retention_class;
  std::vector<Item> items;  // empty: nothing was left to plan
  std::vector<std::pair<Uuid, Error>> failed;
  std::vector<domain::Reason> trips;  // of the brake
  std::optional<UtcTime> due;         // where it is approved in advance: the end of grace
  UtcTime due_if_approved_now{};
  UtcTime expires{};
};

class PlanMaker {
 public:
  PlanMaker(Core& core, const EnforceRequest& request, UtcTime moment)
      : core_(core), request_(request), moment_(moment) {}

  // Why it cannot go into a plan; nothing: it is in a draft.
  Result<std::vector<domain::Reason>> consider(const domain::Asset& asset,
                                               const std::string& retention_class);
  // In a dry run: an open plan that has expired by that moment, whose assets are asked for anew.
  void pass_over(const Uuid& plan);
  // What the brake says of all drafts together.
  Status weigh();
  std::size_t drafts() const { return drafts_.size(); }
  // With Persist::yes the plan is durable when it returns.
  Result<MadePlan> make(std::size_t draft);

 private:
  struct Draft {
    domain::Plan plan;  // without its items
    std::string retention_class;
    std::vector<Uuid> assets;
  };
  Draft new_draft(const std::string& retention_class) const;
  PlanCover new_cover(const Uuid& plan) const;
  Status add_item(const Uuid& asset, domain::Plan& plan, PlanCover& cover, MadePlan& made);

  Core& core_;
  const EnforceRequest& request_;
  const UtcTime moment_;
  std::vector<Draft> drafts_;
  std::optional<PlanCover> cover_;  // of the last draft
  std::set<Uuid> passed_over_;
  catalog::Amount wanted_;
  std::vector<domain::Reason> trips_;
};

}  // namespace aierase::lifecycle
