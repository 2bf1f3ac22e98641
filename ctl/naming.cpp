#include "ctl/naming.h"

#include <errno.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "ctl/describe.h"
#include "ctl/interrupt.h"
#include "ctl/matching.h"
#include "ctl/render.h"

namespace aierase::ctl {
namespace {

Result<std::string> standard_input() {
  constexpr std::size_t kMost = limits::kItemsPerPlan * (limits::kAssetNameBytes + 1);
  std::string text;
  char piece[4096];
  for (;;) {
    RETURN_IF_ERROR(wait_until(STDIN_FILENO, Ready::read));
    const ssize_t got = read(STDIN_FILENO, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error(errno, "cannot read standard input");
    if (got == 0) return text;
    text.append(piece, static_cast<std::size_t>(got));
    if (text.size() > kMost) {
      return make_error(
          Errc::resource_limit,
          "standard input names more than " + std::to_string(limits::kItemsPerPlan) + " assets");
    }
  }
}

std::vector<std::string> lines_of_input(const std::string& text) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string name = text.substr(at, end - at);
    while (!name.empty() && (name.back() == '\r' || name.back() == ' ')) name.pop_back();
    if (!name.empty()) names.push_back(std::move(name));
    at = end + 1;
  }
  return names;
}

}  // namespace

Result<std::vector<std::string>> named_assets(const Arguments& given, std::string_view verb) {
  const auto refused = [verb](std::string message) {
    return make_error(Errc::usage, std::move(message),
                      "aierase " + std::string(verb) + " --help explains it");
  };
  std::vector<std::string> names;
  bool from_input = false;
  for (const std::string& operand : given.operands()) {
    if (operand != "-") {
      names.push_back(operand);
      continue;
    }
    if (from_input) return refused("- stands twice");
    from_input = true;
    ASSIGN_OR_RETURN(const std::string text, standard_input());
    for (std::string& name : lines_of_input(text)) names.push_back(std::move(name));
  }
  if (names.empty() && from_input) return refused("standard input names no asset");
  if (!names.empty() && given.has("match")) {
    return refused("--match selects assets instead of naming them; give one or the other");
  }
  return names;
}

Result<std::vector<std::string>> matching_assets(Session& session, std::string_view state) {
  std::vector<std::string> matches = session.arguments().all("match");
  if (!state.empty()) matches.push_back("state=" + std::string(state));
  ASSIGN_OR_RETURN(const Json match, read_matches(matches));
  Json options = {{"limit", limits::kListPageRows}, {"match", match}};
  std::vector<std::string> ids;
  for (;;) {
    ASSIGN_OR_RETURN(const Json page, session.call("Asset", "List", {}, options));
    for (const Json& row : list_at(page, "assets")) {
      if (text_at(row, "state") != "erased") ids.push_back(text_at(row, "id"));
    }
    if (ids.size() > limits::kItemsPerPlan) {
      return make_error(Errc::resource_limit,
                        "more than " + std::to_string(limits::kItemsPerPlan) + " assets match",
                        "narrow the selection");
    }
    const std::string next = text_at(page, "next");
    if (next.empty()) break;
    options["cursor"] = next;
  }
  if (!ids.empty()) return ids;
  return make_error(Errc::usage,
                    "nothing " + std::string(state.empty() ? "alive" : state) +
                        " matches, and that never means everything",
                    "`aierase list` with the same --match shows what it finds");
}

}  // namespace aierase::ctl
