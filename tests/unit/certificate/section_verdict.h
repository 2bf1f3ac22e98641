// What is said of the sample section after a change.
#pragma once

#include <functional>
#include <string>

#include "unit/certificate/sample_archive.h"

namespace aierase::certificate::sample {

// The sentences of the checks that failed, "name: detail".
inline std::string faults(const std::vector<Check>& checks) {
  std::string text;
  for (const Check& check : checks) {
    if (check.result == CheckResult::failed) text += check.name + ": " + check.detail + "\n";
  }
  return text;
}

struct Verdict {
  std::string integrity, completeness;
};

inline Verdict after(const std::function<void(Section&)>& change,
                     const TrustStore& trust = everybody()) {
  const Story story;
  Section section = section_of(story);
  change(section);
  const SectionReport report = report_of(section, trust);
  return {faults(report.integrity), faults(report.completeness)};
}

}  // namespace aierase::certificate::sample

#define EXPECT_TOLD(text, what) EXPECT_NE((text).find(what), std::string::npos) << (text)
