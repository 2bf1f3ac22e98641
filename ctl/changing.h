// What set, suspend and resume share: a call about one asset that answers with the asset.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "ctl/session.h"

namespace aierase::ctl {

// Calls Asset.<method>(asset, options) and prints `done` and `next` for people, `verb` for
// programs.
struct Change {
  std::string_view verb;
  std::string_view method;
  std::string_view done;  // "is suspended"
  std::string next;
};
Result<int> change_asset(Session& session, const Change& change, const Json& options);
Json reason_option(const Arguments& given);

}  // namespace aierase::ctl
