// The command line of aierased.
//
// Contract: pure apart from printing --help and --version. Specified in: aierased(8).
#pragma once

#include <optional>
#include <string>

#include "base/log.h"
#include "base/result.h"

namespace aierase::daemon {

struct Options {
  std::string bus = "system";
  std::string store = "/var/lib/aierase";
  std::optional<std::string> config;  // none: the default file, if it is there
  LogLevel log_level = LogLevel::info;
  std::optional<std::string> print;  // --help or --version: print this and exit 0
};

inline constexpr const char* kDefaultConfig = "/etc/aierase/aierased.toml";

Result<Options> parse_options(int argc, char** argv);
std::string tool_version();  // "0.1.0"

}  // namespace aierase::daemon
