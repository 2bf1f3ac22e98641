// The record of a plan of two assets that ended otherwise than done.
#pragma once

#include "domain/refusal.h"
#include "unit/certificate/sample_record.h"

namespace aierase::certificate::sample {

inline domain::PlanItem refused_item(unsigned char number, domain::ItemState state) {
  domain::PlanItem result;
  result.asset = uuid_of(number);
  result.name = domain::AssetName::parse("acme/reviewer:" + std::to_string(number)).value();
  result.state = state;
  if (state == domain::ItemState::erased) result.certificate = uuid_of(0xC0);
  if (state == domain::ItemState::dropped)
    result.reasons = {{Errc::legal_hold, "held for \"Case 7\""}};
  return result;
}

inline domain::RefusalRecord refusal(domain::PlanState outcome) {
  domain::RefusalRecord record;
  record.store = sample::record().store;
  record.host = "vault.example";
  record.tool_version = "0.1.0";
  record.plan.id = uuid_of(0x44);
  record.plan.state = outcome;
  record.plan.digest = digest_of("plan");
  record.plan.policy = digest_of("policy");
  record.plan.requester = actor(1001, "olga");
  record.plan.reason = "end of the pilot";
  record.plan.created = time_at(100);
  record.plan.expires = time_at(10'000);
  record.plan.items = {
      refused_item(1, outcome == domain::PlanState::partial ? domain::ItemState::erased
                                                            : domain::ItemState::pending),
      refused_item(2, domain::ItemState::dropped)};
  record.plan.approvals = {approval(1002, "carl")};
  record.policy_now = digest_of("later policy");
  record.ending = {actor(1002, "carl"), time_at(300), "still in use", {"carl"}, {}};
  return record;
}

}  // namespace aierase::certificate::sample
