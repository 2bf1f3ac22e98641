#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/limits.h"
#include "ctl/interrupt.h"
#include "ctl/outcome.h"
#include "ctl/progress.h"
#include "ctl/receiving.h"
#include "ctl/render.h"
#include "ctl/sending.h"
#include "ctl/tensors.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {
namespace {

constexpr const char* kKeyName = "key";

enum class Shape {
  one_to_stdout,
  one_to_file,
  all_to_directory,
  archive_to_stdout,
  archive_to_file
};

struct Delivery {
  Json asset;
  std::vector<TarMember> files;  // what goes out
  Shape shape = Shape::all_to_directory;
  std::string target;  // path; empty for standard output
  Json options = Json::object();
  std::uint64_t bytes = 0;
};

Error export_usage(std::string message, std::string hint = "aierase export --help explains it") {
  return make_error(Errc::usage, std::move(message), std::move(hint));
}

bool is_directory(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string absolute_target(const std::string& path) {
  if (!path.empty() && path[0] == '/') return path;
  char directory[PATH_MAX];
  return getcwd(directory, sizeof directory) == nullptr ? path
                                                        : std::string(directory) + "/" + path;
}

std::optional<std::uint64_t> byte_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end.ec != std::errc() || end.ptr != text.data() + text.size() ||
      value > static_cast<std::uint64_t>(INT64_MAX)) {
    return std::nullopt;
  }
  return value;
}

// Before anything is made: room on the disk is taken ahead. In the daemon's words.
Status set_range(Delivery& delivery, std::uint64_t first, std::uint64_t last) {
  const TarMember& file = delivery.files[0];
  if (last >= file.bytes) {
    return make_error(Errc::invalid_input, "the range " + std::to_string(first) + "-" +
                                               std::to_string(last) + " is not inside " +
                                               quoted(file.name) + " of " +
                                               std::to_string(file.bytes) + " bytes");
  }
  delivery.options["file"] = file.name;
  delivery.options["first"] = first;
  delivery.options["last"] = last;
  delivery.bytes = last - first + 1;
  return {};
}

Status add_range(const std::string& text, Delivery& delivery) {
  const std::string_view range = text;
  const std::size_t dash = range.find('-');
  const auto first = byte_number(range.substr(0, dash));
  const auto last = dash == std::string::npos ? std::nullopt : byte_number(range.substr(dash + 1));
  if (!first || !last) {
    return export_usage("--range needs A-B, two numbers of bytes counted from 0, not " +
                        quoted(text));
  }
  if (*last < *first) return export_usage("--range ends before it begins: " + quoted(text));
  return set_range(delivery, *first, *last);
}

Status choose_files(const Arguments& given, Delivery& delivery) {
  if (text_at(delivery.asset, "kind") == "dataset-key") {
    if (given.has("file") || given.has("range") || given.has("tar") || given.has("tensor")) {
      return export_usage(
          "a dataset-key goes out whole: leave --file, --range, --tensor and --tar "
          "out");
    }
    delivery.files = {{kKeyName, number_at(delivery.asset, "bytes")}};
    return {};
  }
  const std::string* wanted = given.find("file");
  for (const Json& file : list_at(delivery.asset, "files")) {
    if (wanted != nullptr && text_at(file, "name") != *wanted) continue;
    delivery.files.push_back({text_at(file, "name"), number_at(file, "bytes")});
    delivery.bytes += delivery.files.back().bytes;
  }
  if (wanted != nullptr) {
    if (delivery.files.empty()) {
      return make_error(Errc::not_found, "the asset has no file " + quoted(*wanted),
                        "aierase show lists its files", *wanted);
    }
    if (given.has("tar")) return export_usage("--file and --tar exclude each other");
    delivery.options["file"] = *wanted;
  }
  if (!given.has("range")) return {};
  if (given.has("tensor")) return export_usage("--tensor and --range exclude each other");
  // The head of a member would name more bytes than come.
  if (given.has("tar")) return export_usage("--range and --tar exclude each other");
  if (delivery.files.size() != 1) {
    return export_usage("--range needs --file: the asset has " +
                        counted(delivery.files.size(), "file"));
  }
  return add_range(given.value_or("range", ""), delivery);
}

