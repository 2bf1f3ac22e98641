#include <nlohmann/json.hpp>

#include "certificate/evidence.h"
#include "ctl/evidence_file.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"
#include "translog/proof_file.h"

namespace aierase::ctl {
namespace {

// The head that a file of any kind carries.
Result<translog::Checkpoint> head_in(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string note, read_checkpoint(path));
  ASSIGN_OR_RETURN(const translog::SignedNote parsed, translog::parse_note(note));
  return translog::parse_checkpoint(parsed.text);
}

Result<translog::Proof> hashes_of(const Json& answer) {
  translog::Proof proof;
  for (const Json& one : answer.value("consistency", Json::array())) {
    const std::optional<Bytes> raw = from_base64(one.get<std::string>());
    Digest hash{};
    if (!raw || raw->size() != hash.size()) {
      return make_error(Errc::unexpected, "the daemon's proof is none");
    }
    std::copy(raw->begin(), raw->end(), hash.begin());
    proof.push_back(hash);
  }
  return proof;
}

// Nothing is written that the reader's own checkpoint contradicts.
Result<std::string> with_proof(const translog::Checkpoint& from, const Json& answer) {
  translog::ConsistencyFile file{from.size, {}, text_at(answer, "checkpoint")};
  ASSIGN_OR_RETURN(file.proof, hashes_of(answer));
  ASSIGN_OR_RETURN(const translog::SignedNote note, translog::parse_note(file.checkpoint));
  ASSIGN_OR_RETURN(translog::Checkpoint head, translog::parse_checkpoint(note.text));
  certificate::Continuity history(from);
  history.add_proof(file.old_size, head, file.proof);
  const certificate::Check check = history.check(head);
  if (check.result != certificate::CheckResult::passed) {
    return make_error(Errc::verification_failed, check.detail,
                      "keep both checkpoints, and compare them with what others kept of this log");
  }
  return translog::format_consistency(file);
}

}  // namespace

Result<int> run_log_checkpoint(Session& session) {
  Output& out = session.out();
  const std::vector<std::string>& operands = session.arguments().operands();
  const std::string path = operands.empty() ? "-" : operands[0];
  const std::string kept = session.arguments().value_or("from", "");
  std::optional<translog::Checkpoint> from;
  Json options = Json::object();
  if (!kept.empty()) {
    ASSIGN_OR_RETURN(from, head_in(kept));
    options["from"] = from->size;
  }
  ASSIGN_OR_RETURN(Json answer, session.call("Log", "Checkpoint", {}, options));
  std::string content = text_at(answer, "checkpoint");
  if (from) {
    ASSIGN_OR_RETURN(content, with_proof(*from, answer));
  }
  if (path != "-") RETURN_IF_ERROR(write_evidence(path, content));
  if (!out.for_people()) {
    if (path != "-") answer["file"] = printable(path);
    out.print_json("log checkpoint", std::move(answer));
  } else if (path == "-") {
    out.print(content);
  } else if (out.quiet()) {
    out.print(printable(path) + "\n");
  } else {
    out.print("Wrote the signed head of the log to " + printable(path) +
              (from ? ", with the proof that it continues " + printable(kept) : std::string()) +
              ".\nNext: keep it where this host cannot reach it; later it shows whether anything "
              "was dropped:\n  aierase log checkpoint LATER --from " +
              printable(path) + "\n  aierase verify LATER --from " + printable(path) +
              " --trust DIR\n");
  }
  return 0;
}

}  // namespace aierase::ctl
