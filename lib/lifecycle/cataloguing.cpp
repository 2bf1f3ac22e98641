// The inventory: resolving names, showing, listing, and the small changes of an asset.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/limits.h"
#include "lifecycle/core.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

constexpr std::size_t kCandidatesShown = 5;
constexpr std::size_t kEventsShown = 100;

// As words behind `aierase list`.
std::string_view list_of(domain::IdType type) {
  switch (type) {
    case domain::IdType::plan:
      return " plans";
    case domain::IdType::certificate:
      return " certificates";
    case domain::IdType::hold:
      return " holds";
    case domain::IdType::asset:
    case domain::IdType::job:
      break;
  }
  return "";
}

Result<Uuid> one_of(domain::IdType type, std::string_view typed, const std::vector<Uuid>& found) {
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return make_error(Errc::not_found, "there is nothing with the id " + std::string(typed),
                      "`aierase list" + std::string(list_of(type)) + "` shows what there is",
                      std::string(typed));
  }
  std::string candidates;
  for (std::size_t i = 0; i < found.size() && i < kCandidatesShown; ++i) {
    candidates += (i ? ", " : "") + domain::id_text(type, found[i]);
  }
  return make_error(Errc::usage, std::string(typed) + " is ambiguous: " + candidates,
                    "type more characters of the id", std::string(typed));
}

Result<Uuid> by_prefix(Core& core, const domain::IdPrefix& prefix, std::string_view typed) {
  ASSIGN_OR_RETURN(const std::vector<Uuid> found,
                   core.view().ids(prefix.type, domain::range_of(prefix), kCandidatesShown + 1));
  return one_of(prefix.type, typed, found);
}

Status fill_content(Core& core, AssetView& view) {
  const domain::Asset& asset = view.asset;
  if (asset.state == domain::AssetState::erased || asset.state == domain::AssetState::erasing ||
      asset.kind == domain::AssetKind::dataset_key) {
    return {};
  }
  ASSIGN_OR_RETURN(const crypto::Dek dek, core.dek_of(asset));
  ASSIGN_OR_RETURN(domain::Manifest manifest, core.manifest_of(asset, dek));
  view.files = std::move(manifest.files);
  view.metadata = std::move(manifest.metadata);
  if (domain::carries_digest(asset.kind)) {
    view.manifest_sha256 = crypto::sha256(as_bytes(domain::sha256sum_lines(view.files)));
  } else {
    for (domain::FileEntry& file : view.files) file.sha256 = Digest{};
  }
  return {};
}

Result<AssetView> change_state(Core& core, Store& store, const domain::Actor& actor, const Uuid& id,
                               domain::AssetState from, domain::AssetState to, const char* action,
                               const std::string& reason) {
  RETURN_IF_ERROR(core.writable());
  RETURN_IF_ERROR(check_text("the reason", reason, limits::kReasonBytes));
  ASSIGN_OR_RETURN(const domain::Asset asset, core.living_asset(id));
  if (asset.state != from) {
    return make_error(Errc::wrong_state,
                      asset.name.text() + " is " + std::string(domain::to_text(asset.state)) +
                          ", not " + std::string(domain::to_text(from)),
                      {}, asset_text(id));
  }
  RETURN_IF_ERROR(transact(core, ReserveShare::none,
                           [&](catalog::Transaction& transaction, catalog::StoreState&) -> Status {
                             RETURN_IF_ERROR(transaction.set_asset_state(id, to, reason));
                             return transaction.add_event(
                                 {core.now(), actor, action, asset_text(id),
                                  std::string(domain::to_text(from)),
                                  std::string(domain::to_text(to)), reason});
                           }));
  if (to == domain::AssetState::suspended) core.keys.revoke(id);
  core.changed(domain::IdType::asset, id);
  return store.show_asset(id);
}

Status check_changes(const Store::Changes& changes, const domain::Asset& asset,
                     domain::PeopleRule rule) {
  if (changes.reason.empty()) {
    return make_error(Errc::usage, "a change needs a reason", "add --reason TEXT");
  }
  RETURN_IF_ERROR(check_text("the reason", changes.reason, limits::kReasonBytes));
  std::size_t labels = asset.labels.size();
  for (const auto& [key, value] : changes.labels) {
    RETURN_IF_ERROR(domain::check_label(key, value ? *value : ""));
    if (value && asset.labels.count(key) == 0) ++labels;
  }
  if (labels > limits::kLabelsPerAsset) {
    return make_error(Errc::resource_limit,
                      "more than " + std::to_string(limits::kLabelsPerAsset) + " labels");
  }
  if (!changes.custodians.empty()) RETURN_IF_ERROR(check_custodians(changes.custodians, rule));
  if (changes.labels.empty() && !changes.retention && changes.custodians.empty() &&
      !changes.placed_on_market) {
    return make_error(
        Errc::usage, "nothing to change was named",
        "use --label K=V, --label K-, --retention C, --custodian U or --event E=DATE");
  }
  return {};
}

