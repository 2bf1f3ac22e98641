#include <systemd/sd-bus.h>

#include "bus/names.h"
#include "daemon/jobs.h"
#include "daemon/methods.h"

namespace aierase::daemon {
namespace {

// For everybody but the connection that started it, a job does not exist.
int find_job(sd_bus* bus, const char* path, const char*, void* data, void** found,
             sd_bus_error*) noexcept {
  try {
    Job* job = static_cast<Jobs*>(data)->find_path(path);
    sd_bus_message* message = sd_bus_get_current_message(bus);
    const char* sender = message == nullptr ? nullptr : sd_bus_message_get_sender(message);
    if (job == nullptr || sender == nullptr || job->caller().connection != sender) return 0;
    *found = job;
    return 1;
  } catch (...) {
    return -ENOMEM;
  }
}

template <Status (*Method)(Job&, sd_bus_message*)>
int serve_job(sd_bus_message* message, void* job, sd_bus_error*) noexcept {
  try {
    Job& called = *static_cast<Job*>(job);
    const Status status = Method(called, message);
    if (status.ok()) return 1;
    called.audit_refusal(message, status.error());
    send_reply(message, status.error());
    return 1;
  } catch (...) {
    return -ENOMEM;
  }
}

// AddFiles answers itself, when there is room.
Status add_files(Job& job, sd_bus_message* message) {
  return job.add_files(message);
}

Status commit(Job& job, sd_bus_message* message) {
  RETURN_IF_ERROR(job.commit());
  send_reply(message, Reply{});
  return {};
}

Status cancel(Job& job, sd_bus_message* message) {
  job.cancel();
  send_reply(message, Reply{});
  return {};
}

Status release(Job& job, sd_bus_message* message) {
  send_reply(message, Reply{});
  job.release();
  return {};
}

int get_property(sd_bus*, const char*, const char*, const char* property, sd_bus_message* reply,
                 void* job, sd_bus_error*) noexcept {
  try {
    return static_cast<Job*>(job)->append_property(property, reply).ok() ? 1 : -EIO;
  } catch (...) {
    return -ENOMEM;
  }
}

const sd_bus_vtable kVtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("AddFiles", SD_BUS_ARGS("a(sh)", files), SD_BUS_NO_RESULT,
                            serve_job<add_files>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Commit", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, serve_job<commit>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, serve_job<cancel>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Release", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, serve_job<release>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_PROPERTY("Operation", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("State", "s", get_property, 0, 0),
    SD_BUS_PROPERTY("Progress", "d", get_property, 0, 0),
    SD_BUS_PROPERTY("Bytes", "t", get_property, 0, 0),
    SD_BUS_PROPERTY("Rate", "t", get_property, 0, 0),
    SD_BUS_PROPERTY("TimeLeft", "t", get_property, 0, 0),
    SD_BUS_PROPERTY("StartTime", "t", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("StartedByUID", "u", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Cancelable", "b", get_property, 0, 0),
    SD_BUS_PROPERTY("Result", "a{sv}", get_property, 0, 0),
    SD_BUS_PROPERTY("ErrorName", "s", get_property, 0, 0),
    SD_BUS_PROPERTY("ErrorMessage", "s", get_property, 0, 0),
    SD_BUS_PROPERTY("ErrorHint", "s", get_property, 0, 0),
    SD_BUS_SIGNAL("Completed", "", 0),
    SD_BUS_VTABLE_END,
};

}  // namespace

Status add_jobs(sd_bus* bus, Jobs& jobs, Slots& slots) {
  sd_bus_slot* slot = nullptr;
  const int added = sd_bus_add_fallback_vtable(bus, &slot, bus::kJobPrefix, bus::kJobInterface,
                                               kVtable, &find_job, &jobs);
  if (added < 0) return bus::bus_error(added, "cannot offer jobs");
  slots.emplace_back(slot);
  return {};
}

}  // namespace aierase::daemon
