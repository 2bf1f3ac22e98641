#include "ctl/matching.h"

#include <nlohmann/json.hpp>

#include "ctl/render.h"
#include "domain/selector.h"

namespace aierase::ctl {
namespace {

using domain::Selector;
using domain::SelectorKey;

// Options of Asset.List; the daemon has none for lineage.
const char* option_of(SelectorKey key) {
  switch (key) {
    case SelectorKey::asset:
      return "asset";
    case SelectorKey::name:
      return "name";
    case SelectorKey::retention:
      return "retention";
    case SelectorKey::kind:
      return "kind";
    case SelectorKey::custodian:
      return "custodian";
    case SelectorKey::state:
      return "state";
    case SelectorKey::label:
    case SelectorKey::derived_from:
    case SelectorKey::trained_on:
      return nullptr;
  }
  return nullptr;
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
  ASSIGN_OR_RETURN(const std::vector<Selector> selectors, domain::parse_selectors(matches));
  Json selection = Json::object();
  for (const Selector& selector : selectors) {
    if (selector.key == SelectorKey::label) {
      selection["labels"].push_back(selector.label + "=" + selector.value);
      continue;
    }
    const char* option = option_of(selector.key);
    if (option == nullptr) {
      return make_error(Errc::usage, "only a policy matches by lineage: " + selector.text(),
                        "the keys are asset, name, label.KEY, retention, kind, custodian, state");
    }
    selection[option] = selector.value;
  }
  return selection;
}

}  // namespace aierase::ctl
