// What a statement may claim, and what it must admit: pure decisions over a disposition record.
//
// Contract: the same rules make a statement and check one; nothing here is configured. Method and
// technique are two fields; purge is possible from EA3 up alone. Residuals carry a code, which the
// verifier looks for, and a sentence, which people read.
// Specified in: aierase-certificate(5) METHOD, ASSURANCE and RESIDUALS.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/disposition.h"

namespace aierase::certificate {

enum class Method { none, clear, purge };
std::string_view to_text(Method method) noexcept;
std::optional<Method> parse_method(std::string_view text) noexcept;

// Did plaintext or a key leave for the medium that holds the store, as far as is known?
enum class ExportReach { elsewhere_only, own_medium_or_unknown };
ExportReach reach_of(domain::ExportMedium medium);

Method method_for(domain::Level level, domain::SourceHistory history, ExportReach reach);

struct Claim {
  Method method = Method::none;
  std::string sentence;      // what is claimed, whole
  std::string purge_reason;  // why purge is claimed or is not
};
Claim claim_of(const domain::DispositionRecord& record);

std::string_view level_sentence(domain::Level level);
std::string claim_sentence(domain::Level level, domain::SourceHistory history, Method method);
// Whose word it is that the data was encrypted from its first write: a person's, or that of the
// daemon, which made the key itself.
enum class HistoryWord { asserted, observed };
HistoryWord history_word(const domain::Asset& asset);
std::string_view history_sentence(domain::SourceHistory history,
                                  HistoryWord word = HistoryWord::asserted);

struct Residual {
  std::string_view code;
  std::string text;
};
std::vector<Residual> residuals_of(const domain::DispositionRecord& record);

// Codes that stand on every certificate.
inline constexpr std::string_view kConstantResiduals[] = {"root-on-host", "plaintext-elsewhere",
                                                          "learned", "slot-copy", "own-word"};

std::vector<std::string_view> not_claimed();

// The epoch with the lowest level, the earliest of several; `epochs` is not empty.
const domain::EpochRecord& lowest_epoch(const std::vector<domain::EpochRecord>& epochs);

}  // namespace aierase::certificate
