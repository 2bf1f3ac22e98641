#include "bus/running_daemon.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "bus/names.h"

namespace aierase::bus_test {

extern "C" char** environ;

Child::Child(const std::vector<std::string>& command, const std::vector<std::string>& environment) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) variables.push_back(*entry);
  for (const std::string& entry : environment)
    variables.push_back(const_cast<char*>(entry.c_str()));
  variables.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    execvpe(arguments[0], arguments.data(), variables.data());
    _exit(127);
  }
}

Child::Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  return *this;
}
Child::~Child() {
  if (pid_ <= 0) return;
  signal(SIGKILL);
  wait();
}
void Child::signal(int number) const {
  kill(pid_, number);
}
int Child::wait() {
  int status = 0;
  waitpid(std::exchange(pid_, -1), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

PrivateBus::PrivateBus() {
  const std::string socket = directory_.path() + "/bus";
  const std::string config = directory_.path() + "/bus.conf";
  address_ = "unix:path=" + socket;
  std::ofstream(config) << R"(<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><keep_umask/><listen>)"
                        << address_ << R"(</listen><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
</policy><limit name="max_message_unix_fds">64</limit></busconfig>)";
  Pipe ready;
  const int inherited = fcntl(ready.writer.get(), F_DUPFD, 100);
  daemon_ = Child({"dbus-daemon", "--config-file=" + config, "--nofork", "--nopidfile",
                   "--print-address=" + std::to_string(inherited)},
                  {});
  close(inherited);
  ready.writer.reset();
  char line[256];
  EXPECT_GT(read(ready.reader.get(), line, sizeof line), 0) << "dbus-daemon did not start";
}

RunningDaemon::RunningDaemon()
    : store_(directory_.path() + "/store"), config_(directory_.path() + "/aierased.toml") {
  mkdir(store_.c_str(), 0700);
  std::ofstream(config_) << "slot = \"" << directory_.path() << "/root/slot\"\n"
                         << "tpm = \"swtpm:path=" << directory_.path() << "/no-tpm\"\n"
                         << "allow-unencrypted-swap = true\n";
}

std::vector<std::string> RunningDaemon::command() const {
  return {AIERASED,   "--bus", bus_.address(), "--store", store_,
          "--config", config_, "--log-level",  "warning"};
}

void RunningDaemon::start() {
  const std::string path = directory_.path() + "/notify";
  unlink(path.c_str());
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.c_str(), path.size() + 1);
  ASSERT_EQ(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  process_ = Child(command(), {"NOTIFY_SOCKET=" + path});
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, process_.pid(), 0)));
  pollfd waits[2] = {{socket.get(), POLLIN, 0}, {process.get(), POLLIN, 0}};
  ASSERT_GT(poll(waits, 2, -1), 0);
  char text[4096] = {};
  ASSERT_NE(waits[0].revents, 0) << "aierased ended with " << process_.wait();
  ASSERT_GT(recv(socket.get(), text, sizeof text - 1, 0), 0);
  ASSERT_NE(strstr(text, "READY=1"), nullptr) << text;
}

int RunningDaemon::stop() {
  process_.signal(SIGTERM);
  return process_.wait();
}

int RunningDaemon::run_second(const std::vector<std::string>& arguments) {
  std::vector<std::string> all = command();
  all.insert(all.end(), arguments.begin(), arguments.end());
  return Child(all, {}).wait();
}

bus::Client RunningDaemon::client() const {
  bus::ClientSettings settings;
  settings.bus = bus_.address();
  Result<bus::Client> client = bus::Client::connect(settings);
  if (!client.ok()) ADD_FAILURE() << client.error().message;
  return std::move(client).value();
}

bus::BusPtr RunningDaemon::raw_client() const {
  Result<bus::BusPtr> bus = bus::open_bus(bus_.address());
  if (!bus.ok()) ADD_FAILURE() << bus.error().message;
  return std::move(bus).value();
}

std::vector<std::string> RunningDaemon::blobs() const {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(store_ + "/blobs")) {
    if (entry.is_regular_file()) found.push_back(entry.path());
  }
  return found;
}

Pipe::Pipe() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  reader.reset(ends[0]);
  writer.reset(ends[1]);
}

Json init(bus::Client& client) {
  const Result<Json> status = client.call(bus::kManagerInterface, "Init",
                                          {bus::Options(Json{{"people_rule", "single-operator"}})});
  if (!status.ok()) {
    ADD_FAILURE() << status.error().message;
    return Json::object();
  }
  return *status;
}

Result<Json> import_text(bus::Client& client, const std::string& name, const std::string& content,
                         bus::Options options) {
  ASSIGN_OR_RETURN(bus::Job job,
                   client.start(bus::kAssetInterface, "Import", {name, std::move(options)}));
  Pipe pipe;
  const bus::NamedFile file{"weights.bin", pipe.reader.get()};
  RETURN_IF_ERROR(job.add_files({&file, 1}));
  pipe.reader.reset();
  // A daemon that takes no job closes its end, perhaps before this; what it says comes below.
  ::signal(SIGPIPE, SIG_IGN);
  const ssize_t put = write(pipe.writer.get(), content.data(), content.size());
  EXPECT_TRUE(put == static_cast<ssize_t>(content.size()) || (put < 0 && errno == EPIPE));
  pipe.writer.reset();
  RETURN_IF_ERROR(job.commit());
  ASSIGN_OR_RETURN(const Json result, job.wait());
  RETURN_IF_ERROR(job.release());
  return result;
}

}  // namespace aierase::bus_test
