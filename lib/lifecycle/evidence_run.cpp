// What an archive of evidence is made from, in slices.

#include "lifecycle/evidence_run.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"
#include "base/limits.h"
#include "lifecycle/publishing.h"
#include "translog/proof_file.h"

namespace aierase::lifecycle {
namespace {

using certificate::LeftOutWhy;
using certificate::Member;
using certificate::Part;

constexpr std::size_t kRecordsPerStep = 32;
constexpr std::size_t kBytesPerStep = 16 << 20;  // of statements
constexpr std::size_t kAssetsPerStep = 256;

enum class Stage { heads, keys, leaves, holds, policy, opened, section, done };

}  // namespace

struct EvidenceRun::Impl {
  Impl(Store& s, EvidenceWish w) : store(s), core(*s.impl_), wish(std::move(w)) {}

  Status next(Step& step);
  Result<bool> any_leaf(std::uint64_t from, std::uint64_t end,
                        const std::function<bool(UtcTime)>& is_wanted) const;
  Result<std::optional<domain::SignedHead>> head_before(std::uint64_t size) const;
  Result<std::optional<domain::SignedHead>> earlier_head() const;
  Result<std::optional<domain::SignedHead>> head_behind(UtcTime moment) const;
  Result<bool> find_heads();
  Result<bool> add_heads(Step& step);
  Status add_keys(Step& step);
  Status read_leaves(Step& step);
  Result<bool> add_signed(const domain::LogLeaf& leaf, Step& step);
  Result<bool> add_record(Member member, SignedRecord record, UtcTime issued, const Uuid& plan,
                          const std::vector<Uuid>& assets, std::uint64_t leaf, Step& step);
  Status open_decisions(const Uuid& plan);
  void leave_out(std::uint64_t leaf, LeftOutWhy why);
  Result<bool> matches(const std::vector<Uuid>& assets);
  bool in_period(UtcTime time) const;
  Status find_holds();
  Result<bool> look_at_hold();
  Status add_policy(const domain::LoadedPolicy& policy, Step& step);
  Status open_first_policy(Step& step);
  Result<bool> open_leaf(std::uint64_t index, Step& step);
  void open(std::uint64_t index) {
    if (index < head->size) to_open.insert(index);
  }

  struct HoldLeaves {
    std::uint64_t placed = 0;
    UtcTime placed_at{};
    std::optional<std::uint64_t> lifted;
    std::optional<UtcTime> lifted_at;
  };

