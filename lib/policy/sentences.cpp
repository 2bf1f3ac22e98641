#include "policy/sentences.h"

#include "base/json.h"

namespace aierase::policy {
namespace {

std::string shown_class(const RetentionClass& value) {
  return "class " + quoted(value.name);
}

std::string counted_from(const Rule& rule) {
  return to_words(rule.period) + " after " + std::string(event_words(rule.trigger)) +
         (rule.event ? " on " + to_rfc3339(*rule.event) : std::string());
}

std::string exemption(const RetentionClass& value, const Facts& facts) {
  const std::string newest = *value.keep_last == 1
                                 ? std::string("the newest version")
                                 : "the newest " + std::to_string(*value.keep_last) + " versions";
  return facts.ranks.count(value.name) > 0
             ? "it is one of " + newest + " of its name, which " + shown_class(value) + " keeps"
             : shown_class(value) + " keeps " + newest +
                   " of its name, and its place among them is not known";
}

}  // namespace

std::string floor_sentence(const RetentionClass& value, const Rule& rule) {
  if (rule.moment) {
    return shown_class(value) + " keeps it until " + to_rfc3339(*rule.moment) + ": at least " +
           counted_from(rule);
  }
  if (rule.standing == Standing::open) {
    return shown_class(value) + " keeps it at least " + counted_from(rule) +
           ", and that date is not recorded (aierase set --event placed-on-market=DATE records it)";
  }
  return shown_class(value) + " will keep it at least " + counted_from(rule) +
         ", which has not happened";
}

std::string ceiling_sentence(const RetentionClass& value, const Rule& rule, const Facts& facts) {
  if (!rule.moment) {
    return shown_class(value) + " makes it due " + counted_from(rule) + ", which has not happened";
  }
  if (rule.standing == Standing::unknown) {
    return shown_class(value) + " makes it due " + to_words(rule.period) +
           " after its last use, and that is unknown while an export is outstanding";
  }
  std::string text = shown_class(value) + " makes it due at " + to_rfc3339(*rule.moment) + ": " +
                     counted_from(rule);
  if (rule.standing == Standing::exempt) text += "; but " + exemption(value, facts);
  return text;
}

}  // namespace aierase::policy
