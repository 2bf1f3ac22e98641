// A dbus-daemon of our own and the real aierased on it, for one test.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/unique_fd.h"
#include "bus/client.h"
#include "bus/handles.h"
#include "unit/support/temp_directory.h"

namespace aierase::bus_test {

// A child process; killed with its owner if it still runs.
class Child {
 public:
  Child() = default;
  Child(const std::vector<std::string>& command, const std::vector<std::string>& environment);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  int wait();  // exit code, or 128 + signal

 private:
  pid_t pid_ = -1;
};

class PrivateBus {
 public:
  PrivateBus();
  const std::string& address() const { return address_; }

 private:
  test::TempDirectory directory_;
  std::string address_;
  Child daemon_;
};

// Directories of one store, and aierased on them as often as a test starts it.
class RunningDaemon {
 public:
  RunningDaemon();

  void start();                                               // returns when it is ready
  int stop();                                                 // by SIGTERM; the exit code
  int run_second(const std::vector<std::string>& arguments);  // another one, to its end
  Child& process() { return process_; }

  bus::Client client() const;
  bus::BusPtr raw_client() const;
  const std::string& store() const { return store_; }
  const std::string& bus() const { return bus_.address(); }
  std::vector<std::string> blobs() const;  // files below STORE/blobs

 private:
  std::vector<std::string> command() const;

  PrivateBus bus_;
  test::TempDirectory directory_;
  std::string store_, config_;
  Child process_;
};

// A daemon whose single-operator store is made.
Json init(bus::Client& client);

// pipe2(2), both ends owned.
struct Pipe {
  Pipe();
  UniqueFd reader, writer;
};

// Imports one file of that content under the name; returns the asset.
Result<Json> import_text(bus::Client& client, const std::string& name, const std::string& content,
                         bus::Options options = {});

}  // namespace aierase::bus_test
