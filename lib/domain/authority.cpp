#include "domain/authority.h"

namespace aierase::domain {

std::string_view to_text(KeyPurpose purpose) noexcept {
  return purpose == KeyPurpose::signer ? "signer" : "log";
}

std::optional<KeyPurpose> parse_key_purpose(std::string_view text) noexcept {
  if (text == "signer") return KeyPurpose::signer;
  if (text == "log") return KeyPurpose::log;
  return std::nullopt;
}

}  // namespace aierase::domain
