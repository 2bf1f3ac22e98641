#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/cursor.h"
#include "catalog/row.h"

namespace aierase::catalog {
namespace {

// Of a page of certificates; it ends early beyond so many bytes of statements: one with 100,000
// files has tens of MB.
constexpr std::size_t kStatementBytesPerPage = 16 << 20;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kSignatureBytes = 64;

// A draft has each of the four once: who signed has looked.
constexpr std::string_view kCertificates = R"(
  SELECT c.uuid, c.asset, c.plan, c.outcome, c.assurance, c.issued, c.validation, c.log_index,
    c.public_key, c.signature,
    replace(replace(replace(replace(d.text,
      '"evidence":null', '"evidence":' || e.evidence),
      '"verification":null', '"verification":' || e.verification),
      '"intent_at":null', '"intent_at":' || e.intent_at),
      '"verified_zero_at":null', '"verified_zero_at":' || e.verified_zero_at),
    coalesce((SELECT name FROM asset WHERE uuid = c.asset), ''), c.id
  FROM certificate c LEFT JOIN draft d ON d.id = c.id
    LEFT JOIN statement_end e ON e.id = c.statement_end )";

std::string certificates_where(std::string_view what) {
  return std::string(kCertificates).append(what);
}

CertificateRow read_certificate(Row& row) {
  CertificateRow certificate;
  certificate.id = row.uuid();
  certificate.asset = row.uuid();
  certificate.plan = row.uuid();
  certificate.outcome = row.text();
  certificate.assurance = row.word(domain::parse_level);
  certificate.issued = row.time();
  certificate.validation = row.word(domain::parse_validation);
  certificate.log_index = row.count();
  certificate.public_key = row.blob();
  if (certificate.public_key.size() != kKeyBytes) row.fail("is not a key of 32 bytes");
  certificate.signature = row.blob();
  if (certificate.signature.size() != kSignatureBytes) row.fail("is not a signature of 64 bytes");
  certificate.statement = row.text();
  certificate.name = row.text();
  return certificate;
}

Result<std::vector<CertificateHead>> read_heads(Statement& statement) {
  std::vector<CertificateHead> heads;
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "certificate");
    CertificateHead head;
    head.id = row.uuid();
    head.asset = row.uuid();
    head.plan = row.uuid();
    head.validation = row.word(domain::parse_validation);
    RETURN_IF_ERROR(row.finish(domain::IdType::certificate, head.id));
    heads.push_back(head);
    return {};
  }));
  return heads;
}

// Of neighbours in a round it is the same mostly.
Result<std::int64_t> keep_end(Connection& connection, const domain::StatementEnd& end) {
  ASSIGN_OR_RETURN(
      Statement latest,
      connection.prepare(
          "SELECT id FROM statement_end WHERE id = (SELECT max(id) FROM statement_end) "
          "AND evidence = ? AND verification = ? AND intent_at = ? AND "
          "verified_zero_at = ?"));
  latest.bind_borrowed(end.evidence, end.verification, end.intent_at, end.verified_zero_at);
  ASSIGN_OR_RETURN(const bool same, latest.step());
  if (same) return sqlite3_column_int64(latest.handle(), 0);
  RETURN_IF_ERROR(
      connection.write("INSERT INTO statement_end (evidence, verification, intent_at, "
                       "verified_zero_at) VALUES (?, ?, ?, ?)",
                       end.evidence, end.verification, end.intent_at, end.verified_zero_at));
  return connection.last_row();
}

}  // namespace

Status Transaction::add_certificate(const CertificateRow& row, std::int64_t draft,
                                    const domain::StatementEnd& end) {
  if (row.public_key.size() != kKeyBytes || row.signature.size() != kSignatureBytes) {
    return make_error(Errc::invalid_input,
                      "a certificate has a key of 32 bytes and a signature of 64");
  }
  ASSIGN_OR_RETURN(const std::int64_t end_row, keep_end(*connection_, end));
  RETURN_IF_ERROR(connection_->write(
      "INSERT OR FAIL INTO certificate (id, uuid, asset, plan, outcome, assurance, issued, "
      "validation, log_index, public_key, signature, statement_end) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      draft, row.id, row.asset, row.plan, row.outcome, domain::to_text(row.assurance), row.issued,
      domain::to_text(row.validation), row.log_index, row.public_key, row.signature, end_row));
  return {};
}

namespace {

Result<std::optional<CertificateRow>> first_certificate(Statement& statement) {
  ASSIGN_OR_RETURN(const bool there, statement.step());
  if (!there) return std::optional<CertificateRow>();
  Row row(statement, "certificate");
  CertificateRow certificate = read_certificate(row);
  RETURN_IF_ERROR(row.finish(domain::IdType::certificate, certificate.id));
  return std::optional<CertificateRow>(std::move(certificate));
}

}  // namespace

Result<std::optional<CertificateRow>> ReadView::certificate(const Uuid& id) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare(certificates_where("WHERE c.uuid = ?")));
  return first_certificate(statement.bind(id));
}

Result<std::optional<CertificateRow>> ReadView::certificate_at(std::uint64_t leaf) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare(certificates_where("WHERE c.log_index = ?")));
  return first_certificate(statement.bind(leaf));
}

Result<std::optional<Uuid>> ReadView::certificate_of(const Uuid& asset) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT uuid FROM certificate WHERE asset = ?"));
  ASSIGN_OR_RETURN(const bool there, statement.bind(asset).step());
  if (!there) return std::optional<Uuid>();
  Row row(statement, "certificate");
  std::optional<Uuid> id = row.uuid();
  RETURN_IF_ERROR(row.finish(domain::IdType::asset, asset));
  return id;
}

Result<Page<CertificateRow>> ReadView::certificates(const std::string& cursor,
                                                    std::size_t limit) const {
  Page<CertificateRow> page;
  if (limit == 0) {
    page.next = cursor;
    return page;
  }
  ASSIGN_OR_RETURN(const std::int64_t before, before_cursor(cursor));
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(certificates_where("WHERE c.id < ? ORDER BY c.id DESC LIMIT ?")));
  statement.bind(before, static_cast<std::uint64_t>(limit + 1));
  std::size_t bytes = 0;
  std::int64_t last = 0;
  while (true) {
    ASSIGN_OR_RETURN(const bool there, statement.step());
    if (!there) return page;
    if (page.rows.size() == limit || bytes > kStatementBytesPerPage) {
      page.next = std::to_string(last);
      return page;
    }
    Row row(statement, "certificate");
    CertificateRow certificate = read_certificate(row);
    last = row.integer();
    RETURN_IF_ERROR(row.finish(domain::IdType::certificate, certificate.id));
    bytes += certificate.statement.size();
    page.rows.push_back(std::move(certificate));
  }
}

Result<std::optional<CertificateHead>> ReadView::certificate_head(const Uuid& id) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT uuid, asset, plan, validation FROM certificate WHERE uuid = ?"));
  ASSIGN_OR_RETURN(std::vector<CertificateHead> heads, read_heads(statement.bind(id)));
  if (heads.empty()) return std::optional<CertificateHead>();
  return std::optional<CertificateHead>(heads.front());
}

Result<std::vector<CertificateHead>> ReadView::certificates_of_plan(const Uuid& plan) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT uuid, asset, plan, validation FROM certificate "
                                        "INDEXED BY certificate_plan WHERE plan = ? ORDER BY id"));
  return read_heads(statement.bind(plan));
}

}  // namespace aierase::catalog
