// Magic, version, two counts, key-value pairs, tensor infos; then, aligned, the tensors' bytes.
// Numbers are little-endian.

#include <algorithm>
#include <array>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "modelfile/formats.h"

namespace aierase::modelfile {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::string_view kAlignmentKey = "general.alignment";
constexpr std::uint64_t kDefaultAlignment = 32;
constexpr std::uint64_t kMostAlignment = 1 << 20;
constexpr std::uint32_t kString = 8, kArray = 9, kU32 = 4;
constexpr unsigned kDepth = 4;  // arrays in arrays
constexpr std::size_t kPieceBytes = 64 << 10;

// Bytes of a value by its type; 0: a string or an array, or none.
constexpr std::array<std::uint64_t, 13> kValueBytes{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

struct Type {
  std::uint32_t number;
  std::string_view name;
  std::uint64_t block, bytes;
};
constexpr Type kTypes[] = {
    {0, "F32", 1, 4},         {1, "F16", 1, 2},         {2, "Q4_0", 32, 18},
    {3, "Q4_1", 32, 20},      {6, "Q5_0", 32, 22},      {7, "Q5_1", 32, 24},
    {8, "Q8_0", 32, 34},      {9, "Q8_1", 32, 36},      {10, "Q2_K", 256, 84},
    {11, "Q3_K", 256, 110},   {12, "Q4_K", 256, 144},   {13, "Q5_K", 256, 176},
    {14, "Q6_K", 256, 210},   {15, "Q8_K", 256, 292},   {16, "IQ2_XXS", 256, 66},
    {17, "IQ2_XS", 256, 74},  {18, "IQ3_XXS", 256, 98}, {19, "IQ1_S", 256, 50},
    {20, "IQ4_NL", 32, 18},   {21, "IQ3_S", 256, 110},  {22, "IQ2_S", 256, 82},
    {23, "IQ4_XS", 256, 136}, {24, "I8", 1, 1},         {25, "I16", 1, 2},
    {26, "I32", 1, 4},        {27, "I64", 1, 8},        {28, "F64", 1, 8},
    {29, "IQ1_M", 256, 56},   {30, "BF16", 1, 2},       {34, "TQ1_0", 256, 54},
    {35, "TQ2_0", 256, 66}};

// Reads forward through the header, never beyond the limit of one.
class Cursor {
 public:
  explicit Cursor(FileView& file)
      : file_(file), end_(std::min<std::uint64_t>(file.size(), limits::kModelHeaderBytes)) {}

  std::uint64_t at() const { return at_; }
  Status skip(std::uint64_t bytes) {
    if (bytes > end_ - at_)
      return bad_header("the header breaks off, or is longer than " +
                        std::to_string(limits::kModelHeaderBytes) + " bytes");
    at_ += bytes;
    return {};
  }
  Status read(ByteSpan to) {
    const std::uint64_t from = at_;
    RETURN_IF_ERROR(skip(to.size()));
    if (from < piece_at_ || from + to.size() > piece_at_ + piece_.size()) {
      piece_.resize(std::max(
          to.size(), static_cast<std::size_t>(std::min<std::uint64_t>(kPieceBytes, end_ - from))));
      piece_at_ = from;
      RETURN_IF_ERROR(file_.read_at(from, piece_));
    }
    const ByteView found = ByteView(piece_).subspan(static_cast<std::size_t>(from - piece_at_));
    std::copy_n(found.begin(), to.size(), to.begin());
    return {};
  }
  template <std::size_t Size>
  Result<std::uint64_t> number() {
    std::array<std::byte, Size> raw{};
    RETURN_IF_ERROR(read(raw));
    std::uint64_t value = 0;
    for (std::size_t i = Size; i-- > 0;)
      value = value << 8 | std::to_integer<std::uint64_t>(raw[i]);
    return value;
  }
  Result<std::uint32_t> u32() {
    ASSIGN_OR_RETURN(const std::uint64_t value, number<4>());
    return static_cast<std::uint32_t>(value);
  }
  Result<std::uint64_t> u64() { return number<8>(); }
  Status skip_string() {
    ASSIGN_OR_RETURN(const std::uint64_t bytes, u64());
    return skip(bytes);
  }
  // Longer ones are passed over, and come as an empty text.
  Result<std::string> string(std::size_t most) {
    ASSIGN_OR_RETURN(const std::uint64_t bytes, u64());
    if (bytes > most) {
      RETURN_IF_ERROR(skip(bytes));
      return std::string();
    }
    std::string text(static_cast<std::size_t>(bytes), '\0');
    RETURN_IF_ERROR(read(std::as_writable_bytes(std::span(text))));
    return text;
  }

 private:
  FileView& file_;
  const std::uint64_t end_;
  std::uint64_t at_ = 0;
  Bytes piece_;
  std::uint64_t piece_at_ = 0;
};

Status skip_value(Cursor& cursor, std::uint32_t type, unsigned depth) {
  if (type == kString) return cursor.skip_string();
  if (type != kArray) {
    if (type >= kValueBytes.size())
      return bad_header("a value has the unknown type " + std::to_string(type));
    return cursor.skip(kValueBytes[type]);
  }
  if (depth == kDepth) return bad_header("arrays are nested too deep");
  ASSIGN_OR_RETURN(const std::uint32_t element, cursor.u32());
  ASSIGN_OR_RETURN(const std::uint64_t count, cursor.u64());
  if (element < kValueBytes.size() && kValueBytes[element] > 0) {
    if (count > limits::kModelHeaderBytes) return bad_header("an array is longer than the header");
    return cursor.skip(count * kValueBytes[element]);
  }
  // Each of these takes at least eight bytes of the header, so its limit ends the loop.
  for (std::uint64_t i = 0; i < count; ++i) RETURN_IF_ERROR(skip_value(cursor, element, depth + 1));
  return {};
}

Result<std::uint64_t> read_alignment(Cursor& cursor, std::uint64_t pairs) {
  std::uint64_t alignment = kDefaultAlignment;
  for (std::uint64_t i = 0; i < pairs; ++i) {
    ASSIGN_OR_RETURN(const std::string key, cursor.string(kAlignmentKey.size()));
    ASSIGN_OR_RETURN(const std::uint32_t type, cursor.u32());
    if (key != kAlignmentKey || type != kU32) {
      RETURN_IF_ERROR(skip_value(cursor, type, 0));
      continue;
    }
    ASSIGN_OR_RETURN(alignment, cursor.u32());
    if (alignment == 0 || alignment > kMostAlignment) {
      return bad_header("the alignment is " + std::to_string(alignment));
    }
  }
  return alignment;
}

struct Info {
  Tensor tensor;
  bool sized = false;  // its type says how many bytes it has
};

Result<Info> read_info(Cursor& cursor) {
  Info info;
  ASSIGN_OR_RETURN(info.tensor.name, cursor.string(limits::kTensorNameBytes));
  if (info.tensor.name.empty()) {
    return bad_header("a tensor has no name, or one of more than " +
                      std::to_string(limits::kTensorNameBytes) + " bytes");
  }
  RETURN_IF_ERROR(check_name(info.tensor.name));
  ASSIGN_OR_RETURN(const std::uint32_t dimensions, cursor.u32());
  if (dimensions > limits::kTensorDimensions) {
    return bad_header("the tensor " + quoted(info.tensor.name) + " has " +
                      std::to_string(dimensions) + " dimensions");
  }
  for (std::uint32_t i = 0; i < dimensions; ++i) {
    ASSIGN_OR_RETURN(const std::uint64_t extent, cursor.u64());
    info.tensor.shape.push_back(extent);
  }
  ASSIGN_OR_RETURN(const std::uint32_t type, cursor.u32());
  ASSIGN_OR_RETURN(info.tensor.offset, cursor.u64());
  const auto* const known = std::find_if(std::begin(kTypes), std::end(kTypes),
                                         [&](const Type& one) { return one.number == type; });
  info.sized = known != std::end(kTypes);
  info.tensor.type = info.sized ? std::string(known->name) : "type-" + std::to_string(type);
  if (info.sized) {
    ASSIGN_OR_RETURN(info.tensor.bytes, bytes_of(info.tensor.shape, known->block, known->bytes));
  }
  return info;
}

// A tensor of a type that came later ends where the next one begins.
void measure_unsized(std::vector<Info>& infos, std::uint64_t end) {
  std::vector<std::uint64_t> begins{end};
  for (const Info& info : infos) begins.push_back(info.tensor.offset);
  std::sort(begins.begin(), begins.end());
  for (Info& info : infos) {
    if (info.sized) continue;
    const auto next = std::upper_bound(begins.begin(), begins.end(), info.tensor.offset);
    info.tensor.bytes = next == begins.end() ? 0 : *next - info.tensor.offset;
  }
}

}  // namespace

Result<std::vector<Tensor>> read_gguf(FileView& file) {
  Cursor cursor(file);
  std::array<std::byte, kMagic.size()> magic{};
  RETURN_IF_ERROR(cursor.read(magic));
  if (as_text(magic) != kMagic) return bad_header("the file does not begin with GGUF");
  ASSIGN_OR_RETURN(const std::uint32_t version, cursor.u32());
  if (version != 2 && version != 3) {
    return bad_header("the file has the GGUF version " + std::to_string(version) +
                      "; 2 and 3, little-endian, are read");
  }
  ASSIGN_OR_RETURN(const std::uint64_t count, cursor.u64());
  ASSIGN_OR_RETURN(const std::uint64_t pairs, cursor.u64());
  if (count > limits::kTensorsPerAsset) {
    return bad_header("the header names " + std::to_string(count) + " tensors; the limit is " +
                      std::to_string(limits::kTensorsPerAsset));
  }
  ASSIGN_OR_RETURN(const std::uint64_t alignment, read_alignment(cursor, pairs));
  std::vector<Info> infos;
  for (std::uint64_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(Info info, read_info(cursor));
    infos.push_back(std::move(info));
  }
  const std::uint64_t data = (cursor.at() + alignment - 1) / alignment * alignment;
  std::vector<Tensor> tensors;
  for (Info& info : infos) {
    if (info.tensor.offset > file.size()) {
      return bad_header("the tensor " + quoted(info.tensor.name) +
                        " begins beyond the end of the file");
    }
    info.tensor.offset += data;
  }
  measure_unsized(infos, file.size());
  tensors.reserve(infos.size());
  for (Info& info : infos) tensors.push_back(std::move(info.tensor));
  return tensors;
}

}  // namespace aierase::modelfile
