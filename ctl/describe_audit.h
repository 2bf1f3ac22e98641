// Rows of the audit for people: one line each, under a heading, also while they still come in.
//
// Contract: pure but for the widths it remembers, those of the first rows and of what is common, so
// that pages of any number stand in line; a wider cell moves the rest of its own line alone. What
// callers typed passes through printable().
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "base/json.h"
#include "ctl/output.h"

namespace aierase::ctl {

class AuditTable {
 public:
  explicit AuditTable(const Output& out) : out_(out) {}
  // The lines of these rows, with the heading before the first of all.
  std::string lines(const Json& calls);

 private:
  static constexpr std::size_t kColumns = 5;
  using Cells = std::array<std::string, kColumns>;
  static Cells cells_of(const Json& call);
  std::string line(const Cells& cells) const;

  const Output& out_;
  // A time, a login with its uid, and most calls and names.
  std::array<std::size_t, kColumns> widths_{20, 14, 20, 24, 0};
  bool headed_ = false;
};

}  // namespace aierase::ctl
