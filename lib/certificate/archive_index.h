// The files that lead an archive: its index for programs and for people, and how a stranger checks
// it all.
//
// Contract: pure and deterministic; everything in them follows from the sections, and the same
// sections give the same bytes. Words of strangers are escaped. Specified in:
// aierase-certificate(5) ARCHIVES.
#pragma once

#include <string>
#include <vector>

#include "certificate/archive_check.h"

namespace aierase::certificate {

// Canonical JSON, aierase/archive/v1. `files`: all of the archive but this one, in their order.
std::string index_json(const std::vector<SectionReport>& sections,
                       const std::vector<ArchivedFile>& files);
std::string index_page(const std::vector<SectionReport>& sections);
std::string readme();

}  // namespace aierase::certificate
