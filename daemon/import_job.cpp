#include "daemon/import_job.h"

#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/limits.h"
#include "blob/descriptor_io.h"
#include "blob/layout.h"
#include "blob/parallel_writer.h"
#include "daemon/callers_file.h"
#include "daemon/observation.h"
#include "daemon/records.h"
#include "daemon/secret_input.h"

namespace aierase::daemon {
namespace {

// Whether this process sees something under the name that the client gave, in its own mounts and
// with its own rights. Nothing is opened.
domain::SourceSight sight_of(const std::string& description) {
  struct stat found {};
  const bool seen = description.starts_with('/') && ::lstat(description.c_str(), &found) == 0;
  return seen ? domain::SourceSight::seen : domain::SourceSight::hidden;
}

constexpr std::size_t kReserveAtOnce = 16;  // blob ids per durable intent, after the first

// Ids of blobs, each named by a durable intent of the import before it is handed out.
class BlobIds {
 public:
  using Reserve = std::function<Result<std::vector<Uuid>>(std::size_t)>;
  explicit BlobIds(Reserve reserve) : reserve_(std::move(reserve)) {}
  Result<Uuid> next() {
    if (ids_.empty()) {
      ASSIGN_OR_RETURN(ids_, reserve_(asked_once_ ? kReserveAtOnce : 1));
      asked_once_ = true;
    }
    const Uuid id = ids_.back();
    ids_.pop_back();
    return id;
  }

 private:
  Reserve reserve_;
  std::vector<Uuid> ids_;
  bool asked_once_ = false;
};

class ImportWork final : public JobWork {
 public:
  ImportWork(Jobs& jobs, std::shared_ptr<JobChannel> channel, ImportOrder order)
      : jobs_(jobs),
        channel_(std::move(channel)),
        order_(std::move(order)),
        asset_(order_.ticket.asset),
        directory_(order_.ticket.writer.directory) {}

  Result<Json> run() override {
    Result<lifecycle::ImportReport> report = import();
    const bool created = report.ok() && report->outcome == lifecycle::ImportOutcome::created;
    const Status aborted = created ? Status() : give_up();
    if (report.ok()) {
      const std::size_t first = order_.without_files ? report->view.files.size() : 0;
      return Json{{"asset", asset_json(report->view, first)},
                  {"created", report->outcome == lifecycle::ImportOutcome::created}};
    }
    Error error = std::move(report).error();
    if (!aborted.ok()) {
      error.hint += error.hint.empty() ? "" : "; ";
      error.hint += "`aierase check` removes what was written";
    }
    return error;
  }

  void undo() override { abort_on_store(jobs_.store(), asset_); }

 private:
  // Large files are unlinked by this thread, and not by that of the store, which looks at each name
  // again and makes it durable.
  Status give_up() {
    ASSIGN_OR_RETURN(const std::vector<Uuid> blobs,
                     ask_store_for<std::vector<Uuid>>(
                         [this](lifecycle::Store& store) { return store.blobs_to_abort(asset_); }));
    for (const Uuid& blob : blobs) {
      static_cast<void>(jobs_.env().unlink(blob::blob_path(directory_, blob)));
    }
    return ask_store<bool>([this](lifecycle::Store& store) -> Result<bool> {
      RETURN_IF_ERROR(store.abort_import(asset_));
      return true;
    });
  }

  template <typename T, typename F>
  Result<T> ask_store_for(F act) {
    return jobs_.store().run<T>(
        [call = std::move(act)](StoreSession& session) mutable -> Result<T> {
          ASSIGN_OR_RETURN(lifecycle::Store * store, session.store());
          return call(*store);
        });
  }
  template <typename T, typename F>
  Status ask_store(F act) {
    const Result<T> result = ask_store_for<T>(std::move(act));
    return result.ok() ? Status() : Status(result.error());
  }

  Result<lifecycle::ImportReport> import() {
    if (order_.ticket.draft.kind == domain::AssetKind::dataset_key) return import_key();
    ASSIGN_OR_RETURN(std::string metadata, read_metadata());
    ASSIGN_OR_RETURN(domain::Manifest manifest, seal_files());
    manifest.metadata = std::move(metadata);
    ASSIGN_OR_RETURN(std::vector<domain::Source> sources, sources_of());
    return ask_store_for<lifecycle::ImportReport>(
        [ticket = std::move(order_.ticket), content = std::move(manifest),
         from = std::move(sources)](lifecycle::Store& store) mutable {
          return store.finish_import(std::move(ticket), std::move(content), std::move(from));
        });
  }

  // What it means is the client's matter: here it is text, and no longer than allowed.
  Result<std::string> read_metadata() {
    std::string text;
    if (!order_.metadata) return text;
    RETURN_IF_ERROR(observe(order_.metadata->get(), "metadata", Direction::read));
    blob::DescriptorSource source(order_.metadata->get(), channel_->progress.cancelled);
    Bytes piece(64 << 10);
    while (true) {
      ASSIGN_OR_RETURN(const std::size_t got, source.read(piece));
      text += as_text(ByteView(piece).first(got));
      if (text.size() > limits::kMetadataBytes) {
        return make_error(
            Errc::resource_limit,
            "the metadata has more than " + std::to_string(limits::kMetadataBytes) + " bytes");
      }
      if (got == 0) break;
    }
    if (is_valid_utf8(text)) return text;
    return make_error(Errc::invalid_input, "the metadata is not text in UTF-8");
  }

