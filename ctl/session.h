// One call of the program: what was typed, where answers go, and the daemon behind them.
//
// Contract: one thread; the bus is opened at the first call, so offline verbs never touch it. Calls
// wait without a time-out (a person may be typing a password) but end with Errc::cancelled on
// SIGINT. Errors are those of the daemon, with its hints. Specified in: org.aierase1(5).
#pragma once

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
#include "ctl/arguments.h"
#include "ctl/output.h"

namespace aierase::ctl {

using JobFile = std::pair<std::string, int>;  // path in the asset, descriptor (stays the caller's)
using OnBytes = std::function<void(std::uint64_t bytes)>;

// A job of the daemon. Cancelled by the destructor unless wait() saw its end.
class Job {
 public:
  struct Impl;
  explicit Job(std::unique_ptr<Impl> impl);
  Job(Job&&) noexcept;
  Job& operator=(Job&&) noexcept;
  ~Job();

  Status add_files(const std::vector<JobFile>& files);  // at most 16; returns when more may come
  Status commit();
  // Until the job has ended; its result, or its error.
  Result<Json> wait(const OnBytes& on_bytes);
  void cancel();

 private:
  std::unique_ptr<Impl> impl_;
};

// Arguments of a call before the options, in order.
struct CallArguments {
  std::vector<std::string> texts;                 // s each
  std::optional<std::vector<std::string>> names;  // then as
  int descriptor = -1;                            // then h
};

class Session {
 public:
  Session(CommandLine line, Output& out);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  const CommandLine& line() const { return line_; }
  const Arguments& arguments() const { return line_.arguments; }
  const std::string& operand(std::size_t index) const { return line_.arguments.operands()[index]; }
  Output& out() { return out_; }

  // `noun` is the interface without its prefix: "Asset".
  Result<Json> call(std::string_view noun, std::string_view method, CallArguments arguments,
                    const Json& options);
  // As call(), with a descriptor as one of the options.
  Result<Json> call_with_option(std::string_view noun, std::string_view method,
                                const Json& options, std::string_view key, int descriptor);
  Result<Job> start(std::string_view noun, std::string_view method, CallArguments arguments,
                    const Json& options);
  // Returns after the daemon said that something changed, or after `milliseconds`.
  Status wait_for_change(int milliseconds);

 private:
  struct Bus;
  Result<Bus*> bus();

  CommandLine line_;
  Output& out_;
  std::unique_ptr<Bus> bus_;
};

}  // namespace aierase::ctl
