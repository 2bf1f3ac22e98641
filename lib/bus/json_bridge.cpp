#include "bus/json_bridge.h"

#include <errno.h>
#include <fcntl.h>
#include <systemd/sd-bus.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "bus/handles.h"

namespace aierase::bus {
namespace {

// ---- writing ------------------------------------------------------------------------------------

Status written(int result) {
  if (result >= 0) return {};
  return bus_error(result, "cannot write the message");
}

Status append_text(sd_bus_message* message, const std::string& text) {
  if (text.find('\0') != std::string::npos || !is_valid_utf8(text)) {
    return make_error(Errc::invalid_input, "the text " + quoted(text) + " is not valid UTF-8");
  }
  return written(sd_bus_message_append_basic(message, 's', text.c_str()));
}

Status append_members(sd_bus_message* message, const Json& object,
                      std::span<const DescriptorOption> files = {});
Status append_variant(sd_bus_message* message, const Json& value);

Status append_basic_variant(sd_bus_message* message, char type, const void* value) {
  const char contents[2] = {type, '\0'};
  RETURN_IF_ERROR(written(sd_bus_message_open_container(message, 'v', contents)));
  RETURN_IF_ERROR(written(sd_bus_message_append_basic(message, type, value)));
  return written(sd_bus_message_close_container(message));
}

bool all_of(const Json& array, Json::value_t type) {
  return std::all_of(array.begin(), array.end(),
                     [type](const Json& item) { return item.type() == type; });
}

Status append_array(sd_bus_message* message, const Json& array) {
  const bool texts = all_of(array, Json::value_t::string);
  const bool objects = !texts && all_of(array, Json::value_t::object);
  const char* element = texts ? "s" : objects ? "a{sv}" : "v";
  const std::string whole = std::string("a") + element;
  RETURN_IF_ERROR(written(sd_bus_message_open_container(message, 'v', whole.c_str())));
  RETURN_IF_ERROR(written(sd_bus_message_open_container(message, 'a', element)));
  for (const Json& item : array) {
    if (texts) {
      RETURN_IF_ERROR(append_text(message, item.get_ref<const std::string&>()));
    } else if (objects) {
      RETURN_IF_ERROR(append_members(message, item));
    } else if (item.is_null()) {
      return make_error(Errc::unexpected, "an array with a null cannot be sent");
    } else {
      RETURN_IF_ERROR(append_variant(message, item));
    }
  }
  RETURN_IF_ERROR(written(sd_bus_message_close_container(message)));
  return written(sd_bus_message_close_container(message));
}

Status append_variant(sd_bus_message* message, const Json& value) {
  switch (value.type()) {
    case Json::value_t::string:
      RETURN_IF_ERROR(written(sd_bus_message_open_container(message, 'v', "s")));
      RETURN_IF_ERROR(append_text(message, value.get_ref<const std::string&>()));
      return written(sd_bus_message_close_container(message));
    case Json::value_t::boolean: {
      const int flag = value.get<bool>() ? 1 : 0;
      return append_basic_variant(message, 'b', &flag);
    }
    case Json::value_t::number_integer: {
      const auto number = value.get<std::int64_t>();
      return append_basic_variant(message, 'x', &number);
    }
    case Json::value_t::number_unsigned: {
      const auto number = value.get<std::uint64_t>();
      return append_basic_variant(message, number > INT64_MAX ? 't' : 'x', &number);
    }
    case Json::value_t::number_float: {
      const double number = value.get<double>();
      return append_basic_variant(message, 'd', &number);
    }
    case Json::value_t::array:
      return append_array(message, value);
    case Json::value_t::object:
      RETURN_IF_ERROR(written(sd_bus_message_open_container(message, 'v', "a{sv}")));
      RETURN_IF_ERROR(append_members(message, value));
      return written(sd_bus_message_close_container(message));
    default:
      return make_error(Errc::unexpected, "this kind of JSON value cannot be sent");
  }
}

Status append_members(sd_bus_message* message, const Json& object,
                      std::span<const DescriptorOption> files) {
  RETURN_IF_ERROR(written(sd_bus_message_open_container(message, 'a', "{sv}")));
  for (const DescriptorOption& file : files) {
    RETURN_IF_ERROR(written(sd_bus_message_open_container(message, 'e', "sv")));
    RETURN_IF_ERROR(append_text(message, file.key));
    RETURN_IF_ERROR(append_basic_variant(message, 'h', &file.descriptor));
    RETURN_IF_ERROR(written(sd_bus_message_close_container(message)));
  }
  for (const auto& item : object.items()) {
    if (item.value().is_null()) continue;
    RETURN_IF_ERROR(written(sd_bus_message_open_container(message, 'e', "sv")));
    RETURN_IF_ERROR(append_text(message, item.key()));
    RETURN_IF_ERROR(append_variant(message, item.value()));
    RETURN_IF_ERROR(written(sd_bus_message_close_container(message)));
  }
  return written(sd_bus_message_close_container(message));
}

// ---- reading ------------------------------------------------------------------------------------

class Reader {
 public:
  Reader(sd_bus_message* message, const BridgeLimits& limits, Descriptors* files)
      : message_(message), limits_(limits), files_(files) {}

