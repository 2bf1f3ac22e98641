// What a signed decision leaves behind: in the record that the log commits to, and in the catalog.
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "certificate/ssh_key.h"
#include "lifecycle/core.h"

namespace aierase::lifecycle {
namespace {

Json entry_json(const domain::PersonEntry& person) {
  return Json{{"id", person.id},
              {"name", person.name},
              {"title", person.title},
              {"organisation", person.organisation},
              {"location", person.location},
              {"contact", person.contact}};
}

}  // namespace

// Everything that the certificate will say of the person stands in it, so that nobody edits it
// between the decision and the certificate.
void add_signed_by(Json& record, const domain::Actor& actor,
                   const std::optional<domain::SignedBy>& signed_by) {
  if (actor.person) record["person"] = entry_json(*actor.person);
  if (!signed_by) return;
  record["signed"] = Json{{"key", signed_by->key},
                          {"text_sha256", to_hex(signed_by->text)},
                          {"signature_sha256", to_hex(signed_by->signature)},
                          {"carried_by", actor_json(signed_by->carrier)}};
}

Result<bool> is_kept(const catalog::ReadView& view, const domain::SignedBy& signed_by) {
  ASSIGN_OR_RETURN(const std::optional<domain::SignedText> kept,
                   view.signed_text(signed_by.signature));
  if (!kept) return false;
  const Result<certificate::SshPublicKey> key = certificate::SshPublicKey::from_line(kept->key);
  return crypto::sha256(as_bytes(kept->text)) == signed_by.text &&
         crypto::sha256(as_bytes(kept->signature)) == signed_by.signature && key.ok() &&
         key->fingerprint() == signed_by.key;
}

Status keep(catalog::Transaction& transaction, const SignedDecision* decision) {
  if (decision == nullptr) return {};
  return transaction.keep_signed_text(decision->by.signature, decision->text);
}

std::string carried_text(const std::optional<domain::SignedBy>& signed_by) {
  if (!signed_by) return {};
  return "signed by " + signed_by->key + ", handed in by " + signed_by->carrier.login;
}

}  // namespace aierase::lifecycle
