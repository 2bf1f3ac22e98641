// What a JsonDocument is made of.
//
// Contract: for json_parse.cpp, which fills it, and json_view.cpp, which looks things up in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/json_view.h"

namespace aierase {

// The texts of the nodes stand in `text`. Of a member the value follows its key at once.
struct JsonParts {
  // RapidJSON looks at sixteen bytes at a time, up to those behind the NUL at the end.
  struct alignas(16) Block {
    char bytes[16];
  };
  std::unique_ptr<Block[]> text;
  std::vector<JsonNode> nodes;        // the root first
  std::vector<std::uint32_t> places;  // in `nodes`: the items of a list, the keys of an object
};

// As std::string_view compares them; most keys differ in their first byte.
inline bool comes_before(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return a.size() < b.size();
  const auto first = static_cast<unsigned char>(a[0]), other = static_cast<unsigned char>(b[0]);
  return first != other ? first < other : a < b;
}

}  // namespace aierase
