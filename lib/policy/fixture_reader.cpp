// Reading fixture files.
#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/limits.h"
#include "policy/fixture.h"
#include "policy/reader.h"

namespace aierase::policy {
namespace {

constexpr std::array<std::string_view, 6> kKindWords{
    "model", "adapter", "checkpoint", "dataset-key", "embedding-index", "configuration"};
constexpr std::array<std::string_view, 3> kStateWords{"active", "suspended", "retired"};
constexpr std::array<std::string_view, 4> kVerdictWords{"eligible", "due", "blocked", "conflict"};
constexpr std::size_t kTextBytes = 1'000;
constexpr std::int64_t kMostCount = 1'000'000'000;

std::optional<domain::AssetState> parse_living_state(std::string_view text) {
  const bool living = std::find(kStateWords.begin(), kStateWords.end(), text) != kStateWords.end();
  return living ? domain::parse_asset_state(text) : std::nullopt;
}

template <typename Target>
struct KeyRow {
  std::string_view key;
  void (*read)(Reader& reader, const TomlEntry& entry, Target& target);
};

template <typename Target, std::size_t N>
void read_table(Reader& reader, const TomlEntry& table, std::string_view where,
                const std::array<KeyRow<Target>, N>& rows, Target& target) {
  if (!reader.is(table, TomlType::table)) return;
  std::array<std::string_view, N> keys{};
  for (std::size_t i = 0; i < N; ++i) keys[i] = rows[i].key;
  for (const TomlEntry& entry : table.value.entries) {
    const auto known = std::find(keys.begin(), keys.end(), entry.key);
    if (known == keys.end()) {
      reader.unknown_key(entry, where, keys);
    } else {
      rows[static_cast<std::size_t>(known - keys.begin())].read(reader, entry, target);
    }
  }
}

std::optional<domain::AssetName> take_name(Reader& reader, const TomlEntry& entry) {
  const auto text = reader.take_text(entry, kTextBytes);
  if (!text) return std::nullopt;
  Result<domain::AssetName> name = domain::AssetName::parse(*text);
  if (name.ok()) return *name;
  reader.error(entry.value.place, name.error().message, name.error().hint);
  return std::nullopt;
}

void read_names(Reader& reader, const TomlEntry& entry, std::vector<domain::AssetName>& names) {
  const auto texts = reader.take_texts(entry, limits::kLineagePerAsset, kTextBytes);
  if (!texts) return;
  for (const Reader::PlacedText& text : *texts) {
    Result<domain::AssetName> name = domain::AssetName::parse(text.text);
    if (name.ok()) {
      names.push_back(*name);
    } else {
      reader.error(text.place, name.error().message, name.error().hint);
    }
  }
}

void read_labels(Reader& reader, const TomlEntry& entry, Case& one) {
  if (!reader.is(entry, TomlType::table)) return;
  for (const TomlEntry& label : entry.value.entries) {
    const auto value = reader.take_text(label, limits::kLabelValueBytes);
    if (!value) continue;
    const Status fine = domain::check_label(label.key, *value);
    if (!fine.ok()) {
      reader.error(label.place, fine.error().message, fine.error().hint);
      continue;
    }
    one.asset.labels[label.key] = *value;
  }
}

void read_custodians(Reader& reader, const TomlEntry& entry, Case& one) {
  const auto texts = reader.take_texts(entry, limits::kCustodiansPerAsset, kTextBytes);
  if (!texts) return;
  for (const Reader::PlacedText& text : *texts) {
    const bool group = text.text.starts_with('@');
    one.asset.custodians.push_back(
        {group ? domain::CustodianKind::group : domain::CustodianKind::user,
         group ? text.text.substr(1) : text.text, 0});
  }
}

constexpr std::array kAssetKeys{
    KeyRow<Case>{"name",
                 [](Reader& r, const TomlEntry& e, Case& c) {
                   if (auto name = take_name(r, e)) c.asset.name = *name;
                 }},
    KeyRow<Case>{"kind",
                 [](Reader& r, const TomlEntry& e, Case& c) {
                   const auto kind = r.take_word(e, domain::parse_asset_kind, kKindWords);
                   if (kind) c.asset.kind = *kind;
                 }},
    KeyRow<Case>{"state",
                 [](Reader& r, const TomlEntry& e, Case& c) {
                   const auto state = r.take_word(e, parse_living_state, kStateWords);
                   if (state) c.asset.state = *state;
                 }},
    KeyRow<Case>{"retention",
                 [](Reader& r, const TomlEntry& e, Case& c) {
                   if (auto text = r.take_text(e, kTextBytes)) c.asset.retention = *text;
                 }},
    KeyRow<Case>{"labels", read_labels},
    KeyRow<Case>{"custodians", read_custodians},
    KeyRow<Case>{"derived-from", [](Reader& r, const TomlEntry& e,
                                    Case& c) { read_names(r, e, c.ancestry.derived_from); }},
    KeyRow<Case>{"trained-on", [](Reader& r, const TomlEntry& e,
                                  Case& c) { read_names(r, e, c.ancestry.trained_on); }},
    KeyRow<Case>{"created",
                 [](Reader& r, const TomlEntry& e, Case& c) {
                   if (const auto time = r.take_time(e)) c.asset.created = *time;
                 }},
    KeyRow<Case>{"last-used", [](Reader& r, const TomlEntry& e,
                                 Case& c) { c.events.last_used = r.take_time(e); }},
    KeyRow<Case>{"retired",
                 [](Reader& r, const TomlEntry& e, Case& c) { c.events.retired = r.take_time(e); }},
    KeyRow<Case>{"superseded", [](Reader& r, const TomlEntry& e,
                                  Case& c) { c.events.superseded = r.take_time(e); }},
    KeyRow<Case>{"placed-on-market", [](Reader& r, const TomlEntry& e,
                                        Case& c) { c.events.placed_on_market = r.take_time(e); }},
    KeyRow<Case>{"exports-outstanding",
                 [](Reader& r, const TomlEntry& e, Case& c) {
                   const auto count = r.take_integer(e, 0, kMostCount);
                   if (count) c.exports_outstanding = static_cast<std::uint64_t>(*count);
                 }},
    KeyRow<Case>{"newer-versions",
                 [](Reader& r, const TomlEntry& e, Case& c) {
                   const auto count = r.take_integer(e, 0, kMostCount);
                   if (count) c.newer_versions = static_cast<std::size_t>(*count);
                 }},
};

std::optional<ExpectedMoment> take_moment(Reader& reader, const TomlEntry& entry) {
  if (entry.value.type == TomlType::string && entry.value.text == "none") return ExpectedMoment{};
  if (entry.value.type == TomlType::string && entry.value.text == "open") {
    return ExpectedMoment{ExpectedMoment::Kind::open, {}};
  }
  const auto time = reader.take_time(entry);
  if (!time) return std::nullopt;
  return ExpectedMoment{ExpectedMoment::Kind::at, *time};
}

void read_expected_reasons(Reader& reader, const TomlEntry& entry, Expectation& expect) {
  const auto texts = reader.take_texts(entry, 16, kTextBytes);
  if (!texts) return;
  for (const Reader::PlacedText& text : *texts) expect.reasons.push_back(text.text);
}

void read_expected_classes(Reader& reader, const TomlEntry& entry, Expectation& expect) {
  const auto texts = reader.take_texts(entry, limits::kPolicyClasses, kTextBytes);
  if (!texts) return;
  expect.classes.emplace();
  for (const Reader::PlacedText& text : *texts) expect.classes->push_back(text.text);
}

using Row = KeyRow<Expectation>;
constexpr std::array kExpectKeys{
    Row{"verdict",
        [](Reader& r, const TomlEntry& e, Expectation& x) {
          x.verdict = r.take_word(e, domain::parse_verdict, kVerdictWords);
        }},
    Row{"classes", read_expected_classes},
    Row{"floor",
        [](Reader& r, const TomlEntry& e, Expectation& x) { x.floor = take_moment(r, e); }},
    Row{"due", [](Reader& r, const TomlEntry& e, Expectation& x) { x.due = take_moment(r, e); }},
    Row{"next-change",
        [](Reader& r, const TomlEntry& e, Expectation& x) { x.next_change = take_moment(r, e); }},
    Row{"floor-class", [](Reader& r, const TomlEntry& e,
                          Expectation& x) { x.floor_class = r.take_text(e, kTextBytes); }},
    Row{"due-class", [](Reader& r, const TomlEntry& e,
                        Expectation& x) { x.due_class = r.take_text(e, kTextBytes); }},
    Row{"grace",
        [](Reader& r, const TomlEntry& e, Expectation& x) { x.grace = r.take_duration(e); }},
    Row{"allow-now",
        [](Reader& r, const TomlEntry& e, Expectation& x) {
          const auto allow = r.take_boolean(e);
          if (allow) x.allow_now = *allow ? AllowNow::yes : AllowNow::no;
        }},
    Row{"approvals",
        [](Reader& r, const TomlEntry& e, Expectation& x) {
          const auto count = r.take_integer(e, 1, kMostCount);
          if (count) x.approvals = static_cast<std::uint32_t>(*count);
        }},
    Row{"validation",
        [](Reader& r, const TomlEntry& e, Expectation& x) {
          x.validation = r.take_word(e, parse_validation_rule, kValidationWords);
        }},
    Row{"require-assurance",
        [](Reader& r, const TomlEntry& e, Expectation& x) {
          x.require_assurance = r.take_word(e, domain::parse_level, kLevelWords);
        }},
    Row{"reasons", read_expected_reasons},
};

struct CaseDraft {
  Case out;
  bool has_time = false, has_expectation = false;
};

constexpr std::array kCaseKeys{
    KeyRow<CaseDraft>{"name",
                      [](Reader& r, const TomlEntry& e, CaseDraft& d) {
                        d.out.name = r.take_text(e, kTextBytes).value_or("");
                      }},
    KeyRow<CaseDraft>{"at",
                      [](Reader& r, const TomlEntry& e, CaseDraft& d) {
                        d.has_time = true;
                        if (const auto time = r.take_time(e)) d.out.at = *time;
                      }},
    KeyRow<CaseDraft>{"asset",
                      [](Reader& r, const TomlEntry& e, CaseDraft& d) {
                        read_table(r, e, "an asset", kAssetKeys, d.out);
                      }},
    KeyRow<CaseDraft>{"expect",
                      [](Reader& r, const TomlEntry& e, CaseDraft& d) {
                        d.has_expectation =
                            e.value.type != TomlType::table || !e.value.entries.empty();
                        read_table(r, e, "expect", kExpectKeys, d.out.expect);
                      }},
};

Case read_case(Reader& reader, const TomlValue& value, std::size_t number) {
  CaseDraft draft;
  draft.out.place = reader.place(value.place);
  draft.out.asset.name = domain::AssetName::parse("example:1").value();
  const TomlEntry table{"case", value.place, value};
  read_table(reader, table, "a case", kCaseKeys, draft);
  if (draft.out.name.empty()) draft.out.name = "case " + std::to_string(number);
  if (value.type != TomlType::table) return draft.out;
  if (!draft.has_time) {
    reader.error(value.place, "the case has no moment",
                 "add at = 2026-01-31, or with a time: at = 2026-01-31T12:00:00Z");
  }
  if (!draft.has_expectation) {
    reader.error(value.place, "the case expects nothing",
                 "add a table [case.expect] with at least verdict");
  }
  return draft.out;
}

void read_cases(Reader& reader, const TomlEntry& entry, std::vector<Case>& cases) {
  if (entry.value.type != TomlType::array) {
    reader.error(entry.place, "case has to be an array of tables", "write [[case]]");
    return;
  }
  if (entry.value.items.size() > limits::kPolicyCases) {
    reader.error(entry.place, "there are " + std::to_string(entry.value.items.size()) +
                                  " cases; the limit is " + std::to_string(limits::kPolicyCases));
    return;
  }
  for (const TomlValue& value : entry.value.items) {
    cases.push_back(read_case(reader, value, cases.size() + 1));
  }
}

}  // namespace

ParsedFixture parse_fixture(std::string_view text, const std::string& file) {
  constexpr std::array<std::string_view, 1> kFixtureTables{"case"};
  ParsedFixture parsed;
  Reader reader(file, parsed.findings);
  const std::optional<TomlValue> tree = reader.parse(text, limits::kPolicyBytes);
  if (!tree) return parsed;
  for (const TomlEntry& entry : tree->entries) {
    if (entry.key == "case") {
      read_cases(reader, entry, parsed.cases);
    } else {
      reader.unknown_key(entry, "a fixture", kFixtureTables);
    }
  }
  if (parsed.cases.empty() && parsed.findings.empty()) {
    reader.error({}, "the fixture has no case", "write [[case]] with asset, at and expect");
  }
  return parsed;
}

std::string fixture_of(std::string_view policy_file) {
  constexpr std::string_view kSuffix = ".toml";
  if (policy_file.ends_with(kSuffix)) policy_file.remove_suffix(kSuffix.size());
  return std::string(policy_file) + ".test.toml";
}

}  // namespace aierase::policy