// A custodian hands over to another, and gives up protection: both would otherwise be anybody's to
// take. `weaker` says what is given up; empty where nothing is.
Status check_consent(const Core& core, const domain::Actor& actor, const domain::Asset& asset,
                     const Store::Changes& changes, const std::vector<std::string>& weaker,
                     domain::PeopleRule rule) {
  if (rule == domain::PeopleRule::single_operator) return {};
  std::string what;
  if (!changes.custodians.empty()) {
    what = "the custodians of " + asset.name.text() + " change";
  } else if (changes.retention && *changes.retention != asset.retention) {
    what = "the retention class of " + asset.name.text() + " changes";
  } else if (!weaker.empty()) {
    what = "the retention of " + asset.name.text() + " would become weaker (" + weaker.front() +
           "): that is";
  } else {
    return {};
  }
  if (domain::is_custodian(actor, asset.custodians)) return core.check_login(actor);
  return make_error(Errc::access_denied,
                    what + " only by one of its custodians: " + actor.login + " is none",
                    "ask one of them to run this", asset_text(asset.id));
}

std::string texts_of(const std::vector<domain::Custodian>& custodians) {
  std::string text;
  for (const domain::Custodian& one : custodians) text += (text.empty() ? "" : ", ") + one.text();
  return text;
}

// One change after the other, as "KEY=VALUE"; a label that is not there has no value. What is so
// already is none.
struct Told {
  std::string from, to;
  std::size_t left_out = 0;  // beyond what a history may hold
  bool nothing() const { return from.empty() && left_out == 0; }
  void add(const std::string& key, const std::optional<std::string>& was,
           const std::optional<std::string>& is) {
    if (was == is) return;
    const std::string before = was.value_or("");
    const std::string after = is.value_or("");
    if (from.size() + to.size() > limits::kReasonBytes) {
      ++left_out;
      return;
    }
    from += (from.empty() ? "" : "; ") + key + "=" + before;
    to += (to.empty() ? "" : "; ") + key + "=" + after;
  }
};

Result<Told> told_of(const catalog::ReadView& view, const domain::Asset& asset,
                     const Store::Changes& changes) {
  Told told;
  for (const auto& [key, value] : changes.labels) {
    const auto had = asset.labels.find(key);
    told.add("label." + key, had == asset.labels.end() ? std::nullopt : std::optional(had->second),
             value);
  }
  if (changes.retention) told.add("retention", asset.retention, *changes.retention);
  if (!changes.custodians.empty()) {
    told.add("custodians", texts_of(asset.custodians), texts_of(changes.custodians));
  }
  if (changes.placed_on_market) {
    ASSIGN_OR_RETURN(const catalog::RetentionDates dates, view.retention_dates(asset.id));
    std::optional<std::string> was;
    if (dates.placed_on_market) was = to_rfc3339(*dates.placed_on_market);
    told.add("placed-on-market", was, to_rfc3339(*changes.placed_on_market));
  }
  if (told.left_out > 0) told.to += "; and " + std::to_string(told.left_out) + " more";
  return told;
}

Status write_changes(Core& core, catalog::Transaction& transaction, const Uuid& id,
                     const Store::Changes& changes) {
  for (const auto& [key, value] : changes.labels) {
    RETURN_IF_ERROR(value ? transaction.put_label(id, key, *value)
                          : transaction.remove_label(id, key));
  }
  if (changes.retention) RETURN_IF_ERROR(transaction.put_retention(id, *changes.retention));
  if (!changes.custodians.empty()) {
    RETURN_IF_ERROR(transaction.put_custodians(id, changes.custodians));
  }
  if (changes.placed_on_market) {
    RETURN_IF_ERROR(
        transaction.put_event(id, domain::AssetEvent::placed_on_market, *changes.placed_on_market));
  }
  return bind_future_holds(core, transaction, id);
}

