// Fills a template of a page for people with the values of a JSON object.
//
// Contract: pure. Values come from strangers: they are escaped, shown without what moves or hides
// other text, cut after 400 characters, and stand in <bdi> elements of their own, never in an
// attribute. The page has a reader of the same templates in JavaScript (html/page.js), and is held
// to be genuine only where both write the same: neither changes alone. Specified in:
// aierase-certificate(5) PAGE; the tags are
//   {{a.b}}  {{a.b|number}}  {{a.b|time}}  {{a.b|count}}  {{a.b|groups}}    a value
//   {{#list:8}}...{{/}}   for each of the first 8, with {{.name}} and {{.}} of that one
//   {{?a.b}}...{{/}}      where it is stated: neither absent nor empty nor "not applicable"
//   {{!a.b}}...{{/}}      where it is not
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace aierase::certificate {

std::string filled_template(std::string_view text, const Json& root);

// For people: what has no width, moves the cursor or turns the direction is shown as \xHH.
std::string visible_text(std::string_view text);
// The same for HTML, and cut.
std::string html_text(std::string_view text);

}  // namespace aierase::certificate
