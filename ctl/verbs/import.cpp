#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "ctl/removal.h"
#include "ctl/render.h"
#include "ctl/sending.h"
#include "ctl/tensors.h"
#include "ctl/verbs/verbs.h"
#include "domain/states.h"

namespace aierase::ctl {
namespace {

enum class Origin { generated, stream, archive, paths };

constexpr const char* kStreamName = "stdin";

struct Intake {
  Origin origin = Origin::paths;
  std::string name;
  std::vector<std::string> paths;
  Json options = Json::object();
  Found found;          // Origin::paths
  TensorTable tensors;  // Origin::paths
  UniqueFd descriptor;  // Origin::stream, Origin::archive
  std::vector<FoundSource> sources;
};

Error import_usage(std::string message, std::string hint = "aierase import --help explains it") {
  return make_error(Errc::usage, std::move(message), std::move(hint));
}

Result<Json> import_options(const Arguments& given) {
  Json options = Json::object();
  const std::string kind = given.value_or("kind", "model");
  if (!domain::parse_asset_kind(kind)) {
    return import_usage("there is no kind " + quoted(kind),
                        "model, adapter, checkpoint, dataset-key, embedding-index or "
                        "configuration");
  }
  options["kind"] = kind;
  if (given.has("retention")) options["retention"] = given.value_or("retention", "");
  if (const std::string* history = given.find("source-history")) {
    const std::string_view only =
        domain::to_text(domain::SourceHistory::encrypted_from_first_write);
    if (*history != only) {
      return import_usage("--source-history knows " + std::string(only) + ", not " +
                          quoted(*history));
    }
    options["source_history"] = *history;
  }
  const std::pair<const char*, const char*> lists[] = {
      {"custodian", "custodians"},        {"label", "labels"},
      {"derived-from", "derived_from"},   {"trained-on", "trained_on"},
      {"configured-by", "configured_by"}, {"supersedes", "supersedes"}};
  for (const std::string& label : given.all("label")) {
    if (label.find('=') != std::string::npos && label[0] != '=') continue;
    return import_usage("--label needs K=V, not " + quoted(label));
  }
  for (const auto& list : lists) {
    if (given.has(list.first)) options[list.second] = given.all(list.first);
  }
  return options;
}

Result<Origin> origin_of(const Arguments& given, const std::vector<std::string>& paths) {
  const bool key = given.value_or("kind", "model") == "dataset-key";
  if (given.has("generate")) {
    if (!key) return import_usage("--generate makes keys: it needs --kind dataset-key");
    if (!paths.empty() || given.has("tar") || given.has("remove-source")) {
      return import_usage("--generate reads nothing: leave paths, --tar and --remove-source out");
    }
    return Origin::generated;
  }
  if (paths.empty()) {
    return import_usage("'import' needs a PATH, or - for standard input",
                        "aierase import NAME PATH...");
  }
  bool stream = false;
  for (const std::string& path : paths) stream = stream || path == "-";
  if (stream && paths.size() > 1) {
    return import_usage("- means standard input, and goes with no other path",
                        "a file of that name is ./-");
  }
  if (given.has("remove-source") && (stream || given.has("tar"))) {
    return import_usage("--remove-source removes files that were named, not a stream or archive",
                        "remove the archive yourself");
  }
  if (given.has("tar")) {
    if (key) return import_usage("a dataset-key is one file, not an archive");
    if (paths.size() > 1) return import_usage("--tar takes one archive");
    return Origin::archive;
  }
  return stream ? Origin::stream : Origin::paths;
}

// A regular file on a disk has left its plaintext there; the daemon sees only our pipe.
bool lies_on_disk(int descriptor) {
  struct stat status {};
  struct statfs where {};
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return false;
  if (fstatfs(descriptor, &where) != 0) return true;
  const auto magic = static_cast<unsigned long>(where.f_type);
  return magic != TMPFS_MAGIC && magic != RAMFS_MAGIC;
}

Status refuse_unreadable(int descriptor, const std::string& shown) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) return errno_error(errno, "cannot read " + shown);
  if (isatty(descriptor) == 1) {
    return import_usage(shown + " is a terminal",
                        "pipe the content in: ... | aierase import NAME -");
  }
  if (S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)) return {};
  return make_error(Errc::invalid_input,
                    shown + " is neither a file nor a pipe; nothing can be imported from it");
}

