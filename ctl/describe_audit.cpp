#include "ctl/describe_audit.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "ctl/render.h"

namespace aierase::ctl {
namespace {

std::string who_of(const Json& call) {
  const std::string login = printable(text_at(call, "login"));
  const std::string uid = text_at(call, "uid");
  return uid.empty() || login == "uid:" + uid ? login : login + " (" + uid + ")";
}

// A name where there is one; jobs are noise to people.
std::string subjects_of(const Json& call) {
  std::string text;
  for (const Json& subject : list_at(call, "subjects")) {
    const std::string id = text_at(subject, "id");
    const std::string name = text_at(subject, "name");
    if (name.empty() && id.starts_with("j-")) continue;
    text += (text.empty() ? "" : ", ") + (name.empty() ? short_id(id) : printable(name));
  }
  return text.empty() ? "-" : text;
}

std::string call_outcome(const Json& call) {
  std::string text = printable(text_at(call, "outcome"));
  const std::uint64_t calls = number_at(call, "calls");
  if (calls > 1) {
    text += ", " + std::to_string(calls) + " times";
    const std::string last = text_at(call, "last");
    if (!last.empty()) text += " until " + printable(last);
  }
  const std::string message = text_at(call, "message");
  return message.empty() ? text : text + ": " + printable(message);
}

}  // namespace

AuditTable::Cells AuditTable::cells_of(const Json& call) {
  const std::string method = text_at(call, "method");
  return {printable(text_at(call, "time")), who_of(call),
          method.empty() ? "(several)" : printable(method), subjects_of(call), call_outcome(call)};
}

std::string AuditTable::line(const Cells& cells) const {
  std::string text;
  std::size_t indent = 0;
  for (std::size_t i = 0; i + 1 < kColumns; ++i) {
    const std::size_t used = display_width(cells[i]);
    indent += widths_[i] + kColumnGap;
    text += cells[i] + std::string(std::max(widths_[i], used) + kColumnGap - used, ' ');
  }
  return text + wrapped(cells.back(), out_.width(), indent).substr(indent) + "\n";
}

std::string AuditTable::lines(const Json& calls) {
  std::vector<Cells> rows;
  if (!headed_) rows.push_back({"TIME", "WHO", "CALL", "ON", "OUTCOME"});
  for (const Json& call : calls) rows.push_back(cells_of(call));
  for (std::size_t i = 0; !headed_ && i < kColumns; ++i) {
    for (const Cells& cells : rows) widths_[i] = std::max(widths_[i], display_width(cells[i]));
  }
  headed_ = true;
  std::string text;
  for (const Cells& cells : rows) text += line(cells);
  return text;
}

}  // namespace aierase::ctl
