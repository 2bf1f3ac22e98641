// What the end of a plan means to a caller, and waiting for it.
//
// Contract: outcome_of() is pure. wait_for() looks, then sleeps until the daemon says that
// something changed; it ends with Errc::cancelled on SIGINT and leaves the plan alone then.
// Specified in: aierase(1) wait, EXIT STATUS.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "ctl/session.h"

namespace aierase::ctl {

using Patience = std::optional<std::chrono::milliseconds>;  // none: for ever

bool has_ended(const Json& plan);
std::size_t held_items(const Json& plan);
// Approved, and of what is left every item is held: it goes on when holds are lifted.
bool waits_for_holds(const Json& plan);
// Exit code of an ended plan (0, 14), or the error it ended with; `subject` is its id.
Result<int> outcome_of(const Json& plan);

// "30s", "5min", "1h", "2d", "PT1H30M".
Result<std::chrono::milliseconds> parse_patience(std::string_view text);

using Look = std::function<Result<Json>()>;
using Enough = std::function<bool(const Json&)>;
// The first answer that is enough; nullopt when the time is over.
Result<std::optional<Json>> wait_for(Session& session, const Look& look, const Enough& enough,
                                     Patience patience);

Result<Json> show_plan(Session& session, const std::string& plan);
// Of an asset with very many files one answer holds only the first ones; `all` asks for the rest.
enum class Files { first, all };
Result<Json> show_asset(Session& session, const std::string& asset, Files files = Files::first);
// With what a client had sealed in as `metadata`, where there is something.
Result<Json> show_asset_metadata(Session& session, const std::string& asset);

}  // namespace aierase::ctl