  Store& store;
  Core& core;
  const EvidenceWish wish;
  Stage stage = Stage::heads;
  std::optional<domain::SignedHead> before, head;
  std::optional<std::vector<Digest>> consistency;
  certificate::SectionFacts facts;
  std::uint64_t leaf = 0;               // the next to be read
  std::deque<domain::LogLeaf> waiting;  // read, and not yet looked at
  std::set<std::uint64_t> to_open;
  std::set<Uuid> plans;              // whose decisions are opened
  std::map<Uuid, HoldLeaves> holds;  // of the period, not yet looked at
  std::optional<Uuid> hold_cursor;
};

EvidenceRun::EvidenceRun(Store& store, EvidenceWish wish)
    : impl_(std::make_unique<Impl>(store, std::move(wish))) {}
EvidenceRun::~EvidenceRun() = default;

const certificate::SectionName& EvidenceRun::section() const {
  return impl_->facts.name;
}

std::uint64_t EvidenceRun::done() const {
  return impl_->leaf - impl_->facts.name.first;
}

Result<EvidenceRun::Step> EvidenceRun::step() {
  Step step;
  RETURN_IF_ERROR(impl_->next(step));
  step.more = impl_->stage != Stage::done;
  return step;
}

Status EvidenceRun::Impl::next(Step& step) {
  const auto after = [this](bool over, Stage following) {
    if (over) stage = following;
  };
  switch (stage) {
    case Stage::heads: {
      ASSIGN_OR_RETURN(const bool found, find_heads());
      if (!found) return {};
      ASSIGN_OR_RETURN(const bool added, add_heads(step));
      after(added, Stage::keys);
      return {};
    }
    case Stage::keys:
      RETURN_IF_ERROR(add_keys(step));
      after(true, Stage::leaves);
      return {};
    case Stage::leaves:
      RETURN_IF_ERROR(read_leaves(step));
      if (leaf < head->size || !waiting.empty()) return {};
      RETURN_IF_ERROR(find_holds());
      after(true, Stage::holds);
      return {};
    case Stage::holds: {
      ASSIGN_OR_RETURN(const bool over, look_at_hold());
      after(over, Stage::policy);
      return {};
    }
    case Stage::policy:
      RETURN_IF_ERROR(open_first_policy(step));
      after(true, Stage::opened);
      return {};
    case Stage::opened:
      for (std::size_t i = 0; i < kRecordsPerStep && !to_open.empty(); ++i) {
        ASSIGN_OR_RETURN(const bool opened, open_leaf(*to_open.begin(), step));
        if (!opened) return {};
        to_open.erase(to_open.begin());
      }
      after(to_open.empty(), Stage::section);
      return {};
    case Stage::section: {
      ASSIGN_OR_RETURN(std::string json, certificate::section_json(facts));
      step.files.push_back({{Part::section, 0, 0, {}}, std::move(json)});
      after(true, Stage::done);
      return {};
    }
    case Stage::done:
      return {};
  }
  return {};
}

// Whether some leaf of those tells, to whoever has no more than the leaves, such a time.
Result<bool> EvidenceRun::Impl::any_leaf(std::uint64_t from, std::uint64_t end,
                                         const std::function<bool(UtcTime)>& is_wanted) const {
  if (end <= from) return false;
  const auto count = std::min<std::uint64_t>(end - from, translog::kTileWidth);
  ASSIGN_OR_RETURN(const std::vector<domain::LogLeaf> leaves,
                   core.view().log_leaves(from, static_cast<std::size_t>(count)));
  return std::any_of(leaves.begin(), leaves.end(), [&](const domain::LogLeaf& one) {
    return !one.salt.empty() && is_wanted(one.time);
  });
}

// The last one of fewer leaves.
Result<std::optional<domain::SignedHead>> EvidenceRun::Impl::head_before(std::uint64_t size) const {
  ASSIGN_OR_RETURN(const std::optional<domain::LogLeaf> last, core.view().log_leaf(size - 1));
  if (!last) return make_error(Errc::damaged, "a leaf of the log is not in the database");
  ASSIGN_OR_RETURN(std::optional<domain::SignedHead> found,
                   core.view().last_head_before(last->time));
  if (found && found->size >= size) found.reset();  // the clock went back
  for (;;) {
    ASSIGN_OR_RETURN(std::optional<domain::SignedHead> next,
                     core.view().first_head_with(found ? found->size : 0));
    if (!next || next->size >= size) return found;
    found = std::move(next);
  }
}

// The last head before the period behind which there is still a leaf from before it: that leaf
// shows that nothing of the period is further back.
Result<std::optional<domain::SignedHead>> EvidenceRun::Impl::earlier_head() const {
  ASSIGN_OR_RETURN(std::optional<domain::SignedHead> found,
                   core.view().last_head_before(*wish.from));
  while (found && found->size > 0) {
    ASSIGN_OR_RETURN(const bool shown, any_leaf(found->size, head->size, [this](UtcTime time) {
                       return time < *wish.from;
                     }));
    if (shown) return found;
    ASSIGN_OR_RETURN(found, head_before(found->size));
  }
  return std::optional<domain::SignedHead>();
}

// The first head with a leaf from behind that moment, which shows that nothing up to it is further
// on; the newest where there is no such leaf yet. None: it is not signed yet.
Result<std::optional<domain::SignedHead>> EvidenceRun::Impl::head_behind(UtcTime moment) const {
  ASSIGN_OR_RETURN(const std::optional<domain::SignedHead> last,
                   core.view().last_head_before(moment + std::chrono::seconds(1)));
  std::uint64_t size = last ? last->size : 0;
  ASSIGN_OR_RETURN(std::optional<domain::SignedHead> found, core.view().first_head_after(moment));
  while (found) {
    ASSIGN_OR_RETURN(const bool shown,
                     any_leaf(size, found->size, [moment](UtcTime time) { return time > moment; }));
    if (shown) return found;
    size = found->size;
    ASSIGN_OR_RETURN(std::optional<domain::SignedHead> next, core.view().first_head_with(size));
    if (!next) return found;
    found = std::move(next);
  }
  return found;
}

// The heads around the period. False: the later one has to be written first.
Result<bool> EvidenceRun::Impl::find_heads() {
  if (head) return true;
  if (wish.until) {
    ASSIGN_OR_RETURN(head, head_behind(*wish.until));
  }
  if (!head) {
    ASSIGN_OR_RETURN(std::optional<LogHead> now, store.log_head(std::nullopt));
    if (!now) return false;
    head = std::move(now->head);
  }
  if (wish.from) {
    ASSIGN_OR_RETURN(before, earlier_head());
  }
  if (before && before->size > head->size) {
    return make_error(Errc::wrong_state, "the clock of this host went back within the period",
                      "ask for a longer one");
  }
  facts.name = {core.store(), before ? before->size : 0, head->size};
  facts.host = is_valid_utf8(core.settings.host.host) ? core.settings.host.host
                                                      : quoted(core.settings.host.host);
  facts.from = wish.from;
  facts.until = wish.until;
  for (const domain::Selector& one : wish.match) facts.match.push_back(one.text());
  leaf = facts.name.first;
  return true;
}

Result<bool> EvidenceRun::Impl::add_heads(Step& step) {
  if (before) {
    if (!consistency) {
      ASSIGN_OR_RETURN(consistency, core.publisher->consistency(before->size, *head));
      if (!consistency) return false;
    }
    ASSIGN_OR_RETURN(std::optional<std::vector<Digest>> subtrees,
                     core.publisher->subtrees(*before, *head));
    if (!subtrees) return false;
    facts.before = std::move(*subtrees);
    step.files.push_back({{Part::checkpoint_before, 0, 0, {}}, before->checkpoint});
    step.files.push_back(
        {{Part::consistency, 0, 0, {}},
         translog::format_consistency({before->size, *consistency, head->checkpoint})});
  }
  step.files.push_back({{Part::checkpoint, 0, 0, {}}, head->checkpoint});
  return true;
}

Status EvidenceRun::Impl::add_keys(Step& step) {
  ASSIGN_OR_RETURN(const certificate::Keyring keyring, store.keyring());
  ASSIGN_OR_RETURN(std::string json, certificate::keyring_json(keyring));
  step.files.push_back({{Part::keyring, 0, 0, {}}, std::move(json)});
  ASSIGN_OR_RETURN(std::string root, certificate::trusted_root_json(keyring));
  step.files.push_back({{Part::trusted_root, 0, 0, {}}, std::move(root)});
  return {};
}

// One bundle of entries, or some of the records that it told of.
Status EvidenceRun::Impl::read_leaves(Step& step) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < kRecordsPerStep && bytes < kBytesPerStep && !waiting.empty(); ++i) {
    ASSIGN_OR_RETURN(const bool added, add_signed(waiting.front(), step));
    if (!added) return {};
    waiting.pop_front();
    for (const EvidenceRecord& one : step.records) {
      bytes += std::visit([](const auto& row) { return row.statement.size(); }, one.record);
    }
  }
  if (!waiting.empty() || leaf == head->size) return {};
  const std::uint64_t end =
      std::min(head->size, (leaf / translog::kTileWidth + 1) * translog::kTileWidth);
  ASSIGN_OR_RETURN(std::vector<domain::LogLeaf> leaves,
                   core.view().log_leaves(leaf, static_cast<std::size_t>(end - leaf)));
  if (leaves.size() != end - leaf) {
    return make_error(Errc::damaged, "the database holds fewer leaves than its log has",
                      "run `aierase check`");
  }
  std::vector<std::string> bodies;
  for (domain::LogLeaf& one : leaves) {
    ASSIGN_OR_RETURN(std::string body, translog::leaf_body(one));
    bodies.push_back(std::move(body));
    const bool of_interest =
        one.type == "certificate" || one.type == "refusal" || one.type == "policy-loaded";
    if (of_interest) waiting.push_back(std::move(one));
  }
  ASSIGN_OR_RETURN(const Bytes entries, translog::encode_entries(bodies));
  step.files.push_back({{Part::entries, leaf, 0, {}}, std::string(as_text(entries))});
  leaf = end;
  return {};
}

