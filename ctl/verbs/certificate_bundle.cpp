#include <time.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "certificate/archive_index.h"
#include "ctl/archive_file.h"
#include "ctl/describe.h"
#include "ctl/matching.h"
#include "ctl/moment.h"
#include "ctl/progress.h"
#include "ctl/receiving.h"
#include "ctl/render.h"
#include "ctl/tar.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {
namespace {

using certificate::ArchiveReport;
using certificate::SectionReport;
using MakeSource = std::function<Result<std::unique_ptr<MemberSource>>()>;

Result<Json> wish_of(const Arguments& given) {
  const UtcTime now = from_unix(time(nullptr));
  Json wish = Json::object();
  if (const std::string* from = given.find("from")) {
    ASSIGN_OR_RETURN(const UtcTime moment, parse_moment("from", *from, DayEdge::first_second, now));
    wish["from"] = to_rfc3339(moment);
  }
  if (const std::string* to = given.find("to")) {
    ASSIGN_OR_RETURN(const UtcTime moment, parse_moment("to", *to, DayEdge::last_second, now));
    wish["until"] = to_rfc3339(moment);
  }
  ASSIGN_OR_RETURN(const Json match, read_matches(given.all("match")));
  if (!match.empty()) wish["match"] = match;
  return wish;
}

Status check_usage(const Arguments& given) {
  if (!given.has("add")) return {};
  for (const char* option : {"from", "to", "match"}) {
    if (!given.has(option)) continue;
    return make_error(Errc::usage,
                      "--add joins archives that are there, and takes no --" + std::string(option),
                      "make an archive of this host first, and join it with the others");
  }
  return {};
}

// Nothing is handed over that would not verify.
Status refuse_unsound(const ArchiveReport& report) {
  std::string why;
  bool of_the_archive = false;
  const auto look = [&](const std::vector<certificate::Check>& checks) {
    for (const certificate::Check& check : checks) {
      if (why.empty() && check.result == certificate::CheckResult::failed) {
        why = check.name + ": " + check.detail;
      }
    }
  };
  for (const certificate::Check& check : report.checks) {
    if (check.name == "archive") look({check});  // the index is made now
  }
  of_the_archive = !why.empty();
  for (const SectionReport& section : report.sections) {
    look(section.integrity);
    look(section.completeness);
  }
  if (why.empty()) return {};
  if (of_the_archive) {
    return make_error(Errc::verification_failed, "the archive would not hold: " + why,
                      "archives with one section and other files in it are of another match: leave "
                      "one of them out; `aierase verify` tells of each whether it is sound");
  }
  return make_error(Errc::verification_failed, "the archive would not hold: " + why,
                    "find out what is wrong: `aierase verify` of an archive, `aierase check` of a "
                    "store");
}

struct Leader {
  std::string_view name;
  std::string content;
};

// The files that lead the archive, the index last: it names the others.
std::vector<Leader> leaders_of(const ArchiveReport& report) {
  std::vector<Leader> leaders{{certificate::kReadme, certificate::readme()},
                              {certificate::kIndexPage, certificate::index_page(report.sections)}};
  std::vector<certificate::ArchivedFile> files;
  for (const Leader& one : leaders) {
    files.push_back(certificate::file_row(std::string(one.name), one.content));
  }
  files.insert(files.end(), report.files.begin(), report.files.end());
  leaders.push_back({certificate::kIndex, certificate::index_json(report.sections, files)});
  return leaders;
}

Status write_members(int file, const ArchiveReport& report, MemberSource& source) {
  ASSIGN_OR_RETURN(TarWriter tar, TarWriter::open(file));
  for (const Leader& one : leaders_of(report)) {
    if (one.content.size() > limits::kCertificateBytes) {
      return make_error(Errc::resource_limit, "the index of the archive would be larger than any",
                        "make several archives, of less time each");
    }
    RETURN_IF_ERROR(tar.add(std::string(one.name), one.content));
  }
  for (;;) {
    ASSIGN_OR_RETURN(const std::optional<NamedContent> member, source.next());
    if (!member) return tar.finish();
    RETURN_IF_ERROR(tar.add(member->name, member->content));
  }
}

Status write_archive(const std::string& path, const ArchiveReport& report, MemberSource& source) {
  if (path == "-") return write_members(STDOUT_FILENO, report, source);
  ASSIGN_OR_RETURN(Receiver receiver, Receiver::open_parent(path));
  ASSIGN_OR_RETURN(const UniqueFd file, receiver.create(path.substr(path.rfind('/') + 1)));
  RETURN_IF_ERROR(write_members(file.get(), report, source));
  return receiver.keep();
}

// Read twice: what is found the first time leads the archive that is written the second time.
Result<ArchiveReport> make_archive(Session& session, const std::string& path,
                                   const MakeSource& open) {
  // Whether it holds in itself; whom to trust is for who verifies it.
  const certificate::TrustStore nobody;
  ASSIGN_OR_RETURN(std::unique_ptr<MemberSource> source, open());
  ArchiveReport report;
  {
    Progress progress(session.out(), "Checking what goes in", 0);
    ASSIGN_OR_RETURN(report, check_members(*source, {&nobody, all_cores(), nullptr},
                                           [&](std::uint64_t bytes) { progress.update(bytes); }));
  }
  RETURN_IF_ERROR(refuse_unsound(report));
  if (report.files.size() + 3 > limits::kArchiveFiles) {
    return make_error(
        Errc::resource_limit,
        "the archive would have more than " + std::to_string(limits::kArchiveFiles) + " files",
        "make several archives, of less time each");
  }
  ASSIGN_OR_RETURN(source, open());
  RETURN_IF_ERROR(write_archive(path, report, *source));
  return report;
}

Result<ArchiveReport> from_daemon(Session& session, const std::string& path) {
  ASSIGN_OR_RETURN(const Json wish, wish_of(session.arguments()));
  ASSIGN_OR_RETURN(const UniqueFd spool, nameless_file(path));
  CallArguments arguments;
  arguments.descriptor = spool.get();
  ASSIGN_OR_RETURN(Job job, session.start("Certificate", "Bundle", std::move(arguments), wish));
  Json result;
  {
    Progress progress(session.out(), "Collecting", 0);
    ASSIGN_OR_RETURN(result, job.wait([&](std::uint64_t bytes) { progress.update(bytes); }));
  }
  const std::string folder = text_at(result, "section");
  return make_archive(session, path, [&] { return open_spool(spool.get(), folder); });
}

Result<ArchiveReport> from_archives(Session& session, const std::string& path) {
  return make_archive(session, path, [&]() -> Result<std::unique_ptr<MemberSource>> {
    std::vector<std::unique_ptr<MemberSource>> sources;
    for (const std::string& one : session.arguments().all("add")) {
      ASSIGN_OR_RETURN(std::unique_ptr<MemberSource> source, open_archive(one, Leading::skipped));
      sources.push_back(std::move(source));
    }
    return merged(std::move(sources));
  });
}

Json bundled_json(const SectionReport& section) {
  return {{"folder", certificate::section_folder(section.facts.name)},
          {"store", section.facts.name.store.hex()},
          {"host", printable(section.facts.host)},
          {"certificates", section.certificates.size()},
          {"refusals", section.refusals.size()},
          {"amendments", section.amendments.size()},
          {"records", section.records.size()},
          {"left_out", section.left_out}};
}

std::string told_of(const SectionReport& section) {
  return "  " + printable(section.facts.host) + ": " +
         counted(section.certificates.size(), "certificate") + ", " +
         counted(section.refusals.size(), "refusal") + ", " +
         counted(section.records.size(), "decision") +
         (section.left_out == 0
              ? std::string()
              : "; " + counted(section.left_out, "record") + " outside of what was asked for") +
         "\n";
}

}  // namespace

