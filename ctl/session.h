// One call of the program: what was typed, where answers go, and the daemon behind them.
//
// Contract: one thread; the bus is opened at the first call, so offline verbs never touch it. Calls
// wait without a time-out (a person may be typing a password) but end with Errc::cancelled on
// SIGINT. Errors are those of the daemon, with its hints. Specified in: org.aierase1(5).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "bus/client.h"
#include "ctl/agent.h"
#include "ctl/arguments.h"
#include "ctl/output.h"

namespace aierase::ctl {

using JobFile = bus::NamedFile;  // path in the asset, descriptor (stays the caller's)
using OnBytes = std::function<void(std::uint64_t bytes)>;

// A job of the daemon. Cancelled by the destructor unless wait() saw its end.
class Job {
 public:
  explicit Job(bus::Job job) : job_(std::move(job)) {}
  Job(Job&& other) noexcept
      : job_(std::move(other.job_)), open_(std::exchange(other.open_, false)) {}
  Job& operator=(Job&&) = delete;
  ~Job();

  // At most 16; on its way when this returns, so a pipe that was passed may be filled at once.
  Status add_files(const std::vector<JobFile>& files);
  Status commit();
  // Until the job has ended: its result, or its error.
  Result<Json> wait(const OnBytes& on_bytes);

 private:
  bus::Job job_;
  bool open_ = true;
};

// Arguments of a call before the options, in order.
struct CallArguments {
  std::vector<std::string> texts;                    // s each
  std::optional<std::vector<std::string>> names;     // then as
  std::optional<std::vector<std::string>> contents;  // then as, one for each name
  int descriptor = -1;                               // then h
};

class Session {
 public:
  Session(CommandLine line, Output& out);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const CommandLine& line() const { return line_; }
  const Arguments& arguments() const { return line_.arguments; }
  const std::string& operand(std::size_t index) const { return line_.arguments.operands()[index]; }
  Output& out() { return out_; }

  // `noun` is the interface without its prefix: "Asset".
  Result<Json> call(std::string_view noun, std::string_view method, CallArguments arguments,
                    const Json& options);
  // As call(), with a descriptor as one of the options.
  Result<Json> call_with_option(std::string_view noun, std::string_view method, const Json& options,
                                std::string_view key, int descriptor);
  // `files` are options, too; their descriptors stay the caller's.
  Result<Job> start(std::string_view noun, std::string_view method, CallArguments arguments,
                    const Json& options, std::vector<bus::DescriptorOption> files = {});
  // Changes are noticed from here on; to be called before looking at what to wait for.
  Status watch_changes();
  // Returns when something changed, or when the time is over.
  Status wait_for_change(std::optional<std::chrono::milliseconds> timeout);

 private:
  Result<bus::Client*> client();

  CommandLine line_;
  Output& out_;
  Agent agent_;
  std::optional<bus::Client> client_;
};

// An answer that is either the object itself or has it under `key`.
Json unwrapped(Json answer, std::string_view key);

}  // namespace aierase::ctl
