#include "blob/parallel_writer.h"

#include <algorithm>
#include <exception>
#include <system_error>
#include <utility>

#include "base/json.h"
#include "base/limits.h"

namespace aierase::blob {
namespace {

constexpr std::size_t kItemsAhead = 16;  // descriptors held open beside those being read
// So much waits, and another lane begins.
constexpr std::size_t kManyItems = 8;
constexpr std::uint64_t kManyBytes = 2 * limits::kPackFileBytes;

// No directory could hold both: nobody would get the content out again as files.
Error file_and_directory(const std::string& path) {
  return make_error(Errc::invalid_input,
                    quoted(path) + " would be a file and a directory in the asset",
                    "Give one of the two another name.", path);
}

}  // namespace

std::size_t lanes_of_this_machine() {
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, limits::kLanesPerJob);
}

ParallelWriter::ParallelWriter(Env& env, std::string blob_directory, std::size_t lanes,
                               MakeWriter make, std::function<void()> on_failure)
    : env_(env),
      blob_directory_(std::move(blob_directory)),
      most_lanes_(lanes),
      make_(std::move(make)),
      on_failure_(std::move(on_failure)),
      items_(kItemsAhead),
      failures_(lanes + 1) {}

ParallelWriter::~ParallelWriter() {
  if (!finished_) failed_.store(true);
  join();
  if (finished_) return;
  // Lanes that failed have removed what they wrote; these had come to their end before.
  for (const auto& lane : lanes_) {
    for (const domain::BlobEntry& blob : lane->manifest.blobs) {
      // Nothing can be done about a refusal here: the import intent names the blob for `check`.
      static_cast<void>(env_.unlink(blob_path(blob_directory_, blob.id)));
    }
  }
}

void ParallelWriter::join() {
  items_.close();
  for (const auto& lane : lanes_) {
    if (lane->thread.joinable()) lane->thread.join();
  }
}

Status ParallelWriter::ensure_lanes() {
  const bool busy = items_.size() >= kManyItems || ahead_.load() >= kManyBytes;
  if (!lanes_.empty() && (!busy || lanes_.size() >= most_lanes_)) return {};
  auto lane = std::make_unique<Lane>();
  Lane* const begun = lane.get();
  lanes_.push_back(std::move(lane));
  try {
    begun->thread = std::thread([this, begun] { run(*begun); });
  } catch (const std::system_error&) {
    if (lanes_.size() > 1) return {};  // the others go on
    return make_error(Errc::resource_limit, "no thread could be started for the import",
                      "Run fewer jobs at once, or raise TasksMax= of the unit.");
  }
  return {};
}

Status ParallelWriter::check_new_path(const std::string& path) {
  RETURN_IF_ERROR(domain::check_file_path(path));
  if (paths_.size() >= limits::kFilesPerAsset) {
    return make_error(Errc::resource_limit,
                      "an asset has at most " + std::to_string(limits::kFilesPerAsset) + " files",
                      "Import them as several assets, or as an archive.", path);
  }
  if (!paths_.insert(path).second) {
    return make_error(Errc::invalid_input, "the file path " + quoted(path) + " comes twice",
                      "Give each file a path of its own.", path);
  }
  // What is below it would stand behind it, with nothing but the likes of "path-" between.
  const auto below = paths_.lower_bound(path + "/");
  if (below != paths_.end() && below->starts_with(path + "/")) return file_and_directory(path);
  for (std::size_t end = path.rfind('/'); end != std::string::npos;
       end = path.rfind('/', end - 1)) {
    const std::string_view folder = std::string_view(path).substr(0, end);
    if (paths_.find(folder) != paths_.end()) return file_and_directory(std::string(folder));
  }
  return {};
}

Status ParallelWriter::add_file(std::string path, std::unique_ptr<ByteSource> source) {
  if (failed_.load()) return first_failure();
  RETURN_IF_ERROR(check_new_path(path));
  RETURN_IF_ERROR(ensure_lanes());
  Item item;
  item.order = paths_.size() - 1;
  item.path = std::move(path);
  // A stream may be of any length, and may keep its lane waiting.
  item.expected = source->expected().value_or(kManyBytes);
  item.source = std::move(source);
  ahead_.fetch_add(item.expected);
  if (!items_.push(std::move(item))) return first_failure();
  return {};
}

void ParallelWriter::fail(Error error) {
  // First the word, then the sign that there is one.
  failures_.push(std::move(error));
  if (failed_.exchange(true)) return;
  items_.close();
  on_failure_();
}

Error ParallelWriter::first_failure() {
  std::optional<Error> error = failures_.try_pop();
  if (error) return std::move(*error);
  return make_error(Errc::wrong_state, "this import has ended and takes no more files");
}

void ParallelWriter::run(Lane& lane) {
  try {
    Status worked = work(lane);
    if (!worked.ok()) fail(std::move(worked).error());
  } catch (const std::exception& exception) {
    fail(make_error(Errc::unexpected, std::string("an import thread failed: ") + exception.what()));
  }
}

Status ParallelWriter::work(Lane& lane) {
  std::optional<AssetWriter> writer;
  while (std::optional<Item> item = items_.pop()) {
    if (failed_.load()) continue;
    if (!writer) {
      ASSIGN_OR_RETURN(writer, make_());
    }
    lane.orders.push_back(item->order);
    RETURN_IF_ERROR(writer->add_file(std::move(item->path), *item->source));
    ahead_.fetch_sub(item->expected);
  }
  if (!writer || failed_.load()) return {};
  ASSIGN_OR_RETURN(lane.manifest, writer->finish());
  return {};
}

Result<domain::Manifest> ParallelWriter::merged() {
  domain::Manifest whole;
  whole.files.resize(paths_.size());
  for (const auto& lane : lanes_) {
    for (std::size_t i = 0; i < lane->orders.size(); ++i) {
      whole.files[lane->orders[i]] = std::move(lane->manifest.files[i]);
    }
    whole.blobs.insert(whole.blobs.end(), lane->manifest.blobs.begin(), lane->manifest.blobs.end());
  }
  return whole;
}

Result<domain::Manifest> ParallelWriter::finish() {
  join();
  if (failed_.load()) return first_failure();
  ASSIGN_OR_RETURN(domain::Manifest whole, merged());
  finished_ = true;
  return whole;
}

}  // namespace aierase::blob
