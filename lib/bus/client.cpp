#include "bus/client.h"

#include <errno.h>
#include <poll.h>
#include <systemd/sd-bus.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "base/limits.h"
#include "bus/errors.h"
#include "bus/handles.h"
#include "bus/names.h"

namespace aierase::bus {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kProgressPeriod{250};
constexpr std::uint64_t kNoTimeout = UINT64_MAX;  // 0 would mean sd-bus's 25 seconds

Status put(int result) {
  if (result >= 0) return {};
  return bus_error(result, "cannot write the call");
}

Status append(sd_bus_message* message, const std::string& text) {
  if (!is_valid_utf8(text) || text.find('\0') != std::string::npos) {
    return make_error(Errc::invalid_input, "the text " + quoted(text) + " is not valid UTF-8");
  }
  return put(sd_bus_message_append_basic(message, 's', text.c_str()));
}

Status append(sd_bus_message* message, const std::vector<std::string>& texts) {
  RETURN_IF_ERROR(put(sd_bus_message_open_container(message, 'a', "s")));
  for (const std::string& text : texts) RETURN_IF_ERROR(append(message, text));
  return put(sd_bus_message_close_container(message));
}

Status append(sd_bus_message* message, const PassedFile& file) {
  return put(sd_bus_message_append_basic(message, 'h', &file.descriptor));
}

Status append(sd_bus_message* message, const Options& options) {
  return append_object(message, options.values ? *options.values : Json::object(), options.files);
}

Status append(sd_bus_message* message, std::span<const NamedFile> files) {
  RETURN_IF_ERROR(put(sd_bus_message_open_container(message, 'a', "(sh)")));
  for (const NamedFile& file : files) {
    RETURN_IF_ERROR(put(sd_bus_message_open_container(message, 'r', "sh")));
    RETURN_IF_ERROR(append(message, file.path));
    RETURN_IF_ERROR(append(message, PassedFile{file.descriptor}));
    RETURN_IF_ERROR(put(sd_bus_message_close_container(message)));
  }
  return put(sd_bus_message_close_container(message));
}

bool has_ended(const std::string& state) {
  return state == "done" || state == "failed" || state == "cancelled";
}

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// A call under way. sd-bus holds its address, so it lives on the heap and does not move.
struct Pending {
  SlotPtr slot;
  MessagePtr reply;

  static int on_reply(sd_bus_message* message, void* self, sd_bus_error*) noexcept {
    static_cast<Pending*>(self)->reply = share(message);
    return 1;
  }
};

enum class Interruptible { yes, no };

}  // namespace

struct Client::Impl {
  ClientSettings settings;
  std::map<std::string, std::unique_ptr<Pending>> outstanding;  // AddFiles, by job
  std::set<std::string> completed;                              // jobs whose Completed was seen
  std::vector<std::string> changes;
  bool daemon_left = false;
  BusPtr bus;
  SlotPtr owner_match, completed_match, changes_match;

  Result<MessagePtr> new_call(const char* path, const char* interface, const char* method);
  Result<std::unique_ptr<Pending>> post(sd_bus_message* call);
  Result<MessagePtr> finish(Pending& pending, Interruptible interruptible);
  Result<MessagePtr> call(sd_bus_message* message,
                          Interruptible interruptible = Interruptible::yes);
  Status call_job(const std::string& path, const char* method, Interruptible interruptible);
  Status finish_outstanding(const std::string& job);
  Result<Json> job_properties(const std::string& path);
  Status match(SlotPtr& slot, const std::string& rule, sd_bus_message_handler_t handler);
  Status watch_jobs();

  // Handles messages until `done` says so (true) or the deadline has passed (false).
  template <typename Done>
  Result<bool> pump(const Done& done, std::optional<steady_clock::time_point> deadline,
                    Interruptible interruptible);
  Status wait_for_input(std::optional<steady_clock::time_point> deadline,
                        Interruptible interruptible);

  static int on_owner(sd_bus_message* message, void* self, sd_bus_error*) noexcept;
  static int on_completed(sd_bus_message* message, void* self, sd_bus_error*) noexcept;
  static int on_changed(sd_bus_message* message, void* self, sd_bus_error*) noexcept;
};

