#include "base/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <array>
#include <memory>
#include <vector>

#include "base/json.h"

namespace aierase {
namespace {

constexpr std::size_t kFieldBytes = 1024;  // of one field in a line of the log

struct LevelRow {
  LogLevel level;
  std::string_view name;
  spdlog::level::level_enum colour;  // spdlog has no "notice"
};

constexpr std::array kLevels{
    LevelRow{LogLevel::debug, "debug", spdlog::level::debug},
    LevelRow{LogLevel::info, "info", spdlog::level::info},
    LevelRow{LogLevel::notice, "notice", spdlog::level::info},
    LevelRow{LogLevel::warning, "warning", spdlog::level::warn},
    LevelRow{LogLevel::error, "error", spdlog::level::err},
};

const LevelRow& row(LogLevel level) {
  return kLevels[static_cast<std::size_t>(level)];
}

std::shared_ptr<spdlog::logger> make_logger(std::string_view program) {
  // Colours only where standard error is a terminal.
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(spdlog::color_mode::automatic);
  auto logger = std::make_shared<spdlog::logger>(std::string(program), std::move(sink));
  logger->set_pattern("%^%v%$");
  logger->set_level(spdlog::level::trace);  // we decide by our own levels
  logger->flush_on(spdlog::level::trace);
  return logger;
}

struct LogState {
  LogLevel threshold = LogLevel::info;
  LogSink sink;
  std::shared_ptr<spdlog::logger> logger = make_logger("aierase");
};

// The only global state of the library; set once, before the first thread.
LogState& state() {
  static LogState the_state;
  return the_state;
}

// One line stays one line, whatever a hostile name contains.
std::string one_line(std::string_view text) {
  if (is_printable_utf8(text)) return std::string(text);
  std::string result;
  for (const char character : text) {
    const bool control = static_cast<unsigned char>(character) < 0x20 || character == 0x7F;
    result += control ? '?' : character;
  }
  return result;
}

std::string field_text(const std::string& value) {
  const bool plain = !value.empty() && is_printable_utf8(value) &&
                     value.find_first_of(" \"\\=") == std::string::npos;
  return plain ? value : quoted(value, kFieldBytes);
}

std::string line_of(LogLevel level, std::string_view message, std::span<const LogField> fields) {
  std::string line(row(level).name);
  line += ' ';
  line += one_line(message);
  for (const LogField& field : fields) {
    if (field.first == "MESSAGE_ID") continue;  // for the journal alone
    line += ' ';
    line += field.first;
    line += '=';
    line += field_text(field.second);
  }
  return line;
}

void write(LogLevel level, std::string_view message, std::span<const LogField> fields) {
  LogState& to = state();
  if (level < to.threshold) return;
  // A line that cannot be written must not stop the act that it reports.
  try {
    if (to.sink) {
      to.sink(level, message, fields);
    } else {
      to.logger->log(row(level).colour, line_of(level, message, fields));
    }
  } catch (const std::exception&) {
  }
}

}  // namespace

Result<LogLevel> parse_log_level(std::string_view text) {
  for (const LevelRow& known : kLevels) {
    if (known.name == text) return known.level;
  }
  return make_error(Errc::invalid_input, quoted(text) + " is no log level",
                    "Use debug, info, notice, warning or error.");
}

void start_log(std::string_view program, LogLevel threshold, LogSink sink) {
  LogState& to = state();
  to.threshold = threshold;
  to.sink = std::move(sink);
  to.logger = make_logger(program);
}

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  write(level, message, std::span<const LogField>(fields.begin(), fields.size()));
}

void log(LogLevel level, std::string_view message, const std::vector<LogField>& fields) {
  write(level, message, fields);
}

void log_error(const Error& error, std::string_view what, std::initializer_list<LogField> fields) {
  std::vector<LogField> all(fields);
  all.emplace_back("AIERASE_ERROR", std::string(info(error.code).name));
  if (!error.subject.empty()) all.emplace_back("AIERASE_SUBJECT", error.subject);
  if (!error.hint.empty()) all.emplace_back("AIERASE_HINT", error.hint);
  std::string message(what);
  if (!message.empty()) message += ": ";
  message += error.message;
  write(LogLevel::error, message, all);
}

}  // namespace aierase
