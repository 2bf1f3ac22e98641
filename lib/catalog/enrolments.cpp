// Who was enrolled, as the log was last told.
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/row.h"

namespace aierase::catalog {

Result<std::vector<domain::Enrolled>> ReadView::enrolments() const {
  std::vector<domain::Enrolled> people;
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT person, uid, keys FROM enrolment ORDER BY person"));
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "enrolment");
    domain::Enrolled person;
    person.id = row.text();
    person.uid = row.maybe_number().value_or(domain::kNoUid);
    const Result<Json> keys = parse_json(row.text());
    if (!keys.ok() || !keys->is_array()) {
      row.fail("column keys is no list");
    } else {
      for (const Json& key : *keys) {
        if (!key.is_string()) row.fail("column keys is no list of fingerprints");
        person.keys.push_back(key.is_string() ? key.get<std::string>() : "");
      }
    }
    RETURN_IF_ERROR(row.finish(person.id));
    people.push_back(std::move(person));
    return {};
  }));
  return people;
}

Status Transaction::put_enrolment(const domain::Enrolled& person) {
  ASSIGN_OR_RETURN(const std::string keys, dump_canonical(Json(person.keys)));
  std::optional<std::uint32_t> uid;
  if (person.uid != domain::kNoUid) uid = person.uid;
  RETURN_IF_ERROR(
      connection_->write("INSERT INTO enrolment (person, uid, keys) VALUES (?, ?, ?) ON CONFLICT "
                         "(person) DO UPDATE SET uid = excluded.uid, keys = excluded.keys",
                         person.id, uid, keys));
  return {};
}

Status Transaction::drop_enrolment(const std::string& person) {
  RETURN_IF_ERROR(connection_->write("DELETE FROM enrolment WHERE person = ?", person));
  return {};
}

}  // namespace aierase::catalog
