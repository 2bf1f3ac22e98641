#include "lifecycle/evidence_heads.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "translog/tile.h"

namespace aierase::lifecycle {
namespace {

// Whether some leaf of those tells, to whoever has no more than the leaves, such a time.
Result<bool> any_leaf(const catalog::ReadView& view, std::uint64_t from, std::uint64_t end,
                      const std::function<bool(UtcTime)>& is_wanted) {
  if (end <= from) return false;
  const auto count = std::min<std::uint64_t>(end - from, translog::kTileWidth);
  ASSIGN_OR_RETURN(const std::vector<domain::LogLeaf> leaves,
                   view.log_leaves(from, static_cast<std::size_t>(count)));
  return std::any_of(leaves.begin(), leaves.end(), [&](const domain::LogLeaf& one) {
    return !one.salt.empty() && is_wanted(one.time);
  });
}

// The last one of fewer leaves.
Result<std::optional<domain::SignedHead>> head_before(const catalog::ReadView& view,
                                                      std::uint64_t size) {
  ASSIGN_OR_RETURN(const std::optional<domain::LogLeaf> last, view.log_leaf(size - 1));
  if (!last) return make_error(Errc::damaged, "a leaf of the log is not in the database");
  ASSIGN_OR_RETURN(std::optional<domain::SignedHead> found, view.last_head_before(last->time));
  if (found && found->size >= size) found.reset();  // the clock went back
  for (;;) {
    ASSIGN_OR_RETURN(std::optional<domain::SignedHead> next,
                     view.first_head_with(found ? found->size : 0));
    if (!next || next->size >= size) return found;
    found = std::move(next);
  }
}

}  // namespace

Result<std::optional<domain::SignedHead>> head_from_before(const catalog::ReadView& view,
                                                           UtcTime from, std::uint64_t end) {
  ASSIGN_OR_RETURN(std::optional<domain::SignedHead> found, view.last_head_before(from));
  while (found && found->size > 0) {
    ASSIGN_OR_RETURN(const bool shown, any_leaf(view, found->size, end,
                                                [from](UtcTime time) { return time < from; }));
    if (shown) return found;
    ASSIGN_OR_RETURN(found, head_before(view, found->size));
  }
  return std::optional<domain::SignedHead>();
}

Result<std::optional<domain::SignedHead>> head_behind(const catalog::ReadView& view,
                                                      UtcTime moment) {
  ASSIGN_OR_RETURN(const std::optional<domain::SignedHead> last,
                   view.last_head_before(moment + std::chrono::seconds(1)));
  std::uint64_t size = last ? last->size : 0;
  ASSIGN_OR_RETURN(std::optional<domain::SignedHead> found, view.first_head_after(moment));
  while (found) {
    ASSIGN_OR_RETURN(const bool shown, any_leaf(view, size, found->size,
                                                [moment](UtcTime time) { return time > moment; }));
    if (shown) return found;
    size = found->size;
    ASSIGN_OR_RETURN(std::optional<domain::SignedHead> next, view.first_head_with(size));
    if (!next) return found;
    found = std::move(next);
  }
  return found;
}

}  // namespace aierase::lifecycle
