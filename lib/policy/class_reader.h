// One `[class.NAME]` table and the `[brake]` table, read and checked by themselves.
// Contract: pure; what is wrong becomes a finding of the reader, and the value keeps its default.
#pragma once

#include <string>
#include <vector>

#include "policy/reader.h"

namespace aierase::policy {

struct ClassReference {  // `retention=NAME` in a match: that class has to exist
  std::string name;
  Place place;
};

struct ClassDraft {
  RetentionClass value;
  Place place;  // of its name
  std::vector<ClassReference> references;
};

ClassDraft read_class(Reader& reader, const TomlEntry& entry);
Brake read_brake(Reader& reader, const TomlEntry& entry);

}  // namespace aierase::policy
