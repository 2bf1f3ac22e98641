#include "domain/notice.h"

namespace aierase::domain {

std::optional<std::uint32_t> days_reached(UtcTime moment, UtcTime now,
                                          std::span<const std::uint32_t> numbers) {
  std::optional<std::uint32_t> reached;
  for (const std::uint32_t days : numbers) {
    const bool near = moment - now < std::chrono::days(days + 1);
    if (near && (!reached || days < *reached)) reached = days;
  }
  return reached;
}

std::string days_words(std::uint32_t days) {
  if (days == 0) return "within a day";
  return days == 1 ? "in 1 day" : "in " + std::to_string(days) + " days";
}

}  // namespace aierase::domain
