// A length of 8 bytes, little-endian, so many bytes of JSON, then the tensors' bytes.

#include <nlohmann/json.hpp>
#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "modelfile/formats.h"

namespace aierase::modelfile {
namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::string_view kMetadata = "__metadata__";

constexpr std::pair<std::string_view, std::uint64_t> kTypeBytes[] = {
    {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"F8_E8M0", 1},
    {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},     {"U32", 4},
    {"F32", 4},  {"I64", 8}, {"U64", 8}, {"F64", 8}};

Result<std::uint64_t> number(const Json& value) {
  const auto* number = value.get_ptr<const Json::number_unsigned_t*>();
  if (number == nullptr) return bad_header("a shape or an offset is no number");
  return *number;
}

Result<std::vector<std::uint64_t>> numbers(const Json& object, const char* key, std::size_t most) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array() || found->size() > most) {
    return bad_header(std::string("a tensor has no ") + key + " of at most " +
                      std::to_string(most) + " numbers");
  }
  std::vector<std::uint64_t> list;
  for (const Json& value : *found) {
    ASSIGN_OR_RETURN(const std::uint64_t one, number(value));
    list.push_back(one);
  }
  return list;
}

// Types of later versions are taken as they are.
Status check_bytes(const Tensor& tensor) {
  for (const auto& [type, size] : kTypeBytes) {
    if (type != tensor.type) continue;
    ASSIGN_OR_RETURN(const std::uint64_t bytes, bytes_of(tensor.shape, 1, size));
    if (bytes != tensor.bytes) {
      return bad_header("the tensor " + quoted(tensor.name) + " has " +
                        std::to_string(tensor.bytes) + " bytes where its shape needs " +
                        std::to_string(bytes));
    }
  }
  return {};
}

Result<Tensor> tensor_of(const std::string& name, const Json& value, std::uint64_t data) {
  if (!value.is_object()) return bad_header("the tensor " + quoted(name) + " is no object");
  Tensor tensor;
  tensor.name = name;
  const auto type = value.find("dtype");
  const auto* const text = type == value.end() ? nullptr : type->get_ptr<const Json::string_t*>();
  if (text == nullptr || text->size() > limits::kTensorTypeBytes || !is_printable_utf8(*text)) {
    return bad_header("the tensor " + quoted(name) + " has no dtype of at most " +
                      std::to_string(limits::kTensorTypeBytes) + " bytes");
  }
  tensor.type = *text;
  ASSIGN_OR_RETURN(tensor.shape, numbers(value, "shape", limits::kTensorDimensions));
  ASSIGN_OR_RETURN(const std::vector<std::uint64_t> place, numbers(value, "data_offsets", 2));
  if (place.size() != 2 || place[1] < place[0] || place[0] > UINT64_MAX - data) {
    return bad_header("the tensor " + quoted(name) + " ends before it begins");
  }
  tensor.offset = data + place[0];
  tensor.bytes = place[1] - place[0];
  RETURN_IF_ERROR(check_bytes(tensor));
  return tensor;
}

}  // namespace

Result<std::vector<Tensor>> read_safetensors(FileView& file) {
  std::array<std::byte, kLengthBytes> length{};
  if (file.size() < length.size()) return bad_header("the file is too short for a header");
  RETURN_IF_ERROR(file.read_at(0, length));
  std::uint64_t bytes = 0;
  for (std::size_t i = length.size(); i-- > 0;) {
    bytes = bytes << 8 | std::to_integer<std::uint64_t>(length[i]);
  }
  if (bytes > limits::kModelHeaderBytes || bytes > file.size() - length.size()) {
    return bad_header("the header says that it has " + std::to_string(bytes) + " bytes");
  }
  std::string text(static_cast<std::size_t>(bytes), '\0');
  RETURN_IF_ERROR(file.read_at(kLengthBytes, std::as_writable_bytes(std::span(text))));
  JsonLimits bounds;
  bounds.max_bytes = limits::kModelHeaderBytes;
  bounds.max_depth = 4;
  ASSIGN_OR_RETURN(const Json header, parse_json(text, bounds));
  if (!header.is_object()) return bad_header("the header is no JSON object");
  if (header.size() > limits::kTensorsPerAsset) {
    return bad_header("the header has " + std::to_string(header.size()) +
                      " entries; the limit is " + std::to_string(limits::kTensorsPerAsset));
  }
  std::vector<Tensor> tensors;
  for (const auto& item : header.items()) {
    if (item.key() == kMetadata) continue;
    RETURN_IF_ERROR(check_name(item.key()));
    ASSIGN_OR_RETURN(Tensor tensor, tensor_of(item.key(), item.value(), kLengthBytes + bytes));
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace aierase::modelfile
