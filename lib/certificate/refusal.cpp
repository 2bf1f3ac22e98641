#include "certificate/refusal.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "base/time.h"
#include "certificate/bundle.h"
#include "certificate/canonical_text.h"
#include "certificate/statement.h"
#include "certificate/statement_parts.h"

namespace aierase::certificate {
namespace {

using domain::RefusalRecord;

// As of a certificate: in a bundle it stands in base64, beside signature, proof and keys.
constexpr std::size_t kRecordBytes = limits::kCertificateBytes / 4 * 3 - (1 << 20);

// Brief: without what has no end that is known, so that the record fits whatever the plan is.
enum class Detail { whole, brief };

std::string plan_id(const RefusalRecord& record) {
  return domain::id_text(domain::IdType::plan, record.plan.id);
}

std::uint64_t count_erased(const RefusalRecord& record) {
  return static_cast<std::uint64_t>(
      std::count_if(record.plan.items.begin(), record.plan.items.end(),
                    [](const auto& item) { return item.state == domain::ItemState::erased; }));
}

std::string subject_part(const RefusalRecord& record) {
  const std::string digest = ObjectText().text("sha256", to_hex(record.plan.digest)).finish();
  return ArrayText()
      .raw(ObjectText().text("name", plan_id(record)).raw("digest", digest).finish())
      .finish();
}

// A name that the host gave itself may be of any bytes.
std::string host_text(const std::string& host) {
  return is_valid_utf8(host) ? host : quoted(host);
}

std::string store_part(const RefusalRecord& record) {
  return ObjectText()
      .text("id", record.store.text())
      .text("host", host_text(record.host))
      .text("machine_id_sha256", machine_text(record.machine_id_digest))
      .finish();
}

std::string plan_part(const RefusalRecord& record) {
  const domain::Plan& plan = record.plan;
  const bool two = record.people_rule == domain::PeopleRule::two_person;
  return ObjectText()
      .text("id", plan_id(record))
      .text("digest", to_hex(plan.digest))
      .text("requester", plan.requester.login)
      .text("requested_at", to_rfc3339(plan.created))
      .text("reason", or_none(plan.reason))
      .text("ticket", or_none(plan.ticket))
      .text("expires_at", to_rfc3339(plan.expires))
      .text("asked_for_by", plan.origin == domain::PlanOrigin::person
                                ? "a person"
                                : "the nightly run, by the class")
      .text("people_rule", two ? "two-person" : "single-operator")
      .finish();
}

std::string ended_part(const RefusalRecord& record) {
  return ObjectText()
      .text("at", to_rfc3339(record.ending.time))
      .text("by", record.ending.actor.login)
      .raw("as_custodian", array_of_texts(record.ending.capacities))
      .text("why", or_none(record.ending.why))
      .finish();
}

std::string policy_versions(const RefusalRecord& record) {
  return ObjectText()
      .text("at_request_sha256", to_hex(record.plan.policy))
      .text("at_end_sha256", to_hex(record.policy_now))
      .finish();
}

std::string item_part(const domain::PlanItem& item, Detail detail) {
  ObjectText object;
  object.text("asset", domain::id_text(domain::IdType::asset, item.asset))
      .text("name", item.name.text())
      .text("state", domain::to_text(item.state));
  if (item.certificate) {
    object.text("certificate", domain::id_text(domain::IdType::certificate, *item.certificate));
  }
  ArrayText reasons;
  if (detail == Detail::whole) {
    for (const domain::Reason& reason : item.reasons) reasons.text(reason.text);
  }
  object.raw("reasons", reasons.finish());
  return object.finish();
}

std::string items_part(const RefusalRecord& record, Detail detail) {
  ArrayText items;
  for (const domain::PlanItem& item : record.plan.items) items.raw(item_part(item, detail));
  return items.finish();
}

std::string people_of(const RefusalRecord& record, Detail detail) {
  const domain::PlanEnding& ending = record.ending;
  ArrayText people;
  people.raw(known_by_account("requester", record.plan.requester, record.plan.created));
  for (const domain::Approval& approval : record.plan.approvals) {
    const bool shown = detail == Detail::whole && approval.decision == domain::Decision::approve;
    if (!shown) continue;
    // What they signed stands on certificates, if any: here it counted for nothing more.
    people.raw(
        decider_part("approver", approval.actor, approval.time, approval.signed_by, nullptr));
  }
  people.raw(decider_part("ended-by", ending.actor, ending.time, ending.signed_by,
                          record.signed_text ? &*record.signed_text : nullptr));
  return people.finish();
}

std::string not_claimed() {
  return ArrayText()
      .text("That the assets live: another plan may have erased one of them, before or since.")
      .text("That it was right to ask for the erasure, or to end it: that is for people to judge.")
      .finish();
}

std::string predicate(const RefusalRecord& record, Detail detail) {
  const std::uint64_t erased = count_erased(record);
  const std::uint64_t not_erased = record.plan.items.size() - erased;
  return ObjectText()
      .number("schema_version", 1)
      .text("outcome", domain::to_text(record.plan.state))
      .text("text", refusal_sentence(erased, not_erased))
      .number("erased", erased)
      .number("not_erased", not_erased)
      .raw("store", store_part(record))
      .raw("plan", plan_part(record))
      .raw("ended", ended_part(record))
      .raw("policy", policy_versions(record))
      .raw("items", items_part(record, detail))
      .text("left_out", detail == Detail::whole
                            ? "nothing"
                            : "reasons of items and approvals, which the store keeps: with them "
                              "the record would be larger than any may be")
      .raw("people", people_of(record, detail))
      .raw("tool", tool_part(record.tool_version, record.tool_build))
      .raw("not_claimed", not_claimed())
      .finish();
}

std::string statement_text_of(const RefusalRecord& record, Detail detail) {
  return ObjectText()
      .text("_type", kStatementType)
      .text("predicateType", kRefusalPredicateType)
      .raw("subject", subject_part(record))
      .raw("predicate", predicate(record, detail))
      .finish();
}

std::string assets_text(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " asset" : " assets");
}

}  // namespace