// The bytes of one tensor are a range of one file.
Status choose_tensor(Session& session, Delivery& delivery) {
  const Arguments& given = session.arguments();
  if (!given.has("tensor")) return {};
  if (given.has("tar")) return export_usage("--tensor and --tar exclude each other");
  ASSIGN_OR_RETURN(const Json asset, show_asset_metadata(session, text_at(delivery.asset, "id")));
  ASSIGN_OR_RETURN(const Json tensors, tensors_of(asset));
  ASSIGN_OR_RETURN(const TensorPlace place,
                   find_tensor(tensors, given.value_or("tensor", ""), given.value_or("file", "")));
  std::erase_if(delivery.files, [&](const TarMember& one) { return one.name != place.file; });
  if (delivery.files.empty()) {
    return make_error(Errc::damaged, "the asset has no file " + quoted(place.file) +
                                         ", where its table of tensors says that it is");
  }
  return set_range(delivery, place.first, place.first + (place.bytes - 1));
}

Status choose_shape(const Arguments& given, Delivery& delivery) {
  const std::string target = given.operands().size() > 1 ? given.operands()[1] : "-";
  const bool key = text_at(delivery.asset, "kind") == "dataset-key";
  const bool one = key || given.has("file") || given.has("range") || given.has("tensor");
  if (target == "-") {
    if (given.has("tar")) {
      delivery.shape = Shape::archive_to_stdout;
    } else if (delivery.files.size() == 1) {
      delivery.shape = Shape::one_to_stdout;
    } else {
      return export_usage("the asset has " + counted(delivery.files.size(), "file") +
                              "; only one fits on standard output",
                          "name a directory, choose one with --file, or use --tar");
    }
    return {};
  }
  delivery.target = target;
  delivery.shape = given.has("tar") ? Shape::archive_to_file
                   : one            ? Shape::one_to_file
                                    : Shape::all_to_directory;
  if (delivery.shape == Shape::one_to_file && is_directory(target)) {
    const std::string& name = delivery.files[0].name;
    delivery.target += "/" + name.substr(name.rfind('/') + 1);
  }
  return {};
}

Status refuse_bad_output(const Delivery& delivery) {
  if (!delivery.target.empty()) return {};
  const int flags = fcntl(STDOUT_FILENO, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
    return make_error(Errc::unexpected, "standard output is closed: nothing can be exported to it",
                      "name a destination");
  }
  if (isatty(STDOUT_FILENO) != 1) return {};
  if (text_at(delivery.asset, "kind") == "dataset-key") {
    return make_error(Errc::usage, "a key is not written to a terminal",
                      "name a file, or pipe it into the program that needs it");
  }
  if (delivery.shape == Shape::archive_to_stdout) {
    return make_error(Errc::usage, "an archive is not written to a terminal",
                      "redirect it: aierase export A --tar > FILE.tar");
  }
  return {};
}

Error output_error(Error error, const Delivery& delivery) {
  if (!delivery.target.empty()) return error;
  pollfd output{STDOUT_FILENO, 0, 0};
  if (poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0) {
    return make_error(Errc::unexpected, "standard output was closed before everything was written",
                      "the export is recorded all the same");
  }
  return error;
}

Status hand_one(Job& job, const Delivery& delivery, int descriptor) {
  return job.add_files({{delivery.files[0].name, descriptor}});
}

