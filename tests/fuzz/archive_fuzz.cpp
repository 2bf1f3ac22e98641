// What an archive of evidence has of its own: names of members, what a section says of itself,
// leaves with their records, and a section that is checked whatever is in it. What is read comes
// back as it was written, and nothing holds that nobody has signed.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "certificate/archive_check.h"

namespace {

using namespace aierase;
using namespace aierase::certificate;

void read_names(std::string_view text) {
  const auto member = parse_member_name(text);
  if (member && member_name(*member) != text) std::abort();
  const auto folder = parse_section_folder(text);
  if (folder && section_folder(*folder) != text) std::abort();
}

void read_forms(std::string_view text) {
  const auto facts = parse_section(text);
  if (facts.ok()) {
    const auto again = parse_section(section_json(*facts).value());
    if (!again.ok() || again->name != facts->name || again->before != facts->before) std::abort();
  }
  const auto opened = parse_opened(text);
  if (opened.ok()) {
    const auto again = parse_opened(opened_json(*opened).value());
    if (!again.ok() || again->record != opened->record || again->proof != opened->proof) {
      std::abort();
    }
  }
  static_cast<void>(kind_of_body(text));
}

// The same bytes as every member of one section.
void check_all(std::string_view text) {
  const TrustStore nobody;
  const SectionName name{Uuid(), 0, 3};
  ArchiveCheck check({&nobody, 1, nullptr});
  for (const char* file : {"README", "index.html", "index.json"}) {
    check.add(file, std::string(text));
  }
  for (const Part part :
       {Part::section, Part::keyring, Part::trusted_root, Part::checkpoint_before, Part::checkpoint,
        Part::consistency, Part::entries, Part::record, Part::policy}) {
    check.add(section_folder(name) + "/" + member_name({part, 0, 0, {}}), std::string(text));
  }
  const std::string id = domain::id_text(domain::IdType::certificate, Uuid());
  check.add(section_folder(name) + "/" + member_name({Part::certificate, 0, 0, id}),
            std::string(text));
  check.add(std::string(text), std::string(text));
  const ArchiveReport report = check.finish();
  if (is_verified(report) || outcome_of(report) != Errc::verification_failed) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_names(text);
  read_forms(text);
  check_all(text);
  return 0;
}
