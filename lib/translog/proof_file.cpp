#include "translog/proof_file.h"

#include <algorithm>
#include <charconv>

#include "base/limits.h"

namespace aierase::translog {
namespace {

constexpr std::size_t kHashes = 63;  // of a log with fewer than 2^63 leaves

Error no_proof(const std::string& why) {
  return make_error(Errc::invalid_input, "no proof: " + why);
}

std::string format(std::string_view word, std::uint64_t number, const Proof& proof,
                   const std::string& checkpoint) {
  std::string text = std::string(word) + " " + std::to_string(number) + "\n";
  for (const Digest& hash : proof) text += to_base64(hash) + "\n";
  return text + "\n" + checkpoint;
}

Result<std::string_view> next_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) return no_proof("it ends too early");
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

Result<std::uint64_t> parse_number(std::string_view line, std::string_view word) {
  const std::string start = std::string(word) + " ";
  std::uint64_t number = 0;
  if (!line.starts_with(start)) return no_proof("it has no line \"" + start + "...\"");
  line.remove_prefix(start.size());
  const auto read = std::from_chars(line.data(), line.data() + line.size(), number);
  if (read.ec != std::errc() || std::to_string(number) != line) {
    return no_proof("\"" + start + "\" is not followed by a number");
  }
  return number;
}

// The hashes up to the empty line; what is left is the checkpoint.
Result<Proof> parse_hashes(std::string_view& rest) {
  Proof proof;
  for (;;) {
    ASSIGN_OR_RETURN(const std::string_view line, next_line(rest));
    if (line.empty()) return proof;
    if (proof.size() == kHashes) return no_proof("it has too many hashes");
    const std::optional<Bytes> raw = from_base64(line);
    Digest hash{};
    if (!raw || raw->size() != hash.size()) return no_proof("a hash is no SHA-256 in base64");
    std::copy(raw->begin(), raw->end(), hash.begin());
    proof.push_back(hash);
  }
}

Status check_size(std::string_view text) {
  if (text.size() <= limits::kNoteBytes) return {};
  return make_error(Errc::resource_limit,
                    "a proof has at most " + std::to_string(limits::kNoteBytes) + " bytes");
}

}  // namespace

std::string format_inclusion(const InclusionFile& file) {
  const std::string extra = file.extra.empty() ? "" : "extra " + to_base64(file.extra) + "\n";
  return std::string(kProofHeader) + extra +
         format("index", file.index, file.proof, file.checkpoint);
}

Result<InclusionFile> parse_inclusion(std::string_view text) {
  RETURN_IF_ERROR(check_size(text));
  if (!text.starts_with(kProofHeader)) return no_proof("its first line is of something else");
  text.remove_prefix(kProofHeader.size());
  ASSIGN_OR_RETURN(std::string_view line, next_line(text));
  InclusionFile file;
  if (line.starts_with("extra ")) {
    std::optional<Bytes> extra = from_base64(line.substr(6));
    if (!extra) return no_proof("its extra data is not base64");
    file.extra = std::move(*extra);
    ASSIGN_OR_RETURN(line, next_line(text));
  }
  ASSIGN_OR_RETURN(file.index, parse_number(line, "index"));
  ASSIGN_OR_RETURN(file.proof, parse_hashes(text));
  file.checkpoint = text;
  return file;
}

std::string format_consistency(const ConsistencyFile& file) {
  return format("old", file.old_size, file.proof, file.checkpoint);
}

Result<ConsistencyFile> parse_consistency(std::string_view text) {
  RETURN_IF_ERROR(check_size(text));
  ConsistencyFile file;
  ASSIGN_OR_RETURN(const std::string_view line, next_line(text));
  ASSIGN_OR_RETURN(file.old_size, parse_number(line, "old"));
  ASSIGN_OR_RETURN(file.proof, parse_hashes(text));
  file.checkpoint = text;
  return file;
}

}  // namespace aierase::translog
