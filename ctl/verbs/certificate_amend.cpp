#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/unique_fd.h"
#include "crypto/primitives.h"
#include "ctl/changing.h"
#include "ctl/evidence_file.h"
#include "ctl/interrupt.h"
#include "ctl/outcome.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"
#include "domain/ids.h"

namespace aierase::ctl {
namespace {

constexpr std::size_t kEvidencePiece = 1 << 20;

struct Hashed {
  Digest sha256{};
  std::uint64_t bytes = 0;
};

Result<Hashed> hashed(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) return errno_error(errno, "cannot open it");
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return errno_error(errno, "cannot look at it");
  // A pipe or a device gives other bytes the next time, or never an end.
  if (!S_ISREG(status.st_mode)) {
    return make_error(Errc::invalid_input, "this is no regular file",
                      "evidence is kept: write it into a file, and name that");
  }
  crypto::Sha256 hash;
  Hashed made;
  Bytes piece(kEvidencePiece);
  for (;;) {
    if (Interrupt::asked()) return interrupted();
    const ssize_t got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error(errno, "cannot read it");
    if (got == 0) break;
    hash.update(ByteView(piece).first(static_cast<std::size_t>(got)));
    made.bytes += static_cast<std::size_t>(got);
  }
  made.sha256 = hash.finish();
  return made;
}

std::string last_part(const std::string& path) {
  return path.substr(path.find_last_of('/') + 1);
}

Result<Json> amend_options(const Arguments& given) {
  Json options = reason_option(given);
  const std::string* const file = given.find("evidence");
  const std::string* const again = given.find("erased-again");
  if ((file == nullptr) == (again == nullptr)) {
    return make_error(Errc::usage, "'certificate amend' needs --evidence or --erased-again",
                      "a verdict is given with `aierase validate`");
  }
  if (given.value_or("reason", "").empty()) {
    return make_error(Errc::usage, "'certificate amend' needs --reason",
                      "whoever reads the certificate in years has to understand it");
  }
  if (again != nullptr) {
    for (const char* option : {"closes", "media-type"}) {
      if (!given.has(option)) continue;
      return make_error(Errc::usage, std::string("--") + option + " is for --evidence");
    }
    options["erased-again"] = *again;
    return options;
  }
  Result<Hashed> made = hashed(*file);
  if (!made.ok()) return std::move(made).error().in(quoted(*file)).about(*file);
  options["evidence"] = last_part(*file);
  options["evidence-sha256"] = to_hex(made->sha256);
  options["evidence-bytes"] = made->bytes;
  options["media-type"] = given.value_or("media-type", "application/octet-stream");
  const std::vector<std::string> closes = given.all("closes");
  if (!closes.empty()) options["closes"] = closes;
  return options;
}

std::string told(const Json& record, const Arguments& given) {
  const std::string certificate = printable(text_at(record, "certificate"));
  const Json& open = list_at(record, "residuals_open");
  std::string text =
      "Amendment " + text_at(record, "number") + " of " + certificate +
      " is signed, and in the log. With it the outcome is " +
      printable(text_at(record, "outcome")) + ": " + printable(text_at(record, "validation")) +
      (open.empty() ? ", no residual open.\n" : ", open: " + joined(open, ", ") + ".\n");
  if (given.has("evidence")) {
    text += "The store keeps the SHA-256 of the file, and not the file: keep that yourself.\n";
  }
  return text + "Next: hand it over with its certificate\n  aierase certificate export " +
         certificate + " FILE\n";
}

}  // namespace

Result<int> run_certificate_amend(Session& session) {
  const std::string& wanted = session.operand(0);
  const auto id = domain::parse_id(wanted);
  if (!id || id->type != domain::IdType::certificate) {
    return make_error(Errc::usage, quoted(wanted) + " is no certificate",
                      "aierase list certificates");
  }
  ASSIGN_OR_RETURN(const Json options, amend_options(session.arguments()));
  CallArguments arguments;
  arguments.texts = {wanted};
  ASSIGN_OR_RETURN(const Json record,
                   session.call("Certificate", "Amend", std::move(arguments), options));
  Output& out = session.out();
  if (!out.for_people()) {
    out.print_json("certificate amend", {{"amendment", record}});
  } else if (out.quiet()) {
    out.print(printable(text_at(record, "certificate")) + "\n");
  } else {
    out.print(told(record, session.arguments()));
  }
  return 0;
}

}  // namespace aierase::ctl
