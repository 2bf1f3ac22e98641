// Notices: which were told, beside the rows of the audit that told them.
#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/row.h"

namespace aierase::catalog {

Result<bool> ReadView::is_told(const domain::Notice& notice) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT 1 FROM notice WHERE kind = ? AND subject = ? AND "
                                        "moment = ? AND days <= ? LIMIT 1"));
  return statement
      .bind(domain::to_text(notice.kind), notice.subject, notice.moment, std::uint64_t{notice.days})
      .step();
}

Status Transaction::add_notice(const domain::Notice& notice, std::int64_t audit) {
  RETURN_IF_ERROR(connection_->write(
      "INSERT INTO notice (kind, subject, moment, days, audit) VALUES (?, ?, ?, ?, ?)",
      domain::to_text(notice.kind), notice.subject, notice.moment, std::uint64_t{notice.days},
      audit));
  return {};
}

Result<std::int64_t> ReadView::last_notice() const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT coalesce(max(audit), 0) FROM notice"));
  ASSIGN_OR_RETURN(const bool there, statement.step());
  if (!there) return std::int64_t{0};
  Row row(statement, "notice");
  const std::int64_t last = row.integer();
  RETURN_IF_ERROR(row.finish("max"));
  return last;
}

Result<std::vector<Uuid>> ReadView::plans_due_before(UtcTime moment) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT uuid FROM plan INDEXED BY plan_due WHERE state = "
                                        "'approved' AND due IS NOT NULL AND due < ? ORDER BY id"));
  return uuid_rows(statement.bind(moment), "plan");
}

}  // namespace aierase::catalog
