// The table of an asset's tensors: read from model files at import, sealed into the manifest, and
// looked up again.
//
// Contract: a file whose header cannot be read is imported all the same, with a note that says why.
// What comes back from the store is read without trust: another client may have written it.
// Specified in: aierase-store(5) MANIFEST, aierase(1) SHOW.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "ctl/walk.h"

namespace aierase::ctl {

struct TensorTable {
  std::string text;                // `aierase/tensors/v1`; empty: no tensors
  std::vector<std::string> notes;  // sentences
};
TensorTable read_tensor_table(const Found& found);
// As a file in memory, to be passed on.
Result<UniqueFd> in_memory(const std::string& text);

// An array of {file, name, type, shape, offset, bytes}; empty where there is no table.
Result<Json> tensors_of(const Json& asset);
std::string describe_tensors(const Json& tensors, std::size_t width);

struct TensorPlace {
  std::string file;
  std::uint64_t first = 0, bytes = 0;
};
// `file` narrows it down; empty: any. Errc::not_found, and usage where several files have it.
Result<TensorPlace> find_tensor(const Json& tensors, const std::string& name,
                                const std::string& file);

}  // namespace aierase::ctl
