// A plan as people sign it: made from the store's own records, and compared with what came back.
#include <algorithm>

#include "base/limits.h"
#include "lifecycle/core.h"
#include "lifecycle/signed_acts.h"

namespace aierase::lifecycle {
namespace {

using certificate::ActDecision;
using certificate::ActPlan;

constexpr std::size_t kNoteReasonBytes =
    600;  // with a name before it, a note stays below its limit

// Cut before a character, not within one.
std::string shortened(const std::string& text) {
  if (text.size() <= kNoteReasonBytes) return text;
  std::size_t end = kNoteReasonBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
  return text.substr(0, end) + "...";
}

Result<std::vector<std::string>> notes_of(Core& core, const domain::Plan& plan) {
  std::vector<std::string> notes;
  ASSIGN_OR_RETURN(const catalog::StoreState state, core.view().state());
  if (state.people_rule == domain::PeopleRule::single_operator) {
    notes.push_back("this store is single-operator: it asks for no second person");
  }
  if (!plan.below_floor.empty()) {
    notes.push_back("below retention floors, where one is in force, on the legal basis: " +
                    shortened(plan.below_floor));
  }
  if (plan.timing == domain::Timing::now) {
    notes.push_back("without grace: erased as soon as nothing is missing");
  }
  const std::size_t room = limits::kNotesPerSignedPlan - notes.size();
  const bool all = plan.kept.size() <= room;
  const std::size_t shown = all ? plan.kept.size() : room - 1;
  for (std::size_t i = 0; i < shown; ++i) {
    ASSIGN_OR_RETURN(const catalog::AssetHead head, core.known_head(plan.kept[i].asset));
    notes.push_back(head.name.text() + " stays, though made with an asset of this plan: " +
                    shortened(plan.kept[i].reason));
  }
  if (!all) {
    notes.push_back(std::to_string(plan.kept.size() - shown) +
                    " more assets stay, though made with assets of this plan");
  }
  return notes;
}

Result<certificate::ActOutcome> outcome_of(Core& core, const domain::Plan& plan) {
  ASSIGN_OR_RETURN(const std::vector<catalog::CertificateHead> heads,
                   core.view().certificates_of_plan(plan.id));
  std::vector<certificate::CertifiedStatement> statements;
  for (const catalog::CertificateHead& head : heads) {
    ASSIGN_OR_RETURN(const std::optional<catalog::CertificateRow> row,
                     core.view().certificate(head.id));
    if (!row) return make_error(Errc::damaged, "a certificate of a plan is not in the catalog");
    statements.push_back({row->id, crypto::sha256(as_bytes(row->statement))});
  }
  if (statements.empty()) {
    return make_error(
        Errc::wrong_state, plan_text(plan.id) + " has erased nothing, so there is no outcome",
        "`aierase show " + plan_text(plan.id) + "` tells how far it is", plan_text(plan.id));
  }
  return certificate::ActOutcome{statements.size(), certificate::certificates_digest(statements)};
}

Error differs(const ActPlan& plan, Errc code, const std::string& what) {
  return make_error(
      code,
      what + " of " + plan_text(plan.plan) +
          " in the signed text is not what this store has recorded",
      "have the person sign a new text: aierase show " + plan_text(plan.plan) + " --request",
      plan_text(plan.plan));
}

}  // namespace

Result<ActPlan> act_plan(Core& core, const domain::Plan& plan, ActDecision decision) {
  ActPlan act;
  act.store = core.store();
  act.host = core.settings.host.host;
  act.plan = plan.id;
  act.digest = plan.digest;
  act.requester = plan.requester.login;
  act.reason = plan.reason;
  act.ticket = plan.ticket;
  ASSIGN_OR_RETURN(act.notes, notes_of(core, plan));
  act.asset_count = plan.items.size();
  for (const domain::PlanItem& item : plan.items) {
    if (act.assets.size() == limits::kNamesPerSignedPlan) break;
    act.assets.push_back(item.name);
  }
  if (certificate::is_validation(decision)) {
    ASSIGN_OR_RETURN(act.outcome, outcome_of(core, plan));
  }
  return act;
}

Status check_same(const ActPlan& ours, const ActPlan& signed_plan) {
  if (ours == signed_plan) return {};
  if (ours.digest != signed_plan.digest) return differs(ours, Errc::plan_stale, "the digest");
  if (ours.outcome != signed_plan.outcome) return differs(ours, Errc::plan_stale, "the outcome");
  const Errc other = Errc::verification_failed;
  if (ours.host != signed_plan.host) return differs(ours, other, "the host");
  if (ours.requester != signed_plan.requester) return differs(ours, other, "the requester");
  if (ours.reason != signed_plan.reason) return differs(ours, other, "the reason");
  if (ours.ticket != signed_plan.ticket) return differs(ours, other, "the ticket");
  if (ours.asset_count != signed_plan.asset_count) {
    return differs(ours, other, "the number of assets");
  }
  if (ours.assets != signed_plan.assets) return differs(ours, other, "the list of assets");
  return differs(ours, other, "a note");
}

}  // namespace aierase::lifecycle
