#include "daemon/evidence_job.h"

#include <nlohmann/json.hpp>

#include "blob/descriptor_io.h"
#include "certificate/bundle.h"
#include "daemon/observation.h"
#include "translog/note.h"

namespace aierase::daemon {
namespace {

Result<certificate::LogEntry> log_entry(const lifecycle::LogProof& proof, std::string body) {
  ASSIGN_OR_RETURN(const translog::SignedNote note, translog::parse_note(proof.head.checkpoint));
  ASSIGN_OR_RETURN(const translog::Checkpoint head, translog::parse_checkpoint(note.text));
  certificate::LogEntry entry;
  entry.leaf = proof.leaf;
  entry.log_id = translog::note_key_id(head.origin, proof.log_key);
  entry.hashes = proof.hashes;
  entry.size = proof.head.size;
  entry.root = proof.head.root;
  entry.checkpoint = proof.head.checkpoint;
  entry.body = std::move(body);
  return entry;
}

template <typename Row>
Result<std::string> bundle_of_row(const Row& row, const lifecycle::LogProof& proof) {
  crypto::Signature signature{};
  crypto::PublicKey key{};
  if (row.signature.size() != signature.size() || row.public_key.size() != key.size()) {
    return make_error(Errc::damaged,
                      "the signature of leaf " + std::to_string(proof.leaf) + " is not whole",
                      "run `aierase check`");
  }
  std::copy(row.signature.begin(), row.signature.end(), signature.begin());
  std::copy(row.public_key.begin(), row.public_key.end(), key.begin());
  ASSIGN_OR_RETURN(std::string body, certificate::log_entry_body(row.statement, signature, key));
  ASSIGN_OR_RETURN(const certificate::LogEntry entry, log_entry(proof, std::move(body)));
  return certificate::bundle_json(row.statement, signature, key, entry);
}

class EvidenceWork final : public JobWork {
 public:
  EvidenceWork(Jobs& jobs, std::shared_ptr<JobChannel> channel, lifecycle::EvidenceWish wish,
               UniqueFd file)
      : jobs_(jobs),
        channel_(std::move(channel)),
        wish_(std::move(wish)),
        file_(std::move(file)),
        sink_(file_.get(), channel_->progress.cancelled) {}
  ~EvidenceWork() override {
    if (!begun_) return;
    // The run belongs to the store thread, and goes there.
    const Result<bool> gone = jobs_.store().run<bool>([id = id_](StoreSession& session) {
      session.evidence().erase(id);
      return Result<bool>(true);
    });
    static_cast<void>(gone.ok());  // otherwise the store is closed, and the run with it
  }

  Result<Json> run() override {
    begun_ = true;
    const Result<Observation> seen = observe(file_.get(), "the archive", Direction::write);
    if (!seen.ok()) return seen.error();
    for (;;) {
      RETURN_IF_ERROR(channel_->check_cancelled());
      ASSIGN_OR_RETURN(const Slice slice, jobs_.store().run<Slice>([this](StoreSession& session) {
        return next(session);
      }));
      for (const lifecycle::EvidenceFile& one : slice.found.files) {
        RETURN_IF_ERROR(write(one.member, one.content));
      }
      for (const lifecycle::EvidenceRecord& one : slice.found.records) {
        ASSIGN_OR_RETURN(const std::string bundle, bundle_of(one.record, one.proof));
        RETURN_IF_ERROR(write(one.member, bundle));
      }
      if (slice.found.more) continue;
      return Json{{"section", certificate::section_folder(slice.name)},
                  {"members", members_},
                  {"bytes", channel_->progress.bytes.load()}};
    }
  }

 private:
  struct Slice {
    lifecycle::EvidenceRun::Step found;
    certificate::SectionName name;
  };

  Result<Slice> next(StoreSession& session) {
    ASSIGN_OR_RETURN(lifecycle::Store * store, session.store());
    std::unique_ptr<lifecycle::EvidenceRun>& run = session.evidence()[id_];
    if (!run) run = std::make_unique<lifecycle::EvidenceRun>(*store, wish_);
    Slice slice;
    ASSIGN_OR_RETURN(slice.found, run->step());
    slice.name = run->section();
    return slice;
  }

  Status write(const certificate::Member& member, std::string_view content) {
    const std::string line =
        certificate::member_name(member) + " " + std::to_string(content.size()) + "\n";
    RETURN_IF_ERROR(sink_.write(as_bytes(line)));
    RETURN_IF_ERROR(sink_.write(as_bytes(content)));
    channel_->progress.bytes += line.size() + content.size();
    ++members_;
    return {};
  }

  Jobs& jobs_;
  std::shared_ptr<JobChannel> channel_;
  const lifecycle::EvidenceWish wish_;
  UniqueFd file_;
  blob::DescriptorSink sink_;
  std::uint64_t members_ = 0;
  const Uuid id_ = Uuid::random();
  bool begun_ = false;
};

}  // namespace

Result<std::string> bundle_of(const lifecycle::SignedRecord& record,
                              const lifecycle::LogProof& proof) {
  return std::visit([&](const auto& row) { return bundle_of_row(row, proof); }, record);
}

std::unique_ptr<JobWork> make_evidence(Jobs& jobs, std::shared_ptr<JobChannel> channel,
                                       lifecycle::EvidenceWish wish, UniqueFd file) {
  return std::make_unique<EvidenceWork>(jobs, std::move(channel), std::move(wish), std::move(file));
}

}  // namespace aierase::daemon
