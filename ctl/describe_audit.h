// Rows of the audit for people: one line each, under a heading, also while they still come in.
//
// Contract: pure but for the widths it remembers, so that pages of any number stand in line; a
// wider cell widens the column from there on. What callers typed passes through printable().
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
  std::array<std::size_t, kColumns> widths_{};
  bool headed_ = false;
};

}  // namespace aierase::ctl
