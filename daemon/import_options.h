// The options of Asset.Import, read and checked before anything happens.
//
// Contract: loop; what is malformed is refused by name. The actor is not among the options: he
// comes from the bus. Specified in: lib/bus/interfaces/org.aierase1.Asset.xml.
#pragma once

#include <vector>

#include "base/result.h"
#include "daemon/call_options.h"
#include "daemon/enrolment.h"
#include "daemon/import_job.h"
#include "lifecycle/store.h"

namespace aierase::daemon {

struct ImportWish {
  lifecycle::ImportRequest request;
  std::vector<ToldSource> sources;
  bool asserts_encrypted = false;
  bool generates_key = false;
  bool without_files = false;
  std::optional<UniqueFd> metadata;
};

// Before anybody is looked up there are no more names than an asset may have.
Result<std::vector<domain::Custodian>> read_custodians(CallOptions& options,
                                                       const Enrolment& people);
// Everything but name and actor; the last reader of `options`.
Result<ImportWish> read_import(CallOptions& options, const Enrolment& people);

}  // namespace aierase::daemon
