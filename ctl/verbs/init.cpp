#include <limits.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "ctl/describe.h"
#include "ctl/passphrase.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {
namespace {

// The daemon has a working directory of its own.
std::string absolute_path(const std::string& path) {
  if (!path.empty() && path[0] == '/') return path;
  char directory[PATH_MAX];
  if (getcwd(directory, sizeof directory) == nullptr) return path;
  return std::string(directory) + "/" + path;
}

Status add_slot(const std::string& given, Json& options) {
  constexpr std::string_view kFile = "file:";
  if (given == "tpm2" || given == "tpm2+file" || given == "file") {
    options["root_slot"] = given;
    return {};
  }
  if (given.rfind(kFile, 0) == 0 && given.size() > kFile.size()) {
    options["slot_path"] = absolute_path(given.substr(kFile.size()));
    return {};
  }
  return make_error(Errc::usage,
                    "--root-slot needs file, file:PATH, tpm2 or tpm2+file, not " + quoted(given),
                    "aierase init --help explains it");
}

Status add_unlock(const std::string& given, Json& options) {
  constexpr std::string_view kKeyfile = "keyfile:";
  if (given == "credential" || given == "none" || given == "passphrase") {
    options["unlock"] = given;
    return {};
  }
  if (given.rfind(kKeyfile, 0) == 0 && given.size() > kKeyfile.size()) {
    options["unlock"] = "keyfile";
    options["keyfile"] = absolute_path(given.substr(kKeyfile.size()));
    return {};
  }
  return make_error(
      Errc::usage,
      "--unlock needs credential, keyfile:PATH, passphrase or none, not " + quoted(given),
      "aierase init --help explains it");
}

// Only --two-person makes the rule of a living single-operator store stricter: that cannot be
// undone, so it must not happen to whoever runs `init` a second time.
Result<std::string> mode_of(Session& session) {
  const Arguments& given = session.arguments();
  if (given.has("adopt")) return std::string("adopt");
  if (given.has("single-operator") && given.has("two-person")) {
    return make_error(Errc::usage, "--single-operator and --two-person exclude each other",
                      "aierase init --help explains them");
  }
  if (!given.has("two-person") || given.has("root-slot") || given.has("unlock")) {
    return std::string("create");
  }
  ASSIGN_OR_RETURN(const Json status, session.call("Manager", "Status", {}, Json::object()));
  const bool loose = text_at(object_at(status, "store"), "people_rule") == "single-operator";
  return std::string(loose ? "tighten" : "create");
}

std::string plain_words(const Json& status) {
  std::string text;
  if (text_at(status, "at_rest") == "none") {
    text +=
        "At rest: NOT protected. Whoever takes the disk, or a copy of it, reads everything.\n"
        "  Erasure does not need it; to protect the disk, make a store with --unlock.\n";
  }
  text +=
      "Recovery: none. If the root slot or the unlock secret is lost, every asset is lost;\n"
      "  that is what makes erasure final. Never copy the root slot.\n";
  if (text_at(object_at(status, "store"), "people_rule") == "single-operator") {
    text +=
        "People: single-operator. One person may ask and approve; every certificate says so.\n"
        "  It can be made stricter later, and never loosened again: aierase init --two-person\n";
  } else {
    text +=
        "People: two-person. Whoever asks for the end of an asset does not approve it, and root\n"
        "  approves nothing: each asset needs a custodian who is another user (--custodian U).\n";
  }
  return text;
}

constexpr const char* kAfterCreation =
    "\nNext: hand the signer's key to those who will verify certificates:\n"
    "  aierase certificate trust DIR\nthen an operator may begin:\n"
    "  aierase import NAME PATH\n";

constexpr const char* kAfterTightening =
    "This store is two-person from now on, for good: whoever asks for the end of an asset does\n"
    "not approve it, and root approves nothing. Certificates issued before stay as they are.\n"
    "\nNext: see that each asset has a custodian who is another user than those who ask:\n"
    "  aierase list --match custodian=root --match state=active\n"
    "  aierase set A --custodian USER --reason REASON\n";

constexpr const char* kAfterAdoption =
    "The store is accepted on this host.\n\nNext: see what there is to mend: aierase doctor\n";

}  // namespace

Result<int> run_init(Session& session) {
  const Arguments& given = session.arguments();
  Output& out = session.out();
  Json options = Json::object();
  if (given.has("root-slot")) RETURN_IF_ERROR(add_slot(given.value_or("root-slot", ""), options));
  if (given.has("unlock")) RETURN_IF_ERROR(add_unlock(given.value_or("unlock", ""), options));
  ASSIGN_OR_RETURN(const std::string mode, mode_of(session));
  if (mode == "adopt" && options.size() > 0) {
    return make_error(Errc::usage, "--adopt goes with no other option of init",
                      "slot and unlock secret of a store stay as they are");
  }
  options["mode"] = mode;
  if (mode != "adopt") {
    options["people_rule"] = given.has("single-operator") ? "single-operator" : "two-person";
  }
  Json status;
  if (given.value_or("unlock", "") == "passphrase") {
    ASSIGN_OR_RETURN(const UniqueFd passphrase,
                     ask_passphrase(session.line().prompts, "New passphrase: ", Ask::twice));
    ASSIGN_OR_RETURN(status, session.call_with_option("Manager", "Init", options, "passphrase",
                                                      passphrase.get()));
  } else {
    ASSIGN_OR_RETURN(status, session.call("Manager", "Init", {}, options));
  }
  if (!out.for_people()) {
    out.print_json("init", std::move(status));
  } else if (out.quiet()) {
    out.print(printable(text_at(object_at(status, "store"), "id")) + "\n");
  } else {
    const std::string state = describe_status(status, out) + "\n";
    if (mode == "tighten") {
      out.print(state + kAfterTightening);
    } else if (mode == "adopt") {
      out.print(state + kAfterAdoption);
    } else {
      const std::string choice = text_at(status, "slot_choice");
      out.print((choice.empty() ? "" : wrapped(printable(choice), out.width(), 0) + "\n\n") +
                state + plain_words(status) + kAfterCreation);
    }
  }
  return 0;
}

}  // namespace aierase::ctl
