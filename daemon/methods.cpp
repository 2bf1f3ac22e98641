#include "daemon/methods.h"

#include <fcntl.h>
#include <systemd/sd-bus.h>

#include "base/json.h"
#include "bus/names.h"

namespace aierase::daemon {
namespace {

constexpr std::size_t kIdsPerSignal = 1000;

Error malformed(int result) {
  if (result < 0) return bus::bus_error(result, "the call is malformed");
  return make_error(Errc::invalid_input, "the call has too few arguments");
}

void emit_some(sd_bus* bus, const std::string* first, std::size_t count) {
  sd_bus_message* raw = nullptr;
  if (sd_bus_message_new_signal(bus, &raw, bus::kObject, bus::kManagerInterface, "Changed") < 0) {
    return;
  }
  const bus::MessagePtr signal(raw);
  int result = sd_bus_message_open_container(raw, 'a', "s");
  for (std::size_t i = 0; i < count && result >= 0; ++i) {
    result = sd_bus_message_append_basic(raw, 's', first[i].c_str());
  }
  if (result >= 0) result = sd_bus_message_close_container(raw);
  if (result >= 0) sd_bus_send(bus, raw, nullptr);
}

}  // namespace

void emit_changes(sd_bus* bus, const std::vector<std::string>& ids) {
  for (std::size_t first = 0; first < ids.size(); first += kIdsPerSignal) {
    emit_some(bus, ids.data() + first, std::min(kIdsPerSignal, ids.size() - first));
  }
}

void emit_notices(sd_bus* bus, const std::vector<std::int64_t>& numbers) {
  for (std::size_t first = 0; first < numbers.size(); first += kIdsPerSignal) {
    sd_bus_message* raw = nullptr;
    if (sd_bus_message_new_signal(bus, &raw, bus::kObject, bus::kLogInterface, "Noticed") < 0) {
      return;
    }
    const bus::MessagePtr signal(raw);
    const std::size_t count = std::min(numbers.size() - first, kIdsPerSignal);
    const int added =
        sd_bus_message_append_array(raw, 'x', numbers.data() + first, count * sizeof(std::int64_t));
    if (added >= 0) sd_bus_send(bus, raw, nullptr);
  }
}

Status add_interface(sd_bus* bus, const char* interface, const sd_bus_vtable* vtable, void* data,
                     Slots& slots) {
  sd_bus_slot* slot = nullptr;
  const int added = sd_bus_add_object_vtable(bus, &slot, bus::kObject, interface, vtable, data);
  if (added < 0) return bus::bus_error(added, std::string("cannot offer ") + interface);
  slots.emplace_back(slot);
  return {};
}

Result<std::string> read_text(sd_bus_message* message) {
  const char* text = nullptr;
  const int result = sd_bus_message_read_basic(message, 's', &text);
  if (result <= 0) return malformed(result);
  if (!is_valid_utf8(text)) {
    return make_error(Errc::invalid_input, "the text " + quoted(text) + " is not valid UTF-8");
  }
  return std::string(text);
}

Result<UniqueFd> read_file(sd_bus_message* message) {
  int borrowed = -1;
  const int result = sd_bus_message_read_basic(message, 'h', &borrowed);
  if (result <= 0) return malformed(result);
  UniqueFd copy(fcntl(borrowed, F_DUPFD_CLOEXEC, 3));
  if (!copy.valid()) return errno_error(errno, "cannot keep the descriptor");
  return copy;
}

}  // namespace aierase::daemon
