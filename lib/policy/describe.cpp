#include "policy/describe.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace aierase::policy {
namespace {

std::string joined(const std::vector<std::string>& texts, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) text += i + 1 == texts.size() ? std::string(last) : std::string(", ");
    text += texts[i];
  }
  return text;
}

std::string scope(const RetentionClass& value) {
  if (value.name == kDefaultClass) {
    return "It is for every asset that nobody put into another class.";
  }
  std::string text = "It is for assets imported or set with --retention " + value.name;
  if (value.match.empty()) return text + ".";
  std::vector<std::string> selectors;
  for (const domain::Selector& selector : value.match) selectors.push_back(selector.text());
  return text + ", and for every asset with " + joined(selectors, " and ") + ".";
}

void add_floor(const RetentionClass& value, std::vector<std::string>& sentences) {
  if (!value.retain_for) return;
  sentences.push_back("It keeps an asset at least " + to_words(*value.retain_for) + " after " +
                      std::string(event_words(value.trigger)) + "; at that very second it may go.");
  if (value.trigger == Trigger::placed_on_market) {
    sentences.push_back("Until that date is recorded the asset is kept.");
  } else if (value.trigger == Trigger::retired) {
    sentences.push_back("That does not hinder its retirement; it postpones the erasure.");
  } else if (value.trigger == Trigger::superseded) {
    sentences.push_back("An asset that nothing supersedes is not kept by this rule.");
  }
}

void add_ceiling(const RetentionClass& value, std::vector<std::string>& sentences) {
  if (!value.erase_after) return;
  std::string text = "It is due for erasure " + to_words(*value.erase_after) + " after " +
                     std::string(event_words(value.trigger));
  if (value.keep_last) {
    text += *value.keep_last == 1 ? ", but not the newest version of its name"
                                  : ", but not the newest " + std::to_string(*value.keep_last) +
                                        " versions of its name";
  }
  sentences.push_back(text + ".");
  if (value.trigger == Trigger::last_used) {
    sentences.push_back(
        "While an export is outstanding its last use is unknown, and it is not due.");
  }
}

std::string people(const RetentionClass& value) {
  std::string text = value.approvals == 1
                         ? std::string("One custodian has to approve its end")
                         : std::to_string(value.approvals) + " custodians have to approve its end";
  if (!value.custodians.empty()) {
    text += "; beside its own custodians " + joined(value.custodians, " and ") + " may do so";
  }
  if (value.validation == ValidationRule::other_person) {
    text += "; somebody who did not approve has to validate it afterwards";
  }
  return text + ".";
}

std::string waiting(const RetentionClass& value) {
  std::string text = value.grace.count == 0
                         ? std::string("After the approval it is erased without a period of grace")
                         : "After the approval " + to_words(value.grace) + " of grace pass";
  if (value.grace.count > 0 && value.allow_now == AllowNow::yes) {
    text += ", unless it is retired with --now";
  }
  return text + ".";
}

}  // namespace

std::string size_words(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 6> kWords{"B", "kB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  while (unit + 1 < kWords.size() && bytes % 1'000 == 0 && bytes > 0) {
    bytes /= 1'000;
    ++unit;
  }
  return std::to_string(bytes) + " " + std::string(kWords[unit]);
}

std::vector<std::string> describe(const RetentionClass& value) {
  std::vector<std::string> sentences{scope(value)};
  add_floor(value, sentences);
  add_ceiling(value, sentences);
  if (!value.retain_for && !value.erase_after) {
    sentences.push_back("It neither keeps an asset nor lets it become due.");
  }
  sentences.push_back(people(value));
  sentences.push_back(waiting(value));
  if (value.require_assurance != domain::Level::ea0) {
    sentences.push_back("An import is refused below assurance " +
                        std::string(domain::to_text(value.require_assurance)) + ".");
  }
  if (value.on_conflict == OnConflict::suspend) {
    sentences.push_back("While rules contradict each other about it, it is suspended.");
  }
  if (!value.basis.empty()) sentences.push_back("Basis: " + value.basis);
  return sentences;
}

std::string describe(const Brake& brake) {
  return "An unattended run executes nothing, and waits for one more approval, if it would erase "
         "more than " +
         std::to_string(brake.items) + (brake.items == 1 ? " item, " : " items, ") +
         std::to_string(brake.percent) + " percent of the living assets (never below " +
         std::to_string(kBrakeLeastItems) + " items) or " + size_words(brake.bytes) +
         ", in this run or in a rolling day, or the last asset of a class.";
}

}  // namespace aierase::policy
