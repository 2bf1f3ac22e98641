// One owner type per sd-bus handle.
//
// Contract: each unreferences its handle exactly once; a connection is flushed and closed with its
// owner. sd-bus objects belong to the thread of their connection. See sd-bus(3).
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

struct sd_bus;
struct sd_bus_message;
struct sd_bus_slot;
struct sd_bus_creds;
struct sd_bus_track;

namespace aierase::bus {

struct CloseBus {
  void operator()(sd_bus* bus) const noexcept;
};
struct UnrefMessage {
  void operator()(sd_bus_message* message) const noexcept;
};
struct UnrefSlot {
  void operator()(sd_bus_slot* slot) const noexcept;
};
struct UnrefCreds {
  void operator()(sd_bus_creds* creds) const noexcept;
};
struct UnrefTrack {
  void operator()(sd_bus_track* track) const noexcept;
};

using BusPtr = std::unique_ptr<sd_bus, CloseBus>;
using MessagePtr = std::unique_ptr<sd_bus_message, UnrefMessage>;
using SlotPtr = std::unique_ptr<sd_bus_slot, UnrefSlot>;
using CredsPtr = std::unique_ptr<sd_bus_creds, UnrefCreds>;
using TrackPtr = std::unique_ptr<sd_bus_track, UnrefTrack>;

MessagePtr share(sd_bus_message* message) noexcept;  // one more reference

// "system", "session", or a D-Bus address such as "unix:path=/run/test/bus".
Result<BusPtr> open_bus(const std::string& bus);
// The system bus of another host, through ssh(1).
Result<BusPtr> open_remote_bus(const std::string& user_at_host);

// An Error from a negative return value of sd-bus.
Error bus_error(int negative_errno, const std::string& what);

}  // namespace aierase::bus
