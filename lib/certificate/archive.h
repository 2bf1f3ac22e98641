// One archive of evidence for an audit: the names of what is in it, and the two small forms that
// nothing else has: what a section says of itself, and a leaf of the log with what it commits to.
//
// Contract: pure; parsing keeps to the form to the letter, with limits, and proves nothing. An
// archive has one section for each store and part of its log; what stands in a section needs
// nothing from beyond it. Names that are no member's are an answer, never guessed at.
// Specified in: aierase-certificate(5) ARCHIVES.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "domain/ids.h"
#include "translog/merkle.h"

namespace aierase::certificate {

// Members of a section, in the order in which they stand in an archive.
enum class Part {
  section,            // section.json
  keyring,            // keyring.json
  trusted_root,       // trusted_root.json
  checkpoint_before,  // checkpoint.before
  checkpoint,         // checkpoint
  consistency,        // consistency
  entries,            // entries/LEAF: the leaves from that one on, 256 at most
  record,             // records/LEAF.json: a leaf that was opened
  policy,             // policies/LEAF/NN.toml: a file of the policy that came into force there
  certificate,        // certificates/LEAF.ID.json
  refusal,            // refusals/LEAF.ID.json
  amendment,          // amendments/LEAF.ID.json
};
struct Member {
  Part part = Part::section;
  std::uint64_t leaf = 0;    // of those that name one
  std::uint64_t number = 0;  // of a policy's file
  std::string id;            // of a certificate, also of the amended one, or a plan
  auto operator<=>(const Member&) const = default;
};
std::string member_name(const Member& member);
std::optional<Member> parse_member_name(std::string_view name);

// What leads the archive, before any section.
inline constexpr std::string_view kReadme = "README";
inline constexpr std::string_view kIndexPage = "index.html";
inline constexpr std::string_view kIndex = "index.json";

// The leaves from `first` on and before `size` of one log; a folder of the archive.
struct SectionName {
  Uuid store;
  std::uint64_t first = 0, size = 0;
  auto operator<=>(const SectionName&) const = default;
};
std::string section_folder(const SectionName& name);
std::optional<SectionName> parse_section_folder(std::string_view folder);

// What was signed among these leaves, both included, are not in the archive, and why.
enum class LeftOutWhy { outside_period, not_matched };
struct LeftOut {
  std::uint64_t first = 0, last = 0;
  LeftOutWhy why = LeftOutWhy::outside_period;
};

// What the store says of the section; signed by nobody. Whatever else is told of a section follows
// from its members.
struct SectionFacts {
  SectionName name;
  std::string host;
  std::optional<UtcTime> from, until;  // what was asked for, both included
  std::vector<std::string> match;      // "K=V"
  std::vector<Digest> before;          // the complete subtrees of the first `first` leaves
  std::vector<LeftOut> left_out;       // in order, apart from each other
};
Result<std::string> section_json(const SectionFacts& facts);
Result<SectionFacts> parse_section(std::string_view text);

// A leaf that only commits to its record, with the record.
struct OpenedLeaf {
  std::uint64_t leaf = 0;
  std::string type;
  UtcTime time{};
  Bytes salt;          // 32
  std::string record;  // canonical JSON
  // That it is in the log of the section's checkpoint; only where it is before the section's
  // leaves, which stand whole in the section.
  translog::Proof proof;
};
Result<std::string> opened_json(const OpenedLeaf& opened);
Result<OpenedLeaf> parse_opened(std::string_view text);
// The body of the leaf that commits to it.
Result<std::string> body_of(const OpenedLeaf& opened);

// What a body of a leaf is, by its form alone.
struct LeafKind {
  enum class Form { signed_record, key_rotation, committed, unknown } form = Form::unknown;
  std::string type;  // of a committed one
  UtcTime time{};
};
LeafKind kind_of_body(std::string_view body);

}  // namespace aierase::certificate
