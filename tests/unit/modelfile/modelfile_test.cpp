#include "modelfile/modelfile.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/limits.h"

namespace aierase::modelfile {
namespace {

class Memory final : public FileView {
 public:
  explicit Memory(std::string bytes, std::uint64_t size = 0)
      : bytes_(std::move(bytes)), size_(size == 0 ? bytes_.size() : size) {}
  std::uint64_t size() const override { return size_; }
  Status read_at(std::uint64_t offset, ByteSpan to) override {
    furthest = std::max(furthest, offset + to.size());
    for (std::size_t i = 0; i < to.size(); ++i) {
      to[i] =
          offset + i < bytes_.size() ? static_cast<std::byte>(bytes_[offset + i]) : std::byte{0};
    }
    return {};
  }
  std::uint64_t furthest = 0;

 private:
  std::string bytes_;
  std::uint64_t size_;
};

std::string little(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i & 0xFFU);
  return text;
}
std::string u32(std::uint64_t value) {
  return little(value, 4);
}
std::string u64(std::uint64_t value) {
  return little(value, 8);
}
std::string text(const std::string& value) {
  return u64(value.size()) + value;
}
std::string safetensors(const std::string& header, std::size_t data) {
  return u64(header.size()) + header + std::string(data, 'd');
}

std::string refusal(Format format, const std::string& bytes) {
  Memory file(bytes);
  const auto tensors = read_tensors(format, file);
  return tensors.ok() ? "accepted" : tensors.error().message;
}

TEST(AModelFile, IsKnownByTheEndOfItsName) {
  EXPECT_EQ(format_of("a/model-00001.safetensors"), Format::safetensors);
  EXPECT_EQ(format_of("q4.gguf"), Format::gguf);
  EXPECT_EQ(format_of("model.safetensors.index.json"), std::nullopt);
}

TEST(ASafetensorsFile, TellsItsTensorsInOrderOfTheirPlace) {
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,2],"data_offsets":[4,20]},)"
      R"("a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},)"
      R"("later":{"dtype":"F4","shape":[3],"data_offsets":[20,22]}})";
  Memory file(safetensors(header, 22));
  const auto tensors = read_tensors(Format::safetensors, file);
  ASSERT_TRUE(tensors.ok()) << tensors.error().message;
  ASSERT_EQ(tensors->size(), 3U);
  EXPECT_EQ((*tensors)[0].name, "a");
  EXPECT_EQ((*tensors)[0].offset, 8 + header.size());
  EXPECT_EQ((*tensors)[1].name, "b");
  EXPECT_EQ((*tensors)[1].type, "F32");
  EXPECT_EQ((*tensors)[1].shape, (std::vector<std::uint64_t>{2, 2}));
  EXPECT_EQ((*tensors)[1].bytes, 16U);
  EXPECT_EQ((*tensors)[2].bytes, 2U);
  EXPECT_EQ(file.furthest, 8 + header.size());
}

TEST(ASafetensorsFile, IsRefusedWithAReasonWhenItsHeaderIsWrong) {
  const auto refused = [](const std::string& header, std::size_t data = 16) {
    return refusal(Format::safetensors, safetensors(header, data));
  };
  EXPECT_NE(refusal(Format::safetensors, "short").find("too short"), std::string::npos);
  EXPECT_NE(refusal(Format::safetensors, u64(UINT64_MAX) + "{}").find("18446744073709551615"),
            std::string::npos);
  EXPECT_NE(refusal(Format::safetensors, u64(3) + "{}").find("3 bytes"), std::string::npos);
  EXPECT_NE(refused("[]").find("no JSON object"), std::string::npos);
  EXPECT_NE(refused("{"), "accepted");
  EXPECT_NE(refused(R"({"a":5})").find("no object"), std::string::npos);
  EXPECT_NE(refused(R"({"a":{"shape":[],"data_offsets":[0,4]}})").find("dtype"), std::string::npos);
  EXPECT_NE(refused(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,12]}})").find("needs 16"),
            std::string::npos);
  EXPECT_NE(refused(R"({"a":{"dtype":"X","shape":[4],"data_offsets":[0,17]}})").find("beyond"),
            std::string::npos);
  EXPECT_NE(refused(R"({"a":{"dtype":"X","shape":[4],"data_offsets":[9,8]}})").find("ends before"),
            std::string::npos);
  EXPECT_NE(refused(R"({"a":{"dtype":"X","shape":[-1],"data_offsets":[0,1]}})").find("no number"),
            std::string::npos);
  EXPECT_NE(refused(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],)"
                    R"("data_offsets":[0,4]}})")
                .find("counted"),
            std::string::npos);
  EXPECT_NE(refused(R"({"\u001b[2J":{"dtype":"X","shape":[],"data_offsets":[0,4]}})")
                .find("no printable text"),
            std::string::npos);
  EXPECT_NE(refused(R"({"a":{"dtype":"X\u009b","shape":[],"data_offsets":[0,4]}})").find("dtype"),
            std::string::npos);
  EXPECT_NE(refused(R"({"a":{"dtype":"X","shape":[],"data_offsets":[18446744073709551615,)"
                    R"(18446744073709551615]}})"),
            "accepted");
}

