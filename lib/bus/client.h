// The client's side of org.aierase1: calls, jobs and change signals over one connection.
//
// Contract: single-threaded and synchronous. A call waits without time limit (a password prompt may
// be open), but ends with Errc::unreachable when the daemon goes away and with Errc::cancelled when
// the interrupt descriptor becomes readable. Results are JSON objects as read by the bridge.
// Descriptors are borrowed: the caller keeps and closes them. Specified in: org.aierase1(5).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "bus/json_bridge.h"

namespace aierase::bus {

enum class Prompting { allowed, never };  // never: the daemon's polkit may not ask for a password

struct ClientSettings {
  std::string bus = "system";  // "system", "session" or a D-Bus address
  std::string host;            // USER@HOST: its system bus through ssh; no descriptors travel there
  Prompting prompting = Prompting::allowed;
  int interrupt = -1;  // readable: the person pressed Ctrl-C
};

struct PassedFile {  // h
  int descriptor = -1;
};
struct NamedFile {
  std::string path;  // in the asset, or "key"
  int descriptor = -1;
};
struct Options {                        // a{sv}
  std::shared_ptr<const Json> values;   // an object; none: empty
  std::vector<DescriptorOption> files;  // options of type h
  Options() = default;
  Options(const Json& object);  // NOLINT: implicit by design
};
// s, as, h, a{sv}
using Argument = std::variant<std::string, std::vector<std::string>, PassedFile, Options>;

struct JobProgress {
  std::string state;  // collecting, running, done, failed, cancelled
  double progress = 0;
  std::uint64_t bytes = 0;
};

class Job;

class Client {
 public:
  // Errc::unreachable where there is no bus or (first call) no daemon.
  static Result<Client> connect(ClientSettings settings);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  // The answer's a{sv}; an empty object where the method answers nothing.
  Result<Json> call(const char* interface, const char* method,
                    const std::vector<Argument>& arguments);
  // For methods that answer with a job. The client must outlive the job.
  Result<Job> start(const char* interface, const char* method,
                    const std::vector<Argument>& arguments);

  // From here on Manager.Changed is noticed. To be called before looking at the state to wait for.
  Status watch_changes();
  // The ids that changed since the last call; waits for the first one, at most `timeout`
  // (none: for ever). Empty: the time is over.
  Result<std::vector<std::string>> wait_for_changes(
      std::optional<std::chrono::milliseconds> timeout);

 private:
  friend class Job;
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class Job {
 public:
  Job(Job&&) noexcept = default;
  Job& operator=(Job&&) noexcept = default;

  const std::string& path() const { return path_; }
  // At most limits::kDescriptorsPerCall a call. Returns once the call is on its way: the answer is
  // waited for by the next add_files(), or by commit(). So the caller may fill a pipe that it has
  // just passed, and never runs more than one batch ahead.
  Status add_files(std::span<const NamedFile> files);
  Status commit();  // no more files
  Status cancel();  // not stopped by the interrupt descriptor
  Status release();
  // Until the job has ended: its Result, or its error. `on_progress` is called a few times a
  // second.
  Result<Json> wait(const std::function<void(const JobProgress&)>& on_progress = {});

 private:
  friend class Client;
  Job(Client::Impl& client, std::string path) : client_(&client), path_(std::move(path)) {}
  Client::Impl* client_;
  std::string path_;
};

}  // namespace aierase::bus
