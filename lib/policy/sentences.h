// What a rule says about one asset, for people.
// Contract: pure; a sentence without its full stop, fit to be joined with others.
#pragma once

#include <string>

#include "policy/evaluate.h"

namespace aierase::policy {

std::string floor_sentence(const RetentionClass& value, const Rule& rule);
std::string ceiling_sentence(const RetentionClass& value, const Rule& rule, const Facts& facts);

}  // namespace aierase::policy
