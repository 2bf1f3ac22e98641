#include "ctl/tensors.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "ctl/interrupt.h"
#include "ctl/render.h"
#include "modelfile/modelfile.h"

namespace aierase::ctl {
namespace {

constexpr const char* kSchema = "aierase/tensors/v1";

class OpenFile final : public modelfile::FileView {
 public:
  OpenFile(UniqueFd file, std::uint64_t size) : file_(std::move(file)), size_(size) {}
  std::uint64_t size() const override { return size_; }
  Status read_at(std::uint64_t offset, ByteSpan to) override {
    while (!to.empty()) {
      const ssize_t got = pread(file_.get(), to.data(), to.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return errno_error(errno, "cannot be read");
      if (got == 0) return make_error(Errc::invalid_input, "it has become shorter");
      to = to.subspan(static_cast<std::size_t>(got));
      offset += static_cast<std::uint64_t>(got);
    }
    return {};
  }

 private:
  UniqueFd file_;
  std::uint64_t size_;
};

Result<Json> rows_of(const FoundFile& found, modelfile::Format format) {
  ASSIGN_OR_RETURN(UniqueFd file, open_found(found));
  OpenFile view(std::move(file), found.identity.size);
  ASSIGN_OR_RETURN(const std::vector<modelfile::Tensor> tensors,
                   modelfile::read_tensors(format, view));
  Json rows = Json::array();
  for (const modelfile::Tensor& tensor : tensors) {
    rows.push_back({tensor.name, tensor.type, tensor.shape, tensor.offset, tensor.bytes});
  }
  return rows;
}

Error no_table(const std::string& why) {
  return make_error(Errc::damaged, "the table of tensors that was sealed in cannot be read: " + why,
                    "export the files whole; their bytes do not depend on it");
}

Result<Json> row_of(const std::string& file, const Json& row) {
  const bool whole = row.is_array() && row.size() == 5 && row[0].is_string() &&
                     row[1].is_string() && row[2].is_array() && row[3].is_number_unsigned() &&
                     row[4].is_number_unsigned();
  if (!whole) return no_table("a row has another form");
  for (const Json& extent : row[2]) {
    if (!extent.is_number_unsigned()) return no_table("a shape is no list of numbers");
  }
  return Json{{"file", file},    {"name", row[0]},   {"type", row[1]},
              {"shape", row[2]}, {"offset", row[3]}, {"bytes", row[4]}};
}

std::string shape_text(const Json& shape) {
  std::string text;
  for (const Json& extent : shape) text += (text.empty() ? "" : " x ") + extent.dump();
  return text.empty() ? "one number" : text;
}

}  // namespace

TensorTable read_tensor_table(const Found& found) {
  TensorTable table;
  Json files = Json::array();
  std::size_t count = 0;
  const auto leave_out = [&](const FoundFile& file, const std::string& why) {
    table.notes.push_back(printable(file.name) +
                          " is imported without a table of its tensors: " + printable(why));
  };
  for (const FoundFile& file : found.files) {
    const std::optional<modelfile::Format> format = modelfile::format_of(file.name);
    if (!format) continue;
    Result<Json> rows = rows_of(file, *format);
    if (!rows.ok()) {
      leave_out(file, rows.error().message);
      continue;
    }
    if (count + rows->size() > limits::kTensorsPerAsset || !is_valid_utf8(file.name)) {
      leave_out(file, "there are too many, or its name is no text");
      continue;
    }
    count += rows->size();
    files.push_back({{"path", file.name},
                     {"format", modelfile::to_text(*format)},
                     {"tensors", std::move(*rows)}});
  }
  if (files.empty()) return table;
  const Result<std::string> text =
      dump_canonical(Json{{"schema", kSchema}, {"files", std::move(files)}});
  if (text.ok() && text->size() <= limits::kMetadataBytes) {
    table.text = *text;
  } else {
    table.notes.emplace_back("the table of tensors is too large to be kept");
  }
  return table;
}

Result<UniqueFd> in_memory(const std::string& text) {
  UniqueFd file(memfd_create("aierase", MFD_CLOEXEC));
  if (!file.valid()) return errno_error(errno, "cannot make a file in memory");
  RETURN_IF_ERROR(write_fully(file.get(), text.data(), text.size()));
  if (lseek(file.get(), 0, SEEK_SET) < 0) return errno_error(errno, "cannot go back in a file");
  return file;
}

Result<Json> tensors_of(const Json& asset) {
  Json tensors = Json::array();
  const std::string text = text_at(asset, "metadata");
  if (text.empty()) return tensors;
  JsonLimits bounds;
  bounds.max_bytes = limits::kMetadataBytes;
  bounds.max_depth = 8;
  const Result<Json> parsed = parse_json(text, bounds);
  if (!parsed.ok()) return no_table(parsed.error().message);
  // Another client's matter, and not ours to judge.
  if (text_at(*parsed, "schema") != kSchema) return tensors;
  for (const Json& file : list_at(*parsed, "files")) {
    const std::string path = text_at(file, "path");
    for (const Json& row : list_at(file, "tensors")) {
      ASSIGN_OR_RETURN(Json tensor, row_of(path, row));
      tensors.push_back(std::move(tensor));
    }
  }
  return tensors;
}

std::string describe_tensors(const Json& tensors, std::size_t width) {
  if (tensors.empty()) {
    return "No table of tensors was sealed in: that is done for .safetensors and .gguf files that "
           "are imported by path.\n";
  }
  Table table({"TENSOR", "TYPE", "SHAPE", "BYTES", "FILE"});
  for (const Json& tensor : tensors) {
    table.add({printable(text_at(tensor, "name")), printable(text_at(tensor, "type")),
               shape_text(tensor.at("shape")), std::to_string(number_at(tensor, "bytes")),
               printable(text_at(tensor, "file"))});
  }
  return table.text(width);
}

Result<TensorPlace> find_tensor(const Json& tensors, const std::string& name,
                                const std::string& file) {
  const Json* found = nullptr;
  for (const Json& tensor : tensors) {
    if (text_at(tensor, "name") != name) continue;
    if (!file.empty() && text_at(tensor, "file") != file) continue;
    if (found != nullptr) {
      return make_error(Errc::usage, "several files have a tensor " + quoted(name),
                        "choose one with --file");
    }
    found = &tensor;
  }
  if (found == nullptr) {
    return make_error(Errc::not_found, "there is no tensor " + quoted(name),
                      "aierase show --tensors lists them");
  }
  TensorPlace place{text_at(*found, "file"), number_at(*found, "offset"),
                    number_at(*found, "bytes")};
  if (place.bytes > UINT64_MAX - place.first) return no_table("a tensor ends beyond all numbers");
  if (place.bytes == 0) {
    return make_error(Errc::invalid_input, "the tensor " + quoted(name) + " has no bytes");
  }
  return place;
}

}  // namespace aierase::ctl