  Result<Json> object(std::size_t depth) {
    RETURN_IF_ERROR(enter(depth, 'a', "{sv}"));
    Json result = Json::object();
    for (;;) {
      const int entered = sd_bus_message_enter_container(message_, 'e', "sv");
      if (entered < 0) return malformed(entered);
      if (entered == 0) break;
      ASSIGN_OR_RETURN(const std::string key, text('s'));
      if (result.contains(key) || (depth == 0 && files_ != nullptr && files_->contains(key))) {
        return make_error(Errc::invalid_input, "the key " + quoted(key) + " stands twice");
      }
      Result<std::optional<Json>> value = member(key, depth);
      if (!value.ok()) return std::move(value).error().in(quoted(key));
      if (*value) result[key] = std::move(**value);
      RETURN_IF_ERROR(leave());
    }
    RETURN_IF_ERROR(leave());
    return result;
  }

  Result<std::vector<std::string>> strings(std::size_t most) {
    RETURN_IF_ERROR(enter(0, 'a', "s"));
    std::vector<std::string> result;
    for (;;) {
      ASSIGN_OR_RETURN(const bool end, at_end());
      if (end) break;
      if (result.size() == most) {
        return make_error(Errc::resource_limit,
                          "the list has more than " + std::to_string(most) + " entries");
      }
      ASSIGN_OR_RETURN(std::string item, text('s'));
      result.push_back(std::move(item));
    }
    RETURN_IF_ERROR(leave());
    return result;
  }

 private:
  static Error malformed(int result) {
    if (result == -ENXIO || result == 0) {
      return make_error(Errc::invalid_input, "the message does not have the expected signature");
    }
    return bus_error(result, "the message is malformed");
  }

  Status count() {
    if (++values_ <= limits_.values) return {};
    return make_error(Errc::resource_limit,
                      "the message has more than " + std::to_string(limits_.values) + " values");
  }

  Status enter(std::size_t depth, char type, const char* contents) {
    if (depth >= limits_.depth) {
      return make_error(Errc::resource_limit, "the message is nested deeper than " +
                                                  std::to_string(limits_.depth) + " levels");
    }
    RETURN_IF_ERROR(count());
    const int entered = sd_bus_message_enter_container(message_, type, contents);
    // An empty array is entered with 1; 0 means that nothing is left to read.
    if (entered <= 0) return malformed(entered);
    return {};
  }

  Status leave() {
    const int left = sd_bus_message_exit_container(message_);
    if (left < 0) return malformed(left);
    return {};
  }

  Result<bool> at_end() {
    const int end = sd_bus_message_at_end(message_, 0);
    if (end < 0) return malformed(end);
    return end > 0;
  }

  template <typename T>
  Result<T> basic(char type) {
    RETURN_IF_ERROR(count());
    T value{};
    const int read = sd_bus_message_read_basic(message_, type, &value);
    if (read <= 0) return malformed(read);
    return value;
  }

  Result<std::string> text(char type) {
    ASSIGN_OR_RETURN(const char* raw, basic<const char*>(type));
    const std::string_view view(raw);
    bytes_ += view.size();
    if (view.size() > limits_.text_bytes || bytes_ > limits_.total_bytes) {
      return make_error(Errc::resource_limit, "the message carries too much text");
    }
    if (!is_valid_utf8(view)) {
      return make_error(Errc::invalid_input, "the text " + quoted(view) + " is not valid UTF-8");
    }
    return std::string(view);
  }

