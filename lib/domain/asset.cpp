#include "domain/asset.h"

#include <algorithm>

#include "base/json.h"
#include "base/limits.h"

namespace aierase::domain {
namespace {

// As sha256sum writes a name that would not stay on its line.
std::string escape_path(std::string_view path) {
  std::string text;
  text.reserve(path.size());
  for (const char c : path) {
    switch (c) {
      case '\\':
        text += "\\\\";
        break;
      case '\n':
        text += "\\n";
        break;
      case '\r':
        text += "\\r";
        break;
      default:
        text += c;
    }
  }
  return text;
}

Error bad_path(std::string_view path, std::string_view what) {
  return make_error(Errc::invalid_input, "the file path " + quoted(path) + " " + std::string(what),
                    "rename the file and import again");
}

Status check_component(std::string_view path, std::string_view component) {
  if (component.empty()) return bad_path(path, "has an empty component");
  if (component == "." || component == "..") {
    return bad_path(path, "has the component " + quoted(component));
  }
  if (component.size() > limits::kPathComponentBytes) {
    return bad_path(path, "has a component longer than " +
                              std::to_string(limits::kPathComponentBytes) + " bytes");
  }
  return {};
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_label_character(char c) {
  return is_alphanumeric(c) || c == '.' || c == '_' || c == '-' || c == '/';
}

}  // namespace

std::string sha256sum_lines(const std::vector<FileEntry>& files) {
  std::vector<const FileEntry*> sorted;
  sorted.reserve(files.size());
  for (const FileEntry& file : files) sorted.push_back(&file);
  // std::string compares as unsigned bytes, which is the byte order of `LC_ALL=C sort`.
  std::sort(sorted.begin(), sorted.end(),
            [](const FileEntry* a, const FileEntry* b) { return a->path < b->path; });
  std::string lines;
  for (const FileEntry* file : sorted) {
    const std::string path = escape_path(file->path);
    if (path.size() != file->path.size()) lines += '\\';
    lines += to_hex(file->sha256);
    lines += "  ";
    lines += path;
    lines += '\n';
  }
  return lines;
}

Status check_file_path(std::string_view path) {
  if (path.empty()) return bad_path(path, "is empty");
  if (path.size() > limits::kPathBytes) {
    return bad_path(path, "is longer than " + std::to_string(limits::kPathBytes) + " bytes");
  }
  if (!is_valid_utf8(path)) return bad_path(path, "is not valid UTF-8");
  if (!is_printable_utf8(path)) return bad_path(path, "has control characters");
  if (path.front() == '/') return bad_path(path, "is absolute");
  std::size_t from = 0;
  while (true) {
    const std::size_t slash = path.find('/', from);
    RETURN_IF_ERROR(check_component(path, path.substr(from, slash - from)));
    if (slash == std::string_view::npos) return {};
    from = slash + 1;
  }
}

Status check_label(std::string_view key, std::string_view value) {
  if (key.empty() || key.size() > limits::kLabelKeyBytes) {
    return make_error(Errc::invalid_input,
                      "the label key " + quoted(key) + " is empty or longer than " +
                          std::to_string(limits::kLabelKeyBytes) + " bytes",
                      "give a label as KEY=VALUE");
  }
  if (!is_alphanumeric(key.front()) || !std::all_of(key.begin(), key.end(), is_label_character)) {
    return make_error(
        Errc::invalid_input,
        "the label key " + quoted(key) + " has characters that a key may not have",
        "use letters, digits, '.', '_', '-' and '/', beginning with a letter or digit");
  }
  if (value.size() > limits::kLabelValueBytes) {
    return make_error(Errc::invalid_input,
                      "the value of label " + quoted(key) + " is longer than " +
                          std::to_string(limits::kLabelValueBytes) + " bytes",
                      "labels are for selecting; keep long text elsewhere");
  }
  if (!is_printable_utf8(value)) {
    return make_error(
        Errc::invalid_input,
        "the value of label " + quoted(key) + " is not printable text: " + quoted(value),
        "use UTF-8 without control characters");
  }
  return {};
}

}  // namespace aierase::domain
