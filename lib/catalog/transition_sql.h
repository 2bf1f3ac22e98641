// Changes of state, as the tables of domain/transitions.h allow them: the UPDATE itself asks.
// Contract: pure but for refused(), which reads. The texts are those of our own tables.
#pragma once

#include <string>

#include "catalog/connection.h"
#include "catalog/row.h"
#include "domain/transitions.h"

namespace aierase::catalog {

// Whether a column holds a state that `to` may follow. Not as a list: SQLite would build a table of
// more than two, for each row anew.
template <typename State>
std::string may_become(State to, const std::string& column = "state") {
  std::string condition;
  for (const domain::Transition<State>& one : domain::transitions_of(to)) {
    if (one.to != to) continue;
    condition += (condition.empty() ? "(" : " OR ") + column + " = '";
    condition += std::string(domain::to_text(one.from)) + "'";
  }
  return condition.empty() ? "FALSE" : condition + ")";
}

// Why an UPDATE with may_become() met no row: there is none (`state_query` finds nothing), or it
// is in a state that `to` does not follow.
template <typename State>
Error refused(Connection& connection, std::string_view state_query, domain::IdType type,
              const Uuid& id, State to) {
  Result<Statement> statement = connection.prepare(state_query);
  if (!statement.ok()) return std::move(statement).error();
  const Result<bool> there = statement->bind(id).step();
  if (!there.ok()) return there.error();
  if (!*there) return absent(type, id);
  Row row(*statement, "state");
  const std::string from = row.text();
  const std::string text = domain::id_text(type, id);
  return make_error(Errc::wrong_state,
                    text + " is " + from + " and cannot become " + std::string(domain::to_text(to)),
                    "`aierase show " + text + "` tells more", text);
}

}  // namespace aierase::catalog
