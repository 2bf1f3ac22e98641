// How the store grows: ready, status, a nightly run under a new policy and one that finds nothing,
// erase of one asset and of 10,000 that such a run finds due, and memory, for a thousand to a
// million assets.
//
// A plan is compared with what this machine takes for what no implementation can leave out: one
// Ed25519 signature over each statement, and the unlinking of each blob.
//
// Every size is built by one child process and measured by another, so that no row knows the cache
// or the peak memory of the one before. One erase is compared with the time that this disk takes,
// right after it, for as many synced writes of 4 KiB as that erase waited for.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/json.h"
#include "bench/scale_store.h"
#include "bench/sync_count.h"
#include "blob/asset_writer.h"
#include "crypto/signature.h"
#include "lifecycle/enforcing.h"

namespace aierase::bench {
namespace {

using lifecycle::Store;

double seconds_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

rusage usage_now() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage;
}

// Peak memory of this process, in MiB.
double peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, 6, "VmHWM:") == 0) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  }
  return 0;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

// What this machine takes for `count` synced writes, in a file that is there already.
class Machine {
 public:
  explicit Machine(const std::string& path)
      : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)), page_(4096, 'x') {
    for (int page = 0; page < kPages; ++page) write(page);
    ::fsync(fd_);
  }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine() { ::close(fd_); }

  double synced_writes(std::uint64_t count) {
    const double start = seconds_now();
    for (std::uint64_t i = 0; i < count; ++i) {
      write(static_cast<int>(i % kPages));
      ::fdatasync(fd_);
    }
    return seconds_now() - start;
  }

 private:
  static constexpr int kPages = 64;
  void write(int page) {
    if (::pwrite(fd_, page_.data(), page_.size(), page * 4096) != 4096) std::abort();
  }

  int fd_;
  std::string page_;
};

// The clock of this machine, set ahead: what is due in two days need not be waited for.
class AheadClock final : public Clock {
 public:
  ClockReading read() const override {
    ClockReading reading = SystemClock().read();
    reading.wall += ahead_;
    reading.since_boot += ahead_;
    reading.synchronised = true;
    return reading;
  }
  void advance(std::chrono::seconds by) { ahead_ += by; }

 private:
  std::chrono::seconds ahead_{0};
};

struct Spent {
  double wall = 0, user = 0, system = 0;
};

class Meter {
 public:
  Spent spent() const {
    const rusage now = usage_now();
    return {seconds_now() - wall_, seconds_of(now.ru_utime) - seconds_of(usage_.ru_utime),
            seconds_of(now.ru_stime) - seconds_of(usage_.ru_stime)};
  }

 private:
  double wall_ = seconds_now();
  rusage usage_ = usage_now();
};

Json to_json(const Spent& spent) {
  return {{"wall_s", spent.wall},
          {"cpu_s", spent.user + spent.system},
          {"user_s", spent.user},
          {"system_s", spent.system}};
}

Status execute(Store& store) {
  while (true) {
    ASSIGN_OR_RETURN(const bool more, store.execute_due());
    if (!more) return {};
  }
}

Result<lifecycle::PlanView> retire(Store& store, const std::vector<Uuid>& assets) {
  lifecycle::RetireRequest request;
  request.actor = operator_actor();
  request.assets = assets;
  request.timing = domain::Timing::now;
  request.reason = "measured";
  return store.retire(request);
}

Status approve(Store& store, const lifecycle::PlanView& view) {
  const auto approved = store.approve(operator_actor(), view.plan.id, to_hex(view.plan.digest));
  return approved.ok() ? Status() : Status(approved.error());
}

Status erase(Store& store, const std::vector<Uuid>& assets) {
  ASSIGN_OR_RETURN(const lifecycle::PlanView view, retire(store, assets));
  RETURN_IF_ERROR(approve(store, view));
  return execute(store);
}