Status open_stream(Intake& intake) {
  const std::string& path = intake.paths.front();
  const bool standard = path == "-";
  const std::string shown = standard ? "standard input" : quoted(path);
  intake.descriptor.reset(standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                   : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!intake.descriptor.valid()) {
    if (standard) return make_error(Errc::invalid_input, "standard input is closed");
    return errno_error(errno, "cannot read " + shown).about(path);
  }
  RETURN_IF_ERROR(refuse_unreadable(intake.descriptor.get(), shown));
  FoundSource source{"standard input", 0, 0};
  if (!standard) {
    char* real = realpath(path.c_str(), nullptr);
    source.description = real == nullptr ? path : real;
    free(real);
  }
  struct stat status {};
  if (fstat(intake.descriptor.get(), &status) == 0 && S_ISREG(status.st_mode)) {
    source.files = 1;
    source.bytes = static_cast<std::uint64_t>(status.st_size);
  }
  intake.sources.push_back(std::move(source));
  return {};
}

// As the store shows it: text on the bus is printable UTF-8.
std::string description_of(const std::string& path) {
  return is_printable_utf8(path) ? path : quoted(path);
}

Json sources_json(const Intake& intake) {
  Json list = Json::array();
  for (const FoundSource& source : intake.sources) {
    Json row = {{"description", description_of(source.description)},
                {"files", source.files},
                {"bytes", source.bytes}};
    if (intake.origin == Origin::archive && lies_on_disk(intake.descriptor.get())) {
      row["observed"] = "retrofitted";
    }
    list.push_back(std::move(row));
  }
  return list;
}

Result<Intake> prepare(Session& session) {
  const Arguments& given = session.arguments();
  Intake intake;
  intake.name = given.operands().front();
  intake.paths.assign(given.operands().begin() + 1, given.operands().end());
  ASSIGN_OR_RETURN(intake.options, import_options(given));
  if (session.out().for_people()) intake.options["without_files"] = "yes";
  ASSIGN_OR_RETURN(intake.origin, origin_of(given, intake.paths));
  if (intake.origin == Origin::generated) {
    intake.options["generate"] = "key";
    return intake;
  }
  if (intake.origin == Origin::paths) {
    ASSIGN_OR_RETURN(intake.found, walk(intake.paths));
    intake.sources = intake.found.sources();
    if (intake.options["kind"] == "dataset-key" && intake.found.files.size() != 1) {
      return import_usage("a dataset-key is one file, not " +
                          std::to_string(intake.found.files.size()));
    }
    if (intake.options["kind"] == "dataset-key" && intake.found.bytes > limits::kDatasetKeyBytes) {
      return make_error(
          Errc::invalid_input,
          "the dataset key is longer than " + std::to_string(limits::kDatasetKeyBytes) + " bytes",
          "a dataset-key is the key of data, not the data", intake.found.files.front().name);
    }
    if (intake.options["kind"] != "dataset-key") intake.tensors = read_tensor_table(intake.found);
  } else {
    RETURN_IF_ERROR(open_stream(intake));
  }
  intake.options["sources"] = sources_json(intake);
  return intake;
}

Status send_descriptor(const Intake& intake, Job& job, Progress& progress) {
  if (intake.origin == Origin::stream) {
    struct stat status {};
    const int descriptor = intake.descriptor.get();
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
      return send_stream(job, kStreamName, descriptor, progress);
    }
    return job.add_files({{kStreamName, descriptor}});
  }
  ASSIGN_OR_RETURN(TarReader archive, TarReader::open(intake.descriptor.get()));
  ASSIGN_OR_RETURN(const Sent sent, send_archive(job, archive, progress));
  if (sent.files > 0) return {};
  return make_error(Errc::invalid_input, "the archive has no regular files");
}