  // Nothing for a descriptor, which went into files_.
  Result<std::optional<Json>> member(const std::string& key, std::size_t depth) {
    char type = 0;
    const char* contents = nullptr;
    const int peeked = sd_bus_message_peek_type(message_, &type, &contents);
    if (peeked <= 0 || type != 'v') return malformed(peeked);
    if (std::string_view(contents) != "h") {
      ASSIGN_OR_RETURN(Json value, variant(depth + 1));
      return std::optional<Json>(std::move(value));
    }
    if (files_ == nullptr || depth != 0) {
      return make_error(Errc::invalid_input, "a descriptor is not expected here");
    }
    RETURN_IF_ERROR(enter(depth + 1, 'v', "h"));
    ASSIGN_OR_RETURN(const int borrowed, basic<int>('h'));
    UniqueFd copy(fcntl(borrowed, F_DUPFD_CLOEXEC, 3));
    if (!copy.valid()) return errno_error(errno, "cannot keep the descriptor");
    files_->emplace(key, std::move(copy));
    RETURN_IF_ERROR(leave());
    return std::optional<Json>();
  }

  Result<Json> variant(std::size_t depth) {
    char type = 0;
    const char* contents = nullptr;
    const int peeked = sd_bus_message_peek_type(message_, &type, &contents);
    if (peeked <= 0 || type != 'v') return malformed(peeked);
    // `contents` points into the message and stays valid while it is read.
    const std::string signature(contents);
    RETURN_IF_ERROR(enter(depth, 'v', signature.c_str()));
    ASSIGN_OR_RETURN(Json value, inside(signature, depth + 1));
    RETURN_IF_ERROR(leave());
    return value;
  }

  Result<Json> inside(const std::string& signature, std::size_t depth) {
    if (signature == "a{sv}") return object(depth);
    if (signature == "v") return variant(depth);
    if (signature.size() > 1 && signature.front() == 'a') return array(signature.substr(1), depth);
    if (signature.size() == 1) return scalar(signature.front());
    return unknown_type(signature);
  }

  static Error unknown_type(const std::string& signature) {
    return make_error(Errc::invalid_input,
                      "values of type " + quoted(signature) + " are not understood here");
  }

  Result<Json> array(const std::string& element, std::size_t depth) {
    if (element != "a{sv}" && element != "v" && element.size() != 1) return unknown_type(element);
    RETURN_IF_ERROR(enter(depth, 'a', element.c_str()));
    Json result = Json::array();
    for (;;) {
      ASSIGN_OR_RETURN(const bool end, at_end());
      if (end) break;
      ASSIGN_OR_RETURN(Json item, inside(element, depth + 1));
      result.push_back(std::move(item));
    }
    RETURN_IF_ERROR(leave());
    return result;
  }

  template <typename T>
  Result<Json> number(char type) {
    ASSIGN_OR_RETURN(const T value, basic<T>(type));
    return Json(value);
  }

  Result<Json> scalar(char type) {
    switch (type) {
      case 's':
      case 'o': {
        ASSIGN_OR_RETURN(std::string value, text(type));
        return Json(std::move(value));
      }
      case 'b': {
        ASSIGN_OR_RETURN(const int value, basic<int>('b'));
        return Json(value != 0);
      }
      case 'y':
        return number<std::uint8_t>('y');
      case 'n':
        return number<std::int16_t>('n');
      case 'q':
        return number<std::uint16_t>('q');
      case 'i':
        return number<std::int32_t>('i');
      case 'u':
        return number<std::uint32_t>('u');
      case 'x':
        return whole_number();
      case 't':
        return number<std::uint64_t>('t');
      case 'd':
        return number<double>('d');
      default:
        return unknown_type(std::string(1, type));
    }
  }

  // Non-negative integers come back as unsigned, as the JSON parser has them.
  Result<Json> whole_number() {
    ASSIGN_OR_RETURN(const std::int64_t value, basic<std::int64_t>('x'));
    if (value >= 0) return Json(static_cast<std::uint64_t>(value));
    return Json(value);
  }

  sd_bus_message* message_;
  const BridgeLimits& limits_;
  Descriptors* files_;
  std::size_t values_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace

Status append_object(sd_bus_message* message, const Json& object,
                     std::span<const DescriptorOption> files) {
  if (!object.is_object()) return make_error(Errc::unexpected, "only an object can be sent");
  return append_members(message, object, files);
}

Result<Json> read_object(sd_bus_message* message, const BridgeLimits& limits, Descriptors* files) {
  return Reader(message, limits, files).object(0);
}

Result<std::vector<std::string>> read_strings(sd_bus_message* message, std::size_t most,
                                              const BridgeLimits& limits) {
  return Reader(message, limits, nullptr).strings(most);
}

}  // namespace aierase::bus
