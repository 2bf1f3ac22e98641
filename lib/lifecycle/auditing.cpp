// The audit in the catalog: written with every commit, read page by page.

#include "catalog/cursor.h"
#include "lifecycle/core.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

using domain::IdType;

// Whether a call upon that thing was upon the asset: a plan that names it, a hold that binds it,
// its certificate.
Result<bool> concerns(const catalog::ReadView& view, const domain::AuditSubject& subject,
                      const Store::AuditRequest::Asset& asset) {
  if (subject.id.empty()) return subject.name == asset.name;
  if (!asset.id) return false;
  const std::optional<domain::IdPrefix> id = domain::parse_id(subject.id);
  if (!id || !id->whole) return false;
  switch (id->type) {
    case IdType::asset:
      return *id->whole == *asset.id;
    case IdType::plan:
      return view.plan_names(*id->whole, *asset.id);
    case IdType::hold:
      return view.hold_binds(*id->whole, *asset.id);
    case IdType::certificate: {
      ASSIGN_OR_RETURN(const std::optional<catalog::CertificateHead> head,
                       view.certificate_head(*id->whole));
      return head && head->asset == *asset.id;
    }
    case IdType::job:
      break;
  }
  return false;
}

Result<bool> concerns(const catalog::ReadView& view, const domain::AuditRow& row,
                      const Store::AuditRequest::Asset& asset) {
  for (const domain::AuditSubject& subject : row.subjects) {
    ASSIGN_OR_RETURN(const bool yes, concerns(view, subject, asset));
    if (yes) return true;
  }
  return false;
}

}  // namespace

Result<std::vector<std::int64_t>> Core::add_audit(catalog::Transaction& transaction,
                                                  AuditTrail::Part part) {
  std::vector<std::int64_t> numbers;
  if (settings.audit == nullptr) return numbers;
  for (const domain::AuditRow& row : settings.audit->rows(part, now())) {
    ASSIGN_OR_RETURN(const std::int64_t number, transaction.add_audit(row));
    numbers.push_back(number);
  }
  return numbers;
}

Status Store::flush_audit(AuditTrail::Part part) {
  Core& core = *impl_;
  if (core.settings.audit == nullptr) return {};
  if (core.settings.audit->rows(part, core.now()).empty()) return {};
  RETURN_IF_ERROR(core.alive());
  const Build nothing = [](catalog::Transaction&, catalog::StoreState&) { return Status(); };
  return transact(core, ReserveShare::none, nothing, part);
}

Result<Store::AuditPage> Store::audit(const AuditRequest& request, const std::string& cursor,
                                      std::size_t limit) {
  const catalog::ReadView& view = impl_->view();
  ASSIGN_OR_RETURN(const std::int64_t after, catalog::after_cursor(cursor));
  AuditPage page;
  ASSIGN_OR_RETURN(page.newest, view.last_audit());
  if (after >= page.newest) return page;
  const std::int64_t up_to = after + static_cast<std::int64_t>(limits::kPageRows);
  if (up_to < page.newest) page.next = std::to_string(up_to);
  ASSIGN_OR_RETURN(std::vector<domain::AuditRow> rows,
                   view.audit_rows(request.query, after, up_to));
  for (domain::AuditRow& row : rows) {
    if (request.asset) {
      ASSIGN_OR_RETURN(const bool wanted, concerns(view, row, *request.asset));
      if (!wanted) continue;
    }
    if (page.rows.size() == limit) {
      page.next = std::to_string(page.rows.back().number);
      break;
    }
    page.rows.push_back(std::move(row));
  }
  return page;
}

Result<Measures> Store::measures() {
  Core& core = *impl_;
  Measures measures;
  ASSIGN_OR_RETURN(measures.counted, core.view().measures());
  const ClockReading reading = core.settings.clock->read();
  measures.now = reading.wall;
  measures.clock_synchronised = reading.synchronised;
  ASSIGN_OR_RETURN(measures.enforcement, enforce_state(core));
  ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
  if (!clock.anomalies.empty()) measures.clock_guard = Measures::ClockGuard::closed;
  return measures;
}

}  // namespace aierase::lifecycle
