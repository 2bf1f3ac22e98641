// The record of a plan that was rejected, cancelled, expired, stale, failed or only partly carried
// out: in-toto Statement v1 with predicate https://aierase.org/refusal/v1. R44.
//
// Contract: pure and deterministic: equal input, equal bytes. Nothing of what a plan may hold keeps
// a record from being made: where it would be too large, reasons and approvals are left out, and it
// says so. Only a RefusalStatement can be signed here, and no text of a disposal becomes one.
// Specified in: aierase-certificate(5) REFUSALS.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_view.h"
#include "base/result.h"
#include "crypto/signature.h"
#include "domain/refusal.h"

namespace aierase::certificate {

inline constexpr std::string_view kRefusalPredicateType = "https://aierase.org/refusal/v1";

class RefusalStatement {
 public:
  static Result<RefusalStatement> of(const domain::RefusalRecord& record);
  // One that was made before and kept: Errc::damaged where it does not have the form.
  static Result<RefusalStatement> kept(std::string text);
  const std::string& text() const { return text_; }
  Result<crypto::Signature> sign(const crypto::SigningKey& signer) const;

 private:
  explicit RefusalStatement(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// What the plan did and did not erase, as a sentence; the same in the statement, on the terminal
// and in the report of a verification.
std::string refusal_sentence(std::uint64_t erased, std::uint64_t not_erased);

bool is_refusal(JsonView statement);  // by its predicateType
// Does it agree with itself and with its form? The first fault, as a sentence; hostile JSON is an
// answer, never a crash.
std::optional<std::string> refusal_fault(JsonView statement);

// Of a statement without fault.
struct RefusalSummary {
  domain::PlanState outcome = domain::PlanState::rejected;
  std::string plan;      // id
  std::string sentence;  // "Plan p-... was rejected: nothing was erased by it."
};
RefusalSummary summary_of(JsonView statement);

}  // namespace aierase::certificate
