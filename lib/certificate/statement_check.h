// Does a statement agree with itself and with its form? What no honest aierase would have signed
// is found here, whoever signed it.
//
// Contract: pure; hostile JSON is an answer, never a crash. The first fault found is returned as a
// sentence. Specified in: aierase-certificate(5) VERIFYING.
#pragma once

#include <optional>
#include <string>

#include "base/json_view.h"

namespace aierase::certificate {

struct StatementFindings {
  std::optional<std::string> statement_fault;  // none: the statement is sound
  std::optional<std::string> residuals_fault;
  std::string assurance;  // what the level means, with its claim
  std::string residuals;  // how many there are
};

StatementFindings check_statement(JsonView statement);

}  // namespace aierase::certificate
