// Numbers for those who watch many stores; none of them reads more than the open plans.
#include <algorithm>

#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/row.h"

namespace aierase::catalog {
namespace {

constexpr std::string_view kPlan = "plan ";
constexpr std::string_view kCertificate = "certificate ";

Status read_tallies(Connection& connection, Measures& measures) {
  ASSIGN_OR_RETURN(Statement statement, connection.prepare("SELECT what, rows FROM tally"));
  return each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "tally");
    const std::string what = row.text();
    const std::uint64_t rows = row.count();
    RETURN_IF_ERROR(row.finish(what));
    if (what.starts_with(kPlan)) measures.plans[what.substr(kPlan.size())] = rows;
    if (what.starts_with(kCertificate))
      measures.certificates[what.substr(kCertificate.size())] = rows;
    return {};
  });
}

Result<std::optional<UtcTime>> time_of(Connection& connection, std::string_view sql) {
  ASSIGN_OR_RETURN(Statement statement, connection.prepare(sql));
  ASSIGN_OR_RETURN(const bool there, statement.step());
  if (!there) return std::optional<UtcTime>();
  Row row(statement, "time");
  const std::optional<UtcTime> time = row.maybe_time();
  RETURN_IF_ERROR(row.finish(sql));
  return time;
}

}  // namespace

Result<Measures> ReadView::measures() const {
  Measures measures;
  RETURN_IF_ERROR(read_tallies(*connection_, measures));
  ASSIGN_OR_RETURN(measures.oldest_open_plan,
                   time_of(*connection_,
                           "SELECT min(created) FROM plan INDEXED BY plan_state "
                           "WHERE state IN ('requested', 'approved', 'running')"));
  ASSIGN_OR_RETURN(measures.last_erasure,
                   time_of(*connection_,
                           "SELECT a.erased_at FROM certificate c JOIN asset a ON a.uuid = c.asset "
                           "ORDER BY c.id DESC LIMIT 1"));
  ASSIGN_OR_RETURN(Statement braked,
                   connection_->prepare("SELECT count(*) FROM plan INDEXED BY plan_state "
                                        "WHERE state IN ('requested', 'approved', 'running') "
                                        "AND brake <> '' AND due IS NULL"));
  ASSIGN_OR_RETURN(const bool there, braked.step());
  if (there) {
    Row row(braked, "plan");
    measures.braked_plans = row.count();
    RETURN_IF_ERROR(row.finish("count"));
  }
  ASSIGN_OR_RETURN(measures.audit_rows, last_audit());
  ASSIGN_OR_RETURN(const std::vector<domain::AuthorityKey> keys, authority_keys());
  const auto signers = std::count_if(keys.begin(), keys.end(), [](const auto& key) {
    return key.purpose == domain::KeyPurpose::signer;
  });
  measures.key_rotations = static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(1, signers) - 1);
  return measures;
}

}  // namespace aierase::catalog
