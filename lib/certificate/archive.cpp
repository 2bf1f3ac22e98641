#include "certificate/archive.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/limits.h"
#include "certificate/json_reading.h"
#include "certificate/naming.h"
#include "certificate/rotation.h"
#include "translog/log.h"

namespace aierase::certificate {
namespace {

constexpr std::string_view kSectionSchema = "aierase/archive-section/v1";
constexpr std::string_view kOpenedSchema = "aierase/opened-leaf/v1";
constexpr std::size_t kLeafDigits = 12;
constexpr std::size_t kFileDigits = 2;
constexpr std::size_t kSaltBytes = 32;
constexpr std::size_t kProofHashes = 64;
constexpr std::size_t kTextBytes = 1'000;  // of a host or a selector
constexpr std::size_t kTypeBytes = 64;     // of a leaf
constexpr JsonLimits kSectionLimits{limits::kArchiveIndexBytes, 8};
constexpr JsonLimits kOpenedLimits{limits::kArchiveRecordBytes, 8};
constexpr JsonLimits kBodyLimits{1 << 16, 16};

struct Fixed {
  Part part;
  std::string_view name;
};
constexpr Fixed kFixed[] = {
    {Part::section, "section.json"},           {Part::keyring, "keyring.json"},
    {Part::trusted_root, "trusted_root.json"}, {Part::checkpoint_before, "checkpoint.before"},
    {Part::checkpoint, "checkpoint"},          {Part::consistency, "consistency"},
};
constexpr std::string_view kEntries = "entries/";
constexpr std::string_view kRecords = "records/";
constexpr std::string_view kPolicies = "policies/";
constexpr std::string_view kCertificates = "certificates/";
constexpr std::string_view kRefusals = "refusals/";
constexpr std::string_view kAmendments = "amendments/";

std::string digits_of(std::uint64_t number, std::size_t digits) {
  const std::string text = std::to_string(number);
  return std::string(digits - std::min(digits, text.size()), '0') + text;
}

// Takes a number of at least so many digits, written in the one way.
std::optional<std::uint64_t> take_number(std::string_view& text, std::size_t digits) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const auto length = static_cast<std::size_t>(end - text.data());
  if (digits_of(number, digits) != text.substr(0, length)) return std::nullopt;
  text.remove_prefix(length);
  return number;
}

bool take(std::string_view& text, std::string_view start) {
  if (!text.starts_with(start)) return false;
  text.remove_prefix(start.size());
  return true;
}

// "LEAF.ID.json" of the type.
std::optional<Member> parse_signed(Part part, domain::IdType type, std::string_view rest) {
  const auto leaf = take_number(rest, kLeafDigits);
  if (!leaf || !take(rest, ".") || !rest.ends_with(".json")) return std::nullopt;
  rest.remove_suffix(5);
  const auto id = domain::require_id(type, rest);
  if (!id.ok() || !id->whole) return std::nullopt;
  return Member{part, *leaf, 0, std::string(rest)};
}

std::optional<Member> parse_policy(std::string_view rest) {
  const auto leaf = take_number(rest, kLeafDigits);
  if (!leaf || !take(rest, "/")) return std::nullopt;
  const auto number = take_number(rest, kFileDigits);
  if (!number || rest != ".toml") return std::nullopt;
  return Member{Part::policy, *leaf, *number, {}};
}

std::string_view word_of(LeftOutWhy why) {
  return why == LeftOutWhy::outside_period ? "outside-period" : "not-matched";
}

std::optional<LeftOutWhy> parse_why(std::string_view word) {
  if (word == word_of(LeftOutWhy::outside_period)) return LeftOutWhy::outside_period;
  if (word == word_of(LeftOutWhy::not_matched)) return LeftOutWhy::not_matched;
  return std::nullopt;
}

Json digests_json(const std::vector<Digest>& digests) {
  Json list = Json::array();
  for (const Digest& one : digests) list.push_back(to_base64(one));
  return list;
}

Result<std::vector<Digest>> read_digests(JsonView list, std::size_t at_most) {
  if (!list.is_array() || list.size() > at_most) return malformed("a list of hashes is none");
  std::vector<Digest> digests;
  for (const JsonView one : list) {
    const auto raw = one.is_string() ? from_base64(one.text()) : std::nullopt;
    if (!raw || raw->size() != sizeof(Digest)) return malformed("a hash is none");
    std::copy(raw->begin(), raw->end(), digests.emplace_back().begin());
  }
  return digests;
}

Result<std::uint64_t> count_member(JsonView object, const char* key) {
  if (const auto number = object[key].number()) return *number;
  return malformed(std::string(key) + " is no number");
}

Result<std::string> short_text(JsonView object, const char* key) {
  ASSIGN_OR_RETURN(std::string text, text_member(object, key));
  if (text.size() > kTextBytes) return malformed(std::string(key) + " is too long");
  return text;
}

Status read_left_out(JsonView list, SectionFacts& facts) {
  if (!list.is_array()) return malformed("left_out is no list");
  std::uint64_t next = facts.name.first;
  for (const JsonView one : list) {
    RETURN_IF_ERROR(check_members(one, "a row of left_out", {"first", "last", "why"}));
    LeftOut row;
    ASSIGN_OR_RETURN(row.first, count_member(one, "first"));
    ASSIGN_OR_RETURN(row.last, count_member(one, "last"));
    ASSIGN_OR_RETURN(const std::string why, text_member(one, "why"));
    const auto known = parse_why(why);
    if (!known) return malformed("what was left out for " + quoted(why) + " is unknown");
    row.why = *known;
    const bool asked =
        row.why == LeftOutWhy::not_matched ? !facts.match.empty() : facts.from || facts.until;
    if (!asked) return malformed("leaves are left out for what was not asked");
    if (row.first < next || row.last < row.first || row.last >= facts.name.size) {
      return malformed("left_out is not in the order of the section's leaves");
    }
    next = row.last + 1;
    facts.left_out.push_back(row);
  }
  return {};
}

Status read_period(JsonView json, SectionFacts& facts) {
  if (json.contains("from")) {
    ASSIGN_OR_RETURN(facts.from, time_member(json, "from"));
  }
  if (json.contains("until")) {
    ASSIGN_OR_RETURN(facts.until, time_member(json, "until"));
  }
  if (!json["match"].is_array()) return malformed("match is no list");
  for (const JsonView one : json["match"]) {
    if (!one.is_string() || one.text().size() > kTextBytes) {
      return malformed("a selector is no text");
    }
    facts.match.emplace_back(one.text());
  }
  return {};
}

}  // namespace

