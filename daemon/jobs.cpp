#include "daemon/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <systemd/sd-bus.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/limits.h"
#include "bus/errors.h"
#include "bus/json_bridge.h"
#include "bus/names.h"
#include "daemon/audit_records.h"
#include "daemon/journal_events.h"
#include "daemon/service.h"
#include "domain/ids.h"

namespace aierase::daemon {

std::string_view to_text(JobState state) noexcept {
  switch (state) {
    case JobState::collecting:
      return "collecting";
    case JobState::running:
      return "running";
    case JobState::done:
      return "done";
    case JobState::failed:
      return "failed";
    case JobState::cancelled:
      return "cancelled";
  }
  return "failed";
}

std::optional<JobFile> JobChannel::next() {
  std::optional<JobFile> file = files.pop();
  if (progress.cancelled.load()) return std::nullopt;
  if (file) {
    begun.fetch_add(1);
    if (loop_waits.load()) on_consumed();
  }
  return file;
}

Status JobChannel::check_cancelled() const {
  if (!progress.cancelled.load()) return {};
  return make_error(Errc::cancelled, "the job was cancelled");
}

// ---- Job ----------------------------------------------------------------------------------------

Job::Job(Jobs& jobs, const Uuid& id, std::string operation, Caller caller, Takes takes,
         JobKind kind)
    : jobs_(jobs),
      id_(id),
      path_(std::string(bus::kJobPrefix) + "/" + id.text()),
      operation_(std::move(operation)),
      caller_(std::move(caller)),
      takes_(takes),
      kind_(kind),
      started_(SystemClock().now()),
      state_(takes == Takes::files ? JobState::collecting : JobState::running),
      channel_(std::make_shared<JobChannel>()) {
  channel_->on_consumed = [&owner = jobs_, number = id_] { owner.consumed(number); };
}

Job::~Job() {
  channel_->progress.cancelled.store(true);
  channel_->files.close();
  if (thread_.joinable()) thread_.join();
}

Status Job::track_client() {
  sd_bus_track* raw = nullptr;
  int result = sd_bus_track_new(jobs_.bus(), &raw, &Job::on_client_gone, this);
  if (result >= 0) {
    track_.reset(raw);
    result = sd_bus_track_add_name(raw, caller_.connection.c_str());
  }
  if (result < 0) return make_error(Errc::cancelled, "the client that started the job has gone");
  return {};
}

// Not at once: this is called from inside the job's own handlers.
void Job::release() {
  jobs_.loop().post([&jobs = jobs_, id = id_] { jobs.remove(id); });
}

int Job::on_client_gone(sd_bus_track*, void* self) noexcept {
  static_cast<Job*>(self)->release();
  return 1;  // 0 would have sd-bus call again at once, for ever, and nothing else
}

void Job::start(std::unique_ptr<JobWork> work) {
  // Shared with the thread, so that what no thread takes can be undone.
  const auto held = std::make_shared<std::unique_ptr<JobWork>>(std::move(work));
  try {
    thread_ = std::thread([&jobs = jobs_, id = id_, held] {
      Result<Json> result = make_error(Errc::unexpected, "the job failed");
      try {
        result = (*held)->run();
      } catch (const std::exception& fault) {
        result = fault_error(fault, "the job failed");
        (*held)->undo();
      }
      held->reset();  // keys and leases go before anybody hears of the end
      jobs.ended(id, std::move(result));
    });
  } catch (const std::exception& fault) {  // no thread, or no memory for one
    channel_->files.close();
    (*held)->undo();
    jobs_.ended(id_, fault_error(fault, "the job could not begin"));
  }
}

Status Job::why_closed() const {
  if (error_) return *error_;
  if (state_ == JobState::collecting) return {};
  return make_error(Errc::wrong_state, "the job takes no more files: it was committed",
                    "start another one", path_);
}

namespace {

Result<std::vector<JobFile>> read_files(sd_bus_message* call) {
  std::vector<JobFile> files;
  int result = sd_bus_message_enter_container(call, 'a', "(sh)");
  if (result < 0) return bus::bus_error(result, "the list of files is malformed");
  for (;;) {
    const char* path = nullptr;
    int borrowed = -1;
    result = sd_bus_message_read(call, "(sh)", &path, &borrowed);
    if (result < 0) return bus::bus_error(result, "the list of files is malformed");
    if (result == 0) return files;
    if (files.size() == limits::kDescriptorsPerCall) {
      return make_error(
          Errc::resource_limit,
          "more than " + std::to_string(limits::kDescriptorsPerCall) + " descriptors in one call",
          "pass the rest in the next call");
    }
    JobFile file{path, UniqueFd(fcntl(borrowed, F_DUPFD_CLOEXEC, 3))};
    if (!file.file.valid()) return errno_error(errno, "cannot keep the descriptor");
    files.push_back(std::move(file));
  }
}

}  // namespace

Status Job::add_files(sd_bus_message* call) {
  if (takes_ == Takes::nothing) {
    return make_error(Errc::wrong_state, "this job takes no files", {}, path_);
  }
  RETURN_IF_ERROR(why_closed());
  if (waiting_) {
    return make_error(Errc::resource_limit, "the files of the call before are not taken yet",
                      "wait for the answer to each AddFiles");
  }
  ASSIGN_OR_RETURN(std::vector<JobFile> files, read_files(call));
  accepted_ += files.size();
  for (JobFile& file : files) {
    // A job whose thread has failed answers at its end, with its error.
    if (!channel_->files.try_push(file) && !channel_->files.closed()) {
      return make_error(Errc::resource_limit, "too many files wait for this job");
    }
  }
  waiting_ = bus::share(call);
  channel_->loop_waits.store(true);
  answer_waiting();
  return {};
}

void Job::answer_waiting() {
  if (!waiting_) return;
  if (!error_ && accepted_ - channel_->begun.load() > limits::kDescriptorsPerCall) return;
  channel_->loop_waits.store(false);
  const bus::MessagePtr call = std::move(waiting_);
  send_reply(call.get(), error_ ? Result<Reply>(*error_) : Result<Reply>(Reply{}));
}

Status Job::commit() {
  RETURN_IF_ERROR(why_closed());
  state_ = JobState::running;
  channel_->files.close();
  return {};
}

void Job::cancel() {
  if (has_ended()) return;
  channel_->progress.cancelled.store(true);
  channel_->files.close();
}

Place Job::place() const {
  const bool leaving = !has_ended() && channel_->progress.cancelled.load();
  return {caller_.actor.uid, kind_, leaving ? Place::Hold::leaving : Place::Hold::full};
}

void Job::abandon() {
  abandoned_ = true;
  cancel();
}

void Job::audit_at_end(std::uint64_t call, domain::AuditRow row) {
  row.subjects.push_back({domain::id_text(domain::IdType::job, id_), {}});
  audited_ = Audited{call, std::move(row)};
}

void Job::audit_refusal(sd_bus_message* call, const Error& error) {
  domain::AuditRow row = audit_row(call, jobs_.audit().now());
  row.actor = caller_.actor;
  row.subjects.push_back({domain::id_text(domain::IdType::job, id_), {}});
  jobs_.audit().ended(AuditPost::kNeverBegan, std::move(row), error);
}

void Job::end(Result<Json> result) {
  if (thread_.joinable()) thread_.join();  // it has posted this as its last deed
  if (result.ok()) {
    state_ = JobState::done;
    result_ = std::make_shared<const Json>(std::move(*result));
  } else {
    error_ = std::move(result).error();
    state_ = error_->code == Errc::cancelled ? JobState::cancelled : JobState::failed;
  }
  if (audited_) {
    const Status outcome = error_ ? Status(*error_) : Status();
    if (result_) name_result(audited_->row, *result_);
    if (audited_->call != AuditPost::kNeverBegan || error_) tell_call(audited_->row, outcome);
    jobs_.audit().ended(audited_->call, std::move(audited_->row), outcome);
    audited_.reset();
  }
  answer_waiting();
  sd_bus_message* raw = nullptr;
  if (sd_bus_message_new_signal(jobs_.bus(), &raw, path_.c_str(), bus::kJobInterface,
                                "Completed") >= 0) {
    const bus::MessagePtr signal(raw);
    sd_bus_send_to(jobs_.bus(), raw, caller_.connection.c_str(), nullptr);
  }
}

std::uint64_t Job::rate() const {
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begun_;
  const auto bytes = static_cast<double>(channel_->progress.bytes.load());
  return spent.count() <= 0 ? 0 : static_cast<std::uint64_t>(bytes / spent.count());
}

std::uint64_t Job::time_left() const {
  if (has_ended()) return 0;
  const std::uint64_t bytes = channel_->progress.bytes.load();
  const std::uint64_t total = channel_->total_bytes.load();
  const std::uint64_t now = rate();
  if (total < bytes || total == 0 || now == 0) return UINT64_MAX;
  return (total - bytes + now - 1) / now;
}

Status Job::append_property(std::string_view name, sd_bus_message* reply) const {
  const std::uint64_t bytes = channel_->progress.bytes.load();
  const std::uint64_t total = channel_->total_bytes.load();
  int result = 0;
  const auto text = [&](const std::string& value) {
    return sd_bus_message_append_basic(reply, 's', value.c_str());
  };
  if (name == "Operation") {
    result = text(operation_);
  } else if (name == "State") {
    result = text(std::string(to_text(state_)));
  } else if (name == "Progress") {
    const double part = total == 0 ? 0.0 : static_cast<double>(bytes) / static_cast<double>(total);
    const double value = state_ == JobState::done ? 1.0 : std::min(part, 1.0);
    result = sd_bus_message_append_basic(reply, 'd', &value);
  } else if (name == "Bytes") {
    result = sd_bus_message_append_basic(reply, 't', &bytes);
  } else if (name == "Rate") {
    const std::uint64_t value = rate();
    result = sd_bus_message_append_basic(reply, 't', &value);
  } else if (name == "TimeLeft") {
    const std::uint64_t value = time_left();
    result = sd_bus_message_append_basic(reply, 't', &value);
  } else if (name == "StartTime") {
    const auto seconds = static_cast<std::uint64_t>(to_unix(started_));
    result = sd_bus_message_append_basic(reply, 't', &seconds);
  } else if (name == "StartedByUID") {
    result = sd_bus_message_append_basic(reply, 'u', &caller_.actor.uid);
  } else if (name == "Cancelable") {
    const int cancelable = has_ended() ? 0 : 1;
    result = sd_bus_message_append_basic(reply, 'b', &cancelable);
  } else if (name == "Result") {
    return bus::append_object(reply, result_ ? *result_ : Json::object());
  } else if (name == "ErrorName") {
    result = text(error_ ? std::string(info(error_->code).dbus) : "");
  } else if (name == "ErrorMessage") {
    const bool valid = error_ && is_valid_utf8(error_->message);
    result = text(!error_ ? "" : valid ? error_->message : quoted(error_->message));
  } else {
    result = text(error_ && is_valid_utf8(error_->hint) ? error_->hint : "");
  }
  if (result < 0) return bus::bus_error(result, "cannot write a property");
  return {};
}

// ---- Jobs ---------------------------------------------------------------------------------------

Jobs::~Jobs() = default;

Status Jobs::check_room(std::uint32_t uid, JobKind kind) const {
  std::vector<Place> taken;
  for (const auto& entry : jobs_) taken.push_back(entry.second->place());
  return check_place(taken, uid, kind);
}

Result<Job*> Jobs::create(std::string operation, const Caller& caller, Takes takes, JobKind kind) {
  RETURN_IF_ERROR(check_room(caller.actor.uid, kind));
  const Uuid id = Uuid::random();
  auto job = std::make_unique<Job>(*this, id, std::move(operation), caller, takes, kind);
  RETURN_IF_ERROR(job->track_client());
  Job* created = job.get();
  jobs_.emplace(id, std::move(job));
  return created;
}

Job* Jobs::find(const Uuid& id) {
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : found->second.get();
}

Job* Jobs::find_path(std::string_view path) {
  const std::string prefix = std::string(bus::kJobPrefix) + "/";
  if (!path.starts_with(prefix)) return nullptr;
  const std::optional<Uuid> id = Uuid::from_text(path.substr(prefix.size()));
  Job* job = id ? find(*id) : nullptr;
  return job != nullptr && !job->is_abandoned() ? job : nullptr;
}

void Jobs::remove(const Uuid& id) {
  Job* job = find(id);
  if (job == nullptr) return;
  if (job->has_ended()) {
    jobs_.erase(id);
  } else {
    job->abandon();
  }
}

void Jobs::ended(const Uuid& id, Result<Json> result) {
  loop_.post([this, id, outcome = std::move(result)]() mutable {
    Job* job = find(id);
    if (job == nullptr) return;
    job->end(std::move(outcome));
    if (job->is_abandoned()) jobs_.erase(id);
    store_.nudge();  // a lease may have ended, and somebody may wait for that
  });
}

void Jobs::consumed(const Uuid& id) {
  loop_.post([this, id] {
    if (Job* job = find(id)) job->answer_waiting();
  });
}

void Jobs::cancel_all() {
  for (const auto& entry : jobs_) entry.second->cancel();
}

bool Jobs::all_ended() const {
  return std::all_of(jobs_.begin(), jobs_.end(),
                     [](const auto& entry) { return entry.second->has_ended(); });
}

}  // namespace aierase::daemon
