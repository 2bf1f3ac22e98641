#include "policy/class_reader.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/json.h"
#include "base/limits.h"
#include "base/spelling.h"

namespace aierase::policy {
namespace {

// What the keys of one class are read into.
struct Draft {
  Reader& reader;
  ClassDraft out;
};

constexpr std::array<std::string_view, 5> kTriggerWords{"created", "last-used", "retired",
                                                        "superseded", "placed-on-market"};
constexpr std::array<std::string_view, 2> kConflictWords{"keep", "suspend"};
constexpr std::int64_t kMostKeepLast = 1'000'000;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool is_custodian(std::string_view text) {
  if (text.starts_with('@')) text.remove_prefix(1);
  return !text.empty() && text.front() != '-' &&
         text.find_first_of(" @:,/=") == std::string_view::npos;
}

// A period during which something is kept or after which it goes: zero makes no sense.
std::optional<Duration> take_period(Reader& reader, const TomlEntry& entry) {
  const std::optional<Duration> period = reader.take_duration(entry);
  if (!period || period->count > 0) return period;
  reader.error(entry.value.place, entry.key + " is zero",
               entry.key == "retain-for" ? "leave the key out where nothing has to be kept"
                                         : "the shortest sensible period is one day");
  return std::nullopt;
}

void read_selector(Draft& draft, const Reader::PlacedText& text) {
  Result<domain::Selector> selector = domain::parse_selector(text.text);
  if (!selector.ok()) {
    draft.reader.error(text.place, "match: " + selector.error().message, selector.error().hint);
    return;
  }
  if (selector->key == domain::SelectorKey::state) {
    draft.reader.error(text.place, "a class cannot match by state",
                       "a floor that ends when somebody suspends the asset would be none");
    return;
  }
  if (domain::asks_for_time(selector->key)) {
    draft.reader.error(text.place, "a class cannot match by " + quoted(selector->text()),
                       "what applies to an asset is not to change by time alone: trigger, "
                       "retain-for and erase-after say when");
    return;
  }
  if (selector->key == domain::SelectorKey::retention) {
    draft.out.references.push_back({selector->value, draft.reader.place(text.place)});
  }
  draft.out.value.match.push_back(std::move(*selector));
}

bool matches_every_asset(const std::vector<domain::Selector>& match) {
  return std::all_of(match.begin(), match.end(), [](const domain::Selector& selector) {
    return selector.key == domain::SelectorKey::name &&
           selector.value.find_first_not_of('*') == std::string::npos;
  });
}

void read_match(Draft& draft, const TomlEntry& entry) {
  const auto texts =
      draft.reader.take_texts(entry, limits::kSelectorsPerClass, limits::kAssetNameBytes + 64);
  if (!texts) return;
  if (texts->empty()) {
    draft.reader.error(entry.value.place, "match is empty, and that would mean every asset",
                       "leave it out: assets are put into the class with --retention; or say "
                       "match = [\"name=*\"]");
    return;
  }
  std::vector<std::string> plain;
  for (const Reader::PlacedText& text : *texts) {
    read_selector(draft, text);
    plain.push_back(text.text);
  }
  if (draft.out.value.match.size() != texts->size()) return;
  const auto together = domain::parse_selectors(plain);
  if (!together.ok()) draft.reader.error(entry.value.place, together.error().message);
  if (matches_every_asset(draft.out.value.match)) {
    draft.reader.warning(entry.value.place, "this class applies to every asset of the store");
  }
}

void read_custodians(Draft& draft, const TomlEntry& entry) {
  const auto texts = draft.reader.take_texts(entry, limits::kCustodiansPerAsset, 255);
  if (!texts) return;
  for (const Reader::PlacedText& text : *texts) {
    if (!is_custodian(text.text)) {
      draft.reader.error(text.place, quoted(text.text) + " is neither a user nor a @GROUP");
      continue;
    }
    draft.out.value.custodians.push_back(text.text);
  }
  std::vector<std::string>& custodians = draft.out.value.custodians;
  std::sort(custodians.begin(), custodians.end());
  custodians.erase(std::unique(custodians.begin(), custodians.end()), custodians.end());
}

void read_approvals(Draft& draft, const TomlEntry& entry) {
  if (entry.value.type == TomlType::integer && entry.value.integer == 0) {
    draft.reader.error(entry.value.place,
                       "approvals is 0, and nothing is erased without a custodian's approval",
                       "1 is the least; unattended erasure uses a standing approval");
    return;
  }
  const auto count =
      draft.reader.take_integer(entry, 1, static_cast<std::int64_t>(limits::kCustodiansPerAsset));
  if (count) draft.out.value.approvals = static_cast<std::uint32_t>(*count);
}

void read_keep_last(Draft& draft, const TomlEntry& entry) {
  const auto count = draft.reader.take_integer(entry, 1, kMostKeepLast);
  if (count) draft.out.value.keep_last = static_cast<std::uint32_t>(*count);
}

void read_grace(Draft& draft, const TomlEntry& entry) {
  if (const auto grace = draft.reader.take_duration(entry)) draft.out.value.grace = *grace;
}

void read_allow_now(Draft& draft, const TomlEntry& entry) {
  if (const auto allow = draft.reader.take_boolean(entry)) {
    draft.out.value.allow_now = *allow ? AllowNow::yes : AllowNow::no;
  }
}

struct ClassKey {
  std::string_view key;
  void (*read)(Draft& draft, const TomlEntry& entry);
};
constexpr std::array kClassKeys{
    ClassKey{"match", read_match},
    ClassKey{
        "retain-for",
        [](Draft& d, const TomlEntry& e) { d.out.value.retain_for = take_period(d.reader, e); }},
    ClassKey{
        "erase-after",
        [](Draft& d, const TomlEntry& e) { d.out.value.erase_after = take_period(d.reader, e); }},
    ClassKey{"trigger",
             [](Draft& d, const TomlEntry& e) {
               const auto trigger = d.reader.take_word(e, parse_trigger, kTriggerWords);
               if (trigger) d.out.value.trigger = *trigger;
             }},
    ClassKey{"keep-last", read_keep_last},
    ClassKey{"grace", read_grace},
    ClassKey{"allow-now", read_allow_now},
    ClassKey{"approvals", read_approvals},
    ClassKey{"custodians", read_custodians},
    ClassKey{"validation",
             [](Draft& d, const TomlEntry& e) {
               const auto rule = d.reader.take_word(e, parse_validation_rule, kValidationWords);
               if (rule) d.out.value.validation = *rule;
             }},
    ClassKey{"require-assurance",
             [](Draft& d, const TomlEntry& e) {
               const auto level = d.reader.take_word(e, domain::parse_level, kLevelWords);
               if (level) d.out.value.require_assurance = *level;
             }},
    ClassKey{"basis",
             [](Draft& d, const TomlEntry& e) {
               d.out.value.basis = d.reader.take_text(e, limits::kReasonBytes).value_or("");
             }},
    ClassKey{"on-conflict",
             [](Draft& d, const TomlEntry& e) {
               const auto action = d.reader.take_word(e, parse_on_conflict, kConflictWords);
               if (action) d.out.value.on_conflict = *action;
             }},
};

constexpr auto class_key_words() {
  std::array<std::string_view, kClassKeys.size()> words{};
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = kClassKeys[i].key;
  return words;
}
constexpr auto kClassKeyWords = class_key_words();
constexpr std::array<std::string_view, 3> kBrakeKeyWords{"items", "percent", "bytes"};

const TomlEntry* find(const TomlEntry& table, std::string_view key) {
  for (const TomlEntry& entry : table.value.entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

TomlPlace value_place(const TomlEntry& table, std::string_view key) {
  const TomlEntry* entry = find(table, key);
  return entry == nullptr ? table.place : entry->value.place;
}

void check_name(Reader& reader, const TomlEntry& entry) {
  const std::string& name = entry.key;
  const bool fine = !name.empty() && name.size() <= limits::kClassNameBytes &&
                    name.front() != '-' && name.front() != '_' &&
                    std::all_of(name.begin(), name.end(), is_name_character);
  if (fine) return;
  reader.error(entry.place, quoted(name) + " cannot be the name of a class",
               "lower-case letters, digits, '-' and '_', at most " +
                   std::to_string(limits::kClassNameBytes) + ", beginning with a letter or digit");
}

// Nobody chose this class for an asset, so nothing may go because of it.
void check_default(Reader& reader, const TomlEntry& entry) {
  for (const std::string_view key : {"match", "erase-after", "keep-last"}) {
    if (const TomlEntry* given = find(entry, key)) {
      reader.error(given->place, "the class default cannot have " + std::string(key),
                   "it is for assets that nobody put into a class, and nothing is erased because "
                   "of it; make a class of your own");
    }
  }
}

void check_periods(Reader& reader, const TomlEntry& entry, const RetentionClass& value) {
  if (value.retain_for && value.erase_after && can_outlast(*value.retain_for, *value.erase_after)) {
    reader.error(value_place(entry, "erase-after"),
                 "the class contradicts itself: erase-after, " + to_words(*value.erase_after) +
                     ", can be over before retain-for, " + to_words(*value.retain_for),
                 "make erase-after at least as long as retain-for, in the same unit");
  }
  if (value.keep_last && find(entry, "erase-after") == nullptr) {
    reader.error(value_place(entry, "keep-last"),
                 "keep-last needs erase-after: it exempts the newest from it, and erases nothing "
                 "by itself",
                 "say how old the others may become: erase-after = \"30 days\"");
  }
  if (const TomlEntry* trigger = find(entry, "trigger"); trigger != nullptr &&
                                                         find(entry, "retain-for") == nullptr &&
                                                         find(entry, "erase-after") == nullptr) {
    reader.warning(trigger->place, "trigger has no effect without retain-for or erase-after");
  }
}

struct SizeUnit {
  std::string_view word;
  std::uint64_t bytes;
};
constexpr std::array kSizeUnits{
    SizeUnit{"B", 1},
    SizeUnit{"kB", 1'000},
    SizeUnit{"MB", 1'000'000},
    SizeUnit{"GB", 1'000'000'000},
    SizeUnit{"TB", 1'000'000'000'000},
    SizeUnit{"PB", 1'000'000'000'000'000},
    SizeUnit{"KiB", 1ULL << 10},
    SizeUnit{"MiB", 1ULL << 20},
    SizeUnit{"GiB", 1ULL << 30},
    SizeUnit{"TiB", 1ULL << 40},
    SizeUnit{"PiB", 1ULL << 50},
};
constexpr std::uint64_t kMostBytes = 1ULL << 62;

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t count = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
  if (read.ec != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  if (!text.starts_with(' ')) return std::nullopt;
  text.remove_prefix(1);
  for (const SizeUnit& unit : kSizeUnits) {
    if (text == unit.word && count <= kMostBytes / unit.bytes) return count * unit.bytes;
  }
  return std::nullopt;
}

void read_brake_bytes(Reader& reader, const TomlEntry& entry, Brake& brake) {
  if (entry.value.type != TomlType::string) {
    const auto bytes = reader.take_integer(entry, 1, static_cast<std::int64_t>(kMostBytes));
    if (bytes) brake.bytes = static_cast<std::uint64_t>(*bytes);
    return;
  }
  const std::optional<std::uint64_t> bytes = parse_size(entry.value.text);
  if (bytes && *bytes > 0) {
    brake.bytes = *bytes;
    return;
  }
  reader.error(entry.value.place, "bytes: " + quoted(entry.value.text) + " is not a size",
               "write \"1 TB\", \"500 GB\", \"2 TiB\", or a number of bytes");
}

}  // namespace

std::span<const std::string_view> class_keys() {
  return kClassKeyWords;
}

std::span<const std::string_view> brake_keys() {
  return kBrakeKeyWords;
}

ClassDraft read_class(Reader& reader, const TomlEntry& entry) {
  Draft draft{reader, {}};
  draft.out.value.name = entry.key;
  draft.out.place = reader.place(entry.place);
  check_name(reader, entry);
  if (!reader.is(entry, TomlType::table)) return draft.out;
  const bool is_default = entry.key == kDefaultClass;
  if (is_default) draft.out.value.allow_now = AllowNow::yes;
  for (const TomlEntry& inner : entry.value.entries) {
    const auto known = std::find_if(kClassKeys.begin(), kClassKeys.end(),
                                    [&](const ClassKey& row) { return row.key == inner.key; });
    if (known == kClassKeys.end()) {
      reader.unknown_key(inner, "class " + quoted(entry.key), kClassKeyWords);
    } else {
      known->read(draft, inner);
    }
  }
  if (is_default) {
    check_default(reader, entry);
  } else {
    check_periods(reader, entry, draft.out.value);
  }
  return draft.out;
}

Brake read_brake(Reader& reader, const TomlEntry& entry) {
  Brake brake;
  if (!reader.is(entry, TomlType::table)) return brake;
  for (const TomlEntry& inner : entry.value.entries) {
    if (inner.key == "items") {
      const auto items =
          reader.take_integer(inner, 1, static_cast<std::int64_t>(limits::kItemsPerPlan));
      if (items) brake.items = static_cast<std::uint32_t>(*items);
    } else if (inner.key == "percent") {
      const auto percent = reader.take_integer(inner, 1, 100);
      if (percent) brake.percent = static_cast<std::uint32_t>(*percent);
    } else if (inner.key == "bytes") {
      read_brake_bytes(reader, inner, brake);
    } else {
      reader.unknown_key(inner, "brake", kBrakeKeyWords);
    }
  }
  return brake;
}

}  // namespace aierase::policy
