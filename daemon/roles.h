// Which group may do what by the rules that are shipped, for hints to whoever may not.
//
// Contract: pure; decides nothing: polkit does, and a host may have other rules. The same table as
// policies/polkit/50-aierase.rules. Specified in: aierase(1) PEOPLE.
#pragma once

#include <string>
#include <string_view>

namespace aierase::daemon {

// "aierase-operators or aierase-custodians"; `action` is "org.aierase1.change". Empty for another.
std::string groups_for(std::string_view action);

}  // namespace aierase::daemon
