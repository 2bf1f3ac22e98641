#include "bus/errors.h"

#include <systemd/sd-bus.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "bus/json_bridge.h"
#include "bus/names.h"

namespace aierase::bus {
namespace {

struct ForeignError {
  std::string_view name;  // or its beginning, where it ends with a dot
  Errc code;
  std::string_view hint;
};

constexpr std::string_view kStartIt = "start it: systemctl start aierased";

constexpr ForeignError kForeign[] = {
    {"org.freedesktop.DBus.Error.ServiceUnknown", Errc::unreachable, kStartIt},
    {"org.freedesktop.DBus.Error.NameHasNoOwner", Errc::unreachable, kStartIt},
    {"org.freedesktop.DBus.Error.Spawn.", Errc::unreachable,
     "the bus could not start it: systemctl status aierased"},
    {"org.freedesktop.systemd1.", Errc::unreachable,
     "the bus could not start it: systemctl status aierased"},
    {"org.freedesktop.DBus.Error.TimedOut", Errc::unreachable,
     "it could not be started: journalctl -u aierased"},
    {"org.freedesktop.DBus.Error.NoReply", Errc::unreachable,
     "it ended before it answered: journalctl -u aierased"},
    {"org.freedesktop.DBus.Error.Disconnected", Errc::unreachable, "the bus went away"},
    {"org.freedesktop.DBus.Error.AccessDenied", Errc::access_denied,
     "the bus does not let you talk to it: see its policy for org.aierase1"},
    {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", Errc::access_denied, {}},
    {"org.freedesktop.DBus.Error.LimitsExceeded", Errc::resource_limit, {}},
    {"org.freedesktop.DBus.Error.NoMemory", Errc::resource_limit, {}},
    {"org.freedesktop.DBus.Error.InvalidArgs", Errc::usage, {}},
    {"org.freedesktop.DBus.Error.UnknownObject", Errc::not_found, {}},
    {"org.freedesktop.DBus.Error.UnknownMethod", Errc::not_found,
     "the daemon may be of another version: compare `aierase --version` and `aierased --version`"},
    {"org.freedesktop.DBus.Error.UnknownInterface", Errc::not_found,
     "the daemon may be of another version: compare `aierase --version` and `aierased --version`"},
};

bool names(const ForeignError& row, std::string_view name) {
  return row.name.back() == '.' ? name.starts_with(row.name) : name == row.name;
}

std::string member_text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Error error_from_name(const std::string& name, const std::string& message) {
  if (const std::optional<Errc> code = errc_from_dbus(name)) return make_error(*code, message);
  for (const ForeignError& row : kForeign) {
    if (!names(row, name)) continue;
    if (row.code == Errc::unreachable) {
      return make_error(row.code, "the daemon aierased is not reachable: " + message,
                        std::string(row.hint));
    }
    return make_error(row.code, message, std::string(row.hint));
  }
  return make_error(Errc::unexpected, message.empty() ? name : message + " (" + name + ")");
}

Result<MessagePtr> error_reply(sd_bus_message* call, const Error& error) {
  sd_bus_error content{};
  const std::string name(info(error.code).dbus);
  // A message may quote hostile text; what cannot be sent is shown with escapes.
  const std::string sentence = is_valid_utf8(error.message) ? error.message : quoted(error.message);
  content.name = name.c_str();
  content.message = sentence.c_str();
  sd_bus_message* raw = nullptr;
  const int made = sd_bus_message_new_method_error(call, &raw, &content);
  if (made < 0) return bus_error(made, "cannot make an error reply");
  MessagePtr reply(raw);
  Json detail = Json::object();
  if (!error.hint.empty() && is_valid_utf8(error.hint)) detail["hint"] = error.hint;
  if (!error.subject.empty() && is_valid_utf8(error.subject)) detail["subject"] = error.subject;
  RETURN_IF_ERROR(append_object(raw, detail));
  return reply;
}

Error read_error(sd_bus_message* reply) {
  const sd_bus_error* content = sd_bus_message_get_error(reply);
  if (content == nullptr || content->name == nullptr) {
    return make_error(Errc::unexpected, "the answer is neither a result nor an error");
  }
  Error error = error_from_name(content->name, content->message ? content->message : "");
  if (sd_bus_message_has_signature(reply, "sa{sv}") <= 0) return error;
  sd_bus_message_rewind(reply, 1);
  const char* sentence = nullptr;
  if (sd_bus_message_read_basic(reply, 's', &sentence) <= 0) return error;
  const Result<Json> detail = read_object(reply, kRequestLimits);
  if (!detail.ok()) return error;
  if (std::string hint = member_text(*detail, "hint"); !hint.empty()) error.hint = hint;
  error.subject = member_text(*detail, "subject");
  return error;
}

}  // namespace aierase::bus