namespace {

Error left() {
  return make_error(Errc::unreachable, "the daemon aierased ended before it answered",
                    "see its log: journalctl -u aierased");
}

Error interrupted() {
  return make_error(Errc::cancelled, "interrupted before the daemon answered");
}

int timeout_of(sd_bus* bus, std::optional<steady_clock::time_point> deadline) {
  std::int64_t wait = -1;
  if (deadline) {
    const auto rest = std::chrono::ceil<milliseconds>(*deadline - steady_clock::now()).count();
    wait = std::max<std::int64_t>(0, rest);
  }
  std::uint64_t until = UINT64_MAX;
  if (sd_bus_get_timeout(bus, &until) >= 0 && until != UINT64_MAX) {
    // CLOCK_MONOTONIC, in microseconds, as steady_clock counts here.
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
                         steady_clock::now().time_since_epoch())
                         .count();
    const auto rest = (static_cast<std::int64_t>(until) - now + 999) / 1000;
    const std::int64_t bounded = std::max<std::int64_t>(0, rest);
    wait = wait < 0 ? bounded : std::min(wait, bounded);
  }
  return static_cast<int>(std::min<std::int64_t>(wait, 3'600'000));
}

}  // namespace

// ---- the loop -----------------------------------------------------------------------------------

Status Client::Impl::wait_for_input(std::optional<steady_clock::time_point> deadline,
                                    Interruptible interruptible) {
  const int events = sd_bus_get_events(bus.get());
  if (events < 0) return bus_error(events, "the connection to the bus is broken");
  const bool watched = interruptible == Interruptible::yes && settings.interrupt >= 0;
  pollfd waits[2] = {{sd_bus_get_fd(bus.get()), static_cast<short>(events), 0},
                     {settings.interrupt, POLLIN, 0}};
  const int ready = poll(waits, watched ? 2 : 1, timeout_of(bus.get(), deadline));
  if (ready < 0 && errno != EINTR) return errno_error(errno, "cannot wait for the bus");
  if (ready > 0 && watched && waits[1].revents != 0) return interrupted();
  return {};
}

template <typename Done>
Result<bool> Client::Impl::pump(const Done& done, std::optional<steady_clock::time_point> deadline,
                                Interruptible interruptible) {
  for (;;) {
    const int processed = sd_bus_process(bus.get(), nullptr);
    if (done()) return true;
    if (processed < 0) return bus_error(processed, "the connection to the bus was lost");
    if (processed > 0) continue;
    if (daemon_left) return left();
    if (deadline && steady_clock::now() >= *deadline) return false;
    RETURN_IF_ERROR(wait_for_input(deadline, interruptible));
  }
}

Result<MessagePtr> Client::Impl::new_call(const char* path, const char* interface,
                                          const char* method) {
  sd_bus_message* raw = nullptr;
  RETURN_IF_ERROR(
      put(sd_bus_message_new_method_call(bus.get(), &raw, kService, path, interface, method)));
  MessagePtr message(raw);
  const int allow = settings.prompting == Prompting::allowed ? 1 : 0;
  RETURN_IF_ERROR(put(sd_bus_message_set_allow_interactive_authorization(raw, allow)));
  return message;
}

Result<std::unique_ptr<Pending>> Client::Impl::post(sd_bus_message* message) {
  auto pending = std::make_unique<Pending>();
  sd_bus_slot* slot = nullptr;
  const int result =
      sd_bus_call_async(bus.get(), &slot, message, &Pending::on_reply, pending.get(), kNoTimeout);
  if (result < 0) return bus_error(result, "cannot send the call");
  pending->slot.reset(slot);
  const int flushed = sd_bus_flush(bus.get());
  if (flushed < 0) return bus_error(flushed, "cannot send the call");
  return pending;
}

Result<MessagePtr> Client::Impl::finish(Pending& pending, Interruptible interruptible) {
  const auto answered = [&] { return pending.reply != nullptr; };
  const Result<bool> waited = pump(answered, std::nullopt, interruptible);
  if (!waited.ok()) return waited.error();
  if (sd_bus_message_is_method_error(pending.reply.get(), nullptr) > 0) {
    return read_error(pending.reply.get());
  }
  return std::move(pending.reply);
}

Result<MessagePtr> Client::Impl::call(sd_bus_message* message, Interruptible interruptible) {
  daemon_left = false;  // a call may start it again
  ASSIGN_OR_RETURN(const std::unique_ptr<Pending> pending, post(message));
  return finish(*pending, interruptible);
}

