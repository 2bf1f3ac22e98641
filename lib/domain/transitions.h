// Which state may follow which: one table each for assets, plans, their items and validations.
//
// Contract: pure and total. The catalog refuses every change that is not in its table, whoever asks
// for it; a state that the table lets follow itself is written anew because something beside it
// changes. Specified in: aierase-architecture(7) VOCABULARY.
#pragma once

#include <algorithm>
#include <span>

#include "domain/states.h"

namespace aierase::domain {

template <typename State>
struct Transition {
  State from;
  State to;
};

std::span<const Transition<AssetState>> transitions_of(AssetState) noexcept;
std::span<const Transition<PlanState>> transitions_of(PlanState) noexcept;
std::span<const Transition<ItemState>> transitions_of(ItemState) noexcept;
std::span<const Transition<Validation>> transitions_of(Validation) noexcept;

template <typename State>
bool may_follow(State from, State to) noexcept {
  const auto table = transitions_of(to);
  return std::any_of(table.begin(), table.end(), [&](const Transition<State>& one) {
    return one.from == from && one.to == to;
  });
}

}  // namespace aierase::domain
