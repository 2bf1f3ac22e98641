// One file of a caller's that is imported, which must be at its end what it was at its beginning.
//
// Contract: owns the descriptor; one thread. At its end a regular file is looked at again: where it
// was changed, or where fewer bytes came than it has from where the descriptor stood, the import is
// refused (Errc::invalid_input), because whoever handed it over may remove the original next. Files
// of no size, as those in /proc are, end where they end. Specified in: org.aierase1(5) AddFiles.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/unique_fd.h"
#include "blob/asset_writer.h"
#include "daemon/observation.h"

namespace aierase::daemon {

class CallersFile final : public blob::ByteSource {
 public:
  static Result<std::unique_ptr<blob::ByteSource>> open(UniqueFd file, std::string path,
                                                        const Observation& seen,
                                                        const std::atomic<bool>& cancelled);
  Result<std::size_t> read(ByteSpan to) override;
  std::optional<std::uint64_t> expected() override;

 private:
  CallersFile(UniqueFd file, std::string path, const Observation& seen,
              std::unique_ptr<blob::ByteSource> source, std::uint64_t begin)
      : file_(std::move(file)),
        path_(std::move(path)),
        seen_(seen),
        source_(std::move(source)),
        at_(begin) {}
  Status check_end() const;

  const UniqueFd file_;
  const std::string path_;
  const Observation seen_;
  const std::unique_ptr<blob::ByteSource> source_;
  std::uint64_t at_;  // of a regular file, by the bytes that came
};

}  // namespace aierase::daemon