// The daemon takes no terminal: whoever stops reading one would hold up an erasure.
Status hand_to_terminal(Job& job, const Delivery& delivery) {
  ASSIGN_OR_RETURN(PipeEnds pipe, make_pipe());
  RETURN_IF_ERROR(hand_one(job, delivery, pipe.writing.get()));
  pipe.writing.reset();
  std::vector<char> buffer(64 << 10);
  while (true) {
    const ssize_t got = read(pipe.reading.get(), buffer.data(), buffer.size());
    if (got == 0) return {};
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error(errno, "cannot read what is exported");
    RETURN_IF_ERROR(write_fully(STDOUT_FILENO, buffer.data(), static_cast<std::size_t>(got)));
  }
}

Status hand_all(Job& job, const Delivery& delivery, Receiver& receiver) {
  for (std::size_t at = 0; at < delivery.files.size();) {
    const std::size_t end = std::min(at + limits::kDescriptorsPerCall, delivery.files.size());
    std::vector<UniqueFd> open;
    std::vector<JobFile> batch;
    for (; at < end; ++at) {
      ASSIGN_OR_RETURN(UniqueFd file,
                       receiver.create(delivery.files[at].name, delivery.files[at].bytes));
      batch.push_back({delivery.files[at].name, file.get()});
      open.push_back(std::move(file));
    }
    RETURN_IF_ERROR(job.add_files(batch));
  }
  return {};
}

// Members that share one pipe, which the daemon closes behind the last of them.
struct Batch {
  std::size_t begin = 0;
  std::size_t end = 0;
  UniqueFd content;
};

Result<Batch> ask_for(Job& job, const Delivery& delivery, std::size_t begin) {
  ASSIGN_OR_RETURN(PipeEnds pipe, make_pipe());
  const std::size_t end = std::min(begin + limits::kDescriptorsPerCall, delivery.files.size());
  std::vector<JobFile> files;
  for (std::size_t at = begin; at < end; ++at) {
    files.push_back({delivery.files[at].name, pipe.writing.get()});
  }
  RETURN_IF_ERROR(job.add_files(files));
  return Batch{begin, end, std::move(pipe.reading)};
}

// Small files would spend more time on pipes and calls of their own than on their content. A batch
// is asked for ahead, so that the daemon never waits for the bus.
Status hand_archive(Job& job, const Delivery& delivery, int descriptor, Progress& progress) {
  ASSIGN_OR_RETURN(TarWriter archive, TarWriter::open(descriptor));
  std::uint64_t done = 0;
  const Advance advance = [&](std::uint64_t bytes) {
    done += bytes;
    progress.update(done);
  };
  std::optional<Batch> next;
  ASSIGN_OR_RETURN(next, ask_for(job, delivery, 0));
  while (next) {
    const Batch batch = *std::exchange(next, std::nullopt);
    if (batch.end < delivery.files.size()) {
      ASSIGN_OR_RETURN(next, ask_for(job, delivery, batch.end));
    }
    for (std::size_t at = batch.begin; at < batch.end; ++at) {
      RETURN_IF_ERROR(archive.add(delivery.files[at], batch.content.get(), advance));
    }
    RETURN_IF_ERROR(expect_end(batch.content.get(), delivery.files[batch.end - 1].name));
  }
  return archive.finish();
}

Status hand_over(Job& job, const Delivery& delivery, std::optional<Receiver>& receiver,
                 Progress& progress) {
  if (delivery.files.empty()) return {};
  if (delivery.shape == Shape::one_to_stdout) {
    if (is_terminal(STDOUT_FILENO)) return hand_to_terminal(job, delivery);
    widen_pipe(STDOUT_FILENO);
    return hand_one(job, delivery, STDOUT_FILENO);
  }
  if (delivery.shape == Shape::archive_to_stdout) {
    widen_pipe(STDOUT_FILENO);
    return hand_archive(job, delivery, STDOUT_FILENO, progress);
  }
  if (delivery.shape == Shape::all_to_directory) return hand_all(job, delivery, *receiver);
  const std::string name = delivery.target.substr(delivery.target.rfind('/') + 1);
  const bool archive = delivery.shape == Shape::archive_to_file;  // which we write ourselves
  ASSIGN_OR_RETURN(const UniqueFd file, receiver->create(name, archive ? 0 : delivery.bytes));
  if (delivery.shape == Shape::one_to_file) return hand_one(job, delivery, file.get());
  return hand_archive(job, delivery, file.get(), progress);
}