Result<int> run_certificate_bundle(Session& session) {
  Output& out = session.out();
  const std::string& path = session.operand(0);
  RETURN_IF_ERROR(check_usage(session.arguments()));
  if (path == "-" && is_terminal(STDOUT_FILENO)) {
    return make_error(Errc::usage, "an archive is nothing for a terminal",
                      "name a file, or pipe it on");
  }
  ASSIGN_OR_RETURN(const ArchiveReport report, session.arguments().has("add")
                                                   ? from_archives(session, path)
                                                   : from_daemon(session, path));
  if (path == "-") return 0;
  if (!out.for_people()) {
    Json sections = Json::array();
    for (const SectionReport& one : report.sections) sections.push_back(bundled_json(one));
    out.print_json("certificate bundle",
                   {{"file", printable(path)}, {"sections", std::move(sections)}});
  } else if (out.quiet()) {
    out.print(printable(path) + "\n");
  } else {
    std::string text = "Wrote " + printable(path) + ", which holds:\n";
    for (const SectionReport& one : report.sections) text += told_of(one);
    out.print(text +
              "Next: hand it over; its README tells how to check it, with aierase or without:\n"
              "  aierase verify " +
              printable(path) + " --trust DIR\n");
  }
  return 0;
}

}  // namespace aierase::ctl