Status measure_singles(Store& store, Machine& machine, const std::vector<Uuid>& singles,
                       Json& row) {
  std::vector<double> erases, references, counts;
  for (const Uuid& asset : singles) {
    const std::uint64_t before = syncs();
    const Meter meter;
    RETURN_IF_ERROR(erase(store, {asset}));
    erases.push_back(meter.spent().wall);
    const std::uint64_t count = syncs() - before;
    counts.push_back(static_cast<double>(count));
    references.push_back(machine.synced_writes(count));
  }
  row["erase_one_s"] = median(erases);
  row["erase_one_syncs"] = median(counts);
  row["synced_writes_s"] = median(references);
  row["erase_one_ratio"] = median(erases) / median(references);
  return {};
}

Result<lifecycle::EnforceReport> enforce(Store& store) {
  lifecycle::EnforceRun run(store, {operator_actor(), lifecycle::Persist::yes, std::nullopt});
  while (true) {
    ASSIGN_OR_RETURN(const bool more, run.step());
    if (!more) return run.report();
  }
}

// Under a policy that has just come into force, and once more: 10,000 logs will be due in two days.
Status measure_nights(Store& store, Json& row) {
  lifecycle::PolicyRequest request;
  request.actor = operator_actor();
  request.reason = "measured";
  request.files = {{"rules.toml",
                    "[class.default]\ngrace = \"0 days\"\n"
                    "[class.research]\nmatch = [\"label.team=research\"]\n"
                    "erase-after = \"12 months\"\ngrace = \"0 days\"\n"
                    "[class.logs]\nmatch = [\"label.purpose=log\"]\n"
                    "erase-after = \"2 days\"\ngrace = \"0 days\"\n"
                    "[brake]\nitems = 10000\npercent = 100\n"}};
  const auto loaded = store.load_policy(request);
  if (!loaded.ok()) return loaded.error();
  Meter meter;
  ASSIGN_OR_RETURN(const lifecycle::EnforceReport first, enforce(store));
  row["new_policy"] = to_json(meter.spent());
  row["new_policy_looked_at"] = first.looked_at;
  meter = Meter();
  ASSIGN_OR_RETURN(const lifecycle::EnforceReport second, enforce(store));
  row["nothing_due"] = to_json(meter.spent());
  if (second.looked_at != 0) return make_error(Errc::unexpected, "something was to be looked at");
  return {};
}

// The machine's own share of a plan: as many signatures over a statement of that size, and as many
// blobs unlinked from their folders.
Status measure_floor(const std::string& directory, std::size_t items, std::size_t statement_bytes,
                     Json& row) {
  const std::string blobs = directory + "/floor";
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < items; ++i) {
    const Uuid id = Uuid::random();
    RETURN_IF_ERROR(write_blob(blobs, id));
    paths.push_back(blob::blob_path(blobs, id));
  }
  std::sort(paths.begin(), paths.end());
  ::sync();
  ASSIGN_OR_RETURN(const crypto::SigningKey key, crypto::SigningKey::generate());
  const std::string statement(statement_bytes, 'x');
  Meter meter;
  for (std::size_t i = 0; i < items; ++i) RETURN_IF_ERROR(key.sign(as_bytes(statement)));
  row["floor_sign"] = to_json(meter.spent());
  meter = Meter();
  for (const std::string& path : paths) {
    if (::unlink(path.c_str()) != 0) return make_error(Errc::io, "cannot unlink " + path);
  }
  row["floor_unlink"] = to_json(meter.spent());
  return {};
}

