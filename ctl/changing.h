// What set, suspend and resume share: a call about one asset that answers with the asset.
#pragma once

#include <string>
#include <string_view>
#include <vector>

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

// The same for assets that are named, stand on standard input, or match and are in the state that
// it begins with. Each has its line; what fails does not stop the others, and the exit status
// is 14. Of one that is named, as change_asset.
struct ManyChange {
  Change change;           // `next` for one
  std::string_view from;   // "active"
  std::string_view again;  // the verb that makes them usable again; empty: they are
};
Result<int> change_assets(Session& session, const ManyChange& many);
// The end of a sentence, and the command: of few with their names, of more with the state that
// selects them and others, which the sentence says.
std::string command_for_many(std::string_view verb, std::string_view state,
                             const std::vector<std::string>& names);
Json reason_option(const Arguments& given);

}  // namespace aierase::ctl
