// One line of the audit: who called what upon what, and how it ended.
//
// Contract: values. A call that changes something, or hands plaintext out, has two rows: `begun`,
// durable with its first effect or before its first byte, and one behind it that names the first
// and says how it ended. All other calls have one row, and alike ones of a minute share it.
// Specified in: aierase-store(5) AUDIT.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "domain/people.h"

namespace aierase::domain {

inline constexpr std::string_view kAuditOk = "ok";
inline constexpr std::string_view kAuditBegun = "begun";
// Of the row that gathers what several people were refused: no one has this uid.
inline constexpr std::uint32_t kManyPeople = 0xffff'ffff;

inline constexpr std::string_view kAuditNotice = "notice";  // no call: told by the daemon

struct AuditSubject {
  std::string id;    // typed; empty where what was typed is nothing that we know
  std::string name;  // of an asset, or what was typed
  friend bool operator==(const AuditSubject&, const AuditSubject&) = default;
};

// Of a row that tells of something to come; its kind stands in `action`.
struct NoticeTold {
  std::uint32_t days = 0;
  UtcTime moment{};
};

struct AuditRow {
  std::int64_t number = 0;            // in the catalog; 0 before it stands there
  std::optional<std::int64_t> begun;  // number of the row that said so
  UtcTime time{};                     // of the call; of the first one where there are several
  UtcTime last{};                     // of the last one
  std::uint64_t calls = 1;
  Actor actor;
  std::string action;  // without the prefix; empty where nobody was asked
  std::string method;  // "Asset.Export"; empty where several are gathered
  std::vector<AuditSubject> subjects;
  std::string outcome;  // "ok", "begun", "notice", or the code of an error, "access_denied"
  std::string detail;   // the error's sentence, or the notice's
  std::optional<NoticeTold> notice{};
};

}  // namespace aierase::domain
