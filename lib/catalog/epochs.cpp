#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/row.h"

namespace aierase::catalog {

Status Transaction::put_epoch(const domain::EpochRecord& record) {
  const domain::SlotAssurance& slot = record.assurance;
  ASSIGN_OR_RETURN(const std::string may_have_copied, texts_json(slot.may_have_copied));
  RETURN_IF_ERROR(connection_->write(
      "INSERT OR REPLACE INTO epoch (epoch, started, level, kind, reason, path, filesystem, "
      "device, device_model, device_serial, may_have_copied, next_level) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      record.epoch, record.started, domain::to_text(slot.level), slot.kind, slot.reason, slot.path,
      slot.filesystem, slot.device, slot.device_model, slot.device_serial, may_have_copied,
      slot.next_level));
  return {};
}

Status Transaction::remove_epoch(std::uint64_t epoch) {
  RETURN_IF_ERROR(connection_->write("DELETE FROM epoch WHERE epoch = ?", epoch));
  return {};
}

Result<std::vector<domain::EpochRecord>> ReadView::epochs(std::uint64_t from,
                                                          std::uint64_t to) const {
  std::vector<domain::EpochRecord> records;
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(
          "SELECT epoch, started, level, kind, reason, path, filesystem, device, device_model, "
          "device_serial, may_have_copied, next_level FROM epoch "
          "WHERE epoch BETWEEN ? AND ? ORDER BY epoch"));
  statement.bind(from, to);
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "epoch");
    domain::EpochRecord record;
    record.epoch = row.count();
    record.started = row.time();
    domain::SlotAssurance& slot = record.assurance;
    slot.level = row.word(domain::parse_level);
    slot.kind = row.text();
    slot.reason = row.text();
    slot.path = row.text();
    slot.filesystem = row.text();
    slot.device = row.text();
    slot.device_model = row.text();
    slot.device_serial = row.text();
    slot.may_have_copied = row.texts();
    slot.next_level = row.text();
    RETURN_IF_ERROR(row.finish(static_cast<std::int64_t>(record.epoch)));
    records.push_back(std::move(record));
    return {};
  }));
  return records;
}

Result<std::uint64_t> ReadView::epochs_since(UtcTime moment) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT count(*) FROM epoch WHERE epoch > 0 AND started >= ?"));
  statement.bind(moment);
  ASSIGN_OR_RETURN(const bool there, statement.step());
  if (!there) return std::uint64_t{0};
  Row row(statement, "epoch");
  const std::uint64_t count = row.count();
  RETURN_IF_ERROR(row.finish("count"));
  return count;
}

// Assets are numbered as they come, so that the oldest has the first epoch; the texts of levels
// are in their order.
Result<std::optional<std::uint64_t>> ReadView::weak_epoch(domain::Level below) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(
          "SELECT epoch FROM epoch WHERE level < ? AND epoch >= "
          "(SELECT first_epoch FROM asset WHERE erased_at IS NULL ORDER BY id LIMIT 1) "
          "ORDER BY epoch DESC LIMIT 1"));
  statement.bind(domain::to_text(below));
  ASSIGN_OR_RETURN(const bool there, statement.step());
  if (!there) return std::optional<std::uint64_t>();
  Row row(statement, "epoch");
  const std::uint64_t epoch = row.count();
  RETURN_IF_ERROR(row.finish("weak"));
  return std::optional<std::uint64_t>(epoch);
}

}  // namespace aierase::catalog