// ---- signals ------------------------------------------------------------------------------------

int Client::Impl::on_owner(sd_bus_message* message, void* self, sd_bus_error*) noexcept {
  const char *name = nullptr, *before = nullptr, *after = nullptr;
  if (sd_bus_message_read(message, "sss", &name, &before, &after) > 0 && *before != '\0') {
    static_cast<Impl*>(self)->daemon_left = true;
  }
  return 0;
}

int Client::Impl::on_completed(sd_bus_message* message, void* self, sd_bus_error*) noexcept {
  try {
    static_cast<Impl*>(self)->completed.insert(sd_bus_message_get_path(message));
    return 0;
  } catch (...) {
    return -ENOMEM;
  }
}

int Client::Impl::on_changed(sd_bus_message* message, void* self, sd_bus_error*) noexcept {
  try {
    Result<std::vector<std::string>> ids = read_strings(message, kReplyLimits.values, kReplyLimits);
    if (!ids.ok()) return 0;
    auto& changes = static_cast<Impl*>(self)->changes;
    changes.insert(changes.end(), ids->begin(), ids->end());
    return 0;
  } catch (...) {
    return -ENOMEM;
  }
}

Status Client::Impl::match(SlotPtr& slot, const std::string& rule,
                           sd_bus_message_handler_t handler) {
  if (slot) return {};
  sd_bus_slot* raw = nullptr;
  const int added = sd_bus_add_match(bus.get(), &raw, rule.c_str(), handler, this);
  if (added < 0) return bus_error(added, "cannot listen to signals of the daemon");
  slot.reset(raw);
  return {};
}

Status Client::Impl::watch_jobs() {
  const std::string service = kService;
  RETURN_IF_ERROR(match(owner_match,
                        "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop."
                        "DBus',member='NameOwnerChanged',arg0='" +
                            service + "'",
                        &Impl::on_owner));
  return match(
      completed_match,
      "type='signal',sender='" + service + "',interface='" + kJobInterface + "',member='Completed'",
      &Impl::on_completed);
}

// ---- Client -------------------------------------------------------------------------------------

Options::Options(const Json& object) : values(std::make_shared<const Json>(object)) {}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::connect(ClientSettings settings) {
  auto impl = std::make_unique<Impl>();
  ASSIGN_OR_RETURN(impl->bus,
                   settings.host.empty() ? open_bus(settings.bus) : open_remote_bus(settings.host));
  impl->settings = std::move(settings);
  return Client(std::move(impl));
}

namespace {

Status append_all(sd_bus_message* message, const std::vector<Argument>& arguments) {
  for (const Argument& argument : arguments) {
    RETURN_IF_ERROR(
        std::visit([&](const auto& value) { return append(message, value); }, argument));
  }
  return {};
}

}  // namespace

Result<Json> Client::call(const char* interface, const char* method,
                          const std::vector<Argument>& arguments) {
  ASSIGN_OR_RETURN(const MessagePtr message, impl_->new_call(kObject, interface, method));
  RETURN_IF_ERROR(append_all(message.get(), arguments));
  ASSIGN_OR_RETURN(const MessagePtr reply, impl_->call(message.get()));
  if (sd_bus_message_is_empty(reply.get()) > 0) return Json::object();
  return read_object(reply.get(), kReplyLimits);
}

Result<Job> Client::start(const char* interface, const char* method,
                          const std::vector<Argument>& arguments) {
  RETURN_IF_ERROR(impl_->watch_jobs());
  ASSIGN_OR_RETURN(const MessagePtr message, impl_->new_call(kObject, interface, method));
  RETURN_IF_ERROR(append_all(message.get(), arguments));
  ASSIGN_OR_RETURN(const MessagePtr reply, impl_->call(message.get()));
  const char* path = nullptr;
  if (sd_bus_message_read_basic(reply.get(), 'o', &path) <= 0) {
    return make_error(Errc::unexpected, "the daemon did not answer with a job",
                      "it may be of another version");
  }
  return Job(*impl_, path);
}

Status Client::watch_changes() {
  RETURN_IF_ERROR(impl_->watch_jobs());
  return impl_->match(impl_->changes_match,
                      std::string("type='signal',sender='") + kService + "',interface='" +
                          kManagerInterface + "',member='Changed'",
                      &Impl::on_changed);
}

