#include "certificate/archive_check.h"

#include <algorithm>
#include <optional>

#include "base/limits.h"
#include "certificate/archive_index.h"
#include "crypto/primitives.h"

namespace aierase::certificate {
namespace {

constexpr std::size_t kFaultsTold = 5;
constexpr const char* kPages = "pages";
constexpr std::size_t kEntriesBytes = 256 * (std::size_t{2} + 0xffff);

struct Place {
  SectionName section;
  Member member;
};

std::optional<Place> place_of(std::string_view name) {
  const std::size_t store = name.find('/');
  const std::size_t folder =
      store == std::string_view::npos ? std::string_view::npos : name.find('/', store + 1);
  if (folder == std::string_view::npos) return std::nullopt;
  const auto section = parse_section_folder(name.substr(0, folder));
  auto member = parse_member_name(name.substr(folder + 1));
  if (!section || !member) return std::nullopt;
  return Place{*section, std::move(*member)};
}

// Where a file that leads the archive stands.
std::optional<std::size_t> rank_of(std::string_view name) {
  constexpr std::string_view kLeading[] = {kReadme, kIndexPage, kIndex};
  const auto* found = std::find(std::begin(kLeading), std::end(kLeading), name);
  if (found == std::end(kLeading)) return std::nullopt;
  return static_cast<std::size_t>(found - std::begin(kLeading));
}

bool is_unknown(const SectionReport& section) {
  return section.signer == SectionReport::Signer::unknown;
}

}  // namespace

struct ArchiveCheck::Impl {
  explicit Impl(const ArchiveReader& r) : reader(r) {
    if (reader.heads == nullptr) reader.heads = &own_heads;
  }

  void fault(const std::string& what) {
    if (++faults <= kFaultsTold) told += (told.empty() ? "" : "; ") + what;
  }
  void take(const std::string& name, std::string content);
  void take_leading(const std::string& name, std::size_t rank, const std::string& content);
  void close_section() {
    if (!section) return;
    report.sections.push_back(section->finish());
    section.reset();
  }
  std::string limit_passed(const std::string& name, std::size_t bytes);
  Check index_check() const;
  Check pages_check() const;

