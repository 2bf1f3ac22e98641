// Logging for programs: the library returns errors, the daemon logs once where an error stops.
//
// Contract: start_log() before the first line; lines go to standard error, or to the given sink
// (the daemon's journal sink, with structured fields). Fields have names like "AIERASE_ASSET"; a
// MESSAGE_ID is for the journal alone, and left out on standard error.
// Never pass a secret: SecretBytes has no formatter, by design.
#pragma once

#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace aierase {

enum class LogLevel { debug, info, notice, warning, error };
using LogField = std::pair<std::string_view, std::string>;

Result<LogLevel> parse_log_level(std::string_view text);
using LogSink = std::function<void(LogLevel, std::string_view message, std::span<const LogField>)>;

void start_log(std::string_view program, LogLevel threshold, LogSink sink = {});
void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});
void log(LogLevel level, std::string_view message, const std::vector<LogField>& fields);
void log_error(const Error& error, std::string_view what,
               std::initializer_list<LogField> fields = {});

}  // namespace aierase
