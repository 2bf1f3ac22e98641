#include "daemon/journal_sink.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <vector>

namespace aierase::daemon {
namespace {

int priority_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return LOG_DEBUG;
    case LogLevel::info:
      return LOG_INFO;
    case LogLevel::notice:
      return LOG_NOTICE;
    case LogLevel::warning:
      return LOG_WARNING;
    case LogLevel::error:
      return LOG_ERR;
  }
  return LOG_ERR;
}

// JOURNAL_STREAM is "device:inode" of the journal's end.
bool is_journal(int descriptor) {
  const char* stream = getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || fstat(descriptor, &status) != 0) return false;
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == stream;
}

void send(LogLevel level, std::string_view message, std::span<const LogField> fields) {
  std::vector<std::string> lines;
  lines.push_back("MESSAGE=" + std::string(message));
  lines.push_back("PRIORITY=" + std::to_string(priority_of(level)));
  lines.push_back("SYSLOG_IDENTIFIER=aierased");
  for (const LogField& field : fields)
    lines.push_back(std::string(field.first) + "=" + field.second);
  std::vector<iovec> parts;
  for (std::string& line : lines) parts.push_back({line.data(), line.size()});
  sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
}

}  // namespace

LogSink journal_sink() {
  if (!is_journal(STDERR_FILENO)) return {};
  return send;
}

}  // namespace aierase::daemon
