#include "daemon/call_options.h"

#include <nlohmann/json.hpp>

namespace aierase::daemon {

Error CallOptions::wrong(std::string_view key, const std::string& what) {
  return make_error(Errc::usage, "the option " + std::string(key) + " " + what,
                    "org.aierase1(5) lists the options");
}

Result<CallOptions> CallOptions::read(sd_bus_message* message) {
  CallOptions options;
  ASSIGN_OR_RETURN(Json values, bus::read_object(message, bus::kRequestLimits, &options.files_));
  options.values_ = std::make_shared<Json>(std::move(values));
  return options;
}

const Json* CallOptions::find(const char* key) {
  known_.insert(key);
  const auto found = values_->find(key);
  return found == values_->end() ? nullptr : &*found;
}

Result<std::optional<std::string>> CallOptions::text(const char* key) {
  const Json* value = find(key);
  if (value == nullptr) return std::optional<std::string>();
  if (!value->is_string()) return wrong(key, "must be a string");
  return std::optional<std::string>(value->get<std::string>());
}

Result<std::string> CallOptions::text_or(const char* key, std::string_view otherwise) {
  ASSIGN_OR_RETURN(const std::optional<std::string> value, text(key));
  return value.value_or(std::string(otherwise));
}

Result<std::vector<std::string>> CallOptions::texts(const char* key) {
  std::vector<std::string> result;
  const Json* value = find(key);
  if (value == nullptr) return result;
  if (!value->is_array()) return wrong(key, "must be an array of strings");
  for (const Json& item : *value) {
    if (!item.is_string()) return wrong(key, "must be an array of strings");
    result.push_back(item.get<std::string>());
  }
  return result;
}

Result<std::optional<std::uint64_t>> CallOptions::number(const char* key) {
  const Json* value = find(key);
  if (value == nullptr) return std::optional<std::uint64_t>();
  if (!value->is_number_unsigned()) return wrong(key, "must be a whole number, not negative");
  return std::optional<std::uint64_t>(value->get<std::uint64_t>());
}

Result<std::optional<UtcTime>> CallOptions::time(const char* key) {
  ASSIGN_OR_RETURN(const std::optional<std::string> given, text(key));
  if (!given) return std::optional<UtcTime>();
  if (const std::optional<UtcTime> time = from_rfc3339(*given)) return time;
  return wrong(key, "is " + quoted(*given) + ", and not as 2026-11-20T19:30:00Z");
}

Result<std::optional<Json>> CallOptions::objects(const char* key) {
  const Json* value = find(key);
  if (value == nullptr) return std::optional<Json>();
  if (!value->is_array()) return wrong(key, "must be an array of a{sv}");
  for (const Json& item : *value) {
    if (!item.is_object()) return wrong(key, "must be an array of a{sv}");
  }
  return std::optional<Json>(*value);
}

Result<bool> CallOptions::agreed(const char* key) {
  ASSIGN_OR_RETURN(const std::optional<std::string> value, text(key));
  if (!value || *value == "no") return false;
  if (*value == "yes") return true;
  return wrong(key, "must be yes or no");
}

std::optional<UniqueFd> CallOptions::file(std::string_view key) {
  known_.emplace(key);
  const auto found = files_.find(std::string(key));
  if (found == files_.end()) return std::nullopt;
  return std::move(found->second);
}

Result<std::vector<std::pair<std::string, std::string>>> CallOptions::pairs(const char* key) {
  ASSIGN_OR_RETURN(const std::vector<std::string> entries, texts(key));
  std::vector<std::pair<std::string, std::string>> result;
  for (const std::string& entry : entries) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0) {
      return wrong(key, "has " + quoted(entry) + ", which is not of the form NAME=VALUE");
    }
    result.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return result;
}

Status CallOptions::finish() const {
  for (const auto& item : values_->items()) {
    if (!known_.contains(item.key())) return wrong(quoted(item.key()), "is not known here");
  }
  for (const auto& file : files_) {
    if (!known_.contains(file.first)) return wrong(quoted(file.first), "is not known here");
  }
  return {};
}

}  // namespace aierase::daemon
