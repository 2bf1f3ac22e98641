// Calls on their way into the audit: what has to be durable with the next commit, what may wait a
// little, and how much of either a stranger can cause.
//
// Contract: belongs to the store thread; no I/O. Core::commit() writes what rows() hands out into
// the transaction of the act and tells written() once it is durable; after a failed commit the same
// rows come again. A call that changes something is announced by begin(), so that nothing is
// committed without the row of the call that asked for it: if that row cannot be written, nor can
// the act. How it ended is only known afterwards and is a second row (`begun` names the first),
// since an act may commit and its answer still be an error; after a crash the first one says truly
// that the end is not known. Other calls are told by end() alone and wait for the next commit or
// flush. Alike calls of a minute share a row; refusals beyond limits::kAuditRefusals* keep uid,
// outcome and count alone. Texts of callers are made printable and short: no call may bring a row
// that cannot be written, for it would stop every act. Specified in: aierase-store(5) AUDIT.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "base/time.h"
#include "domain/audit.h"

namespace aierase::lifecycle {

// Texts made printable and cut, and no more subjects than a row may have.
domain::AuditRow writable(domain::AuditRow row);

class AuditTrail {
 public:
  // `call` is a number of the caller's own, for end() and forget().
  void begin(std::uint64_t call, domain::AuditRow row);
  // `row` in full, with its outcome. Also for calls that were refused before they began.
  void end(std::uint64_t call, domain::AuditRow row);
  // No row for what did nothing. False where the row of its beginning is durable: then it must end.
  bool forget(std::uint64_t call);

  enum class Part {
    none,   // an erase round that can only go forward: nothing may hold its certificate up
    begun,  // the rows of acts that have begun: what must not be missing
    due,    // and what waits, but for cheap calls and counts whose minute is not over
    shown,  // and the cheap calls: somebody reads the audit
    all,
  };
  // Oldest first.
  std::vector<domain::AuditRow> rows(Part part, UtcTime now);
  // The rows that were handed out last are durable, under these numbers.
  void written(const std::vector<std::int64_t>& numbers);
  // All that waits, to be handed to another trail.
  std::vector<domain::AuditRow> take();

  bool waits() const { return !waiting_.empty(); }

 private:
  struct Begun {
    domain::AuditRow row;  // its number is 0 until it is durable
  };
  struct Waiting {
    domain::AuditRow row;
    bool gathered = false;
  };
  void look_at_minute(UtcTime now);
  bool fold(const domain::AuditRow& row);
  bool has_room(const domain::AuditRow& row);
  void gather(domain::AuditRow row);

  std::map<std::uint64_t, Begun> open_;
  std::deque<Waiting> waiting_;
  std::vector<std::uint64_t> handed_begun_;  // of the last rows()
  std::vector<std::size_t> handed_waiting_;
  UtcTime minute_{};
  std::map<std::uint32_t, std::size_t> refusals_;  // rows of this minute, by uid
  std::size_t all_refusals_ = 0;
};

}  // namespace aierase::lifecycle