// False: its proof has to be written first.
Result<bool> EvidenceRun::Impl::add_signed(const domain::LogLeaf& one, Step& step) {
  const auto missing = [&] {
    return make_error(Errc::damaged,
                      "the record of leaf " + std::to_string(one.index) + " is not in the database",
                      "run `aierase check`");
  };
  if (one.type == "policy-loaded") {
    ASSIGN_OR_RETURN(const auto policy, core.view().policy_before(one.index + 1));
    if (!policy || policy->log_index != one.index) return missing();
    RETURN_IF_ERROR(add_policy(*policy, step));
    return true;
  }
  if (one.type == "certificate") {
    ASSIGN_OR_RETURN(std::optional<catalog::CertificateRow> row,
                     core.view().certificate_at(one.index));
    if (!row) return missing();
    const Member member{Part::certificate, one.index, 0,
                        domain::id_text(domain::IdType::certificate, row->id)};
    const std::vector<Uuid> assets{row->asset};
    const UtcTime issued = row->issued;
    const Uuid plan = row->plan;
    ASSIGN_OR_RETURN(const auto acts, core.view().validations(row->id));
    ASSIGN_OR_RETURN(const bool added,
                     add_record(member, std::move(*row), issued, plan, assets, one.index, step));
    const bool is_in = !step.records.empty() && step.records.back().member == member;
    for (const domain::ValidationAct& act : acts) {
      if (is_in) open(act.log_index);
    }
    return added;
  }
  ASSIGN_OR_RETURN(std::optional<catalog::RefusalRow> row, core.view().refusal_at(one.index));
  if (!row) return missing();
  const Member member{Part::refusal, one.index, 0, plan_text(row->plan)};
  std::vector<Uuid> assets;
  if (!wish.match.empty()) {
    ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, core.view().plan(row->plan));
    if (!plan) return missing();
    for (const domain::PlanItem& item : plan->items) assets.push_back(item.asset);
  }
  const UtcTime issued = row->issued;
  const Uuid plan = row->plan;
  return add_record(member, std::move(*row), issued, plan, assets, one.index, step);
}

