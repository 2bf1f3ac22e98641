// Turning what people typed into assets: one name, or a match.
//
// Contract: store thread. Specified in: aierase(1) NAMES and --match.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "daemon/call_options.h"
#include "daemon/service.h"
#include "domain/ids.h"
#include "domain/selector.h"

namespace aierase::daemon {

// The option `match`: selectors, all of which have to match.
Result<std::vector<domain::Selector>> read_match(CallOptions& options);

// The options `cursor` and `limit` of a list.
struct PageWish {
  std::string cursor;
  std::size_t rows = 0;  // at most limits::kListPageRows
};
Result<PageWish> read_page(CallOptions& options);

// Serves a list without other options, action read: `list` reads a page of the store, and `row`
// makes the object of each, which stand under `key`. Object is Json, whole where this is used.
template <typename Item, typename Object>
Status serve_list(Service& service, sd_bus_message* message, const char* key,
                  Result<catalog::Page<Item>> (lifecycle::Store::*list)(const std::string&,
                                                                        std::size_t),
                  Object (*row)(const Item&)) {
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  ASSIGN_OR_RETURN(PageWish wish, read_page(options));
  RETURN_IF_ERROR(options.finish());
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  call.look_up = ask_plainly("read");
  call.work = [wish = std::move(wish), key, list, row](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(lifecycle::Store * store, session.store());
    ASSIGN_OR_RETURN(const catalog::Page<Item> page, (store->*list)(wish.cursor, wish.rows));
    Object rows = Object::array();
    for (const Item& item : page.rows) rows.push_back(row(item));
    return with_object(Object{{key, std::move(rows)}, {"next", page.next}});
  };
  service.serve(message, std::move(call));
  return {};
}

// One asset, plan, certificate or hold as typed, looked up once: before polkit is asked. The act is
// upon what the question was about, and never upon something else that has the name by then. Copies
// share what was found.
class Named {
 public:
  Named(domain::IdType type, std::string typed);

  // Details of the question; empty where nothing of that name is known. Rows alone are read.
  Details look_up(StoreSession& session) const;
  // What look_up() found, or its refusal.
  Result<Uuid> found() const;
  const std::string& typed() const { return shared_->typed; }

 private:
  struct Shared {
    domain::IdType type;
    std::string typed;
    std::optional<Uuid> id;
    Error refusal;
  };
  std::shared_ptr<Shared> shared_;
};

}  // namespace aierase::daemon
