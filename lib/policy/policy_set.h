// A policy set: one or several TOML files as typed retention classes and a brake.
//
// Contract: pure; the caller reads the files. parse_policy() reports every error it can find, with
// file, line and column, and gives a set only where there is none. Two texts with the same meaning
// have the same canonical JSON and therefore the same version, whatever their comments, order,
// file names and the words of their durations' plural. The set is a value; sharing it between
// threads for reading is safe. Specified in: aierase-policy(5).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "policy/retention_class.h"

namespace aierase::policy {

struct PolicyText {
  std::string name;  // of the file, for messages
  std::string text;
};

struct Place {
  std::string file;
  std::uint32_t line = 0;  // 0: the file as a whole
  std::uint32_t column = 0;
};
std::string to_text(const Place& place);  // "FILE:LINE:COLUMN"

enum class Severity { error, warning };
struct Finding {
  Severity severity = Severity::error;
  Place place;
  std::string message;
  std::string hint;  // may be empty
};

class PolicySet {
 public:
  // The class "default" and the default brake: what is in force where no policy was loaded.
  static PolicySet built_in();
  // "default" is added where it is not among them; names must differ.
  static PolicySet of(std::vector<RetentionClass> classes, const Brake& brake);

  const std::vector<RetentionClass>& classes() const { return classes_; }  // in order of names
  const RetentionClass* find(std::string_view name) const;
  const Brake& brake() const { return brake_; }

  // Object "aierase/policy/v1", durations ISO 8601; every key of every class with its value.
  const std::string& canonical() const { return canonical_; }
  const Digest& version() const { return version_; }  // SHA-256 of canonical()

 private:
  PolicySet() = default;
  std::vector<RetentionClass> classes_;
  Brake brake_;
  std::string canonical_;
  Digest version_{};
};

// SHA-256 of what canonical() says of this class: what a standing approval is bound to.
Digest rules_of(const RetentionClass& value);

struct ParsedPolicy {
  std::optional<PolicySet> set;
  std::vector<Finding> findings;  // in the order of files and lines; warnings too
};
ParsedPolicy parse_policy(const std::vector<PolicyText>& texts);
// For callers that need a set or one Error: the first finding and the number of the others.
Result<PolicySet> load_policy(const std::vector<PolicyText>& texts);

// The keys a class and the brake may have, for completion and the schema of editors.
std::span<const std::string_view> class_keys();
std::span<const std::string_view> brake_keys();

}  // namespace aierase::policy
