#include "daemon/export_job.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <unordered_map>

#include "blob/asset_reader.h"
#include "blob/descriptor_io.h"
#include "blob/direct_sink.h"
#include "blob/direct_source.h"
#include "daemon/observation.h"
#include "daemon/secret_input.h"
#include "domain/ids.h"

namespace aierase::daemon {
namespace {

constexpr int kPollMilliseconds = 50;

// Cancels the job's progress as soon as the lease is revoked, also while a write waits for a slow
// reader. Ends, and with it the look at the lease, in its destructor.
class RevocationWatch {
 public:
  RevocationWatch(const lifecycle::KeyLease& lease, std::atomic<bool>& cancelled)
      : stop_(eventfd(0, EFD_CLOEXEC)), thread_([fd = stop_.get(), &lease, &cancelled] {
          pollfd wait{fd, POLLIN, 0};
          while (poll(&wait, 1, kPollMilliseconds) <= 0) {
            if (lease.revoked()) cancelled.store(true);
          }
        }) {}
  ~RevocationWatch() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(stop_.get(), &one, sizeof one);
    thread_.join();
  }
  RevocationWatch(const RevocationWatch&) = delete;
  RevocationWatch& operator=(const RevocationWatch&) = delete;

 private:
  UniqueFd stop_;
  std::thread thread_;
};

// Everything that exists while the key is leased; the lease goes last.
struct Opened {
  explicit Opened(lifecycle::ExportTicket given) : ticket(std::move(given)) {
    for (const domain::FileEntry& file : ticket.manifest.files) files.emplace(file.path, &file);
  }
  lifecycle::ExportTicket ticket;
  std::unordered_map<std::string_view, const domain::FileEntry*> files;  // by path, in the ticket
  std::optional<blob::AssetReader> reader;
  std::unique_ptr<RevocationWatch> watch;
};

class ExportWork final : public JobWork {
 public:
  ExportWork(Jobs& jobs, std::shared_ptr<JobChannel> channel, lifecycle::ExportRequest request)
      : jobs_(jobs), channel_(std::move(channel)), request_(std::move(request)) {}

  Result<Json> run() override {
    while (std::optional<JobFile> item = channel_->next()) {
      Status written = hand_out(*item);
      if (written.ok()) continue;
      return explain(std::move(written).error());
    }
    Status finished = channel_->check_cancelled();
    if (!finished.ok()) return explain(std::move(finished).error());
    if (!opened_) {
      return make_error(Errc::usage, "nothing was exported: no descriptor was passed",
                        "pass the files to write with AddFiles");
    }
    Json mediums = Json::array();
    for (const domain::ExportMedium medium : recorded_) mediums.push_back(domain::to_text(medium));
    return Json{{"asset", domain::id_text(domain::IdType::asset, request_.asset)},
                {"name", opened_->ticket.asset.name.text()},
                {"files", channel_->progress.files.load()},
                {"bytes", channel_->progress.bytes.load()},
                {"media", std::move(mediums)}};
  }

 private:
  Status hand_out(const JobFile& item) {
    ASSIGN_OR_RETURN(const Observation seen, observe(item.file.get(), item.path, Direction::write));
    RETURN_IF_ERROR(record(medium_of(seen, jobs_.store_device())));
    return opened_->ticket.key ? hand_out_key(item) : hand_out_file(item);
  }

  // The durable record comes first; one per kind of medium.
  Status record(domain::ExportMedium medium) {
    if (recorded_.contains(medium)) return {};
    opened_.reset();  // the old lease ends before the store thread is asked for another
    request_.medium = medium;
    ASSIGN_OR_RETURN(
        lifecycle::ExportTicket ticket,
        jobs_.store().run<lifecycle::ExportTicket>(
            [request = request_](StoreSession& session) mutable -> Result<lifecycle::ExportTicket> {
              ASSIGN_OR_RETURN(lifecycle::Store * store, session.store());
              return store->begin_export(std::move(request));
            }));
    recorded_.insert(medium);
    opened_ = std::make_unique<Opened>(std::move(ticket));
    Opened& opened = *opened_;
    if (!opened.ticket.key) {
      ASSIGN_OR_RETURN(
          blob::AssetReader reader,
          blob::AssetReader::open(jobs_.env(), opened.ticket.reader, opened.ticket.lease.take_dek(),
                                  opened.ticket.manifest, channel_->progress));
      opened.reader = std::move(reader);
      const bool all = opened.ticket.length == 0 && opened.ticket.manifest.files.size() > 1;
      if (all) opened.reader->expect(blob::AssetReader::Expect::everything);
    }
    channel_->total_bytes.store(bytes_of(opened.ticket));
    opened.watch =
        std::make_unique<RevocationWatch>(opened.ticket.lease, channel_->progress.cancelled);
    return {};
  }