std::string gguf(const std::string& version, std::uint64_t tensors, std::uint64_t pairs,
                 const std::string& rest) {
  return "GGUF" + version + u64(tensors) + u64(pairs) + rest;
}
std::string aligned(std::string bytes, std::size_t alignment) {
  bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
  return bytes;
}

TEST(AGgufFile, TellsItsTensorsWhateverStandsBeforeThem) {
  const std::string pairs = text("general.architecture") + u32(8) + text("llama") +
                            text("general.alignment") + u32(4) + u32(64) + text("tokens") + u32(9) +
                            u32(8) + u64(2) + text("a") + text("b") + text("scores") + u32(9) +
                            u32(6) + u64(3) + std::string(12, 'f') + text("nested") + u32(9) +
                            u32(9) + u64(1) + u32(0) + u64(2) + "xy";
  const std::string infos = text("w") + u32(2) + u64(4) + u64(2) + u32(0) + u64(0) +  //
                            text("new") + u32(1) + u64(7) + u32(999) + u64(128) +     //
                            text("q") + u32(1) + u64(64) + u32(2) + u64(64);
  const std::string head = aligned(gguf(u32(3), 3, 5, pairs + infos), 64);
  Memory file(head + std::string(200, 'd'));
  const auto tensors = read_tensors(Format::gguf, file);
  ASSERT_TRUE(tensors.ok()) << tensors.error().message;
  ASSERT_EQ(tensors->size(), 3U);
  EXPECT_EQ((*tensors)[0].name, "w");
  EXPECT_EQ((*tensors)[0].offset, head.size());
  EXPECT_EQ((*tensors)[0].bytes, 32U);
  EXPECT_EQ((*tensors)[1].name, "q");
  EXPECT_EQ((*tensors)[1].type, "Q4_0");
  EXPECT_EQ((*tensors)[1].bytes, 36U);
  EXPECT_EQ((*tensors)[2].type, "type-999");
  EXPECT_EQ((*tensors)[2].bytes, 72U);
}

TEST(AGgufFile, IsRefusedWithAReasonWhenItsHeaderIsWrong) {
  const auto refused = [](const std::string& bytes) { return refusal(Format::gguf, bytes); };
  EXPECT_NE(refused("GGML" + u32(3) + u64(0) + u64(0)).find("begin with GGUF"), std::string::npos);
  EXPECT_NE(refused(gguf(u32(1), 0, 0, "")).find("version 1"), std::string::npos);
  EXPECT_NE(refused(gguf(u32(3), 1, 0, "")).find("breaks off"), std::string::npos);
  EXPECT_NE(refused(gguf(u32(3), UINT64_MAX, 0, "")).find("limit"), std::string::npos);
  EXPECT_NE(refused(gguf(u32(3), 0, UINT64_MAX, text("k") + u32(0) + "x")).find("breaks off"),
            std::string::npos);
  EXPECT_NE(refused(gguf(u32(3), 0, 1, text("k") + u32(77))).find("type 77"), std::string::npos);
  EXPECT_NE(
      refused(gguf(u32(3), 0, 1, text("k") + u32(9) + u32(8) + u64(UINT64_MAX))).find("breaks off"),
      std::string::npos);
  EXPECT_NE(refused(gguf(u32(3), 0, 1, text("k") + u32(9) + u32(4) + u64(UINT64_MAX)))
                .find("longer than the header"),
            std::string::npos);
  std::string nested = text("k") + u32(9);
  for (int i = 0; i < 6; ++i) nested += u32(9) + u64(1);
  EXPECT_NE(refused(gguf(u32(3), 0, 1, nested + u32(0) + u64(0))).find("too deep"),
            std::string::npos);
  EXPECT_NE(
      refused(gguf(u32(3), 0, 1, text("general.alignment") + u32(4) + u32(0))).find("alignment"),
      std::string::npos);
  const auto one = [&](std::uint64_t extent, std::uint64_t type, std::uint64_t offset) {
    return refused(
        aligned(gguf(u32(3), 1, 0, text("w") + u32(1) + u64(extent) + u32(type) + u64(offset)),
                32) +
        std::string(32, 'd'));
  };
  EXPECT_EQ(one(8, 0, 0), "accepted");
  EXPECT_NE(one(9, 0, 0).find("beyond"), std::string::npos);
  EXPECT_NE(one(8, 0, UINT64_MAX).find("beyond"), std::string::npos);
  EXPECT_NE(one(33, 2, 0).find("block"), std::string::npos);
  EXPECT_NE(one(UINT64_MAX, 0, 0).find("counted"), std::string::npos);
  EXPECT_NE(refused(gguf(u32(3), 1, 0, text("w") + u32(9))).find("9 dimensions"),
            std::string::npos);
  EXPECT_NE(refused(gguf(u32(3), 1, 0, text(std::string(300, 'n')) + u32(0))).find("255"),
            std::string::npos);
}

// A header of all the file's bytes would be read for hours.
TEST(AGgufFile, IsNotReadBeyondTheLimitOfAHeader) {
  Memory file(gguf(u32(3), 0, 1, text("k") + u32(8) + u64(1ULL << 40)), 1ULL << 41);
  EXPECT_FALSE(read_tensors(Format::gguf, file).ok());
  EXPECT_LT(file.furthest, limits::kModelHeaderBytes);
}

}  // namespace
}  // namespace aierase::modelfile
