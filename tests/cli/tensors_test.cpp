#include "ctl/tensors.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace aierase::ctl {
namespace {

// What another client has sealed in: any text in UTF-8.
Json shown_with(const Json& row) {
  const Json table = {
      {"schema", "aierase/tensors/v1"},
      {"files", Json::array({{{"path", "m\x1b[2J.gguf"}, {"tensors", Json::array({row})}}})}};
  return {{"metadata", table.dump()}};
}

TEST(ATableOfTensors, OfAnotherClientSaysNothingToTheTerminal) {
  const Json tensors =
      tensors_of(shown_with({"w\x1b[31m", "F\x1b]0;x\x07", Json::array({4}), 0, 16})).value();
  ASSERT_EQ(tensors.size(), 1U);
  const std::string text = describe_tensors(tensors, 200);
  EXPECT_EQ(text.find_first_of("\x1b\x07"), std::string::npos) << text;
  EXPECT_NE(text.find("[31m"), std::string::npos) << text;
}

TEST(ATableOfTensors, WhosePlacesAreNoNumbersOfBytesLeadsNowhere) {
  const Json tensors =
      tensors_of(shown_with({"w", "F32", Json::array({4}), UINT64_MAX - 3, 16})).value();
  const Result<TensorPlace> place = find_tensor(tensors, "w", "");
  ASSERT_FALSE(place.ok());
  EXPECT_EQ(place.error().code, Errc::damaged);
}

}  // namespace
}  // namespace aierase::ctl
