// The one bridge between JSON objects and a{sv}: no record has a codec of its own.
//
// Contract: pure apart from the message; string s, integer x (t above INT64_MAX), number d, boolean
// b, array of strings as (also the empty array), array of objects aa{sv}, other arrays av, object
// a{sv}; a null member is left out. Reading treats the message as hostile: nesting, number of
// values, text and total size are limited, text must be valid UTF-8, keys may not repeat, unknown
// types are refused; the error names the key. Descriptors (h) stand only at the top level and only
// where the reader asks for them. Specified in: org.aierase1(5) CONVENTIONS.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/unique_fd.h"

struct sd_bus_message;

namespace aierase::bus {

struct BridgeLimits {
  std::size_t depth = 16;              // dictionaries, arrays and variants, each one level
  std::size_t values = 20'000;         // of all levels
  std::size_t text_bytes = 256 << 10;  // of one key or string
  std::size_t total_bytes = 1 << 20;   // of all keys and strings
};
inline constexpr BridgeLimits kRequestLimits{};
// What the daemon answers: an asset with 100,000 files.
inline constexpr BridgeLimits kReplyLimits{24, 4'000'000, 32 << 20, 96 << 20};

using Descriptors = std::map<std::string, UniqueFd>;

struct DescriptorOption {
  std::string key;
  int descriptor = -1;  // borrowed: the message takes a duplicate
};

// Appends an object as a{sv}, and `files` as further members of type h.
Status append_object(sd_bus_message* message, const Json& object,
                     std::span<const DescriptorOption> files = {});
// Reads an a{sv} at the message's position. Descriptors are duplicated into `files`; where that is
// null a descriptor is refused.
Result<Json> read_object(sd_bus_message* message, const BridgeLimits& limits,
                         Descriptors* files = nullptr);
// Reads one `as`, with the same limits.
Result<std::vector<std::string>> read_strings(sd_bus_message* message, std::size_t most,
                                              const BridgeLimits& limits = kRequestLimits);

}  // namespace aierase::bus