Status send(const Intake& intake, Job& job, Progress& progress) {
  if (intake.origin == Origin::generated) return {};
  if (intake.origin != Origin::paths) return send_descriptor(intake, job, progress);
  RETURN_IF_ERROR(send_files(job, intake.found));
  ASSIGN_OR_RETURN(const Found now, walk(intake.paths, Access::known));
  return same_as_before(intake.found, now);
}

Result<Json> carry_out(Session& session, const Intake& intake) {
  CallArguments arguments;
  arguments.texts = {intake.name};
  UniqueFd metadata;
  std::vector<bus::DescriptorOption> files;
  if (!intake.tensors.text.empty()) {
    ASSIGN_OR_RETURN(metadata, in_memory(intake.tensors.text));
    files.push_back({"metadata", metadata.get()});
  }
  ASSIGN_OR_RETURN(Job job, session.start("Asset", "Import", std::move(arguments), intake.options,
                                          std::move(files)));
  std::uint64_t total = intake.found.bytes;
  if (intake.origin == Origin::stream) total = intake.sources.front().bytes;
  Progress progress(session.out(), "Importing", total);
  RETURN_IF_ERROR(send(intake, job, progress));
  RETURN_IF_ERROR(job.commit());
  progress.all_sent("making it durable and recording it");
  return job.wait([&](std::uint64_t bytes) { progress.update(bytes); });
}

Result<Removal> remove(Session& session, const Intake& intake, const Json& asset) {
  Removal removal = remove_sources(intake.found);
  if (!removal.gone.empty()) {
    CallArguments arguments;
    arguments.texts = {text_at(asset, "id")};
    arguments.names.emplace();
    for (const std::string& path : removal.gone) arguments.names->push_back(description_of(path));
    auto reported =
        session.call("Asset", "ReportSourcesRemoved", std::move(arguments), Json::object());
    if (!reported.ok()) {
      return std::move(reported).error().in(
          "the import is done and its sources are removed, but the store could not note that");
    }
  }
  return removal;
}

std::string remains_text(const Intake& intake) {
  if (intake.origin == Origin::generated) return "The key exists nowhere else.\n";
  if (intake.origin == Origin::stream || intake.origin == Origin::archive) {
    if (intake.descriptor.valid() && lies_on_disk(intake.descriptor.get())) {
      return "Plaintext remains, outside the store's control:\n  the file behind " +
             printable(intake.sources.front().description) + "\n";
    }
    return "Plaintext may remain where the stream came from; the store cannot see that.\n";
  }
  std::string text = "Plaintext remains, outside the store's control:\n";
  for (const FoundSource& source : intake.sources) {
    if (source.files == 0) continue;
    text += "  " + printable(source.description) + ": " + counted(source.files, "file") + ", " +
            human_bytes(source.bytes) + "\n";
  }
  return text;
}

std::string removal_text(const Removal& removal) {
  std::string text;
  if (removal.links > 0) {
    text +=
        "Removed " + counted(removal.links, "link") +
        (removal.links == 1 ? "; the file it led to stays.\n" : "; the files they led to stay.\n");
  }
  if (removal.removed > 0 || removal.links == 0) {
    text += "Removed " + counted(removal.removed, "source file") +
            "; the blocks they lay on are not overwritten.\n";
  }
  if (removal.stayed.empty()) return text;
  text += "Plaintext remains, outside the store's control:\n";
  for (const std::string& sentence : removal.stayed) text += "  " + printable(sentence) + "\n";
  return text;
}

const Json& asset_of(const Json& result) {
  const auto asset = result.find("asset");
  return asset != result.end() && asset->is_object() ? *asset : result;
}

bool is_existing(const Json& result) {
  return holds(result, "created") && text_at(result, "created") == "no";
}

bool has_text(const Json& list, const std::string& wanted) {
  return std::any_of(list.begin(), list.end(), [&](const Json& one) {
    return one.is_string() && one.get<std::string>() == wanted;
  });
}

bool has_parent(const Json& asset, const std::string& relation, const std::string& wanted) {
  const Json& parents = list_at(object_at(asset, "lineage"), "parents");
  return std::any_of(parents.begin(), parents.end(), [&](const Json& one) {
    return text_at(one, "relation") == relation &&
           (text_at(one, "name") == wanted || text_at(one, "id") == wanted);
  });
}

