// Reading the options of a call: typed, and a key that nobody asked for is refused.
//
// Contract: each getter marks its key as known; finish() must be called after the last of them.
// Errors are Errc::usage and name the key.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "bus/json_bridge.h"

struct sd_bus_message;

namespace aierase::daemon {

class CallOptions {
 public:
  // Reads the a{sv} at the message's position, the last argument.
  static Result<CallOptions> read(sd_bus_message* message);

  Result<std::optional<std::string>> text(const char* key);
  Result<std::string> text_or(const char* key, std::string_view otherwise);
  Result<std::vector<std::string>> texts(const char* key);  // absent: empty
  Result<std::optional<std::uint64_t>> number(const char* key);
  Result<std::optional<UtcTime>> time(const char* key);  // RFC 3339 in UTC
  Result<std::optional<Json>> objects(const char* key);  // aa{sv}, or an empty array
  // "yes" or "no"; absent: false.
  Result<bool> agreed(const char* key);
  // A word that parse() knows.
  template <typename T>
  Result<std::optional<T>> word(const char* key,
                                std::optional<T> (*parse)(std::string_view) noexcept) {
    ASSIGN_OR_RETURN(const std::optional<std::string> given, text(key));
    if (!given) return std::optional<T>();
    if (std::optional<T> value = parse(*given)) return value;
    return wrong(key, "does not know " + quoted(*given));
  }
  std::optional<UniqueFd> file(std::string_view key);
  // "K=V" entries; errors name the entry.
  Result<std::vector<std::pair<std::string, std::string>>> pairs(const char* key);

  Status finish() const;

  static Error wrong(std::string_view key, const std::string& what);

 private:
  const Json* find(const char* key);

  std::shared_ptr<Json> values_;
  bus::Descriptors files_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace aierase::daemon
