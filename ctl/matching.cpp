#include "ctl/matching.h"

#include <nlohmann/json.hpp>

#include "domain/selector.h"

namespace aierase::ctl {

Result<Json> read_matches(const std::vector<std::string>& matches) {
  ASSIGN_OR_RETURN(const std::vector<domain::Selector> selectors, domain::parse_selectors(matches));
  Json texts = Json::array();
  for (const domain::Selector& selector : selectors) texts.push_back(selector.text());
  return texts;
}

}  // namespace aierase::ctl
