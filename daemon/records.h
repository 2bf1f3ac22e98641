// What the store knows, as the JSON objects of the interface.
//
// Contract: pure. Ids typed, times RFC 3339, sizes in bytes, digests lower-case hex; what is absent
// is left out. Specified in: aierase(1) JSON; org.aierase1(5).
#pragma once

#include <vector>

#include "base/json.h"
#include "lifecycle/store.h"

namespace aierase::daemon {

Json open_status(const lifecycle::StatusReport& report, const lifecycle::StoreSettings& settings);
// Of a store that is not open: `reason` says why, its code is the state.
Json closed_status(const Error& reason, const lifecycle::StoreSettings& settings);
// The first kFindingsShown of them.
inline constexpr std::size_t kFindingsShown = 10'000;
Json findings_json(const std::vector<lifecycle::Finding>& findings);

// In full, as far as one bus message carries it (a system bus disconnects at 32 MiB): files from
// `first_file` on, and `files_omitted` where some are left out behind them; the latest exports, and
// `exports_omitted`.
Json asset_json(const lifecycle::AssetView& view, std::size_t first_file = 0);
Json asset_row(const domain::Asset& asset);  // one row of a list
Json plan_json(const lifecycle::PlanView& view, domain::PeopleRule rule);
Json plan_row(const domain::Plan& plan);
Json hold_json(const lifecycle::HoldView& view);         // a row
Json hold_detail_json(const lifecycle::HoldView& view);  // with its assets and events
Json certificate_row(const catalog::CertificateRow& row);
Json amendment_row(const catalog::AmendmentRow& row);
Json certificate_json(const catalog::CertificateRow& row,
                      const std::vector<domain::ValidationAct>& validations,
                      const std::vector<catalog::AmendmentRow>&
                          amendments);  // with its statement, unless it is too long for a message
Json refusal_json(const catalog::RefusalHead& head);  // the record of how a plan ended
Json trust_json(const crypto::PublicKey& key, const Uuid& store);

}  // namespace aierase::daemon
