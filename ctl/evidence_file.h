// Files of evidence as people hand them in and get them out.
//
// Contract: read_evidence follows links and takes pipes (`verify <(curl ...)`), "-" is standard
// input; a file beyond `limit` is Errc::resource_limit, and one that nobody named a regular one.
// What is written is readable for everybody, durable, and there whole or not at all. Used by the
// verbs of evidence alone.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "ctl/reading.h"

namespace aierase::ctl {

Result<std::string> read_evidence(const std::string& path, std::size_t limit,
                                  ReadKind kind = ReadKind::named);
// What was made of a signed file for people, or for people to sign, is no evidence itself:
// Errc::invalid_input says what is.
Status refuse_what_people_read(const std::string& path, std::string_view content);
// The checkpoint that a file of any kind carries; nobody has looked at its signature.
Result<std::string> read_checkpoint(const std::string& path);
// A name that is taken is Errc::already_exists.
Status write_evidence(const std::string& path, std::string_view content);
// Takes the place of what is there.
Status replace_evidence(const std::string& path, std::string_view content);

}  // namespace aierase::ctl
