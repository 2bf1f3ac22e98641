// What an archive of evidence is made from, in slices.

#include "lifecycle/evidence_run.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "certificate/archive_check.h"
#include "lifecycle/evidence_heads.h"
#include "lifecycle/evidence_leaves.h"
#include "lifecycle/paged_match.h"
#include "lifecycle/publishing.h"
#include "lifecycle/refusing.h"
#include "translog/proof_file.h"

namespace aierase::lifecycle {
namespace {

using certificate::LeftOutWhy;
using certificate::Member;
using certificate::Part;

constexpr std::size_t kRecordsPerStep = 32;
constexpr std::size_t kBytesPerStep = 16 << 20;
constexpr std::size_t kHoldLeavesPerStep = 256;

enum class Stage { heads, keys, leaves, find_holds, holds, policy, opened, section, done };

// Statements and files; some of them are megabytes.
std::size_t bytes_in(const EvidenceRun::Step& step) {
  std::size_t bytes = 0;
  for (const EvidenceFile& one : step.files) bytes += one.content.size();
  for (const EvidenceRecord& one : step.records) {
    bytes += std::visit([](const auto& row) { return row.statement.size(); }, one.record);
  }
  return bytes;
}

}  // namespace

struct EvidenceRun::Impl {
  Impl(Store& s, EvidenceWish w)
      : store(s), core(*s.impl_), wish(std::move(w)), match(core, wish.match) {}