Status measure_plan(Store& store, const std::vector<Uuid>& assets, AheadClock& clock,
                    const std::string& directory, Json& row) {
  clock.advance(std::chrono::hours(49));
  const Meter whole;
  Meter phase;
  ASSIGN_OR_RETURN(const lifecycle::EnforceReport report, enforce(store));
  row["plan_enforce"] = to_json(phase.spent());
  if (report.plans.size() != 1) return make_error(Errc::unexpected, "no plan was made");
  ASSIGN_OR_RETURN(const lifecycle::PlanView view, store.show_plan(report.plans.front()));
  clock.advance(std::chrono::seconds(2));
  phase = Meter();
  RETURN_IF_ERROR(approve(store, view));
  row["plan_approve"] = to_json(phase.spent());
  phase = Meter();
  const std::uint64_t before = syncs();
  RETURN_IF_ERROR(execute(store));
  row["plan_execute"] = to_json(phase.spent());
  row["plan_execute_syncs"] = syncs() - before;
  row["plan"] = to_json(whole.spent());
  row["plan_items"] = view.plan.items.size();
  if (view.plan.items.size() != assets.size()) {
    return make_error(Errc::unexpected, "the run did not find what is due");
  }
  ASSIGN_OR_RETURN(const lifecycle::PlanView end, store.show_plan(view.plan.id));
  if (end.plan.state != domain::PlanState::done) {
    return make_error(Errc::unexpected, "the plan did not come to its end");
  }
  const std::optional<Uuid>& certificate = end.plan.items.front().certificate;
  if (!certificate) return make_error(Errc::unexpected, "an erased item has no certificate");
  ASSIGN_OR_RETURN(const catalog::CertificateRow issued, store.show_certificate(*certificate));
  return measure_floor(directory, assets.size(), issued.statement.size(), row);
}

// What a person who loads a policy waits for: every living asset decided twice.
Status measure_sweep(Store& store, Json& row) {
  lifecycle::PolicyRequest request;
  request.actor = operator_actor();
  request.files = {{"rules.toml",
                    "[class.research]\nmatch = [\"label.team=research\"]\n"
                    "retain-for = \"6 months\"\nerase-after = \"12 months\"\n"
                    "[class.some]\nmatch = [\"name=org/model-9*\"]\nerase-after = \"2 years\"\n"
                    "[class.others]\nmatch = [\"custodian=nobody\"]\napprovals = 2\n"}};
  request.persist = lifecycle::Persist::dry_run;
  const Meter meter;
  ASSIGN_OR_RETURN(const lifecycle::PolicyReport report, store.load_policy(request));
  row["sweep"] = to_json(meter.spent());
  row["swept"] = report.assets;
  return {};
}

std::vector<Uuid> read_ids(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<Uuid> ids;
  Uuid id;
  while (file.read(reinterpret_cast<char*>(id.bytes.data()), 16)) ids.push_back(id);
  return ids;
}

void write_ids(const std::string& path, const std::vector<Uuid>& ids) {
  std::ofstream file(path, std::ios::binary);
  for (const Uuid& id : ids) file.write(reinterpret_cast<const char*>(id.bytes.data()), 16);
}

Status build(const std::string& directory, std::size_t assets) {
  CountingEnv env;
  const SystemClock clock;
  ASSIGN_OR_RETURN(const Chosen chosen, build_store(settings_in(env, clock, directory),
                                                    directory + "/slot/slot", assets));
  write_ids(directory + "/singles", chosen.singles);
  write_ids(directory + "/in-plan", chosen.in_plan);
  ::sync();
  return {};
}

Status measure(const std::string& directory, std::size_t assets) {
  CountingEnv env;
  AheadClock clock;
  const lifecycle::StoreSettings settings = settings_in(env, clock, directory);
  Json row{{"assets", assets}};
  Meter meter;
  ASSIGN_OR_RETURN(std::unique_ptr<File> lock, Store::lock(settings));
  ASSIGN_OR_RETURN(const auto store, Store::open(settings, std::move(lock), std::nullopt));
  row["ready_s"] = meter.spent().wall;
  meter = Meter();
  ASSIGN_OR_RETURN(const lifecycle::StatusReport report, store->status());
  row["status_s"] = meter.spent().wall;
  if (report.state.next_leaf != assets) return make_error(Errc::unexpected, "assets are missing");
  RETURN_IF_ERROR(measure_sweep(*store, row));
  Machine machine(directory + "/machine");
  RETURN_IF_ERROR(measure_singles(*store, machine, read_ids(directory + "/singles"), row));
  const auto confirmed = store->confirm_clock(operator_actor());
  if (!confirmed.ok()) return confirmed.error();
  RETURN_IF_ERROR(measure_nights(*store, row));
  row["peak_mib_before_plan"] = peak_memory();
  RETURN_IF_ERROR(measure_plan(*store, read_ids(directory + "/in-plan"), clock, directory, row));
  row["peak_mib"] = peak_memory();
  std::ofstream(directory + "/row.json") << row.dump();
  return {};
}

