#include <map>
#include <nlohmann/json.hpp>

#include "ctl/describe.h"
#include "ctl/render.h"

namespace aierase::ctl {
namespace {

void add_slots(const Json& status, Fields& fields) {
  for (const Json& slot : list_at(status, "root_slots")) {
    std::string text = text_at(slot, "kind");
    if (!text_at(slot, "path").empty()) text += ":" + text_at(slot, "path");
    if (!text_at(slot, "state").empty()) text += ", " + text_at(slot, "state");
    fields.add("Root slot", text);
    const std::string reason = text_at(slot, "reason");
    fields.add("Assurance", text_at(slot, "level") + (reason.empty() ? "" : ": " + reason));
    std::string device = text_at(slot, "device");
    if (!text_at(slot, "filesystem").empty()) {
      device += (device.empty() ? "" : ", ") + text_at(slot, "filesystem");
    }
    fields.add("Slot lies on", device);
    fields.add("Rollback", text_at(slot, "rollback"));
    fields.add("Rotations", std::to_string(number_at(slot, "rotations_last_day")) +
                                " of its secret in the last 24 hours");
    fields.add("May be copied by", joined(list_at(slot, "may_have_copied"), "; "));
  }
}

std::string assets_text(const Json& store) {
  const Json& counts = object_at(store, "assets");
  std::string text;
  for (auto count = counts.begin(); count != counts.end(); ++count) {
    if (!count->is_number_integer() || count->get<std::int64_t>() == 0) continue;
    text +=
        (text.empty() ? "" : ", ") + std::to_string(count->get<std::int64_t>()) + " " + count.key();
  }
  return text.empty() ? "none" : text;
}

std::string at_rest_text(const std::string& at_rest) {
  if (at_rest == "none") return "none: whoever takes the disk can read everything";
  if (at_rest == "unlock-secret") return "unlock-secret: the disk alone opens nothing";
  return at_rest;
}

std::string policy_text(const Json& policy) {
  if (holds(policy, "altered")) return "ALTERED: " + text_at(policy, "altered");
  if (!holds(policy, "loaded")) return "built in: a grace of 7 days, no floor, no ceiling";
  return text_at(policy, "version").substr(0, 12) + ", loaded " + text_at(policy, "loaded") +
         " by " + text_at(object_at(policy, "loaded_by"), "login");
}

std::string enforce_text(const Json& enforce) {
  if (!holds(enforce, "ended")) return "never";
  std::string text = "ended " + text_at(enforce, "ended") + ": " + text_at(enforce, "outcome");
  const std::string success = text_at(enforce, "succeeded");
  if (success != text_at(enforce, "ended")) {
    text += success.empty() ? ", none has come through" : ", last came through " + success;
  }
  return text;
}

}  // namespace

std::string describe_status(const Json& status, const Output& out) {
  const Json& store = object_at(status, "store");
  Fields fields;
  fields.add("State", text_at(status, "state"));
  fields.add("", text_at(status, "message"));
  fields.add("Store", text_at(store, "id"));
  fields.add("Directory", text_at(store, "directory"));
  if (!store.empty() && !text_at(store, "id").empty()) {
    fields.add("Assets", assets_text(store));
    fields.add("Size", human_bytes(number_at(store, "bytes")));
    fields.add("Epoch", text_at(store, "epoch"));
    fields.add("Format", text_at(store, "format"));
    fields.add("Created", text_at(store, "created"));
    fields.add("People rule", text_at(store, "people_rule"));
    fields.add("Policy", policy_text(object_at(status, "policy")));
    fields.add("Nightly run", enforce_text(object_at(status, "enforce")));
    for (const Json& alarm : list_at(object_at(status, "enforce"), "alarms")) {
      fields.add("ALARM", alarm.is_string() ? alarm.get<std::string>() : std::string());
    }
  }
  add_slots(status, fields);
  fields.add("At rest", at_rest_text(text_at(status, "at_rest")));
  fields.add("Unlock", text_at(status, "unlock"));
  if (text_at(status, "recovery") == "none" && holds(store, "id")) {
    fields.add("Recovery",
               "none: if the root slot or the unlock secret is lost, every asset is lost");
  }
  fields.add("Signer", text_at(object_at(status, "signer"), "fingerprint"));
  fields.add("Daemon", text_at(status, "version") + (text_at(status, "build").empty()
                                                         ? std::string()
                                                         : " (" + text_at(status, "build") + ")"));
  std::string text = fields.text(out.width());
  const Json& findings = list_at(status, "findings");
  if (!findings.empty()) {
    text += "\n" + counted(findings.size(), "finding") + ": aierase doctor explains\n";
  }
  const std::string next = text_at(status, "next");
  if (!next.empty()) text += "\nNext: " + printable(next) + "\n";
  return text;
}

std::string describe_findings(const Json& findings, const Output& out) {
  std::string text;
  std::map<std::string, std::string> mends;  // the code that it was told of first
  for (const Json& finding : findings) {
    if (!finding.is_object()) continue;
    const std::string severity = text_at(finding, "severity");
    const std::string subject = text_at(finding, "subject");
    text += out.toned(severity == "note" ? Tone::plain : Tone::bad, printable(severity)) + " " +
            printable(text_at(finding, "code")) +
            (subject.empty() ? "" : " " + printable(subject)) + "\n";
    text += wrapped(printable(text_at(finding, "text")), out.width(), 2) + "\n";
    const std::string mend = text_at(finding, "mend");
    const auto told = mends.emplace(mend, printable(text_at(finding, "code")));
    if (!mend.empty()) {
      const std::string how = told.second ? printable(mend) : "as " + told.first->second + " above";
      text += wrapped("To mend: " + how, out.width(), 2) + "\n";
    }
    text += "\n";
  }
  return text;
}

}  // namespace aierase::ctl
