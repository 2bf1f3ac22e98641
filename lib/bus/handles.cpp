#include "bus/handles.h"

#include <errno.h>
#include <systemd/sd-bus.h>

#include <utility>

namespace aierase::bus {
namespace {

Error unreachable(int negative_errno, const std::string& bus) {
  return bus_error(negative_errno, "cannot connect to the bus '" + bus + "'");
}

Error no_bus(const std::string& bus) {
  return make_error(Errc::usage, "'" + bus + "' is not a bus",
                    "say system, session, or an address such as unix:path=/run/dbus/bus");
}

}  // namespace

void CloseBus::operator()(sd_bus* bus) const noexcept {
  sd_bus_flush_close_unref(bus);
}
void UnrefMessage::operator()(sd_bus_message* message) const noexcept {
  sd_bus_message_unref(message);
}
void UnrefSlot::operator()(sd_bus_slot* slot) const noexcept {
  sd_bus_slot_unref(slot);
}
void UnrefCreds::operator()(sd_bus_creds* creds) const noexcept {
  sd_bus_creds_unref(creds);
}

void UnrefTrack::operator()(sd_bus_track* track) const noexcept {
  sd_bus_track_unref(track);
}

MessagePtr share(sd_bus_message* message) noexcept {
  return MessagePtr(sd_bus_message_ref(message));
}

Error bus_error(int negative_errno, const std::string& what) {
  const int value = negative_errno < 0 ? -negative_errno : negative_errno;
  Error error = errno_error(value, what);
  switch (value) {
    case ENOENT:
    case ECONNREFUSED:
    case ECONNRESET:
    case ENOTCONN:
    case ENOMEDIUM:
    case EHOSTDOWN:
    case EPIPE:
    case ESHUTDOWN:
      error.code = Errc::unreachable;
      error.hint = "is the bus running, and is this its address?";
      break;
    case EINVAL:
      error.code = Errc::usage;
      break;
    case EBADMSG:
      error.code = Errc::invalid_input;
      break;
    case ENOBUFS:
    case ENOMEM:
    case EMFILE:
      error.code = Errc::resource_limit;
      break;
    default:
      if (error.code == Errc::io) error.code = Errc::unexpected;
      break;
  }
  return error;
}

Result<BusPtr> open_bus(const std::string& bus) {
  sd_bus* raw = nullptr;
  if (bus == "system" || bus == "session") {
    const int opened = bus == "system" ? sd_bus_open_system(&raw) : sd_bus_open_user(&raw);
    if (opened < 0) return unreachable(opened, bus);
    return BusPtr(raw);
  }
  if (bus.find(':') == std::string::npos) return no_bus(bus);
  int done = sd_bus_new(&raw);
  if (done < 0) return unreachable(done, bus);
  BusPtr owner(raw);
  done = sd_bus_set_address(raw, bus.c_str());
  if (done >= 0) done = sd_bus_set_bus_client(raw, 1);
  if (done >= 0) done = sd_bus_negotiate_fds(raw, 1);
  if (done >= 0) done = sd_bus_start(raw);
  if (done == -EINVAL) return no_bus(bus);
  if (done < 0) return unreachable(done, bus);
  return owner;
}

Result<BusPtr> open_remote_bus(const std::string& user_at_host) {
  sd_bus* raw = nullptr;
  const int opened = sd_bus_open_system_remote(&raw, user_at_host.c_str());
  if (opened < 0) return unreachable(opened, user_at_host);
  return BusPtr(raw);
}

}  // namespace aierase::bus
