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
Json findings_json(const std::vector<lifecycle::Finding>& findings);

Json asset_json(const lifecycle::AssetView& view);  // in full
Json asset_row(const domain::Asset& asset);         // one row of a list
Json plan_json(const lifecycle::PlanView& view, domain::PeopleRule rule);
Json plan_row(const domain::Plan& plan);
Json certificate_row(const catalog::CertificateRow& row);
Json certificate_json(const catalog::CertificateRow& row);  // with its statement
Json trust_json(const crypto::PublicKey& key, const Uuid& store);

}  // namespace aierase::daemon
