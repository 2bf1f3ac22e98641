// Which certificates of an archive are of the same content, on whatever host it lay.
//
// Contract: pure; the places point into `sections`. Content is the same where its manifest digest
// is; kinds without one stand apart. Specified in: aierase-certificate(5) ARCHIVES.
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "certificate/section_check.h"

namespace aierase::certificate {

struct AssetPlace {
  const SectionReport* section = nullptr;
  const ArchivedCertificate* certificate = nullptr;
};

inline std::map<std::string_view, std::vector<AssetPlace>> assets_by_digest(
    const std::vector<SectionReport>& sections) {
  std::map<std::string_view, std::vector<AssetPlace>> places;
  for (const SectionReport& section : sections) {
    for (const ArchivedCertificate& one : section.certificates) {
      if (one.summary.manifest_sha256.empty()) continue;
      places[one.summary.manifest_sha256].push_back({&section, &one});
    }
  }
  return places;
}

}  // namespace aierase::certificate