Result<std::optional<Receiver>> receiver_of(const Delivery& delivery) {
  std::optional<Receiver> receiver;
  std::vector<std::string> names;
  if (delivery.target.empty()) return std::optional<Receiver>();
  if (delivery.shape == Shape::all_to_directory) {
    ASSIGN_OR_RETURN(Receiver opened, Receiver::open_directory(delivery.target));
    receiver.emplace(std::move(opened));
    for (const TarMember& file : delivery.files) names.push_back(file.name);
  } else {
    ASSIGN_OR_RETURN(Receiver opened, Receiver::open_parent(delivery.target));
    receiver.emplace(std::move(opened));
    names.push_back(delivery.target.substr(delivery.target.rfind('/') + 1));
  }
  RETURN_IF_ERROR(receiver->refuse_existing(names));
  return std::optional<Receiver>(std::move(receiver));
}

Result<Delivery> prepare_export(Session& session) {
  Delivery delivery;
  ASSIGN_OR_RETURN(delivery.asset, show_asset(session, session.operand(0), Files::all));
  const std::string state = text_at(delivery.asset, "state");
  if (state != "active") return delivery;  // the daemon says so, before anything is made
  RETURN_IF_ERROR(choose_files(session.arguments(), delivery));
  RETURN_IF_ERROR(choose_tensor(session, delivery));
  RETURN_IF_ERROR(choose_shape(session.arguments(), delivery));
  RETURN_IF_ERROR(refuse_bad_output(delivery));
  const std::string destination =
      delivery.target.empty() ? "standard output" : absolute_target(delivery.target);
  delivery.options["destination"] =
      is_printable_utf8(destination) ? destination : quoted(destination);
  return delivery;
}

Result<Json> deliver(Session& session, const Delivery& delivery,
                     std::optional<Receiver>& receiver) {
  CallArguments arguments;
  arguments.texts = {text_at(delivery.asset, "id")};
  ASSIGN_OR_RETURN(Job job,
                   session.start("Asset", "Export", std::move(arguments), delivery.options));
  Progress progress(session.out(), "Exporting", delivery.bytes);
  Status handed = hand_over(job, delivery, receiver, progress);
  if (handed.ok()) handed = job.commit();
  if (!handed.ok()) return output_error(end_of(job, std::move(handed).error()), delivery);
  auto result = job.wait([&](std::uint64_t bytes) { progress.update(bytes); });
  if (!result.ok()) return output_error(std::move(result).error(), delivery);
  return result;
}

}  // namespace

Result<int> run_export(Session& session) {
  Output& out = session.out();
  ASSIGN_OR_RETURN(const Delivery delivery, prepare_export(session));
  ASSIGN_OR_RETURN(std::optional<Receiver> receiver, receiver_of(delivery));
  ASSIGN_OR_RETURN(Json result, deliver(session, delivery, receiver));
  if (receiver) {
    Progress progress(out, "Exporting", 0);
    progress.say("bringing the files safely onto the disk");
    RETURN_IF_ERROR(receiver->keep());
  }
  if (delivery.target.empty()) {
    out.remark("This copy is recorded, and is no longer under the store's control.");
    return 0;
  }
  if (!out.for_people()) {
    result["destination"] = delivery.options["destination"];
    out.print_json("export", std::move(result));
  } else if (!out.quiet()) {
    const bool key = text_at(delivery.asset, "kind") == "dataset-key";
    out.print((key ? "Exported the key"
                   : "Exported " + counted(delivery.files.size(), "file") + ", " +
                         human_bytes(delivery.bytes)) +
              " to " + printable(delivery.target) +
              ".\nThis copy is recorded, and is no longer under the store's control: erasing the "
              "asset does not reach it.\n");
  }
  return 0;
}

}  // namespace aierase::ctl
