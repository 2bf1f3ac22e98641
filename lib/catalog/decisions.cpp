// What people signed, and what people.toml said of them.
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/decision_row.h"

namespace aierase::catalog {
namespace {

struct Field {
  const char* key;
  std::string domain::PersonEntry::*member;
};
constexpr Field kFields[] = {{"id", &domain::PersonEntry::id},
                             {"name", &domain::PersonEntry::name},
                             {"title", &domain::PersonEntry::title},
                             {"organisation", &domain::PersonEntry::organisation},
                             {"location", &domain::PersonEntry::location},
                             {"contact", &domain::PersonEntry::contact}};

}  // namespace

Result<DecisionColumns> DecisionColumns::of(const domain::Actor& actor,
                                            const std::optional<domain::SignedBy>& signed_by) {
  DecisionColumns columns;
  if (actor.person) {
    Json json = Json::object();
    for (const Field& field : kFields) json[field.key] = (*actor.person).*field.member;
    ASSIGN_OR_RETURN(columns.person, dump_canonical(json));
  }
  if (!signed_by) return columns;
  columns.text = signed_by->text;
  columns.signature = signed_by->signature;
  columns.key = signed_by->key;
  columns.carrier_uid = signed_by->carrier.uid;
  columns.carrier_login = signed_by->carrier.login;
  columns.carrier_audit_uid = signed_by->carrier.audit_login_uid;
  return columns;
}

std::optional<domain::PersonEntry> read_person(Row& row) {
  const std::optional<std::string> text = row.maybe_text();
  if (!text) return std::nullopt;
  const Result<Json> json = parse_json(*text);
  domain::PersonEntry person;
  bool whole = json.ok() && json->is_object() && json->size() == std::size(kFields);
  for (const Field& field : kFields) {
    if (!whole) break;
    const auto found = json->find(field.key);
    whole = found != json->end() && found->is_string();
    if (whole) person.*field.member = found->get<std::string>();
  }
  if (!whole) row.fail("is not an entry of a person");
  return person;
}

std::optional<domain::SignedBy> read_signed_by(Row& row) {
  const std::optional<Digest> text = row.maybe_digest();
  const std::optional<Digest> signature = row.maybe_digest();
  const std::optional<std::string> key = row.maybe_text();
  const std::optional<domain::Actor> carrier = row.maybe_actor();
  if (!signature) return std::nullopt;
  if (text && key && carrier) return domain::SignedBy{*text, *signature, *key, *carrier};
  row.fail("belongs to a signature of which half is missing");
  return std::nullopt;
}

Result<std::optional<domain::SignedText>> ReadView::signed_text(const Digest& signature) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT text, signature, key FROM signed_text WHERE sha256 = ?"));
  ASSIGN_OR_RETURN(const bool there, statement.bind(signature).step());
  if (!there) return std::optional<domain::SignedText>();
  Row row(statement, "signed_text");
  domain::SignedText text;
  text.text = row.text();
  text.signature = row.text();
  text.key = row.text();
  RETURN_IF_ERROR(row.finish(to_hex(signature)));
  return std::optional<domain::SignedText>(std::move(text));
}

Status Transaction::keep_signed_text(const Digest& signature, const domain::SignedText& text) {
  ASSIGN_OR_RETURN(const std::optional<domain::SignedText> there, signed_text(signature));
  if (there) return {};
  RETURN_IF_ERROR(connection_->write(
      "INSERT INTO signed_text (sha256, text, signature, key) VALUES (?, ?, ?, ?)", signature,
      text.text, text.signature, text.key));
  return {};
}

}  // namespace aierase::catalog