  static std::uint64_t bytes_of(const lifecycle::ExportTicket& ticket) {
    if (ticket.length > 0) return ticket.length;
    if (ticket.key) return ticket.key->size();
    std::uint64_t total = 0;
    for (const domain::FileEntry& file : ticket.manifest.files) total += file.bytes;
    return total;
  }

  Status hand_out_key(const JobFile& item) {
    if (item.path != "key") {
      return make_error(Errc::usage, "a dataset-key has no file " + quoted(item.path),
                        "its one content is called key");
    }
    const SecretBytes& key = *opened_->ticket.key;
    RETURN_IF_ERROR(write_secret(item.file.get(), key, channel_->progress.cancelled));
    channel_->progress.bytes.fetch_add(key.size());
    channel_->progress.files.fetch_add(1);
    return {};
  }

  Status hand_out_file(const JobFile& item) {
    const auto known = opened_->files.find(item.path);
    if (known == opened_->files.end()) {
      return make_error(Errc::not_found, "there is no file " + quoted(item.path) + " to export",
                        "aierase show lists the files", item.path);
    }
    const domain::FileEntry* const found = known->second;
    const bool part = opened_->ticket.length > 0;
    const std::uint64_t length = part ? opened_->ticket.length : found->bytes;
    const std::uint64_t before = channel_->progress.bytes.load();
    RETURN_IF_ERROR(copy_out(*found, length, item.file.get()));
    // Whatever the reader counts: at the end of a file all its bytes are out.
    channel_->progress.bytes.store(before + length);
    handed_out_ += 1;
    channel_->progress.files.store(handed_out_);
    return {};
  }

  Status copy_out(const domain::FileEntry& file, std::uint64_t length, int descriptor) {
    const std::atomic<bool>& cancelled = channel_->progress.cancelled;
    blob::AssetReader& reader = *opened_->reader;
    const std::uint64_t first = opened_->ticket.first;
    if (!blob::is_for_direct_io(descriptor)) {
      if (!sink_) sink_.emplace(descriptor, cancelled);
      sink_->turn_to(descriptor);
      return reader.copy_range(file, first, length, *sink_);
    }
    ASSIGN_OR_RETURN(const std::unique_ptr<blob::DirectSink> sink,
                     blob::DirectSink::start(descriptor, length, cancelled));
    RETURN_IF_ERROR(reader.copy_range(file, first, length, *sink));
    return sink->finish();
  }

  Error explain(Error error) const {
    if (!opened_ || !opened_->ticket.lease.revoked()) return error;
    return make_error(Errc::wrong_state,
                      opened_->ticket.asset.name.text() +
                          " was retired or suspended while it was exported; what was written is "
                          "not complete",
                      "aierase show tells its state",
                      domain::id_text(domain::IdType::asset, request_.asset));
  }

  Jobs& jobs_;
  std::shared_ptr<JobChannel> channel_;
  lifecycle::ExportRequest request_;
  std::set<domain::ExportMedium> recorded_;
  std::uint64_t handed_out_ = 0;
  std::optional<blob::DescriptorSink> sink_;  // one file after the other, to whatever is no disk
  std::unique_ptr<Opened> opened_;
};

}  // namespace

std::unique_ptr<JobWork> make_export(Jobs& jobs, std::shared_ptr<JobChannel> channel,
                                     lifecycle::ExportRequest request) {
  return std::make_unique<ExportWork>(jobs, std::move(channel), std::move(request));
}

}  // namespace aierase::daemon