  HeadsSeen own_heads;
  ArchiveReader reader;
  ArchiveReport report;
  std::size_t leading = 0;  // how many of those that lead were there
  std::optional<Digest> index;
  std::optional<SectionName> last;
  std::unique_ptr<SectionCheck> section;
  std::uint64_t bytes = 0, section_bytes = 0, leaves = 0;
  bool is_over = false;  // a limit was passed: nothing is read any more
  std::size_t faults = 0;
  std::string told;
};

ArchiveCheck::ArchiveCheck(const ArchiveReader& reader) : impl_(std::make_unique<Impl>(reader)) {}
ArchiveCheck::~ArchiveCheck() = default;

void ArchiveCheck::Impl::take_leading(const std::string& name, std::size_t rank,
                                      const std::string& content) {
  if (rank != leading || last) fault(name + " stands twice, or not in its place");
  ++leading;
  if (name == kIndex) index = crypto::sha256(as_bytes(content));
}

void ArchiveCheck::add(const std::string& name, std::string content) {
  Impl& impl = *impl_;
  if (impl.is_over) return;
  const std::string limit = impl.limit_passed(name, content.size());
  if (limit.empty()) return impl.take(name, std::move(content));
  impl.is_over = true;
  impl.fault("there are more than " + limit + ": make several archives, of less time each");
}

// The first limit of what an archive may have in all that it is beyond with this file.
std::string ArchiveCheck::Impl::limit_passed(const std::string& name, std::size_t size) {
  if (report.files.size() == limits::kArchiveFiles) {
    return std::to_string(limits::kArchiveFiles) + " files";
  }
  bytes += size;
  if (bytes > limits::kArchiveBytes) return std::to_string(limits::kArchiveBytes) + " bytes";
  const std::optional<Place> place = place_of(name);
  if (!place) return {};
  if (place->member.part == Part::section) section_bytes += size;
  if (section_bytes > limits::kArchiveIndexBytes) {
    return std::to_string(limits::kArchiveIndexBytes) + " bytes of what its sections say";
  }
  if (last == place->section) return {};
  if (report.sections.size() + (section ? 1 : 0) == limits::kArchiveStores) {
    return std::to_string(limits::kArchiveStores) + " sections";
  }
  const std::uint64_t more = place->section.size - place->section.first;
  if (more > limits::kArchiveLeaves - leaves) {
    return std::to_string(limits::kArchiveLeaves) + " leaves";
  }
  leaves += more;
  return {};
}

void ArchiveCheck::Impl::take(const std::string& name, std::string content) {
  if (name != kIndex) report.files.push_back(file_row(name, content));
  if (const auto rank = rank_of(name)) return take_leading(name, *rank, content);
  const std::optional<Place> place = place_of(name);
  if (!place) return fault(quoted(name) + " is no file of an archive");
  if (last != place->section) {
    close_section();
    if (last && !(*last < place->section)) {
      fault("the section of " + quoted(name) + " stands twice, or not in its place");
    }
    last = place->section;
    section = std::make_unique<SectionCheck>(place->section, reader);
  }
  section->add(place->member, std::move(content));
}

void ArchiveCheck::break_off(const Error& error) {
  impl_->fault(error.message);
}

Check ArchiveCheck::Impl::index_check() const {
  if (!index) return {"index", CheckResult::failed, "The index is missing."};
  const std::string expected = index_json(report.sections, report.files);
  if (crypto::sha256(as_bytes(expected)) == *index) {
    return {"index", CheckResult::passed, "It says what the files in the archive say."};
  }
  return {"index", CheckResult::failed,
          "It is not the index of the files in the archive: one of them, README, index.html or the "
          "index itself was changed, or is missing."};
}

Check ArchiveCheck::Impl::pages_check() const {
  const ArchivedFile written[] = {
      file_row(std::string(kReadme), readme()),
      file_row(std::string(kIndexPage), index_page(report.sections)),
  };
  const bool same = std::all_of(std::begin(written), std::end(written), [&](const auto& one) {
    return std::any_of(report.files.begin(), report.files.end(), [&](const ArchivedFile& file) {
      return file.name == one.name && file.sha256 == one.sha256;
    });
  });
  if (same) {
    return {kPages, CheckResult::passed,
            "README and index.html say what follows from the archive; nobody has signed them."};
  }
  return {kPages, CheckResult::not_checked,
          "Do not go by README or index.html: they are not what this version writes for these "
          "files, and nobody has signed them. Another version may have worded them so, or whoever "
          "handed on the archive."};
}

ArchiveReport ArchiveCheck::finish() {
  Impl& impl = *impl_;
  impl.close_section();
  if (impl.report.sections.empty()) impl.fault("there is no section in it");
  const bool good = impl.faults == 0;
  impl.report.checks.push_back(
      {"archive", good ? CheckResult::passed : CheckResult::failed,
       good ? "All files have names and places of an archive." : "Refused: " + impl.told + "."});
  impl.report.checks.push_back(impl.pages_check());
  impl.report.checks.push_back(impl.index_check());
  return std::move(impl.report);
}

ArchivedFile file_row(std::string name, std::string_view content) {
  return {std::move(name), content.size(), crypto::sha256(as_bytes(content))};
}

bool is_verified(const ArchiveReport& report) {
  return holds(report.checks) &&
         std::all_of(report.sections.begin(), report.sections.end(), [](const SectionReport& one) {
           return holds(one.integrity) && holds(one.completeness) && !is_unknown(one);
         });
}

bool has_own_pages(const ArchiveReport& report) {
  return std::any_of(report.checks.begin(), report.checks.end(), [](const Check& check) {
    return check.name == kPages && check.result == CheckResult::passed;
  });
}

Errc outcome_of(const ArchiveReport& report) {
  const bool sound =
      holds(report.checks) &&
      std::all_of(report.sections.begin(), report.sections.end(), [](const SectionReport& one) {
        return holds(one.integrity) && holds(one.completeness);
      });
  return sound ? Errc::signer_unknown : Errc::verification_failed;
}

std::size_t limit_of_member(const std::string& name) {
  if (rank_of(name)) return limits::kCertificateBytes;
  const std::optional<Place> place = place_of(name);
  if (!place) return 0;
  switch (place->member.part) {
    case Part::section:
      return limits::kArchiveIndexBytes;
    case Part::keyring:
    case Part::trusted_root:
      return limits::kKeyringBytes;
    case Part::checkpoint_before:
    case Part::checkpoint:
    case Part::consistency:
      return limits::kNoteBytes;
    case Part::entries:
      return kEntriesBytes;
    case Part::record:
      return limits::kArchiveRecordBytes;
    case Part::policy:
      return limits::kPolicyBytes;
    case Part::certificate:
    case Part::refusal:
    case Part::amendment:
      return limits::kCertificateBytes;
  }
  return 0;
}

}  // namespace aierase::certificate