// An import into such a class is refused; what is here already is said to fall short of it. The
// change is made: a slot that cannot be looked at takes no more than the remark away.
void remark_on_assurance(Core& core, const policy::Decision& before, const policy::Decision& after,
                         AssetView& view) {
  const domain::Level wanted = after.terms.require_assurance;
  if (wanted <= before.terms.require_assurance) return;
  const Result<SlotReview> review = review_slot(core);
  if (!review.ok() || review->record.assurance.level >= wanted) return;
  const std::string reached(domain::to_text(review->record.assurance.level));
  view.remarks.push_back("The policy asks for " + std::string(domain::to_text(wanted)) +
                         " now, and this store's root slot reaches " + reached +
                         ": a certificate of its erasure says " + reached + " or less.");
}

}  // namespace

Status check_custodians(const std::vector<domain::Custodian>& custodians, domain::PeopleRule rule) {
  if (custodians.empty()) {
    return make_error(Errc::usage, "an asset needs at least one data custodian",
                      "add --custodian USER or --custodian @GROUP");
  }
  if (custodians.size() > limits::kCustodiansPerAsset) {
    return make_error(Errc::resource_limit,
                      "more than " + std::to_string(limits::kCustodiansPerAsset) + " custodians");
  }
  const bool root_alone =
      std::all_of(custodians.begin(), custodians.end(), [](const domain::Custodian& one) {
        return one.kind != domain::CustodianKind::group && one.id == 0;
      });
  if (!root_alone || rule == domain::PeopleRule::single_operator) return {};
  return make_error(Errc::usage, "root alone would answer for it, and root approves nothing",
                    "name a person or a group as --custodian: else it could never be erased");
}

Status check_class(const Core& core, const std::string& name) {
  const policy::PolicySet& set = core.retention.set();
  if (set.find(name) != nullptr) return {};
  std::string known;
  for (const policy::RetentionClass& value : set.classes()) {
    known += (known.empty() ? "" : ", ") + value.name;
  }
  return make_error(Errc::invalid_input, "there is no retention class " + quoted(name),
                    "in force: " + known);
}

Result<Uuid> Store::resolve_asset(std::string_view text, catalog::NameScope scope) {
  Core& core = *impl_;
  const std::optional<domain::IdPrefix> prefix = domain::parse_id(text);
  if (prefix) {
    if (prefix->type != domain::IdType::asset) {
      return make_error(Errc::usage, std::string(text) + " is not the id of an asset",
                        "an asset's id begins with \"a-\"", std::string(text));
    }
    return by_prefix(core, *prefix, text);
  }
  ASSIGN_OR_RETURN(const domain::AssetName name, domain::AssetName::parse(text));
  ASSIGN_OR_RETURN(std::optional<Uuid> found, core.view().asset_named(name, scope));
  if (!found && scope == catalog::NameScope::living) {
    ASSIGN_OR_RETURN(found, core.view().asset_named(name, catalog::NameScope::any));
    if (found) {
      ASSIGN_OR_RETURN(const domain::Asset erased, core.living_asset(*found));
      return erased.id;  // not reached: an erased asset answers with Errc::erased
    }
  }
  if (!found) {
    return make_error(Errc::not_found, "there is no asset named " + name.text(),
                      "`aierase list` shows what there is", name.text());
  }
  return *found;
}

Result<Uuid> Store::resolve(domain::IdType type, std::string_view text) {
  ASSIGN_OR_RETURN(const domain::IdPrefix prefix, domain::require_id(type, text));
  return by_prefix(*impl_, prefix, text);
}

Result<domain::Asset> Store::glance_at_asset(const Uuid& asset) {
  return impl_->known_asset(asset);
}

Result<Store::PlanGlance> Store::glance_at_plan(const Uuid& id) {
  ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, impl_->view().plan_head(id));
  if (!plan) return make_error(Errc::not_found, "there is no plan " + plan_text(id));
  ASSIGN_OR_RETURN(const std::size_t items, impl_->view().item_count(id));
  return PlanGlance{plan->requester, items};
}

