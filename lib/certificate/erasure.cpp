#include "certificate/erasure.h"

#include <nlohmann/json.hpp>

#include "base/json_view.h"
#include "base/limits.h"

namespace aierase::certificate {

std::optional<Erasure> erasure_of(const VerifyReport& report) {
  if (report.statement.empty() || !report.certificate) return std::nullopt;
  const auto json = read_json(report.statement, JsonLimits{limits::kCertificateBytes, 32});
  if (!json.ok()) return std::nullopt;
  const JsonView predicate = json->root()["predicate"];
  const CertificateSummary& is = *report.certificate;
  Erasure erasure{is.id,        is.asset, is.name, std::string(predicate["outcome"].text()),
                  is.erased_at, {},       {}};
  erasure.requester = predicate["disposal"]["requester"].text();
  for (const JsonView approval : predicate["disposal"]["approvals"]) {
    erasure.approvers.emplace_back(approval["login"].text());
  }
  return erasure;
}

Json erasure_json(const Erasure& erasure) {
  return {{"certificate", erasure.certificate},
          {"asset", erasure.asset},
          {"name", erasure.name},
          {"outcome", erasure.outcome},
          {"erased_at", erasure.erased_at},
          {"requester", erasure.requester},
          {"approvers", erasure.approvers}};
}

}  // namespace aierase::certificate
