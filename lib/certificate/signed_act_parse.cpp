#include <algorithm>

#include "base/json.h"
#include "base/limits.h"
#include "certificate/act_phrases.h"
#include "certificate/act_text.h"
#include "certificate/signed_act.h"

namespace aierase::certificate {
namespace {

Result<std::optional<ActOutcome>> read_outcome(ActReader& reader) {
  if (!reader.next_begins(label::kErased)) return std::optional<ActOutcome>();
  ActOutcome outcome;
  ASSIGN_OR_RETURN(outcome.erased, reader.number(label::kErased));
  RETURN_IF_ERROR(reader.number(label::kNotErased));
  ASSIGN_OR_RETURN(outcome.certificates, reader.digest(label::kCertificates));
  return std::optional(outcome);
}

Status read_assets(ActReader& reader, ActPlan& plan) {
  ASSIGN_OR_RETURN(plan.asset_count, reader.number(label::kPlanAssets));
  const std::size_t named = std::min(plan.asset_count, limits::kNamesPerSignedPlan);
  while (plan.assets.size() < named) {
    ASSIGN_OR_RETURN(const std::string_view text, reader.value(label::kAsset));
    ASSIGN_OR_RETURN(domain::AssetName name, domain::AssetName::parse(text));
    plan.assets.push_back(std::move(name));
  }
  if (plan.asset_count > named) return reader.expect(more_assets(plan));
  return {};
}

Result<Uuid> read_plan_id(ActReader& reader) {
  ASSIGN_OR_RETURN(const std::string_view text, reader.value(label::kPlan));
  const std::optional<domain::IdPrefix> id = domain::parse_id(text);
  if (!id || id->type != domain::IdType::plan || !id->whole) {
    return reader.bad_value("there is no whole id of a plan");
  }
  return *id->whole;
}

Result<ActPlan> read_plan(ActReader& reader, std::size_t number, std::size_t of) {
  ActPlan plan;
  RETURN_IF_ERROR(
      reader.expect("\nPlan " + std::to_string(number) + " of " + std::to_string(of) + "\n"));
  ASSIGN_OR_RETURN(plan.plan, read_plan_id(reader));
  ASSIGN_OR_RETURN(plan.digest, reader.digest(label::kDigest));
  ASSIGN_OR_RETURN(plan.store, reader.uuid(label::kPlanStore));
  ASSIGN_OR_RETURN(plan.host, reader.quoted(label::kPlanHost));
  ASSIGN_OR_RETURN(plan.requester, reader.quoted(label::kRequester));
  ASSIGN_OR_RETURN(plan.reason, reader.quoted(label::kReason));
  ASSIGN_OR_RETURN(plan.ticket, reader.quoted(label::kTicket));
  while (reader.next_begins(label::kNote)) {
    ASSIGN_OR_RETURN(std::string note, reader.quoted(label::kNote));
    plan.notes.push_back(std::move(note));
  }
  ASSIGN_OR_RETURN(plan.outcome, read_outcome(reader));
  RETURN_IF_ERROR(read_assets(reader, plan));
  return plan;
}

Result<SignedAct> read_decision(ActReader& reader) {
  DecisionAct act;
  RETURN_IF_ERROR(reader.expect(kDecisionTitle));
  ASSIGN_OR_RETURN(const std::string_view word, reader.value(label::kDecision));
  const std::optional<ActDecision> decision = parse_act_decision(word);
  if (!decision) return reader.bad_value("the decision " + quoted(word) + " is not known");
  act.decision = *decision;
  RETURN_IF_ERROR(reader.expect(meaning_of(act.decision)));
  ASSIGN_OR_RETURN(act.valid_until, reader.time(label::kValidUntil));
  ASSIGN_OR_RETURN(act.comment, reader.quoted(label::kComment));
  ASSIGN_OR_RETURN(const std::uint64_t plans, reader.number(label::kPlans));
  if (plans > limits::kPlansPerSignedAct) {
    return reader.bad_value("more than " + std::to_string(limits::kPlansPerSignedAct) + " plans");
  }
  RETURN_IF_ERROR(reader.number(label::kAssets));
  while (act.plans.size() < plans) {
    ASSIGN_OR_RETURN(ActPlan plan, read_plan(reader, act.plans.size() + 1, plans));
    act.plans.push_back(std::move(plan));
  }
  return SignedAct(std::move(act));
}

Result<SignedAct> read_standing(ActReader& reader) {
  StandingApproval act;
  RETURN_IF_ERROR(reader.expect(kStandingTitle));
  ASSIGN_OR_RETURN(act.id, reader.uuid(label::kApproval));
  ASSIGN_OR_RETURN(act.store, reader.uuid(label::kStore));
  ASSIGN_OR_RETURN(act.host, reader.quoted(label::kHost));
  ASSIGN_OR_RETURN(act.retention_class, reader.quoted(label::kClass));
  ASSIGN_OR_RETURN(act.rules, reader.digest(label::kRules));
  ASSIGN_OR_RETURN(act.approver, reader.quoted(label::kApprover));
  ASSIGN_OR_RETURN(act.valid_from, reader.time(label::kValidFrom));
  ASSIGN_OR_RETURN(act.valid_until, reader.time(label::kValidUntil));
  return SignedAct(std::move(act));
}

Result<SignedAct> read_revocation(ActReader& reader) {
  StandingRevocation act;
  RETURN_IF_ERROR(reader.expect(kRevocationTitle));
  ASSIGN_OR_RETURN(act.approval, reader.uuid(label::kApproval));
  ASSIGN_OR_RETURN(act.store, reader.uuid(label::kStore));
  ASSIGN_OR_RETURN(act.host, reader.quoted(label::kHost));
  ASSIGN_OR_RETURN(act.retention_class, reader.quoted(label::kClass));
  ASSIGN_OR_RETURN(act.approver, reader.quoted(label::kApprover));
  ASSIGN_OR_RETURN(act.comment, reader.quoted(label::kComment));
  return SignedAct(std::move(act));
}

Result<SignedAct> read_act(ActReader& reader) {
  const auto title_of = [](std::string_view words) { return words.substr(0, words.find('\n')); };
  if (reader.next_begins(title_of(kStandingTitle))) return read_standing(reader);
  if (reader.next_begins(title_of(kRevocationTitle))) return read_revocation(reader);
  return read_decision(reader);
}

// The one line in which two texts that mean the same are written differently.
Error written_otherwise(std::string_view text, std::string_view as_written) {
  const auto differ = std::mismatch(text.begin(), text.end(), as_written.begin(), as_written.end());
  const auto line = std::count(text.begin(), differ.first, '\n') + 1;
  return make_error(
      Errc::invalid_input,
      "line " + std::to_string(line) + " of the text to sign is not written as aierase writes it",
      "Have the text made anew; do not lay it out by hand.");
}

}  // namespace

Result<SignedAct> parse_signed_act(std::string_view text) {
  if (text.size() > limits::kSignedActBytes) {
    return make_error(Errc::resource_limit, "the text to sign has " + std::to_string(text.size()) +
                                                " bytes; the limit is " +
                                                std::to_string(limits::kSignedActBytes));
  }
  if (!is_valid_utf8(text)) {
    return make_error(Errc::invalid_input, "the text to sign is not UTF-8",
                      "Some program on its way changed it: send it as an attachment.");
  }
  ActReader reader(text);
  ASSIGN_OR_RETURN(SignedAct act, read_act(reader));
  RETURN_IF_ERROR(reader.expect(kHowToSign));
  if (!reader.at_end()) return reader.refused("something follows behind the end of the text");
  // Whatever the reader let pass, a text stands for its act only if the act is written so.
  ASSIGN_OR_RETURN(const std::string as_written, render(act));
  if (as_written != text) return written_otherwise(text, as_written);
  return act;
}

}  // namespace aierase::certificate
