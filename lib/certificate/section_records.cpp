#include "certificate/section_records.h"

#include <algorithm>

#include "base/limits.h"
#include "crypto/primitives.h"

namespace aierase::certificate {
namespace {

constexpr JsonLimits kRecordLimits{limits::kArchiveRecordBytes, 32};
constexpr const char* kMakersWord = "the word of whoever made the archive";

std::optional<Uuid> hold_of(JsonView record) {
  const std::optional<Bytes> raw = from_hex(record["hold"].text());
  return raw ? Uuid::from_bytes(*raw) : std::nullopt;
}

}  // namespace

void SectionRecords::open(const Member& member, const std::string& content,
                          const std::optional<translog::Checkpoint>& head) {
  ++records_.looked_at;
  const Result<OpenedLeaf> opened = parse_opened(content);
  std::string why = opened.ok() ? std::string() : opened.error().message;
  if (opened.ok() && opened->leaf != member.leaf) why = "it is of another leaf";
  if (why.empty()) why = objection(*opened, head);
  if (why.empty()) why = read(*opened);
  if (!why.empty()) records_.fault(member_name(member) + ": " + why);
}

std::string SectionRecords::objection(const OpenedLeaf& opened,
                                      const std::optional<translog::Checkpoint>& head) const {
  const Result<std::string> body = body_of(opened);
  if (!body.ok()) return body.error().message;
  const Digest hash = translog::leaf_hash(as_bytes(*body));
  if (opened.leaf >= name_.first) {
    return opened.proof.empty() ? leaves_.objection(opened.leaf, hash) : "a proof too many";
  }
  const bool proven = head && translog::root_of_inclusion(hash, opened.leaf, name_.size,
                                                          opened.proof) == head->root;
  return proven ? "" : "its proof does not lead to the head that was signed";
}

// Keeps what it says; the reason where that is not to be kept.
std::string SectionRecords::read(const OpenedLeaf& opened) {
  const Result<JsonDocument> parsed = read_json(opened.record, kRecordLimits);
  const JsonView record = parsed.ok() ? parsed->root() : JsonView();
  const std::string by(record["by"]["login"].text());
  if (by.size() > limits::kPersonFieldBytes) return "the login in it is too long";
  if (opened.type == "policy-loaded") {
    std::string why = expect_policy(opened.leaf, record);
    if (!why.empty()) return why;
  }
  const std::optional<Uuid> hold = hold_of(record);
  if (hold && opened.type == "hold-placed") placed_.insert(*hold);
  if (hold && opened.type == "hold-lifted") lifted_.push_back({opened.leaf, *hold});
  if (opened.leaf >= name_.first && is_decision(opened.type)) ++opened_decisions_;
  leaves_.mark_opened(opened.leaf);
  rows_.push_back({opened.leaf, opened.type, opened.time, by});
  return {};
}

std::string SectionRecords::expect_policy(std::uint64_t leaf, JsonView record) {
  const JsonView files = record["files"];
  if (!files.is_array() || files.size() > limits::kPolicyFiles) return "it names no policy";
  std::vector<Digest> digests;
  for (const JsonView file : files) {
    const std::optional<Bytes> raw = from_hex(file["sha256"].text());
    if (!raw || raw->size() != sizeof(Digest)) return "it names no policy";
    std::copy(raw->begin(), raw->end(), digests.emplace_back().begin());
  }
  policy_files_[leaf] = std::move(digests);
  return {};
}

void SectionRecords::take_policy(const Member& member, const std::string& content) {
  ++policies_.looked_at;
  const auto expected = policy_files_.find(member.leaf);
  const auto number = static_cast<std::size_t>(member.number);
  const bool same = expected != policy_files_.end() && number < expected->second.size() &&
                    expected->second[number] == crypto::sha256(as_bytes(content));
  if (!same) {
    return policies_.fault(member_name(member) + " is not the text that came into force");
  }
  expected->second[number] = Digest{};
}

std::vector<Check> SectionRecords::integrity() const {
  const bool one = policies_.looked_at == 1;
  return {
      records_.check("records", "decisions", " are those that the log has committed to."),
      policies_.check(
          "policies", one ? "text of a policy" : "texts of policies",
          one ? " is the one that came into force." : " are those that came into force."),
  };
}

std::vector<Check> SectionRecords::completeness(const SectionFacts& facts) const {
  return {holds_and_policies(facts), decisions(), unsigned_refusals(facts)};
}

// Who asked for everything gets what was placed, lifted and loaded within the period.
Check SectionRecords::holds_and_policies(const SectionFacts& facts) const {
  Tally tally;
  for (const SectionLeaves::CommittedLeaf& one : leaves_.needed_records()) {
    if (one.type == kRefusalUnsigned) continue;
    ++tally.looked_at;
    const bool dispensable = !facts.match.empty() && one.type != "policy-loaded";
    if (one.opened || dispensable) continue;
    tally.fault("the record of leaf " + std::to_string(one.leaf) + ", " + one.type +
                ", is missing");
  }
  for (const auto& [leaf, files] : policy_files_) {
    const bool complete = std::all_of(files.begin(), files.end(),
                                      [](const Digest& digest) { return digest == Digest{}; });
    // They name people of all assets: with a match the digests in their record have to do.
    if (!complete && facts.match.empty())
      tally.fault("a text of the policy of leaf " + std::to_string(leaf) + " is missing");
  }
  for (const Lift& lift : lifted_) {
    if (placed_.count(lift.hold) != 0) continue;
    tally.fault("the record of the hold that leaf " + std::to_string(lift.leaf) +
                " lifts is missing");
  }
  const std::string before = name_.first == 0 ? std::string()
                                              : std::string(
                                                    " Which of those from before these leaves were "
                                                    "still in force is ") +
                                                    kMakersWord + ".";
  return tally.check("holds", "holds placed or lifted and policies loaded in the period",
                     (facts.match.empty() ? " are here."
                                          : " are known; holds on what does not match may be left "
                                            "out.") +
                         before);
}

// A plan that ended while nobody could sign: its end is in the log all the same.
Check SectionRecords::unsigned_refusals(const SectionFacts& facts) const {
  Tally tally;
  std::uint64_t left_out = 0;
  for (const SectionLeaves::CommittedLeaf& one : leaves_.needed_records()) {
    if (one.type != kRefusalUnsigned) continue;
    ++tally.looked_at;
    if (one.opened) continue;
    ++left_out;
    if (facts.match.empty()) {
      tally.fault("the record of leaf " + std::to_string(one.leaf) + " is missing");
    }
  }
  const std::string rest =
      left_out == 0 ? " are all named."
                    : " stand in these leaves; that " + std::to_string(left_out) +
                          " of them are about nothing of this archive is " + kMakersWord + ".";
  Check check = tally.check("unsigned", "ends of plans that nobody could sign at once", rest);
  if (left_out > 0 && !facts.match.empty()) check.result = CheckResult::not_checked;
  return check;
}

Check SectionRecords::decisions() const {
  const std::string counted = std::to_string(opened_decisions_) + " of " +
                              std::to_string(leaves_.decisions()) +
                              " approvals, rejections and validations in these leaves are here.";
  if (opened_decisions_ == leaves_.decisions()) {
    return {"decisions", CheckResult::passed, counted};
  }
  return {"decisions", CheckResult::not_checked,
          counted + " That the others are about nothing of this archive is " + kMakersWord + "."};
}

}  // namespace aierase::certificate
