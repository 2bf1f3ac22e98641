// The word that somebody may have meant.
// Contract: pure; "" where no candidate is near: at most two letters wrong, and less than half.
#pragma once

#include <span>
#include <string_view>

namespace aierase {

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace aierase
