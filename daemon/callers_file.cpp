#include "daemon/callers_file.h"

#include <unistd.h>

#include "base/json.h"
#include "blob/descriptor_io.h"
#include "blob/direct_source.h"

namespace aierase::daemon {

Result<std::unique_ptr<blob::ByteSource>> CallersFile::open(UniqueFd file, std::string path,
                                                            const Observation& seen,
                                                            const std::atomic<bool>& cancelled) {
  std::unique_ptr<blob::ByteSource> source;
  if (blob::is_for_direct_io(file.get())) {
    ASSIGN_OR_RETURN(source, blob::DirectSource::start(file.get(), cancelled));
  } else {
    source = std::make_unique<blob::DescriptorSource>(file.get(), cancelled);
  }
  const off_t begin = ::lseek(file.get(), 0, SEEK_CUR);  // refused for pipes, which have no size
  return std::unique_ptr<blob::ByteSource>(
      new CallersFile(std::move(file), std::move(path), seen, std::move(source),
                      begin < 0 ? 0 : static_cast<std::uint64_t>(begin)));
}

Result<std::size_t> CallersFile::read(ByteSpan to) {
  ASSIGN_OR_RETURN(const std::size_t got, source_->read(to));
  at_ += got;
  if (got == 0) RETURN_IF_ERROR(check_end());
  return got;
}

Status CallersFile::check_end() const {
  RETURN_IF_ERROR(check_unchanged(file_.get(), path_, seen_));
  if (at_ >= seen_.size) return {};
  return make_error(Errc::invalid_input,
                    "only " + std::to_string(at_) + " of " + std::to_string(seen_.size) +
                        " bytes of " + quoted(path_) + " came",
                    "import it again when nobody else moves in it or writes to it", path_);
}

std::optional<std::uint64_t> CallersFile::expected() {
  const bool known = seen_.filesystem != "pipe" && seen_.filesystem != "socket";
  return known ? std::optional(seen_.size) : std::nullopt;
}

}  // namespace aierase::daemon
