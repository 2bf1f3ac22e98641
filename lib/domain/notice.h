// Notices: what people should know of before they look, each told once.
//
// Contract: values. One notice of a kind stands for one subject, one moment and one number of days;
// of several numbers that are reached at once the smallest alone is told. Each is a row of the
// audit from then on. Specified in: aierase-store(5) AUDIT, aierased(8) NOTICES.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "domain/states.h"

namespace aierase::domain {

struct Notice {
  NoticeKind kind = NoticeKind::plan_waits;
  std::string subject;     // id of a plan, an asset or a standing approval, or a word of our own
  std::string name;        // of the subject, for people; may be empty
  UtcTime moment{};        // that it is about: of the erasure, of the end
  std::uint32_t days = 0;  // left until then, of those that are told
  std::string text;        // for people
};

// The numbers of days at which an end is told of.
inline constexpr std::uint32_t kDaysBefore[] = {14, 7, 1, 0};

// The smallest of them that is reached: there are so many whole days left, or fewer.
std::optional<std::uint32_t> days_reached(UtcTime moment, UtcTime now,
                                          std::span<const std::uint32_t> numbers = kDaysBefore);
// "today", "in 1 day", "in 7 days".
std::string days_words(std::uint32_t days);

}  // namespace aierase::domain
