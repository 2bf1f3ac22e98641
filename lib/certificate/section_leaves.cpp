#include "certificate/section_leaves.h"

#include <algorithm>

#include "base/bytes.h"
#include "translog/tile.h"

namespace aierase::certificate {
namespace {

// What is dated that near to an end of the period may stand in the log beyond it: an erasure has
// the time at which its key was seen to be gone, and its leaf may be behind later ones.
constexpr std::chrono::hours kNear{1};

bool must_be_opened(std::string_view type) {
  return type == "hold-placed" || type == "hold-lifted" || type == "policy-loaded" ||
         type == kRefusalUnsigned;
}

// By its leaf, of rows in order; null where there is none.
template <typename Row>
Row* find_leaf(std::vector<Row>& rows, std::uint64_t leaf) {
  const auto place =
      std::lower_bound(rows.begin(), rows.end(), leaf,
                       [](const Row& row, std::uint64_t wanted) { return row.leaf < wanted; });
  return place != rows.end() && place->leaf == leaf ? &*place : nullptr;
}

}  // namespace

bool is_decision(std::string_view type) {
  return type == "approval" || type == "rejection" || type == "standing-approval" ||
         type == "validation" || type == "validation-unsigned";
}

SectionLeaves::SectionLeaves(const SectionName& name, const Continuity* history,
                             const SectionKeys& keys)
    : name_(name),
      history_(history != nullptr && history->origin() == translog::origin_of(name.store)
                   ? history
                   : nullptr),
      keys_(keys) {}

void SectionLeaves::begin(const SectionFacts& facts) {
  if (begun_) return;
  begun_ = true;
  from_ = facts.from;
  until_ = facts.until;
  start_ = translog::state_of(name_.first, facts.before);
  tree_ = start_;
  remember_root();
}

// What the leaves so far hash to, where the reader kept a head of so many.
void SectionLeaves::remember_root() {
  if (history_ == nullptr) return;
  if (!history_->wants(tree_.size) && tree_.size != name_.size) return;
  roots_[tree_.size] = translog::state_of(tree_.size, tree_.frontier).root;
}

void SectionLeaves::add(const Member& member, const std::string& content) {
  if (!begun_ || !fault_.empty()) return;
  const auto bodies = translog::parse_entries(as_bytes(content));
  if (!bodies.ok()) {
    fault_ = member_name(member) + ": " + bodies.error().message;
  } else if (member.leaf != tree_.size || bodies->size() > translog::kTileWidth) {
    fault_ = "leaves are missing behind leaf " + std::to_string(tree_.size);
  } else if (bodies->size() > name_.size - tree_.size) {
    fault_ = "there are leaves behind the last one";
  } else {
    for (const std::string& body : *bodies) add_leaf(body);
  }
}

void SectionLeaves::add_leaf(std::string_view body) {
  const std::uint64_t leaf = tree_.size;
  hashes_.push_back(translog::leaf_hash(as_bytes(body)));
  translog::push(tree_, hashes_.back());
  remember_root();
  LeafKind kind = kind_of_body(body);
  switch (kind.form) {
    case LeafKind::Form::signed_record:
      signed_.push_back({leaf, false, false});
      return;
    case LeafKind::Form::key_rotation:
      ++rotations_;
      if (!keys_.has_rotation(body)) ++unknown_rotations_;
      return;
    case LeafKind::Form::committed:
      return add_committed(leaf, std::move(kind));
    case LeafKind::Form::unknown:
      fault_ = "leaf " + std::to_string(leaf) + " has no known form";
      return;
  }
}

void SectionLeaves::add_committed(std::uint64_t leaf, LeafKind kind) {
  place_in_period(kind.time);
  if (is_decision(kind.type)) ++decisions_;
  const bool of_period = (!from_ || kind.time >= *from_) && (!until_ || kind.time <= *until_);
  if (of_period && must_be_opened(kind.type)) {
    needed_.push_back({leaf, std::move(kind.type), kind.time, false});
  }
}

void SectionLeaves::place_in_period(UtcTime time) {
  if (from_ && time < *from_) period_.begins_before = true;
  if (until_ && time > *until_) period_.ends_behind = true;
  period_.last = time;
  const bool within = (!from_ || time >= *from_ + kNear) && (!until_ || time <= *until_ - kNear);
  for (; placed_ < signed_.size(); ++placed_) {
    signed_[placed_].in_period = last_in_period_ && within;
  }
  last_in_period_ = within;
}

std::string SectionLeaves::objection(std::uint64_t leaf, const Digest& hash) const {
  if (leaf < name_.first || leaf - name_.first >= hashes_.size()) return "its leaf is not here";
  if (hashes_[static_cast<std::size_t>(leaf - name_.first)] == hash) return {};
  return "leaf " + std::to_string(leaf) + " of the log is another";
}

void SectionLeaves::mark_found(std::uint64_t leaf) {
  if (SignedLeaf* const one = find_leaf(signed_, leaf)) one->found = true;
}

void SectionLeaves::mark_opened(std::uint64_t leaf) {
  if (CommittedLeaf* const one = find_leaf(needed_, leaf)) one->opened = true;
}

std::string SectionLeaves::fault_between(const std::optional<translog::Checkpoint>& before,
                                         const std::optional<translog::Checkpoint>& head) const {
  if (!fault_.empty()) return fault_;
  if (!begun_) return "section.json is missing or broken";
  if (!head) return "no head of these leaves is signed";
  if (name_.first > 0 && !before) return "no head before these leaves is signed";
  if (name_.first > 0 && start_.root != before->root) {
    return "the leaves before are not those that were signed";
  }
  if (tree_.size != name_.size) {
    return "the section ends at leaf " + std::to_string(tree_.size) + " of " +
           std::to_string(name_.size) + ": leaves were dropped";
  }
  if (translog::state_of(tree_.size, tree_.frontier).root == head->root) return {};
  return "the leaves do not lead to the head that was signed: some were dropped, added, replaced "
         "or put in another order";
}

Check SectionLeaves::check(const std::optional<translog::Checkpoint>& before,
                           const std::optional<translog::Checkpoint>& head) const {
  const std::string fault = fault_between(before, head);
  if (!fault.empty()) return {"leaves", CheckResult::failed, "Refused: " + fault + "."};
  return {"leaves", CheckResult::passed,
          "All leaves from " + std::to_string(name_.first) + " to before " +
              std::to_string(name_.size) +
              " are here, and lead from one signed head to the other."};
}

}  // namespace aierase::certificate