Result<bool> EvidenceRun::Impl::add_record(Member member, SignedRecord record, UtcTime issued,
                                           const Uuid& plan, const std::vector<Uuid>& assets,
                                           std::uint64_t index, Step& step) {
  if (!in_period(issued)) {
    leave_out(index, LeftOutWhy::outside_period);
    return true;
  }
  ASSIGN_OR_RETURN(const bool wanted, matches(assets));
  if (!wanted) {
    leave_out(index, LeftOutWhy::not_matched);
    return true;
  }
  ASSIGN_OR_RETURN(std::optional<LogProof> proof, store.prove(index));
  if (!proof) return false;
  RETURN_IF_ERROR(open_decisions(plan));
  step.records.push_back({std::move(member), std::move(record), std::move(*proof)});
  return true;
}

// Who approved and who rejected, and the approval in advance that counted.
Status EvidenceRun::Impl::open_decisions(const Uuid& id) {
  if (!plans.insert(id).second) return {};
  ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, core.view().plan_head(id));
  if (!plan) return make_error(Errc::damaged, "a plan is not in the catalog");
  for (const domain::Approval& approval : plan->approvals) {
    open(approval.log_index);
    if (approval.standing) open(approval.standing->log_index);
  }
  return {};
}

void EvidenceRun::Impl::leave_out(std::uint64_t index, LeftOutWhy why) {
  if (!facts.left_out.empty() && facts.left_out.back().why == why &&
      facts.left_out.back().last + 1 == index) {
    facts.left_out.back().last = index;
    return;
  }
  facts.left_out.push_back({index, index, why});
}

