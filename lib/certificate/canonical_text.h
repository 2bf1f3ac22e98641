// Writes canonical JSON straight into text, for statements that are made by the ten thousand.
//
// Contract: the result is byte for byte what dump_canonical() writes for the same value (a test
// holds the two together); members are sorted by finish(); keys are literals that outlive the
// object, need no escape and stand once. The caller checks UTF-8 of the whole at the end, once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aierase::certificate {

std::string json_text(std::string_view value);  // quoted and escaped

class ObjectText {
 public:
  ObjectText();
  ObjectText& text(std::string_view key, std::string_view value);
  ObjectText& number(std::string_view key, std::uint64_t value);
  ObjectText& raw(std::string_view key, std::string_view value);  // canonical JSON already
  std::string finish();                                           // once

 private:
  struct Member {
    std::string_view key;
    std::size_t from = 0, end = 0;  // of its value in values_
  };
  ObjectText& add(std::string_view key, std::size_t from);

  std::string values_;  // one behind the other, in the order of the calls
  std::vector<Member> members_;
};

class ArrayText {
 public:
  ArrayText& text(std::string_view value);
  ArrayText& raw(std::string_view value);
  std::string finish();  // once

 private:
  std::string items_ = "[";
};

std::string array_of_texts(const std::vector<std::string>& values);

}  // namespace aierase::certificate