// Whether all that was said with this option is so of the asset.
bool is_so(const Json& asset, const std::string& option, const std::vector<std::string>& said) {
  return std::all_of(said.begin(), said.end(), [&](const std::string& one) {
    if (option == "retention") return text_at(asset, "retention") == one;
    if (option == "custodian") return has_text(list_at(asset, "custodians"), one);
    if (option != "label") return has_parent(asset, option, one);
    const std::size_t equals = one.find('=');
    const Json& labels = object_at(asset, "labels");
    return holds(labels, one.substr(0, equals)) &&
           text_at(labels, one.substr(0, equals)) == one.substr(equals + 1);
  });
}

// What was asked for besides, of content that was there already.
void tell_what_is_lost(const Arguments& given, const Json& asset, Output& out) {
  const auto named = [&](std::initializer_list<const char*> options) {
    std::string text;
    for (const char* option : options) {
      if (!given.has(option) || is_so(asset, option, given.all(option))) continue;
      text += (text.empty() ? "--" : ", --") + std::string(option);
    }
    return text;
  };
  const std::string later = named({"label", "retention", "custodian"});
  const std::string never = named({"derived-from", "trained-on", "configured-by", "supersedes"});
  if (!later.empty()) out.remark("not recorded: " + later + "; aierase set changes it");
  if (!never.empty())
    out.remark("not recorded: " + never + "; the first import alone says lineage");
}

std::string report_of(const Json& result, const Json& asset, const Output& out) {
  const bool existing = is_existing(result);
  const std::string name = printable(text_at(asset, "name"));
  std::string text = existing ? "The same content is there already; nothing was added.\n"
                              : "Imported " + name + ".\n";
  Fields fields;
  fields.add("  Asset", text_at(asset, "id"));
  fields.add("  Content", counted(number_at(asset, "files_count"), "file") + ", " +
                              human_bytes(number_at(asset, "bytes")));
  fields.add("  Manifest SHA-256", text_at(asset, "manifest_sha256"));
  fields.add("  Custodians", joined(list_at(asset, "custodians"), ", "));
  fields.add("  Source history", text_at(asset, "source_history"));
  return text + fields.text(out.width());
}

}  // namespace

Result<int> run_import(Session& session) {
  Output& out = session.out();
  ASSIGN_OR_RETURN(const Intake intake, prepare(session));
  ASSIGN_OR_RETURN(Json result, carry_out(session, intake));
  const Json& asset = asset_of(result);
  for (const std::string& note : intake.tensors.notes) out.remark(note);
  if (!intake.tensors.notes.empty()) result["notes"] = intake.tensors.notes;
  if (is_existing(result)) tell_what_is_lost(session.arguments(), asset, out);
  std::optional<Removal> removal;
  // What is stored was compared by its digests alone, and may be damaged on disk.
  const bool keeps_sources = is_existing(result) && session.arguments().has("remove-source");
  if (session.arguments().has("remove-source") && !keeps_sources) {
    ASSIGN_OR_RETURN(removal, remove(session, intake, asset));
  }
  if (!out.for_people()) {
    if (removal) {
      result["removed"] = {{"files", removal->removed},
                           {"links", removal->links},
                           {"sources", removal->gone},
                           {"remaining", removal->stayed}};
    }
    out.print_json("import", std::move(result));
    return 0;
  }
  if (out.quiet()) {
    out.print(printable(text_at(asset, "id")) + "\n");
    return 0;
  }
  const std::string name = printable(text_at(asset, "name"));
  out.print(report_of(result, asset, out) + "\n" +
            (removal ? removal_text(*removal) : remains_text(intake)) +
            (keeps_sources ? "The sources were not removed: this import stored nothing. See first "
                             "that what is stored reads back:\n  aierase check --deep " +
                                 name + "\n"
                           : "") +
            "\nNext: nothing needs to be done. When its time has come, an operator asks for its "
            "end:\n  aierase retire " +
            name + " --reason REASON\n");
  return 0;
}

}  // namespace aierase::ctl
