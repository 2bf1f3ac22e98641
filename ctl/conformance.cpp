#include "ctl/conformance.h"

#include <array>
#include <nlohmann/json.hpp>

#include "ctl/render.h"

namespace aierase::ctl {
namespace {

enum class Support { supported, partly, organisational };
// What a store that is set up less strictly takes away.
enum class Needs { nothing, two_people, unlock_secret };

struct Provision {
  std::string_view numbers, subject;
  Support support = Support::organisational;
  std::string_view how = {}, command = {};
  Needs needs = Needs::nothing;
};

// In the order of the standard; ranges are those of its clause. The words are ours.
constexpr std::array kProvisions{
    Provision{"5.1.1-1 to -2.2", "principle 1, awareness"},
    Provision{"5.1.2-1, -1.1", "principle 2, design: what is left"},
    Provision{"5.1.2-2", "withstands unexpected input and failure", Support::partly,
              "limits on all input; an interruption at any step is recovered or undone; of the AI "
              "system itself nothing",
              "aierase check --deep"},
    Provision{"5.1.2-3", "audit trail over the life of models, datasets and prompts",
              Support::supported, "every call and every act, in a log that cannot be shortened",
              "aierase audit"},
    Provision{"5.1.2-4 to -5.1", "principle 2, design: what is left"},
    Provision{"5.1.2-6", "permissions only as needed", Support::partly,
              "a right of its own for each kind of act; of the AI system itself nothing",
              "aierase audit --outcome access_denied"},
    Provision{"5.1.2-7", "principle 2, design: what is left"},
    Provision{"5.1.3-1, -1.2 to -4", "principle 3, threats and risks: what is left"},
    Provision{"5.1.3-1.1", "threats looked at anew when a setting changes", Support::partly,
              "tells when a policy changed, by whom and why",
              "aierase audit --action manage-policy"},
    Provision{
        "5.1.4-1", "capabilities for human oversight", Support::supported,
        "a plan before each erasure, a grace to change one's mind, a brake on the nightly run",
        "aierase list plans"},
    Provision{"5.1.4-2, -5", "principle 4, human responsibility: what is left"},
    Provision{"5.1.4-3", "technical measures behind human oversight", Support::supported,
              "who asks does not approve; an approval holds for exactly one set",
              "aierase show PLAN", Needs::two_people},
    Provision{"5.1.4-4", "the custodian's controls are built in", Support::partly,
              "rules that custodians agreed are tested before they come into force",
              "aierase policy test FILE"},
    Provision{"5.2.1-1", "inventory with interdependencies", Support::supported,
              "all that was imported, and what was made from what", "aierase list"},
    Provision{"5.2.1-2", "tracks, authenticates, versions and secures assets", Support::supported,
              "a name is never given other content; every file has its digest",
              "aierase check --deep"},
    Provision{"5.2.1-3, -3.1", "disaster recovery"},
    Provision{"5.2.1-4", "sensitive data against access without authority", Support::supported,
              "sealed under a key of its own; who used it is recorded", "aierase status",
              Needs::unlock_secret},
    Provision{"5.2.1-4.1", "principle 5, assets: what is left"},
    Provision{"5.2.1-4.2", "protection of confidential weights and data", Support::supported,
              "plaintext of the store touches no disk", "aierase status", Needs::unlock_secret},
    Provision{"5.2.2-1", "access control over models and data", Support::partly,
              "roles over what is in the store; pipelines are outside", "aierase audit"},
    Provision{"5.2.2-2", "attacks by way of an API that is offered"},
    Provision{"5.2.2-3", "separation and least privilege", Support::partly,
              "operator, custodian, auditor, hold keeper and manager are apart",
              "aierase audit --who PERSON"},
    Provision{"5.2.2-4 to -6", "disclosure policy, incident plan, contracts"},
    Provision{"5.2.3-1 to -4", "principle 7, supply chain"},
    Provision{"5.2.4-1", "documentation of design and maintenance"},
    Provision{"5.2.4-1.1", "retention time and review in the documentation", Support::partly,
              "each asset says how long it stays, and by which rule", "aierase show ASSET"},
    Provision{"5.2.4-1.2", "hashes of model components", Support::supported,
              "SHA-256 of each file and of all, for others to rebuild",
              "aierase --json show ASSET"},
    Provision{"5.2.4-2, -2.1", "sources of public training data, with dates", Support::partly,
              "the place and time of each import; where it had come from before is not known",
              "aierase show ASSET"},
    Provision{"5.2.4-3", "log of changes to prompts and configuration", Support::partly,
              "of those that are imported as configuration", "aierase audit ASSET"},
    Provision{"5.2.5-1 to -4.1", "principle 9, testing and evaluation"},
    Provision{"5.3.1-1 to -3", "principle 10, communication"},
    Provision{"5.4.1-1 to -3", "principle 11, updates"},
    Provision{"5.4.2-1", "logs actions of system and users", Support::supported,
              "with time, person and outcome, also what was denied", "aierase audit"},
    Provision{"5.4.2-2", "analysis of logs", Support::partly,
              "a stream for those who analyse, and notices of what waits",
              "aierase audit --follow --json-lines"},
    Provision{"5.4.2-3, -4", "principle 12, monitoring: what is left"},
    Provision{
        "5.5.1-1", "transfer: custodians involved, own copy disposed of", Support::partly,
        "exports are recorded, and the own copy is erased like any other; the transfer itself "
        "is yours",
        "aierase show ASSET"},
    Provision{"5.5.1-2", "decommission: custodians involved, data and configuration deleted",
              Support::supported,
              "custodians approve before and validate after; the certificate lists what is left",
              "aierase certificate export ASSET page.html --format html", Needs::two_people},
};

struct Control {
  std::string_view name, subject, how, command;
};
constexpr std::array kControls{
    Control{"ISO/IEC 27001 A.8.10", "deletion when no longer required",
            "policies make it due, people approve it, a certificate says what was done",
            "aierase list certificates"},
    Control{"ISO/IEC 27001 A.7.14", "disposal or re-use of equipment",
            "what the store held is unreadable without its keys; the medium itself is not cleared",
            "aierase certificate export ASSET page.html --format html"},
    Control{"SOC 2 CC6.5", "protection until data can no longer be read",
            "access rules hold until the key is shown to be gone", "aierase audit ASSET"},
    Control{"NIST SP 800-88 Rev. 2", "fields of the certificate; verification and validation apart",
            "method and technique, media, people, residuals; purge only where it is reached",
            "aierase certificate export ASSET page.html --format html"},
    Control{"NIST SP 800-53 MP-6", "review, approval, record; (7) two people",
            "the plan, who approved it, what was erased and how it was verified",
            "aierase show PLAN"},
};

std::string_view to_text(Support support) {
  switch (support) {
    case Support::supported:
      return "supported";
    case Support::partly:
      return "partly";
    case Support::organisational:
      return "organisational";
  }
  return "organisational";
}

// Why less is supported here than could be; empty where nothing is missing.
std::string_view missing(Needs needs, const Json& status) {
  const Json& store = object_at(status, "store");
  if (needs == Needs::two_people && text_at(store, "people_rule") != "two-person") {
    return "one person may do both in this store: aierase init --two-person";
  }
  if (needs == Needs::unlock_secret && text_at(status, "at_rest") != "unlock-secret") {
    return "this store has no unlock secret: its disk alone gives the keys away";
  }
  return {};
}

Json row_of(const Provision& provision, const Json& status) {
  Json row{{"provision", provision.numbers},
           {"subject", provision.subject},
           {"state", to_text(provision.support)}};
  if (provision.support == Support::organisational) return row;
  const std::string_view less = missing(provision.needs, status);
  if (!less.empty()) {
    row["state"] = to_text(Support::partly);
    row["missing"] = less;
  }
  row["how"] = provision.how;
  row["command"] = provision.command;
  return row;
}

}  // namespace

Json conformance(const Json& status) {
  Json provisions = Json::array();
  for (const Provision& provision : kProvisions) provisions.push_back(row_of(provision, status));
  Json controls = Json::array();
  for (const Control& control : kControls) {
    controls.push_back({{"control", control.name},
                        {"subject", control.subject},
                        {"how", control.how},
                        {"command", control.command}});
  }
  return {{"standard", "ETSI EN 304 223 V2.1.1"},
          {"provisions", std::move(provisions)},
          {"controls", std::move(controls)}};
}

std::string describe_conformance(const Json& conformance, const Output& out) {
  const auto detail = [](const Json& row) {
    std::string text = text_at(row, "subject");
    if (holds(row, "how")) text += ": " + text_at(row, "how");
    if (holds(row, "missing")) text += "; but " + text_at(row, "missing");
    if (holds(row, "command")) text += " [" + text_at(row, "command") + "]";
    return text;
  };
  Table provisions({"PROVISION", "STATE", "WHAT THIS PROGRAM DOES, AND WHAT SHOWS IT"});
  for (const Json& row : list_at(conformance, "provisions")) {
    provisions.add({text_at(row, "provision"), text_at(row, "state"), detail(row)});
  }
  Table controls({"CONTROL", "WHAT THIS PROGRAM DOES, AND WHAT SHOWS IT"});
  for (const Json& row : list_at(conformance, "controls")) {
    controls.add({text_at(row, "control"), detail(row)});
  }
  return text_at(conformance, "standard") + "\n\n" + provisions.text(out.width()) + "\n" +
         controls.text(out.width()) +
         "\norganisational: for people, or for the AI system itself; this program has no part in "
         "it.\nWhether a provision or a control is met as a whole is for people to judge.\n";
}

}  // namespace aierase::ctl
