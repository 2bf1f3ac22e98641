#include "policy/policy_set.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/limits.h"
#include "base/spelling.h"
#include "crypto/primitives.h"
#include "policy/class_reader.h"

namespace aierase::policy {
namespace {

constexpr std::array<std::string_view, 2> kTables{"class", "brake"};

Json optional_iso(const std::optional<Duration>& duration) {
  return duration ? Json(to_iso8601(*duration)) : Json();
}

Json class_json(const RetentionClass& value) {
  Json match = Json::array();
  for (const domain::Selector& selector : value.match) match.push_back(selector.text());
  std::sort(match.begin(), match.end());  // all must hold: their order means nothing
  return Json{{"match", std::move(match)},
              {"retain_for", optional_iso(value.retain_for)},
              {"erase_after", optional_iso(value.erase_after)},
              {"trigger", std::string(to_text(value.trigger))},
              {"keep_last", value.keep_last ? Json(*value.keep_last) : Json()},
              {"grace", to_iso8601(value.grace)},
              {"allow_now", value.allow_now == AllowNow::yes},
              {"approvals", value.approvals},
              {"custodians", value.custodians},
              {"validation", std::string(to_text(value.validation))},
              {"require_assurance", std::string(domain::to_text(value.require_assurance))},
              {"basis", value.basis},
              {"on_conflict", std::string(to_text(value.on_conflict))}};
}

RetentionClass built_in_class() {
  RetentionClass value;
  value.name = std::string(kDefaultClass);
  value.allow_now = AllowNow::yes;
  return value;
}

// Everything that the texts say, gathered before it is checked as a whole.
class Gatherer {
 public:
  ParsedPolicy parse(const std::vector<PolicyText>& texts) {
    if (texts.size() > limits::kPolicyFiles) {
      Finding finding;
      finding.place.file = texts.back().name;
      finding.message = "a set of " + std::to_string(texts.size()) + " files; the limit is " +
                        std::to_string(limits::kPolicyFiles);
      findings_.push_back(std::move(finding));
    } else {
      for (const PolicyText& text : texts) read(text);
      check_references();
    }
    return finish();
  }

 private:
  void read(const PolicyText& text) {
    Reader reader(text.name, findings_);
    const std::optional<TomlValue> tree = reader.parse(text.text, limits::kPolicyBytes);
    if (!tree) return;
    for (const TomlEntry& entry : tree->entries) {
      if (entry.key == "class") {
        read_classes(reader, entry);
      } else if (entry.key == "brake") {
        read_brake_table(reader, entry);
      } else if (entry.key == "case") {
        reader.error(entry.place, "this is a file of fixtures, not a policy",
                     "name the policy beside it; aierase policy test finds its fixtures");
      } else {
        reader.unknown_key(entry, "a policy", kTables);
      }
    }
  }

  void read_classes(Reader& reader, const TomlEntry& entry) {
    if (!reader.is(entry, TomlType::table)) return;
    for (const TomlEntry& inner : entry.value.entries) {
      if (drafts_.size() >= limits::kPolicyClasses) {
        reader.error(inner.place, "the set has more than " +
                                      std::to_string(limits::kPolicyClasses) + " classes");
        return;
      }
      ClassDraft draft = read_class(reader, inner);
      const auto [earlier, added] = places_.emplace(inner.key, draft.place);
      if (added) {
        drafts_.push_back(std::move(draft));
      } else {
        reader.error(inner.place,
                     "the class " + quoted(inner.key) + " is defined twice; first at " +
                         to_text(earlier->second),
                     "give one of them another name, or leave one file out");
      }
    }
  }

  void read_brake_table(Reader& reader, const TomlEntry& entry) {
    if (brake_place_) {
      reader.error(entry.place, "the brake is set twice; first at " + to_text(*brake_place_),
                   "leave one of them out");
      return;
    }
    brake_place_ = reader.place(entry.place);
    brake_ = read_brake(reader, entry);
  }

