// Reads the published vectors of tests/vectors.
// Contract: a vector that cannot be read fails the running test and gives an empty value.
#pragma once

#include <gtest/gtest.h>

#include <cctype>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "base/bytes.h"

namespace aierase::test {

inline std::string vector_text(const std::string& name) {
  std::ifstream file(std::string(AIERASE_SOURCE_DIR) + "/tests/vectors/" + name);
  if (!file) ADD_FAILURE() << "no vector " << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

inline nlohmann::json json_vector(const std::string& name) {
  nlohmann::json value = nlohmann::json::parse(vector_text(name), nullptr, false);
  if (value.is_discarded()) ADD_FAILURE() << name << " is no JSON";
  return value;
}

// Hexadecimal in either case, blanks and line ends dropped.
inline Bytes unhex(const std::string& text) {
  std::string digits;
  for (const char c : text) {
    const auto character = static_cast<unsigned char>(c);
    if (std::isspace(character) == 0) digits += static_cast<char>(std::tolower(character));
  }
  const auto bytes = from_hex(digits);
  if (!bytes) ADD_FAILURE() << "no hexadecimal: " << text.substr(0, 40);
  return bytes.value_or(Bytes());
}

}  // namespace aierase::test