std::string refusal_sentence(std::uint64_t erased, std::uint64_t not_erased) {
  if (erased == 0) return "nothing was erased by it";
  return assets_text(not_erased) + (not_erased == 1 ? " was" : " were") + " not erased by it, " +
         assets_text(erased) + (erased == 1 ? " was" : " were");
}

Result<RefusalStatement> RefusalStatement::of(const RefusalRecord& record) {
  if (!domain::is_refusal(record.plan.state)) {
    return make_error(Errc::unexpected, "no refusal can be recorded of a plan that is " +
                                            std::string(domain::to_text(record.plan.state)));
  }
  std::string text = statement_text_of(record, Detail::whole);
  if (text.size() > kRecordBytes) text = statement_text_of(record, Detail::brief);
  if (!is_valid_utf8(text)) {
    return make_error(Errc::invalid_input, "a text in the record of a plan is not valid UTF-8");
  }
  return RefusalStatement(std::move(text));
}

Result<RefusalStatement> RefusalStatement::kept(std::string text) {
  const auto json = read_json(text, JsonLimits{limits::kCertificateBytes, 32});
  const std::optional<std::string> fault =
      json.ok() ? refusal_fault(json->root()) : std::optional<std::string>(json.error().message);
  if (!fault) return RefusalStatement(std::move(text));
  return make_error(Errc::damaged, "the kept record of a plan cannot be signed: " + *fault,
                    "find out who changed the database");
}

Result<crypto::Signature> RefusalStatement::sign(const crypto::SigningKey& signer) const {
  return signer.sign(as_bytes(pre_authentication_encoding(kPayloadType, text_)));
}

}  // namespace aierase::certificate