  Result<domain::Manifest> seal_files() {
    // A lane that fails ends the waiting of all others, and of next().
    const auto stop = [channel = channel_] {
      channel->progress.cancelled.store(true);
      channel->files.close();
    };
    blob::ParallelWriter writer(
        jobs_.env(), order_.ticket.writer.directory, blob::lanes_of_this_machine(),
        [this] { return lane(); }, stop);
    Status fed = feed(writer);
    if (!fed.ok()) {
      stop();
      return std::move(fed).error();
    }
    ASSIGN_OR_RETURN(domain::Manifest manifest, writer.finish());
    RETURN_IF_ERROR(channel_->check_cancelled());
    return manifest;
  }

  Status feed(blob::ParallelWriter& writer) {
    while (std::optional<JobFile> item = channel_->next()) {
      ASSIGN_OR_RETURN(const Observation seen,
                       observe(item->file.get(), item->path, Direction::read));
      note(seen);
      ASSIGN_OR_RETURN(
          std::unique_ptr<blob::ByteSource> source,
          CallersFile::open(std::move(item->file), item->path, seen, channel_->progress.cancelled));
      RETURN_IF_ERROR(writer.add_file(std::move(item->path), std::move(source)));
    }
    return {};
  }

  // Called by the threads of the writer.
  Result<blob::AssetWriter> lane() {
    auto ids = std::make_shared<BlobIds>([this](std::size_t count) {
      return ask_store_for<std::vector<Uuid>>(
          [id = asset_, count](lifecycle::Store& store) { return store.reserve_blobs(id, count); });
    });
    return blob::AssetWriter::create(
        jobs_.env(), order_.ticket.writer, order_.ticket.dek, [ids] { return ids->next(); },
        channel_->progress);
  }

  Result<lifecycle::ImportReport> import_key() {
    std::optional<SecretBytes> key;
    while (std::optional<JobFile> item = channel_->next()) {
      if (key || order_.generates_key) {
        return make_error(Errc::invalid_input,
                          order_.generates_key
                              ? "a key that is generated is not read from a file"
                              : "a dataset-key is one file, and a second one came");
      }
      ASSIGN_OR_RETURN(const Observation seen,
                       observe(item->file.get(), item->path, Direction::read));
      note(seen);
      SecretRead how;
      how.most = limits::kDatasetKeyBytes;
      how.what = "the dataset key";
      how.cancelled = &channel_->progress.cancelled;
      ASSIGN_OR_RETURN(key, read_secret(item->file.get(), how));
      RETURN_IF_ERROR(check_unchanged(item->file.get(), item->path, seen));
      channel_->progress.bytes.fetch_add(key->size());
      channel_->progress.files.fetch_add(1);
    }
    RETURN_IF_ERROR(channel_->check_cancelled());
    if (!key && !order_.generates_key) {
      return make_error(Errc::invalid_input, "there is nothing to import: no key was given",
                        "pass one descriptor, or say --generate");
    }
    std::vector<domain::Source> sources;
    if (key) {
      ASSIGN_OR_RETURN(sources, sources_of());
    }
    return ask_store_for<lifecycle::ImportReport>(
        [ticket = std::move(order_.ticket), secret = std::move(key),
         from = std::move(sources)](lifecycle::Store& store) mutable {
          return store.finish_key_import(std::move(ticket), std::move(secret), std::move(from));
        });
  }

  void note(const Observation& seen) {
    filesystems_.insert(seen.filesystem);
    on_disk_ = on_disk_ || seen.on_disk;
  }

  Result<std::vector<domain::Source>> sources_of() {
    if (order_.sources.empty())
      order_.sources.push_back({"descriptors of the caller", 0, 0, false});
    std::string filesystem;
    for (const std::string& name : filesystems_)
      filesystem += (filesystem.empty() ? "" : ", ") + name;
    std::vector<domain::Source> sources;
    for (const ToldSource& told : order_.sources) {
      domain::Source source;
      source.description = told.description;
      source.filesystem = filesystem;
      source.sight = sight_of(told.description);
      source.files = told.files;
      source.bytes = told.bytes;
      if (order_.sources.size() == 1) {
        source.files = channel_->progress.files.load();
        source.bytes = channel_->progress.bytes.load();
      }
      if (on_disk_ || told.retrofitted) {
        source.history = domain::SourceHistory::retrofitted;
        if (order_.asserts_encrypted) {
          return make_error(Errc::invalid_input,
                            "encrypted-from-first-write can be said of streams only, and " +
                                quoted(told.description) + " was read from a disk (" + filesystem +
                                ")",
                            "leave --source-history out: what was in the clear stays on record",
                            told.description);
        }
      } else if (order_.asserts_encrypted) {
        source.history = domain::SourceHistory::encrypted_from_first_write;
        source.asserted_by = order_.actor;
      }
      sources.push_back(std::move(source));
    }
    return sources;
  }

  Jobs& jobs_;
  std::shared_ptr<JobChannel> channel_;
  ImportOrder order_;
  const Uuid asset_;
  const std::string directory_;  // of the blobs
  std::set<std::string> filesystems_;
  bool on_disk_ = false;
};

}  // namespace

void abort_on_store(StoreThread& store, const Uuid& asset) {
  const Status posted = store.post([asset](StoreSession& session) {
    const Result<lifecycle::Store*> open = session.store();
    // What cannot be removed now is named by its intent, and goes with a check.
    if (open.ok()) static_cast<void>((*open)->abort_import(asset).ok());
    return StoreThread::Then();
  });
  static_cast<void>(posted.ok());
}

std::unique_ptr<JobWork> make_import(Jobs& jobs, std::shared_ptr<JobChannel> channel,
                                     ImportOrder order) {
  for (const ToldSource& source : order.sources) channel->total_bytes.fetch_add(source.bytes);
  return std::make_unique<ImportWork>(jobs, std::move(channel), std::move(order));
}

}  // namespace aierase::daemon
