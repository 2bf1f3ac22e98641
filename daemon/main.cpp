// aierased: the composition root.

#include <errno.h>
#include <sys/resource.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "base/build_id.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/log.h"
#include "bus/names.h"
#include "bus/notify.h"
#include "crypto/primitives.h"
#include "daemon/audit_post.h"
#include "daemon/caller.h"
#include "daemon/config.h"
#include "daemon/host_clock.h"
#include "daemon/jobs.h"
#include "daemon/journal_events.h"
#include "daemon/journal_sink.h"
#include "daemon/methods.h"
#include "daemon/options.h"
#include "daemon/self_test.h"
#include "daemon/service.h"
#include "daemon/side_thread.h"
#include "view/session.h"

namespace aierase::daemon {
namespace {

constexpr std::chrono::seconds kLookForDue{30};          // while plans wait: grace that ends
constexpr std::chrono::seconds kLookAtAll{600};          // people.toml, approvals that end
constexpr std::chrono::seconds kFlushAudit{5};           // of calls that no commit took along
constexpr std::chrono::milliseconds kJobsMayTake{5000};  // at the end, for jobs to let go

// Imports and exports, sixteen of users and as many of root, hold some seventy descriptors each, of
// their clients and of blobs; the usual soft limit of 1,024 is for programs that still use
// select(2).
void raise_limit_of_open_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::string machine_id_digest(Env& env) {
  const Result<Bytes> id = aierase::read_file(env, "/etc/machine-id", 4096);
  if (!id.ok() || id->size() < 32) return {};
  return to_hex(crypto::sha256(ByteView(*id).first(32)));
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

lifecycle::StoreSettings settings_of(const Options& options, Env& env, const Clock& clock,
                                     const Enrolment& people, std::vector<std::string> findings) {
  lifecycle::StoreSettings settings;
  settings.env = &env;
  settings.clock = &clock;
  settings.directory = options.store;
  settings.host.host = host_name();
  settings.host.machine_id_digest = machine_id_digest(env);
  settings.host.tool_version = tool_version();
  settings.host.tool_build = build_id();
  settings.host.findings = std::move(findings);
  settings.find_custodians = [&people](const std::vector<std::string>& names) {
    return people.custodians(names);
  };
  settings.enrolled = [&people] { return people.all(); };
  settings.person_of = [&people](std::uint32_t uid) { return people.entry_of(uid); };
  settings.person_today = [&people](const domain::Actor& then,
                                    const std::optional<std::string>& key) {
    return people.today(then, key);
  };
  return settings;
}

Status own_name(sd_bus* bus) {
  const int owned = sd_bus_request_name(bus, bus::kService, 0);
  if (owned == -EEXIST) {
    return make_error(Errc::busy,
                      std::string("the name ") + bus::kService + " is taken on this bus",
                      "another aierased serves it");
  }
  if (owned < 0) return bus::bus_error(owned, std::string("cannot own ") + bus::kService);
  return {};
}

// Everything on the bus, in the order in which it must live and die.
class Daemon {
 public:
  Daemon(Loop& loop, SideThread& side, bus::BusPtr bus, std::unique_ptr<StoreSession> session,
         AuditPost& audit, Env& env, const Enrolment& people, std::uint64_t store_device)
      : loop_(loop),
        side_(side),
        bus_(std::move(bus)),
        audit_(audit),
        store_(loop, std::move(session), audit, listeners()),
        authority_(bus_.get()),
        jobs_(loop, bus_.get(), store_, audit, env, store_device),
        service_(store_, authority_, jobs_, audit, people) {}

  ~Daemon() {
    audit_.on_waiting({});
    side_.on_done({});
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  Status start() {
    // A bus that goes away ends the loop: without it nobody can ask for anything.
    sd_bus_set_exit_on_disconnect(bus_.get(), 1);
    RETURN_IF_ERROR(add_manager(bus_.get(), service_, slots_));
    RETURN_IF_ERROR(add_asset(bus_.get(), service_, slots_));
    RETURN_IF_ERROR(add_plan(bus_.get(), service_, slots_));
    RETURN_IF_ERROR(add_hold(bus_.get(), service_, slots_));
    RETURN_IF_ERROR(add_policy(bus_.get(), service_, slots_));
    RETURN_IF_ERROR(add_certificate(bus_.get(), service_, slots_));
    RETURN_IF_ERROR(add_log(bus_.get(), service_, slots_));
    RETURN_IF_ERROR(add_jobs(bus_.get(), jobs_, slots_));
    const int attached = sd_bus_attach_event(bus_.get(), loop_.event(), SD_EVENT_PRIORITY_NORMAL);
    if (attached < 0) return bus::bus_error(attached, "cannot serve the bus");
    RETURN_IF_ERROR(start_timers());
    store_.start();
    RETURN_IF_ERROR(own_name(bus_.get()));
    return {};
  }

  Status start_timers() {
    ASSIGN_OR_RETURN(look_, Timer::create(loop_, [this] {
                       look_->start_within(kLookAtAll);
                       store_.nudge();
                     }));
    ASSIGN_OR_RETURN(flush_, Timer::create(loop_, [this] {
                       if (!audit_.wants_flush()) return;
                       flush_->start_within(kFlushAudit);
                       store_.flush_audit();
                     }));
    if (const auto within = bus::watchdog_time()) {
      const auto third = std::chrono::duration_cast<std::chrono::seconds>(*within / 3);
      ASSIGN_OR_RETURN(watchdog_, Timer::create(loop_, [this, third] {
                         watchdog_->start_within(third);
                         tell_whether_alive();
                       }));
      watchdog_->start_within(third);
    }
    audit_.on_waiting([this] { flush_->start_within(kFlushAudit); });
    side_.on_done([this] { store_.nudge(); });
    look_->start_within(kLookForDue);
    return {};
  }

  // The loop's own life proves little: what counts is that the thread of the store gets on. A full
  // queue takes no nudge, but then there is progress without it.
  void tell_whether_alive() {
    if (store_.progress() != seen_progress_) bus::notify_alive();
    seen_progress_ = store_.progress();
    store_.nudge();
  }

  // Nobody's call and no job notices.
  void take_over(const Config& config) {
    StoreThread::Act act = [config](StoreSession& session) {
      session.take_over(config);
      return StoreThread::Then();
    };
    const Status posted = store_.post(std::move(act));
    if (!posted.ok())
      log_error(posted.error(), "the configuration stays as it was",
                {field_of(kConfigurationRefused)});
  }

  // False where a job's thread is stuck in a call of the caller's file system: such a thread
  // cannot be joined.
  bool stop() {
    bus::notify_stopping();
    jobs_.cancel_all();
    const bool ended = loop_.drain([this] { return jobs_.all_ended(); }, kJobsMayTake);
    store_.stop();
    sd_bus_flush(bus_.get());
    return ended;
  }

 private:
  StoreThread::Listeners listeners() {
    return {[this](std::vector<std::string> ids) {
              look_->start_within(kLookForDue);
              emit_changes(bus_.get(), ids);
            },
            [this](std::vector<std::int64_t> numbers) { emit_notices(bus_.get(), numbers); },
            [this](StoreThread::Waiting what) {
              if (what == StoreThread::Waiting::something) look_->start_within(kLookForDue);
            },
            [this] { flush_->start_within(kFlushAudit); },
            [this](Error error) {
              log_error(error, "the store stops", {field_of(kStoreStops)});
              loop_.stop(1);
            }};
  }

  Loop& loop_;
  SideThread& side_;
  bus::BusPtr bus_;
  AuditPost& audit_;
  StoreThread store_;
  Authority authority_;
  Jobs jobs_;
  Service service_;
  Slots slots_;
  std::unique_ptr<Timer> look_;   // for what is due
  std::unique_ptr<Timer> flush_;  // of the audit
  std::unique_ptr<Timer> watchdog_;
  std::uint64_t seen_progress_ = 0;
};

Result<Config> read_config(Env& env, const Options& options) {
  return load_config(env, options.config.value_or(kDefaultConfig),
                     options.config ? Absence::refused : Absence::allowed);
}

// What is wrong leaves everything as it was. The rule for swap belongs to the start.
void reload(Env& env, const Options& options, Enrolment& people, Daemon& daemon) {
  const Result<Config> config = read_config(env, options);
  if (!config.ok()) {
    return log_error(config.error(), "the configuration stays as it was",
                     {field_of(kConfigurationRefused)});
  }
  people.move_to(config->people);
  daemon.take_over(*config);
  log(LogLevel::notice, "the configuration was read again");
}

Result<int> serve(const Options& options) {
  PosixEnv env;
  const SystemClock clock;
  ASSIGN_OR_RETURN(const Config config, read_config(env, options));
  ASSIGN_OR_RETURN(std::vector<std::string> findings, self_test(config));
  for (const std::string& finding : findings) log(LogLevel::warning, finding);
  RETURN_IF_ERROR(Loop::block_signals());
  raise_limit_of_open_files();
  RETURN_IF_ERROR(view::Session::prepare_process());
  lifecycle::Store::prepare_process();

  AuditPost audit(clock);
  const HostClock host_clock;  // the store's: it may wait for an answer
  Enrolment people(env, config.people);
  if (const Status usable = people.check(); !usable.ok()) {
    log_error(usable.error(), "nobody decides before it is mended", {field_of(kPeopleUnusable)});
  }
  lifecycle::StoreSettings settings =
      settings_of(options, env, host_clock, people, std::move(findings));
  settings.audit = &audit.trail();
  ASSIGN_OR_RETURN(const std::unique_ptr<Loop> loop, Loop::create());
  SideThread side(*loop);
  settings.aside = [&side](std::function<void()> work) { side.run(std::move(work)); };
  settings.tpm.tcti = config.tpm;
  settings.coalesce = config.coalesce;
  const auto keeper = std::getenv("NOTIFY_SOCKET") != nullptr
                          ? StoreSession::Keeper::service_manager
                          : StoreSession::Keeper::nobody;
  auto session = std::make_unique<StoreSession>(std::move(settings), config, keeper);
  RETURN_IF_ERROR(session->start());
  ASSIGN_OR_RETURN(const std::optional<FileInfo> directory, env.stat(options.store));
  const std::string summary = session->standing();
  const std::optional<Error> fault = session->fault();
  if (fault && session->must_stop()) return *fault;

  ASSIGN_OR_RETURN(bus::BusPtr bus, bus::open_bus(options.bus));
  Daemon daemon(*loop, side, std::move(bus), std::move(session), audit, env, people,
                directory ? directory->device : 0);
  RETURN_IF_ERROR(daemon.start());
  loop->on_hangup([&] { reload(env, options, people, daemon); });
  if (fault) log_error(*fault, "the store cannot be opened", {field_of(kStoreUnusable)});
  log(LogLevel::notice, "ready: " + summary,
      {field_of(kReady), {"AIERASE_STORE", options.store}, {"AIERASE_VERSION", tool_version()}});
  bus::notify_ready(summary);

  const int code = loop->run();
  if (!daemon.stop()) {
    log(LogLevel::warning,
        "a job hangs in a file system of its caller; `aierase check` removes what it wrote");
    _exit(code);
  }
  log(LogLevel::notice, "ended");
  return code;
}

int run(int argc, char** argv) {
  const Result<Options> options = parse_options(argc, argv);
  if (!options.ok()) {
    std::fprintf(stderr, "aierased: %s\nhint: %s\n", options.error().message.c_str(),
                 options.error().hint.c_str());
    return info(options.error().code).exit_code;
  }
  if (options->print) {
    std::fputs(options->print->c_str(), stdout);
    return 0;
  }
  start_log("aierased", options->log_level, journal_sink());
  const Result<int> code = serve(*options);
  if (code.ok()) return *code;
  log_error(code.error(), "aierased cannot run");
  return info(code.error().code).exit_code;
}

}  // namespace
}  // namespace aierase::daemon

int main(int argc, char** argv) {
  try {
    return aierase::daemon::run(argc, argv);
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "aierased: %s\n", fault.what());
    return 1;
  }
}