std::string member_name(const Member& member) {
  for (const Fixed& one : kFixed) {
    if (one.part == member.part) return std::string(one.name);
  }
  const std::string leaf = digits_of(member.leaf, kLeafDigits);
  switch (member.part) {
    case Part::entries:
      return std::string(kEntries) + leaf;
    case Part::record:
      return std::string(kRecords) + leaf + ".json";
    case Part::policy:
      return std::string(kPolicies) + leaf + "/" + digits_of(member.number, kFileDigits) + ".toml";
    case Part::amendment:
      return std::string(kAmendments) + leaf + "." + member.id + ".json";
    case Part::certificate:
      return std::string(kCertificates) + leaf + "." + member.id + ".json";
    default:
      return std::string(kRefusals) + leaf + "." + member.id + ".json";
  }
}

std::optional<Member> parse_member_name(std::string_view name) {
  for (const Fixed& one : kFixed) {
    if (one.name == name) return Member{one.part, 0, 0, {}};
  }
  if (take(name, kCertificates)) {
    return parse_signed(Part::certificate, domain::IdType::certificate, name);
  }
  if (take(name, kAmendments)) {
    return parse_signed(Part::amendment, domain::IdType::certificate, name);
  }
  if (take(name, kRefusals)) return parse_signed(Part::refusal, domain::IdType::plan, name);
  if (take(name, kPolicies)) return parse_policy(name);
  if (take(name, kEntries)) {
    const auto leaf = take_number(name, kLeafDigits);
    if (leaf && name.empty()) return Member{Part::entries, *leaf, 0, {}};
  }
  if (take(name, kRecords)) {
    const auto leaf = take_number(name, kLeafDigits);
    if (leaf && name == ".json") return Member{Part::record, *leaf, 0, {}};
  }
  return std::nullopt;
}

std::string section_folder(const SectionName& name) {
  return name.store.hex() + "/" + digits_of(name.first, kLeafDigits) + "-" +
         digits_of(name.size, kLeafDigits);
}

std::optional<SectionName> parse_section_folder(std::string_view folder) {
  const std::size_t slash = folder.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::optional<Bytes> raw = from_hex(folder.substr(0, slash));
  const std::optional<Uuid> store = raw ? Uuid::from_bytes(*raw) : std::nullopt;
  folder.remove_prefix(slash + 1);
  const auto first = take_number(folder, kLeafDigits);
  if (!store || !first || !take(folder, "-")) return std::nullopt;
  const auto size = take_number(folder, kLeafDigits);
  if (!size || !folder.empty() || *first > *size) return std::nullopt;
  return SectionName{*store, *first, *size};
}

