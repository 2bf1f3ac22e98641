// The root slot's level over time: what certificates may say of it falls as soon as it is seen to.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "lifecycle/core.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

// Whoever may have copied it then may have the copy still.
std::vector<std::string> all_holders(const domain::SlotAssurance& recorded,
                                     const domain::SlotAssurance& seen) {
  std::vector<std::string> holders = recorded.may_have_copied;
  for (const std::string& holder : seen.may_have_copied) {
    if (std::find(holders.begin(), holders.end(), holder) == holders.end()) {
      holders.push_back(holder);
    }
  }
  return holders;
}

}  // namespace

Result<SlotReview> review_slot(Core& core) {
  ASSIGN_OR_RETURN(const catalog::StoreState state, core.view().state());
  ASSIGN_OR_RETURN(const std::vector<domain::EpochRecord> rows,
                   core.view().epochs(state.epoch, state.epoch));
  if (rows.empty()) return make_error(Errc::damaged, "the current epoch has no row in the catalog");
  SlotReview review;
  review.record = rows.front();
  ASSIGN_OR_RETURN(const domain::SlotAssurance seen, core.slot->assess());
  domain::SlotAssurance& recorded = review.record.assurance;
  std::vector<std::string> holders = all_holders(recorded, seen);
  review.worse = seen.level < recorded.level || holders.size() > recorded.may_have_copied.size();
  if (seen.level < recorded.level) recorded = seen;
  recorded.may_have_copied = std::move(holders);
  return review;
}

Status record_slot_review(Core& core) {
  ASSIGN_OR_RETURN(const SlotReview review, review_slot(core));
  if (!review.worse) return {};
  return transact(core, ReserveShare::all,
                  [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
                    RETURN_IF_ERROR(transaction.put_epoch(review.record));
                    const domain::SlotAssurance& slot = review.record.assurance;
                    ASSIGN_OR_RETURN(
                        std::string record,
                        dump_canonical(Json{{"epoch", review.record.epoch},
                                            {"level", domain::to_text(slot.level)},
                                            {"reason", slot.reason},
                                            {"may_have_copied", slot.may_have_copied}}));
                    const translog::LogRecord leaf{"slot-assessed", core.now(), std::move(record),
                                                   translog::Visibility::committed};
                    return core.append_log(transaction, state, {&leaf, 1});
                  });
}

Status check_slot_file(const Core& core) {
  using rootslot::SlotPlace;
  ASSIGN_OR_RETURN(const SlotPlace place, core.in_file->place());
  if (place == SlotPlace::present) return {};
  const std::string& path = core.locator.slot_path;
  if (place == SlotPlace::linked) {
    return make_error(Errc::damaged,
                      "the slot file " + path +
                          " has got another name, through which it can be copied; nothing was done",
                      "remove the other hard links to it", path);
  }
  const bool missing = place == SlotPlace::missing;
  const std::string found =
      missing ? "the slot file " + path + " is gone: it was removed or moved while aierased ran"
              : "another file lies at " + path + ": the slot file was replaced while aierased ran";
  const std::string first = missing
                                ? "if it was only moved, move it back; else "
                                : "move away what lies there, to be destroyed afterwards; then ";
  return make_error(Errc::damaged,
                    found +
                        "; nothing was done. aierased has the only good one, open: do NOT stop "
                        "aierased or this host, or no model can be read any more",
                    first + "`aierase slot move " + std::string(to_text(core.locator.slot_kind)) +
                        "` writes it there anew; models can be exported meanwhile",
                    path);
}

std::optional<Finding> lost_slot_file(const Core& core) {
  const Status lies = check_slot_file(core);
  if (lies.ok()) return std::nullopt;
  const Error& why = lies.error();
  return Finding{Finding::Severity::error, "slot-file", core.locator.slot_path, why.message,
                 why.hint};
}

}  // namespace aierase::lifecycle