Result<bool> EvidenceRun::Impl::matches(const std::vector<Uuid>& assets) {
  if (wish.match.empty()) return true;
  for (const Uuid& id : assets) {
    ASSIGN_OR_RETURN(const domain::Asset asset, core.known_asset(id));
    ASSIGN_OR_RETURN(const bool match, is_selected(core.view(), wish.match, asset));
    if (match) return true;
  }
  return false;
}

bool EvidenceRun::Impl::in_period(UtcTime time) const {
  return (!wish.from || time >= *wish.from) && (!wish.until || time <= *wish.until);
}

// Those in force at some moment of the period.
Status EvidenceRun::Impl::find_holds() {
  ASSIGN_OR_RETURN(const std::vector<domain::LogLeaf> leaves, core.view().hold_leaves());
  for (const domain::LogLeaf& one : leaves) {
    if (one.index >= head->size) continue;
    ASSIGN_OR_RETURN(const Json record, parse_json(one.record));
    const Json& text = record["hold"];
    const auto raw = text.is_string() ? from_hex(text.get_ref<const std::string&>()) : std::nullopt;
    const std::optional<Uuid> id = raw ? Uuid::from_bytes(*raw) : std::nullopt;
    if (!id) return make_error(Errc::damaged, "a leaf of a hold names none", "run `aierase check`");
    HoldLeaves& hold = holds[*id];
    if (one.type == "hold-placed") {
      hold.placed = one.index;
      hold.placed_at = one.time;
    } else {
      hold.lifted = one.index;
      hold.lifted_at = one.time;
    }
  }
  std::erase_if(holds, [this](const auto& entry) {
    const HoldLeaves& hold = entry.second;
    return (wish.until && hold.placed_at > *wish.until) ||
           (wish.from && hold.lifted_at && *hold.lifted_at < *wish.from);
  });
  return {};
}

// With a match only holds that bind something of it. True: there is none left to look at.
Result<bool> EvidenceRun::Impl::look_at_hold() {
  if (holds.empty()) return true;
  const auto& [id, leaves] = *holds.begin();
  bool wanted = wish.match.empty();
  if (!wanted) {
    ASSIGN_OR_RETURN(const std::vector<Uuid> bound,
                     core.view().bound_assets(id, hold_cursor, kAssetsPerStep));
    ASSIGN_OR_RETURN(wanted, matches(bound));
    if (!wanted && bound.size() == kAssetsPerStep) {
      hold_cursor = bound.back();
      return false;
    }
  }
  if (wanted) {
    open(leaves.placed);
    if (leaves.lifted) open(*leaves.lifted);
  }
  hold_cursor.reset();
  holds.erase(holds.begin());
  return holds.empty();
}

Status EvidenceRun::Impl::add_policy(const domain::LoadedPolicy& policy, Step& step) {
  open(policy.log_index);
  std::uint64_t number = 0;
  for (const domain::PolicyFile& file : policy.files) {
    step.files.push_back({{Part::policy, policy.log_index, number++, {}}, file.text});
  }
  return {};
}

// In force when the section's leaves begin.
Status EvidenceRun::Impl::open_first_policy(Step& step) {
  ASSIGN_OR_RETURN(const auto policy, core.view().policy_before(facts.name.first));
  return policy ? add_policy(*policy, step) : Status();
}

// False: its proof has to be written first.
Result<bool> EvidenceRun::Impl::open_leaf(std::uint64_t index, Step& step) {
  ASSIGN_OR_RETURN(const std::optional<domain::LogLeaf> row, core.view().log_leaf(index));
  if (!row) return make_error(Errc::damaged, "a leaf of the log is not in the database");
  certificate::OpenedLeaf opened{index, row->type, row->time, row->salt, row->record, {}};
  if (index < facts.name.first) {
    ASSIGN_OR_RETURN(std::optional<translog::Proof> proof, core.publisher->inclusion(index, *head));
    if (!proof) return false;
    opened.proof = std::move(*proof);
  }
  ASSIGN_OR_RETURN(std::string json, certificate::opened_json(opened));
  step.files.push_back({{Part::record, index, 0, {}}, std::move(json)});
  return true;
}

}  // namespace aierase::lifecycle
