#include <algorithm>
#include <nlohmann/json.hpp>

#include "ctl/describe.h"
#include "ctl/outcome.h"
#include "ctl/render.h"

namespace aierase::ctl {
namespace {

constexpr std::size_t kDigestDigits = 12;
constexpr std::size_t kLeftOutShown = 10;

std::string reasons_text(const Json& item) {
  std::string text;
  for (const Json& reason : list_at(item, "reasons")) {
    const std::string sentence = text_at(reason, "text");
    text += (text.empty() ? "" : "; ") +
            printable(sentence.empty() ? text_at(reason, "code") : sentence);
  }
  return text;
}

// What a plan that has ended did not come to is not pending any more.
std::string fate_of(const Json& item, const Json& plan) {
  const std::string state = printable(text_at(item, "state"));
  return state == "pending" && holds(plan, "finished") ? "left alone" : state;
}

std::string given_text(const Json& plan, const Output& out) {
  const Json& given = list_at(object_at(plan, "approvals"), "given");
  if (given.empty()) return {};
  Table table({"  TIME", "WHO", "DECISION", "REASON"});
  for (const Json& act : given) {
    const std::string in_advance = text_at(object_at(act, "standing"), "class");
    table.add({"  " + printable(text_at(act, "time")), decider_text(act),
               printable(text_at(act, "decision")) +
                   (in_advance.empty() ? "" : ", in advance for class " + printable(in_advance)),
               printable(text_at(act, "reason"))});
  }
  return "\nDecisions\n" + table.text(out.width());
}

// Of how it ended: what a person can hold in hand, and until when not.
std::string record_text(const Json& record) {
  const std::string outcome = printable(text_at(record, "outcome"));
  if (outcome.empty()) return {};
  const std::string what =
      (outcome == "partial" ? "of what was not erased" : "that nothing was erased");
  return text_at(record, "state") == "signed"
             ? what + ", signed, leaf " + text_at(record, "log_index") + " of the log"
             : what + ", waits for a signature: aierase doctor";
}

std::string validations_text(const Json& certificate, const Output& out) {
  const Json& acts = list_at(certificate, "validations");
  if (acts.empty()) return {};
  Table table({"  TIME", "WHO", "VERDICT", "REASON", "REMEDY"});
  for (const Json& act : acts) {
    table.add({"  " + printable(text_at(act, "time")), decider_text(act),
               printable(text_at(act, "verdict")), printable(text_at(act, "reason")),
               printable(text_at(act, "remedy"))});
  }
  return "\nValidation\n" + table.text(out.width());
}

std::string amendments_text(const Json& certificate, const Output& out) {
  const Json& said = list_at(certificate, "amendments");
  if (said.empty()) return "\nNothing was said of it since it was issued.\n";
  Table table({"  NO", "OUTCOME", "WHAT WAS SAID"});
  for (const Json& one : said) {
    table.add({"  " + text_at(one, "number"), printable(text_at(one, "outcome")),
               printable(text_at(one, "text"))});
  }
  const Json& open = list_at(said.back(), "residuals_open");
  return "\nAmendments\n" + table.text(out.width()) +
         (open.empty()
              ? std::string("No residual is open.\n")
              : wrapped("Residuals still open: " + joined(open, ", ") + ".", out.width(), 0) +
                    "\n");
}

}  // namespace

std::string decider_text(const Json& act) {
  const std::string uid = text_at(act, "uid");
  const std::string login = text_at(act, "login");
  std::string text = login.empty() ? "uid " + uid : printable(login);
  if (!login.empty() && !uid.empty()) text += " (uid " + uid + ")";
  const std::string name = text_at(object_at(act, "person"), "name");
  if (!name.empty()) text += ", " + printable(name);
  const std::string key = text_at(object_at(act, "signed"), "key");
  return key.empty() ? text : text + ", signed by " + printable(key);
}

std::string approve_command(const Json& plan) {
  return "aierase approve " + short_id(text_at(plan, "id")) + "@" +
         printable(text_at(plan, "digest").substr(0, kDigestDigits));
}

std::string moment_of_erasure(const Json& plan) {
  const std::string until = text_at(plan, "waits_until");
  if (!until.empty()) return until + " at the latest";
  const std::string due = text_at(plan, "due_if_approved_now");
  if (text_at(plan, "state") != "requested" || due.empty()) return text_at(plan, "due");
  return text_at(plan, "timing") == "now" ? "as soon as it is approved (no grace)"
                                          : due + " if it is approved now";
}

std::string signed_record_text(const Json& plan) {
  if (text_at(object_at(plan, "record"), "state") != "signed") return {};
  return "To hand over the signed record of how it ended: aierase certificate export " +
         short_id(text_at(plan, "id")) + " FILE\n";
}

namespace {

bool is_single_operator(const Json& plan) {
  return text_at(plan, "people_rule") == "single-operator";
}

bool has_approvals(const Json& plan) {
  const Json& given = list_at(object_at(plan, "approvals"), "given");
  return std::any_of(given.begin(), given.end(),
                     [](const Json& act) { return text_at(act, "decision") == "approve"; });
}

// Who approves, as the beginning of a sentence.
std::string approver_text(const Json& plan) {
  const Json& approvals = object_at(plan, "approvals");
  const std::uint64_t people = number_at(approvals, "people");
  const std::string count = people > 1 ? "; " + std::to_string(people) + " people have to" : "";
  if (is_single_operator(plan)) {
    return has_approvals(plan)
               ? "somebody who has not approved it yet has to, too" + count
               : "you may approve it yourself (this store is single-operator)" + count;
  }
  const std::string who = joined(list_at(approvals, "needed"), ", ");
  return "a custodian other than who asked approves it" + (who.empty() ? "" : " (" + who + ")") +
         count;
}

std::string step_of_a_request(const Json& plan, const std::string& id) {
  const Json& approvals = object_at(plan, "approvals");
  const std::string expires = text_at(plan, "expires");
  const std::string end =
      expires.empty() ? ".\n" : ", and the plan expires at " + printable(expires) + ".\n";
  if (const std::string orphaned = orphaned_text(plan); !orphaned.empty()) {
    return "Next: " + orphaned + "Or it is taken back: aierase cancel " + id +
           "\nUntil then nothing changes" + end;
  }
  std::string text = "Next: " + approver_text(plan) + ":\n  " + approve_command(plan) + "\n";
  const std::string signing = joined(list_at(approvals, "by_signature"), ", ");
  if (!signing.empty()) {
    text += "Who has no account here (" + signing + ") signs the text of\n  aierase show " + id +
            " --request\nand anybody hands it in: aierase approve --signed FILE\n";
  }
  if (is_single_operator(plan) && has_approvals(plan)) {
    text += "Or it is taken back: aierase cancel " + id + "\n";
  }
  return text + "Until then nothing changes" + end;
}

// Who approves may not be who takes back.
std::string way_back(const std::string& id) {
  return "Until then whoever may retire takes it back: aierase cancel " + id + "\n";
}

}  // namespace

std::string orphaned_text(const Json& plan) {
  const Json& approvals = object_at(plan, "approvals");
  const std::uint64_t orphaned = number_at(approvals, "items_of_nobody");
  if (orphaned == 0) return {};
  const bool anybody = !list_at(approvals, "needed").empty();
  return std::string(anybody ? "too few people are" : "nobody is") + " left who may approve " +
         counted(orphaned, "item") +
         ": not who asked, not root, and nobody\ntwice. A custodian of such an asset names another "
         "one:\n  aierase set ASSET --custodian USER --reason T\n";
}

std::string next_step(const Json& plan) {
  const std::string state = text_at(plan, "state");
  const std::string id = short_id(text_at(plan, "id"));
  if (state == "requested") return step_of_a_request(plan, id);
  if (waits_for_holds(plan)) {
    return "Next: nothing can go on before the legal holds are lifted: they keep " +
           counted(held_items(plan), "item") + " waiting.\nTo see them: aierase list holds\n";
  }
  if (text_at(plan, "waits_for") == "grace") {
    return "Next: nobody needs to act. It is retired, and erased at " +
           printable(text_at(plan, "due")) + ", when its grace ends.\n" + way_back(id);
  }
  if (text_at(plan, "waits_for") == "company") {
    return "Next: nobody needs to act. To spare the TPM's memory it waits for others that go "
           "with it,\nand is erased at " +
           printable(text_at(plan, "waits_until")) + " at the latest.\n" + way_back(id);
  }
  if (text_at(plan, "waits_for") == "brake") {
    return "Next: the brake holds it: it is more than the policy lets go unattended. One custodian "
           "more\nlooks at it and approves, and it is erased:\n  " +
           approve_command(plan) + "\nOr it is taken back: aierase cancel " + id + "\n";
  }
  if (text_at(plan, "waits_for") == "clock") {
    return "Next: its grace has ended by the clock of this host, but too little time is known to "
           "have passed.\nIf the clock is right, a custodian lets it go on:\n"
           "  aierase enforce --confirm-clock\n";
  }
  if (holds(plan, "record")) return signed_record_text(plan);
  if (state == "approved" || state == "running") {
    return "Next: nobody needs to act; the daemon erases now:\n  aierase wait " + id +
           " --for final\n";
  }
  return {};
}

std::string item_table(const Json& plan, const Output& out) {
  const std::string state = text_at(plan, "state");
  if (state == "requested" || state.empty()) {
    Table table({"ASSET", "NAME", "VERDICT", "WHY"});
    for (const Json& item : list_at(plan, "items")) {
      table.add({short_id(text_at(item, "asset")), printable(text_at(item, "name")),
                 printable(text_at(item, "verdict")), reasons_text(item)});
    }
    return table.text(out.width()) + item_leases_text(plan, out);
  }
  Table table({"ASSET", "NAME", "STATE", "CERTIFICATE", "WHY"});
  for (const Json& item : list_at(plan, "items")) {
    table.add({short_id(text_at(item, "asset")), printable(text_at(item, "name")),
               fate_of(item, plan), short_id(text_at(item, "certificate")), reasons_text(item)});
  }
  return table.text(out.width()) + item_leases_text(plan, out);
}

// Who wants what the plan has retired: it may have been a mistake.
std::string attempted_text(const Json& plan, const Output& out) {
  const Json& uses = list_at(plan, "attempted_uses");
  if (uses.empty()) return {};
  Table table({"  ASSET", "ATTEMPTS", "LAST", "BY"});
  for (const Json& use : uses) {
    table.add({"  " + short_id(text_at(use, "asset")), text_at(use, "count"),
               printable(text_at(use, "last")), person_at(use, "by")});
  }
  return "\nAttempted uses since it was retired\n" + table.text(out.width());
}

void add_approvers(Fields& fields, const Json& plan) {
  const std::uint64_t waiting = number_at(plan, "items_waiting");
  if (waiting == 0) return;
  const std::string who = joined(list_at(object_at(plan, "approvals"), "needed"), ", ");
  const std::uint64_t people = number_at(object_at(plan, "approvals"), "people");
  fields.add("Approval needed",
             "for " + counted(waiting, "item") + (who.empty() ? std::string() : ", from " + who) +
                 (people > 1 ? ", " + std::to_string(people) + " people" : std::string()));
}

void add_terms(Fields& fields, const Json& plan) {
  fields.add("Below a floor", text_at(plan, "below_floor"));
  for (const Json& kept : list_at(plan, "kept")) {
    const std::string name = text_at(kept, "name");
    fields.add("Stays", (name.empty() ? std::string() : name + ", ") +
                            short_id(text_at(kept, "asset")) + ": " + text_at(kept, "reason"));
  }
  const Json& left_out = list_at(plan, "left_out");
  if (left_out.size() > kLeftOutShown) {
    fields.add("Left out", counted(left_out.size(), "item") + " (--json lists all), the first:");
  }
  for (std::size_t i = 0; i < left_out.size() && i < kLeftOutShown; ++i) {
    fields.add("Left out", text_at(left_out[i], "name") + " (" + reasons_text(left_out[i]) + ")");
  }
}

std::string describe_plan(const Json& plan, const Output& out) {
  Fields fields;
  fields.add("Plan", text_at(plan, "id"));
  fields.add("Digest", text_at(plan, "digest"));
  fields.add("State", text_at(plan, "state"));
  fields.add("Asked for by", person_at(plan, "requester"));
  fields.add("Reason", text_at(plan, "reason"));
  fields.add("Ticket", text_at(plan, "ticket"));
  fields.add("Created", text_at(plan, "created"));
  if (text_at(plan, "state") == "requested") fields.add("Expires", text_at(plan, "expires"));
  fields.add("Erased at", moment_of_erasure(plan));
  if (text_at(plan, "waits_for") == "clock") fields.add("Waits for", "a confirmed clock");
  if (text_at(plan, "waits_for") == "company") fields.add("Waits for", "others to go with it");
  if (text_at(plan, "origin") == "enforce") fields.add("Made by", "the nightly run");
  fields.add("Brake", text_at(plan, "brake"));
  fields.add("Finished", text_at(plan, "finished"));
  fields.add("Record", record_text(object_at(plan, "record")));
  fields.add("People rule", text_at(plan, "people_rule"));
  add_approvers(fields, plan);
  add_terms(fields, plan);
  return fields.text(out.width()) + "\n" + item_table(plan, out) + given_text(plan, out) +
         attempted_text(plan, out);
}

namespace {

// What comes of it by time alone, and when.
std::string outlook_of(const Json& plan) {
  if (holds(plan, "finished")) return "ended " + printable(text_at(plan, "finished"));
  if (holds(plan, "due")) return "erased " + printable(text_at(plan, "due"));
  return "expires " + printable(text_at(plan, "expires"));
}

}  // namespace

std::string plan_table(const Json& plans, const Output& out) {
  Table table({"PLAN", "STATE", "ITEMS", "ASKED FOR BY", "CREATED", "WHEN", "REASON"});
  for (const Json& plan : plans) {
    const Json& items = list_at(plan, "items");
    const std::string count =
        holds(plan, "items_count") ? text_at(plan, "items_count") : std::to_string(items.size());
    table.add({short_id(text_at(plan, "id")), printable(text_at(plan, "state")), count,
               person_at(plan, "requester"), printable(text_at(plan, "created")), outlook_of(plan),
               printable(text_at(plan, "reason"))});
  }
  return table.text(out.width());
}

std::string describe_certificate(const Json& certificate, const Output& out) {
  Fields fields;
  fields.add("Certificate", text_at(certificate, "id"));
  fields.add("Asset", text_at(certificate, "asset"));
  fields.add("Name", text_at(certificate, "name"));
  fields.add("Plan", text_at(certificate, "plan"));
  fields.add("Outcome", text_at(certificate, "outcome"));
  fields.add("Assurance", text_at(certificate, "assurance"));
  fields.add("Issued", text_at(certificate, "issued"));
  fields.add("Validation", text_at(certificate, "validation"));
  fields.add("Log index", text_at(certificate, "log_index"));
  fields.add("Signer's key", text_at(certificate, "key_id"));
  return fields.text(out.width()) + validations_text(certificate, out) +
         amendments_text(certificate, out);
}

std::string certificate_table(const Json& certificates, const Output& out) {
  Table table({"CERTIFICATE", "ASSET", "OUTCOME", "ASSURANCE", "VALIDATION", "ISSUED", "NAME"});
  for (const Json& row : certificates) {
    table.add({short_id(text_at(row, "id")), short_id(text_at(row, "asset")),
               printable(text_at(row, "outcome")), printable(text_at(row, "assurance")),
               printable(text_at(row, "validation")), printable(text_at(row, "issued")),
               printable(text_at(row, "name"))});
  }
  return table.text(out.width());
}

}  // namespace aierase::ctl