  void check_references() {
    std::vector<std::string_view> names{kDefaultClass};
    for (const ClassDraft& draft : drafts_) names.push_back(draft.value.name);
    for (const ClassDraft& draft : drafts_) {
      for (const ClassReference& reference : draft.references) {
        if (std::find(names.begin(), names.end(), reference.name) != names.end()) continue;
        const std::string_view near = nearest(reference.name, names);
        findings_.push_back({Severity::error, reference.place,
                             "match: there is no class " + quoted(reference.name) + " in this set",
                             near.empty() ? std::string("define it, or name its file too")
                                          : "did you mean " + quoted(near) + "?"});
      }
    }
  }

  ParsedPolicy finish() {
    ParsedPolicy parsed;
    const bool broken = std::any_of(findings_.begin(), findings_.end(), [](const Finding& finding) {
      return finding.severity == Severity::error;
    });
    parsed.findings = std::move(findings_);
    if (broken) return parsed;
    std::vector<RetentionClass> classes;
    for (ClassDraft& draft : drafts_) classes.push_back(std::move(draft.value));
    parsed.set = PolicySet::of(std::move(classes), brake_);
    return parsed;
  }

  std::vector<Finding> findings_;
  std::vector<ClassDraft> drafts_;
  std::map<std::string, Place> places_;
  Brake brake_;
  std::optional<Place> brake_place_;
};

}  // namespace

std::string to_text(const Place& place) {
  if (place.line == 0) return place.file;
  return place.file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

PolicySet PolicySet::built_in() {
  return of({}, Brake());
}

PolicySet PolicySet::of(std::vector<RetentionClass> classes, const Brake& brake) {
  PolicySet set;
  set.classes_ = std::move(classes);
  set.brake_ = brake;
  const auto by_name = [](const RetentionClass& a, const RetentionClass& b) {
    return a.name < b.name;
  };
  std::sort(set.classes_.begin(), set.classes_.end(), by_name);
  if (set.find(kDefaultClass) == nullptr) {
    set.classes_.push_back(built_in_class());
    std::sort(set.classes_.begin(), set.classes_.end(), by_name);
  }
  Json all = Json::object();
  for (const RetentionClass& value : set.classes_) all[value.name] = class_json(value);
  const Json object{
      {"schema", "aierase/policy/v1"},
      {"brake", {{"items", brake.items}, {"percent", brake.percent}, {"bytes", brake.bytes}}},
      {"classes", std::move(all)}};
  set.canonical_ = dump_canonical(object).value();  // every text was checked when it was read
  set.version_ = crypto::sha256(as_bytes(set.canonical_));
  return set;
}

Digest rules_of(const RetentionClass& value) {
  return crypto::sha256(as_bytes(dump_canonical(class_json(value)).value()));
}

const RetentionClass* PolicySet::find(std::string_view name) const {
  const auto found = std::lower_bound(
      classes_.begin(), classes_.end(), name,
      [](const RetentionClass& value, std::string_view wanted) { return value.name < wanted; });
  return found != classes_.end() && found->name == name ? &*found : nullptr;
}

ParsedPolicy parse_policy(const std::vector<PolicyText>& texts) {
  return Gatherer().parse(texts);
}

Result<PolicySet> load_policy(const std::vector<PolicyText>& texts) {
  ParsedPolicy parsed = parse_policy(texts);
  if (parsed.set) return *std::move(parsed.set);
  std::size_t errors = 0;
  const Finding* first = nullptr;
  for (const Finding& finding : parsed.findings) {
    if (finding.severity != Severity::error) continue;
    if (errors++ == 0) first = &finding;
  }
  std::string message = to_text(first->place) + ": " + first->message;
  if (errors > 1) message += " (and " + std::to_string(errors - 1) + " more)";
  return make_error(Errc::invalid_input, std::move(message),
                    first->hint.empty() ? "aierase policy check tells all of them" : first->hint,
                    first->place.file);
}

}  // namespace aierase::policy
