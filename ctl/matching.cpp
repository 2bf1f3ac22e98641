#include "ctl/matching.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "ctl/render.h"

namespace aierase::ctl {
namespace {

constexpr std::array<std::string_view, 5> kKeys{"name", "retention", "kind", "custodian", "state"};
constexpr std::string_view kLabel = "label.";

Error refused(std::string message) {
  return make_error(Errc::usage, std::move(message),
                    "the keys are asset, name, label.KEY, retention, kind, custodian, state");
}

}  // namespace

bool takes(const Json& selection, const Json& row) {
  const std::string asset = text_at(selection, "asset");
  if (asset.empty()) return true;
  const std::string id = text_at(row, "id");
  return text_at(row, "name") == asset || (asset.size() >= 8 && id.rfind(asset, 0) == 0);
}

Json list_options(Json selection) {
  selection.erase("asset");
  return selection;
}

Result<Json> read_matches(const std::vector<std::string>& matches) {
  Json selection = Json::object();
  for (const std::string& match : matches) {
    const std::size_t equals = match.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == match.size()) {
      return refused("--match needs K=V, not " + quoted(match));
    }
    const std::string key = match.substr(0, equals);
    const std::string value = match.substr(equals + 1);
    if (key.rfind(kLabel, 0) == 0 && key.size() > kLabel.size()) {
      selection["labels"].push_back(key.substr(kLabel.size()) + "=" + value);
      continue;
    }
    const bool known = std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
    if (!known && key != "asset") return refused("--match does not know the key " + quoted(key));
    if (selection.contains(key)) {
      return refused("--match " + key + "= is given twice, and both at once match nothing");
    }
    selection[key] = value;
  }
  return selection;
}

}  // namespace aierase::ctl
