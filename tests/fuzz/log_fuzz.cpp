// What strangers hand in of a log: notes, checkpoints, proofs, tiles and bundles of entries. What
// is read comes back as it was written, and nothing is believed that no trusted key has signed.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/json.h"
#include "certificate/evidence.h"
#include "translog/note.h"
#include "translog/proof_file.h"
#include "translog/tile.h"

namespace {

using namespace aierase;

void read_notes(std::string_view text) {
  const auto note = translog::parse_note(text);
  if (note.ok() && (note->signatures.empty() || note->text.empty())) std::abort();
  const auto head = translog::parse_checkpoint(text);
  if (head.ok() && (head->origin.empty() || head->origin.find('\n') != std::string::npos)) {
    std::abort();
  }
}

void read_proofs(std::string_view text) {
  const auto inclusion = translog::parse_inclusion(text);
  if (inclusion.ok() && translog::parse_inclusion(translog::format_inclusion(*inclusion))->proof !=
                            inclusion->proof) {
    std::abort();
  }
  const auto consistency = translog::parse_consistency(text);
  if (consistency.ok() && translog::format_consistency(*consistency) != text) std::abort();
}

void read_tiles(std::string_view text) {
  const ByteView bytes = as_bytes(text);
  const auto tile = translog::parse_tile(bytes);
  if (tile.ok() && as_text(translog::encode_tile(*tile)) != text) std::abort();
  const auto entries = translog::parse_entries(bytes);
  if (entries.ok() && as_text(*translog::encode_entries(*entries)) != text) std::abort();
}

void verify(std::string_view text) {
  const certificate::TrustStore nobody;
  const certificate::Continuity kept({"aierase.org/log/x", 7, {}});
  for (const certificate::Continuity* from :
       {static_cast<const certificate::Continuity*>(nullptr), &kept}) {
    const auto report = certificate::verify_evidence(text, nobody, from);
    if (report.verified) std::abort();
    if (!dump_canonical(certificate::report_json(report)).ok()) std::abort();
  }
  certificate::Continuity learning({"aierase.org/log/x", 7, {}});
  certificate::learn(text, learning);
  static_cast<void>(certificate::checkpoint_in(text));
}

// The input as every file of a log at once.
void verify_directory(std::string_view text) {
  const certificate::ReadLogFile reader = [&](const std::string& path,
                                              std::size_t) -> Result<Bytes> {
    if (path == "checkpoint") return copy_of(as_bytes(text));
    return copy_of(as_bytes(text).subspan(text.size() / 2));
  };
  if (certificate::verify_log(reader, {}, nullptr).verified) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_notes(text);
  read_proofs(text);
  read_tiles(text);
  verify(text);
  verify_directory(text);
  return 0;
}