  Status next(Step& step);
  bool is_full(const Step& step) const;
  Status check_size(const EvidenceFile& file) const;
  Result<bool> find_heads();
  Result<bool> add_heads(Step& step);
  Status add_keys(Step& step);
  Status read_leaves(Step& step);
  Result<bool> add_signed(const domain::LogLeaf& leaf, Step& step);
  Result<bool> add_certificate(const domain::LogLeaf& leaf, Step& step);
  Result<bool> add_refusal(const domain::LogLeaf& leaf, Step& step);
  Result<bool> add_amendment(const domain::LogLeaf& leaf, Step& step);
  Result<bool> open_waiting(const domain::LogLeaf& leaf);
  Result<bool> add_record(Member member, SignedRecord record, const Uuid& plan, Step& step);
  Status open_decisions(const Uuid& plan);
  void leave_out(std::uint64_t leaf, LeftOutWhy why);
  bool in_period(UtcTime time) const;
  bool is_of_period(const domain::LogLeaf& leaf) const;
  Result<bool> find_holds();
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
  PagedMatch match;
  Stage stage = Stage::heads;
  std::optional<domain::SignedHead> before, head;
  std::uint64_t end_of_earlier = 0;           // where an archive of the time before the period ends
  std::optional<std::uint64_t> first_within;  // leaf that tells a time within the period
  std::optional<std::vector<Digest>> consistency;
  certificate::SectionFacts facts;
  std::uint64_t leaf = 0;                    // the next to be read
  std::deque<domain::LogLeaf> waiting;       // read, and not yet looked at
  std::optional<std::uint64_t> last_record;  // that was handed out
  std::set<std::uint64_t> to_open;
  std::set<Uuid> plans;              // whose decisions are opened
  std::map<Uuid, HoldLeaves> holds;  // of the period, not yet looked at
  std::uint64_t hold_leaf = 0;       // where the next page of theirs begins
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
  for (const EvidenceFile& one : step.files) RETURN_IF_ERROR(impl_->check_size(one));
  step.more = impl_->stage != Stage::done;
  return step;
}

// What was looked at and what was read for it.
bool EvidenceRun::Impl::is_full(const Step& step) const {
  return match.has_done_enough() || bytes_in(step) >= kBytesPerStep;
}

// Whoever reads an archive takes no more of one file.
Status EvidenceRun::Impl::check_size(const EvidenceFile& file) const {
  const std::string name = certificate::member_name(file.member);
  const std::size_t limit =
      certificate::limit_of_member(certificate::section_folder(facts.name) + "/" + name);
  if (file.content.size() <= limit) return {};
  return make_error(Errc::resource_limit,
                    name + " would have " + std::to_string(file.content.size()) +
                        " bytes, and an archive takes " + std::to_string(limit),
                    "make several archives, of less time each");
}

Status EvidenceRun::Impl::next(Step& step) {
  match.begin_step();
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
      after(true, Stage::find_holds);
      return {};
    case Stage::find_holds: {
      ASSIGN_OR_RETURN(const bool over, find_holds());
      after(over, Stage::holds);
      return {};
    }
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
      for (std::size_t i = 0; i < kRecordsPerStep && !is_full(step) && !to_open.empty(); ++i) {
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

// The heads around the period. False: the later one has to be written first.
Result<bool> EvidenceRun::Impl::find_heads() {
  if (head) return true;
  if (wish.until) {
    ASSIGN_OR_RETURN(head, head_behind(core.view(), *wish.until));
  }
  if (!head) {
    ASSIGN_OR_RETURN(std::optional<LogHead> now, store.log_head(std::nullopt));
    if (!now) return false;
    head = std::move(now->head);
  }
  if (wish.from) {
    ASSIGN_OR_RETURN(before, head_from_before(core.view(), *wish.from, head->size));
    ASSIGN_OR_RETURN(const auto end,
                     head_behind(core.view(), *wish.from - std::chrono::seconds(1)));
    end_of_earlier = end ? end->size : head->size;
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

// As they were at the later head: a change of keys afterwards changes no archive of the past.
Status EvidenceRun::Impl::add_keys(Step& step) {
  ASSIGN_OR_RETURN(certificate::Keyring now, store.keyring());
  const certificate::Keyring keyring = certificate::keyring_of_head(std::move(now), head->size);
  ASSIGN_OR_RETURN(std::string json, certificate::keyring_json(keyring));
  step.files.push_back({{Part::keyring, 0, 0, {}}, std::move(json)});
  ASSIGN_OR_RETURN(std::string root, certificate::trusted_root_json(keyring));
  step.files.push_back({{Part::trusted_root, 0, 0, {}}, std::move(root)});
  return {};
}

// One bundle of entries, or some of the records that it told of.
Status EvidenceRun::Impl::read_leaves(Step& step) {
  for (std::size_t i = 0; i < kRecordsPerStep && !is_full(step) && !waiting.empty(); ++i) {
    ASSIGN_OR_RETURN(const bool added, add_signed(waiting.front(), step));
    if (!added) return {};
    waiting.pop_front();
  }
  if (is_full(step) || !waiting.empty() || leaf == head->size) return {};
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
    if (!first_within && wish.from && !one.salt.empty() && one.time >= *wish.from) {
      first_within = one.index;
    }
    const bool of_interest = one.type == "certificate" || one.type == "refusal" ||
                             one.type == "amendment" || one.type == kRefusalWaits ||
                             one.type == "policy-loaded";
    if (of_interest) waiting.push_back(std::move(one));
  }
  ASSIGN_OR_RETURN(const Bytes entries, translog::encode_entries(bodies));
  step.files.push_back({{Part::entries, leaf, 0, {}}, std::string(as_text(entries))});
  leaf = end;
  return {};
}

// By the time of its leaf, so that what waited for a signature is of the period in which it was
// signed; and whatever the log took in too late for the period before, or among leaves of this one:
// whoever has no more than the leaves would miss it here.
bool EvidenceRun::Impl::is_of_period(const domain::LogLeaf& one) const {
  const bool late = wish.from && one.time < *wish.from &&
                    (one.index >= end_of_earlier || (first_within && one.index > *first_within));
  return late || in_period(one.time);
}

// False: its proof has to be written first, or there is more of it to look at.
Result<bool> EvidenceRun::Impl::add_signed(const domain::LogLeaf& one, Step& step) {
  if (one.type == "policy-loaded") {
    ASSIGN_OR_RETURN(const auto policy, core.view().policy_before(one.index + 1));
    if (!policy || policy->log_index != one.index) return no_record_of(one);
    RETURN_IF_ERROR(add_policy(*policy, step));
    return true;
  }
  if (one.type == kRefusalWaits) return open_waiting(one);
  if (!is_of_period(one)) {
    leave_out(one.index, LeftOutWhy::outside_period);
    return true;
  }
  if (one.type == "amendment") return add_amendment(one, step);
  return one.type == "certificate" ? add_certificate(one, step) : add_refusal(one, step);
}

Result<bool> EvidenceRun::Impl::add_certificate(const domain::LogLeaf& one, Step& step) {
  ASSIGN_OR_RETURN(std::optional<catalog::CertificateRow> row,
                   core.view().certificate_at(one.index));
  if (!row) return no_record_of(one);
  ASSIGN_OR_RETURN(const bool wanted, match.asset(row->asset));
  if (!wanted) {
    leave_out(one.index, LeftOutWhy::not_matched);
    return true;
  }
  const Uuid plan = row->plan;
  ASSIGN_OR_RETURN(const auto acts, core.view().validations(row->id));
  Member member{Part::certificate, one.index, 0,
                domain::id_text(domain::IdType::certificate, row->id)};
  ASSIGN_OR_RETURN(const bool added, add_record(std::move(member), std::move(*row), plan, step));
  for (const domain::ValidationAct& act : acts) {
    if (added) open(act.log_index);
  }
  return added;
}

Result<bool> EvidenceRun::Impl::add_refusal(const domain::LogLeaf& one, Step& step) {
  ASSIGN_OR_RETURN(std::optional<catalog::RefusalRow> row, core.view().refusal_at(one.index));
  if (!row) return no_record_of(one);
  ASSIGN_OR_RETURN(const auto wanted, match.any_of_plan(row->plan));
  if (!wanted) return false;
  if (!*wanted) {
    leave_out(one.index, LeftOutWhy::not_matched);
    return true;
  }
  const Uuid plan = row->plan;
  return add_record({Part::refusal, one.index, 0, plan_text(plan)}, std::move(*row), plan, step);
}

// With the record of the verdict that it says, if so.
Result<bool> EvidenceRun::Impl::add_amendment(const domain::LogLeaf& one, Step& step) {
  ASSIGN_OR_RETURN(std::optional<catalog::AmendmentRow> row, core.view().amendment_at(one.index));
  if (!row) return no_record_of(one);
  ASSIGN_OR_RETURN(const auto certificate, core.view().certificate_head(row->certificate));
  if (!certificate) return no_record_of(one);
  ASSIGN_OR_RETURN(const bool wanted, match.asset(certificate->asset));
  if (!wanted) {
    leave_out(one.index, LeftOutWhy::not_matched);
    return true;
  }
  ASSIGN_OR_RETURN(const auto acts, core.view().validations(row->certificate));
  for (const domain::ValidationAct& act : acts) {
    if (act.amendment == row->number) open(act.log_index);
  }
  Member member{Part::amendment, one.index, 0,
                domain::id_text(domain::IdType::certificate, row->certificate)};
  return add_record(std::move(member), std::move(*row), certificate->plan, step);
}

// A refusal that nobody could sign when the plan ended: signed later, or not yet.
Result<bool> EvidenceRun::Impl::open_waiting(const domain::LogLeaf& one) {
  if (!in_period(one.time)) return true;
  ASSIGN_OR_RETURN(const Uuid plan, named_in(one, "plan"));
  ASSIGN_OR_RETURN(const auto wanted, match.any_of_plan(plan));
  if (wanted.value_or(false)) open(one.index);
  return wanted.has_value();
}

Result<bool> EvidenceRun::Impl::add_record(Member member, SignedRecord record, const Uuid& plan,
                                           Step& step) {
  ASSIGN_OR_RETURN(std::optional<LogProof> proof, store.prove(member.leaf));
  if (!proof) return false;
  RETURN_IF_ERROR(open_decisions(plan));
  last_record = member.leaf;
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

// In one range with the one before, where no record between them is in the archive: the other
// leaves do not count.
void EvidenceRun::Impl::leave_out(std::uint64_t index, LeftOutWhy why) {
  if (!facts.left_out.empty()) {
    certificate::LeftOut& row = facts.left_out.back();
    if (row.why == why && (!last_record || *last_record < row.first)) {
      row.last = index;
      return;
    }
  }
  facts.left_out.push_back({index, index, why});
}

bool EvidenceRun::Impl::in_period(UtcTime time) const {
  return (!wish.from || time >= *wish.from) && (!wish.until || time <= *wish.until);
}

// Those in force at some moment of the period. True: all were found.
Result<bool> EvidenceRun::Impl::find_holds() {
  ASSIGN_OR_RETURN(const std::vector<domain::LogLeaf> leaves,
                   core.view().hold_leaves(hold_leaf, kHoldLeavesPerStep));
  for (const domain::LogLeaf& one : leaves) {
    hold_leaf = one.index + 1;
    if (one.index >= head->size) break;
    ASSIGN_OR_RETURN(const Uuid id, named_in(one, "hold"));
    HoldLeaves& hold = holds[id];
    if (one.type == "hold-placed") {
      hold.placed = one.index;
      hold.placed_at = one.time;
    } else {
      hold.lifted = one.index;
      hold.lifted_at = one.time;
    }
  }
  if (leaves.size() == kHoldLeavesPerStep && hold_leaf < head->size) return false;
  std::erase_if(holds, [this](const auto& entry) {
    const HoldLeaves& hold = entry.second;
    return (wish.until && hold.placed_at > *wish.until) ||
           (wish.from && hold.lifted_at && *hold.lifted_at < *wish.from);
  });
  return true;
}

// With a match only holds that bind something of it. True: there is none left to look at.
Result<bool> EvidenceRun::Impl::look_at_hold() {
  if (holds.empty()) return true;
  const auto& [id, leaves] = *holds.begin();
  ASSIGN_OR_RETURN(const auto wanted, match.any_of_hold(id));
  if (!wanted) return false;
  if (*wanted) {
    open(leaves.placed);
    if (leaves.lifted) open(*leaves.lifted);
  }
  holds.erase(holds.begin());
  return holds.empty();
}

// Its text names the custodians of all assets: with a match its record has to do.
Status EvidenceRun::Impl::add_policy(const domain::LoadedPolicy& policy, Step& step) {
  open(policy.log_index);
  if (!wish.match.empty()) return {};
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