Result<std::vector<std::string>> Client::wait_for_changes(std::optional<milliseconds> timeout) {
  std::optional<steady_clock::time_point> deadline;
  if (timeout) deadline = steady_clock::now() + *timeout;
  const auto changed = [this] { return !impl_->changes.empty(); };
  RETURN_IF_ERROR(impl_->pump(changed, deadline, Interruptible::yes));
  return std::exchange(impl_->changes, {});
}

// ---- Job ----------------------------------------------------------------------------------------

Status Client::Impl::finish_outstanding(const std::string& job) {
  const auto found = outstanding.find(job);
  if (found == outstanding.end()) return {};
  const std::unique_ptr<Pending> pending = std::move(found->second);
  outstanding.erase(found);
  const Result<MessagePtr> reply = finish(*pending, Interruptible::yes);
  return reply.ok() ? Status() : Status(reply.error());
}

Status Client::Impl::call_job(const std::string& path, const char* method,
                              Interruptible interruptible) {
  ASSIGN_OR_RETURN(const MessagePtr message, new_call(path.c_str(), kJobInterface, method));
  const Result<MessagePtr> reply = call(message.get(), interruptible);
  return reply.ok() ? Status() : Status(reply.error());
}

Result<Json> Client::Impl::job_properties(const std::string& path) {
  ASSIGN_OR_RETURN(const MessagePtr message,
                   new_call(path.c_str(), "org.freedesktop.DBus.Properties", "GetAll"));
  RETURN_IF_ERROR(append(message.get(), std::string(kJobInterface)));
  ASSIGN_OR_RETURN(const MessagePtr reply, call(message.get()));
  return read_object(reply.get(), kReplyLimits);
}

Status Job::add_files(std::span<const NamedFile> files) {
  if (files.size() > limits::kDescriptorsPerCall) {
    return make_error(Errc::usage, "at most " + std::to_string(limits::kDescriptorsPerCall) +
                                       " files can be passed in one call");
  }
  RETURN_IF_ERROR(client_->finish_outstanding(path_));
  ASSIGN_OR_RETURN(const MessagePtr message,
                   client_->new_call(path_.c_str(), kJobInterface, "AddFiles"));
  RETURN_IF_ERROR(append(message.get(), files));
  ASSIGN_OR_RETURN(client_->outstanding[path_], client_->post(message.get()));
  return {};
}

Status Job::commit() {
  RETURN_IF_ERROR(client_->finish_outstanding(path_));
  return client_->call_job(path_, "Commit", Interruptible::yes);
}

Status Job::cancel() {
  return client_->call_job(path_, "Cancel", Interruptible::no);
}

Status Job::release() {
  return client_->call_job(path_, "Release", Interruptible::no);
}

namespace {

JobProgress progress_in(const Json& properties) {
  JobProgress result;
  result.state = text_of(properties, "State");
  const auto progress = properties.find("Progress");
  if (progress != properties.end() && progress->is_number()) {
    result.progress = progress->get<double>();
  }
  const auto bytes = properties.find("Bytes");
  if (bytes != properties.end() && bytes->is_number_unsigned()) {
    result.bytes = bytes->get<std::uint64_t>();
  }
  return result;
}

Result<Json> outcome_in(Json properties) {
  if (text_of(properties, "State") == "done") {
    const auto result = properties.find("Result");
    return result != properties.end() ? std::move(*result) : Json::object();
  }
  Error error =
      error_from_name(text_of(properties, "ErrorName"), text_of(properties, "ErrorMessage"));
  if (std::string hint = text_of(properties, "ErrorHint"); !hint.empty()) error.hint = hint;
  return error;
}

}  // namespace

// The properties that tell of the end hold the result, too: both are of one moment.
Result<Json> Job::wait(const std::function<void(const JobProgress&)>& on_progress) {
  for (;;) {
    ASSIGN_OR_RETURN(Json properties, client_->job_properties(path_));
    const JobProgress now = progress_in(properties);
    if (on_progress) on_progress(now);
    if (has_ended(now.state)) return outcome_in(std::move(properties));
    const auto ended = [this] { return client_->completed.contains(path_); };
    std::optional<steady_clock::time_point> deadline;
    if (on_progress) deadline = steady_clock::now() + kProgressPeriod;
    RETURN_IF_ERROR(client_->pump(ended, deadline, Interruptible::yes));
  }
}

}  // namespace aierase::bus