Result<std::string> section_json(const SectionFacts& facts) {
  Json left_out = Json::array();
  for (const LeftOut& one : facts.left_out) {
    left_out.push_back({{"first", one.first}, {"last", one.last}, {"why", word_of(one.why)}});
  }
  Json json{{"schema", kSectionSchema},
            {"store", facts.name.store.hex()},
            {"host", facts.host},
            {"match", facts.match},
            {"first", facts.name.first},
            {"size", facts.name.size},
            {"before", digests_json(facts.before)},
            {"left_out", std::move(left_out)}};
  if (facts.from) json["from"] = to_rfc3339(*facts.from);
  if (facts.until) json["until"] = to_rfc3339(*facts.until);
  return dump_pretty(json);
}

Result<SectionFacts> parse_section(std::string_view text) {
  ASSIGN_OR_RETURN(const JsonDocument document, read_json(text, kSectionLimits));
  const JsonView json = document.root();
  RETURN_IF_ERROR(
      check_members(json, "the section",
                    {"before", "first", "host", "left_out", "match", "schema", "size", "store"},
                    {"from", "until"}));
  RETURN_IF_ERROR(expect_text(json, "schema", kSectionSchema));
  SectionFacts facts;
  ASSIGN_OR_RETURN(facts.name.store, uuid_member(json, "store"));
  ASSIGN_OR_RETURN(facts.host, short_text(json, "host"));
  ASSIGN_OR_RETURN(facts.name.first, count_member(json, "first"));
  ASSIGN_OR_RETURN(facts.name.size, count_member(json, "size"));
  if (facts.name.first > facts.name.size) return malformed("its leaves end before they begin");
  RETURN_IF_ERROR(read_period(json, facts));
  ASSIGN_OR_RETURN(facts.before, read_digests(json["before"], kProofHashes));
  const auto subtrees = static_cast<std::size_t>(std::popcount(facts.name.first));
  if (facts.before.size() != subtrees) return malformed("before has not the hashes of its leaves");
  RETURN_IF_ERROR(read_left_out(json["left_out"], facts));
  return facts;
}

Result<std::string> opened_json(const OpenedLeaf& opened) {
  Json json{{"schema", kOpenedSchema},     {"leaf", opened.leaf},
            {"type", opened.type},         {"time", to_rfc3339(opened.time)},
            {"salt", to_hex(opened.salt)}, {"record", opened.record}};
  if (!opened.proof.empty()) json["proof"] = digests_json(opened.proof);
  return dump_pretty(json);
}

Result<OpenedLeaf> parse_opened(std::string_view text) {
  ASSIGN_OR_RETURN(const JsonDocument document, read_json(text, kOpenedLimits));
  const JsonView json = document.root();
  RETURN_IF_ERROR(check_members(json, "the record",
                                {"leaf", "record", "salt", "schema", "time", "type"}, {"proof"}));
  RETURN_IF_ERROR(expect_text(json, "schema", kOpenedSchema));
  OpenedLeaf opened;
  ASSIGN_OR_RETURN(opened.leaf, count_member(json, "leaf"));
  ASSIGN_OR_RETURN(opened.type, short_text(json, "type"));
  if (opened.type.size() > kTypeBytes) return malformed("its type is too long");
  ASSIGN_OR_RETURN(opened.time, time_member(json, "time"));
  ASSIGN_OR_RETURN(const std::string salt, text_member(json, "salt"));
  const std::optional<Bytes> raw = from_hex(salt);
  if (!raw || raw->size() != kSaltBytes) return malformed("its salt has not 32 bytes");
  opened.salt = *raw;
  ASSIGN_OR_RETURN(opened.record, text_member(json, "record"));
  if (json.contains("proof")) {
    ASSIGN_OR_RETURN(opened.proof, read_digests(json["proof"], kProofHashes));
  }
  return opened;
}

Result<std::string> body_of(const OpenedLeaf& opened) {
  return translog::committed_body(opened.type, opened.time, opened.salt, opened.record);
}

LeafKind kind_of_body(std::string_view body) {
  LeafKind kind;
  // As log_entry_body() begins. The record of this leaf shows what stands behind it, byte for byte.
  if (body.starts_with(R"({"apiVersion":"0.0.2","kind":"dsse",)")) {
    kind.form = LeafKind::Form::signed_record;
    return kind;
  }
  const Result<JsonDocument> document = read_json(body, kBodyLimits);
  if (!document.ok()) return kind;
  const JsonView json = document->root();
  if (json["payloadType"].text() == kRotationPayloadType) {
    kind.form = LeafKind::Form::key_rotation;
  } else if (const auto time = from_rfc3339(json["time"].text());
             time && !json["commitment"].text().empty()) {
    kind = {LeafKind::Form::committed, std::string(json["type"].text()), *time};
  }
  return kind;
}

}  // namespace aierase::certificate