Result<AssetView> Store::show_asset(const Uuid& id) {
  Core& core = *impl_;
  AssetView view;
  ASSIGN_OR_RETURN(view.asset, core.known_asset(id));
  Status content = fill_content(core, view);
  if (!content.ok()) {
    if (content.error().code != Errc::damaged) return std::move(content).error();
    view.unreadable = std::move(content).error();  // what the catalog knows is shown all the same
  }
  ASSIGN_OR_RETURN(const std::vector<domain::LineageEdge> edges, core.view().lineage(id));
  for (const domain::LineageEdge& edge : edges) {
    const bool is_child = edge.child == id;
    ASSIGN_OR_RETURN(domain::LineageName name,
                     core.lineage_name(is_child ? edge.parent : edge.child, edge.relation));
    (is_child ? view.parents : view.dependants).push_back(std::move(name));
  }
  ASSIGN_OR_RETURN(view.exports, core.view().exports(id));
  ASSIGN_OR_RETURN(view.holds, core.view().holds_on(id));
  ASSIGN_OR_RETURN(view.open_plan, core.view().open_plan_of(id));
  ASSIGN_OR_RETURN(view.certificate, core.view().certificate_of(id));
  ASSIGN_OR_RETURN(view.events, core.view().events(asset_text(id), kEventsShown));
  view.holders = core.keys.holders(id);
  view.running_exports = core.keys.running_exports(id);
  if (view.asset.state != domain::AssetState::erased) {
    ASSIGN_OR_RETURN(view.retention, core.retention.decide(core.view(), view.asset, core.now()));
  }
  return view;
}

Result<catalog::CertificateRow> Store::show_certificate(const Uuid& id) {
  ASSIGN_OR_RETURN(std::optional<catalog::CertificateRow> row, impl_->view().certificate(id));
  if (!row) {
    const std::string text = domain::id_text(domain::IdType::certificate, id);
    return make_error(Errc::not_found, "there is no certificate " + text,
                      "`aierase list certificates` shows what there is", text);
  }
  return std::move(*row);
}

Result<catalog::Page<catalog::CertificateRow>> Store::list_certificates(const std::string& cursor,
                                                                        std::size_t limit) {
  return impl_->view().certificates(cursor, limit);
}

Result<AssetView> Store::set_asset(const domain::Actor& actor, const Uuid& id,
                                   const Changes& changes) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.writable());
  ASSIGN_OR_RETURN(const domain::Asset asset, core.living_asset(id));
  ASSIGN_OR_RETURN(const catalog::StoreState now_in_force, core.view().state());
  RETURN_IF_ERROR(check_changes(changes, asset, now_in_force.people_rule));
  if (changes.retention) RETURN_IF_ERROR(check_class(core, *changes.retention));
  const UtcTime now = core.now();
  ASSIGN_OR_RETURN(const domain::Actor person, core.with_entry(actor));
  ASSIGN_OR_RETURN(const policy::Decision before, core.retention.decide(core.view(), asset, now));
  ASSIGN_OR_RETURN(const Told told, told_of(core.view(), asset, changes));
  if (told.nothing()) {
    ASSIGN_OR_RETURN(AssetView view, show_asset(id));
    view.changed = Changed::no;
    return view;
  }
  RETURN_IF_ERROR(transact(
      core, ReserveShare::none,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        RETURN_IF_ERROR(write_changes(core, transaction, id, changes));
        ASSIGN_OR_RETURN(const std::optional<domain::Asset> changed, transaction.asset(id));
        if (!changed) return make_error(Errc::damaged, "it is not in the catalog any more");
        ASSIGN_OR_RETURN(const policy::Decision after,
                         core.retention.decide(transaction, *changed, now));
        const policy::Change change = policy::compare(before, after);
        RETURN_IF_ERROR(
            check_consent(core, person, asset, changes, change.sentences, state.people_rule));
        return transaction.add_event(
            {now, actor, "set", asset_text(id), told.from, told.to, changes.reason});
      }));
  core.changed(domain::IdType::asset, id);
  ASSIGN_OR_RETURN(AssetView view, show_asset(id));
  if (view.retention) remark_on_assurance(core, before, *view.retention, view);
  return view;
}

Result<AssetView> Store::suspend_asset(const domain::Actor& actor, const Uuid& id,
                                       const std::string& reason) {
  return change_state(*impl_, *this, actor, id, domain::AssetState::active,
                      domain::AssetState::suspended, "suspend", reason);
}

Result<AssetView> Store::resume_asset(const domain::Actor& actor, const Uuid& id,
                                      const std::string& reason) {
  return change_state(*impl_, *this, actor, id, domain::AssetState::suspended,
                      domain::AssetState::active, "resume", reason);
}

}  // namespace aierase::lifecycle
