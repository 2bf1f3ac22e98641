#include "daemon/signed_methods.h"

#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "daemon/call_options.h"
#include "daemon/decision_records.h"
#include "daemon/methods.h"
#include "daemon/selection.h"
#include "domain/ids.h"
#include "lifecycle/signed_acts.h"

namespace aierase::daemon {
namespace {

using lifecycle::HandInVerb;
using lifecycle::Store;

struct TextWish {
  lifecycle::SigningWish wish;
  std::vector<Named> plans;
};

Result<TextWish> read_wish(const std::vector<std::string>& plans, CallOptions& options) {
  TextWish text;
  ASSIGN_OR_RETURN(text.wish.decision, options.text_or("decision", "approve"));
  ASSIGN_OR_RETURN(text.wish.comment, options.text_or("comment", ""));
  ASSIGN_OR_RETURN(const std::optional<std::string> until, options.text("valid_until"));
  RETURN_IF_ERROR(options.finish());
  if (until) {
    text.wish.valid_until = from_rfc3339(*until);
    if (!text.wish.valid_until) {
      return CallOptions::wrong("valid_until",
                                "is " + quoted(*until) + ", not a time like 2026-12-20T00:00:00Z");
    }
  }
  for (const std::string& plan : plans) text.plans.emplace_back(domain::IdType::plan, plan);
  if (!plans.empty()) return text;
  return make_error(Errc::usage, "no plan was named", "aierase show PLAN --request");
}

std::optional<HandInVerb> parse_verb(std::string_view word) {
  if (word == "approve") return HandInVerb::approve;
  if (word == "reject") return HandInVerb::reject;
  if (word == "validate") return HandInVerb::validate;
  return std::nullopt;
}

// For the audit alone: what the text names, whoever wrote it.
std::vector<std::string> plans_named(const std::string& text) {
  std::vector<std::string> plans;
  const Result<certificate::SignedAct> act = certificate::parse_signed_act(text);
  if (!act.ok()) return plans;
  const auto* decision = std::get_if<certificate::DecisionAct>(&*act);
  if (decision == nullptr) return plans;
  for (const certificate::ActPlan& plan : decision->plans) {
    plans.push_back(domain::id_text(domain::IdType::plan, plan.plan));
  }
  return plans;
}

}  // namespace

Status text_to_sign(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(const std::vector<std::string> plans,
                   bus::read_strings(message, limits::kPlansPerSignedAct));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  ASSIGN_OR_RETURN(TextWish read, read_wish(plans, options));
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  call.typed = plans;
  call.look_up = [named = read.plans](StoreSession& session) {
    Details details;
    for (const Named& plan : named) {
      Details found = plan.look_up(session);
      if (named.size() == 1) details = std::move(found);
    }
    return Asked{"read", std::move(details)};
  };
  call.work = [text = std::move(read)](StoreSession& session) mutable -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    for (const Named& plan : text.plans) {
      ASSIGN_OR_RETURN(const Uuid id, plan.found());
      text.wish.plans.push_back(id);
    }
    ASSIGN_OR_RETURN(certificate::DecisionAct act, store->act_to_sign(text.wish));
    Json json{{"decision", certificate::to_text(act.decision)},
              {"valid_until", to_rfc3339(act.valid_until)}};
    ASSIGN_OR_RETURN(json["text"], certificate::render(std::move(act)));
    return with_object(std::move(json));
  };
  service.serve(message, std::move(call));
  return {};
}

Status hand_in(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(const std::string word, read_text(message));
  lifecycle::HandIn file;
  ASSIGN_OR_RETURN(file.text, read_text(message));
  ASSIGN_OR_RETURN(file.signature, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  RETURN_IF_ERROR(options.finish());
  const std::optional<HandInVerb> verb = parse_verb(word);
  if (!verb) {
    return make_error(Errc::usage, "nothing that is signed is handed in by " + quoted(word),
                      "approve, reject or validate");
  }
  file.verb = *verb;
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  file.carrier = call.caller.actor;
  file.find_signer = [&people = service.people()](const certificate::SshPublicKey& key) {
    return people.signer(key);
  };
  call.effect = Effect::changes;
  call.typed = plans_named(file.text);
  call.look_up = ask_plainly("read", {{"signed", word}});
  call.work = [handed = std::move(file)](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(const lifecycle::HandInReport report, store->hand_in(handed));
    return with_object(hand_in_json(report));
  };
  service.serve(message, std::move(call));
  return {};
}

}  // namespace aierase::daemon