// Runs `work` in a child; what it complains about goes to standard error.
bool in_child(const std::function<Status()>& work) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const Status done = work();
    if (!done.ok()) std::fprintf(stderr, "bench_scale: %s\n", done.error().message.c_str());
    std::fflush(nullptr);
    ::_exit(done.ok() ? 0 : 1);
  }
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

void print_head() {
  std::printf("%9s %9s %9s %8s %8s %8s %10s %6s %10s %6s | %6s %8s %8s %8s %8s %8s %6s %8s | %7s\n",
              "assets", "ready", "status", "load", "new pol.", "nothing", "erase one", "syncs",
              "synced", "ratio", "items", "enforce", "approve", "execute", "CPU", "floor", "ratio",
              "wall", "peak");
  std::printf("%9s %9s %9s %8s %8s %8s %10s %6s %10s %6s | %6s %8s %8s %8s %8s %8s %6s %8s | %7s\n",
              "", "ms", "ms", "s", "s", "ms", "ms", "", "ms", "", "", "CPU s", "CPU s", "CPU s",
              "s", "CPU s", "", "s", "MiB");
}

void print_row(const Json& row) {
  const auto number = [&](const char* name) { return row.at(name).get<double>(); };
  const auto cpu = [&](const char* name) { return row.at(name).at("cpu_s").get<double>(); };
  const auto wall = [&](const char* name) { return row.at(name).at("wall_s").get<double>(); };
  const double floor = cpu("floor_sign") + cpu("floor_unlink");
  std::printf(
      "%9.0f %9.2f %9.3f %8.3f %8.3f %8.1f %10.2f %6.0f %10.2f %6.2f | %6.0f %8.3f %8.3f %8.3f "
      "%8.3f %8.3f %6.2f %8.2f | %7.1f\n",
      number("assets"), number("ready_s") * 1e3, number("status_s") * 1e3, wall("sweep"),
      wall("new_policy"), wall("nothing_due") * 1e3, number("erase_one_s") * 1e3,
      number("erase_one_syncs"), number("synced_writes_s") * 1e3, number("erase_one_ratio"),
      number("plan_items"), cpu("plan_enforce"), cpu("plan_approve"), cpu("plan_execute"),
      cpu("plan"), floor, cpu("plan") / floor, wall("plan"), number("peak_mib"));
  std::fflush(stdout);
}

struct Options {
  std::size_t smallest = 1'000;
  std::size_t largest = 100'000;
  std::string directory = ".";
  std::string json;
};

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 == argc) return std::nullopt;
    const std::string value = argv[i + 1];
    if (name == "--max") {
      options.largest = std::strtoull(value.c_str(), nullptr, 10);
    } else if (name == "--min") {
      options.smallest = std::strtoull(value.c_str(), nullptr, 10);
    } else if (name == "--dir") {
      options.directory = value;
    } else if (name == "--json") {
      options.json = value;
    } else {
      return std::nullopt;
    }
  }
  return options;
}

int run(const Options& options) {
  Json rows = Json::array();
  print_head();
  for (std::size_t assets = 1'000; assets <= options.largest; assets *= 10) {
    if (assets < options.smallest) continue;
    const std::string directory = options.directory + "/bench-scale-" + std::to_string(::getpid());
    std::filesystem::create_directories(directory);
    const bool good = in_child([&] { return build(directory, assets); }) &&
                      in_child([&] { return measure(directory, assets); });
    if (good) {
      std::ifstream file(directory + "/row.json");
      rows.push_back(Json::parse(file));
    }
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
    if (!good) return 1;
    print_row(rows.back());
  }
  if (!options.json.empty()) std::ofstream(options.json) << rows.dump(2) << '\n';
  return 0;
}

}  // namespace
}  // namespace aierase::bench

int main(int argc, char** argv) {
  const auto options = aierase::bench::parse(argc, argv);
  if (!options) {
    std::fprintf(stderr,
                 "usage: bench_scale [--dir DIRECTORY] [--min ASSETS] [--max ASSETS] "
                 "[--json FILE]\n");
    return 2;
  }
  return aierase::bench::run(*options);
}
