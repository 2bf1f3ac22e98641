#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/env.h"
#include "ctl/interrupt.h"
#include "ctl/receiving.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {
namespace {

constexpr std::size_t kPemBytes = 4096;

enum class Existing { absent, equal };

// An equal file is left alone; another one is an error.
Result<Existing> look_at(const std::string& path, const std::string& pem) {
  PosixEnv env;
  ASSIGN_OR_RETURN(const auto there, env.stat(path));
  if (!there) return Existing::absent;
  const auto content = read_file(env, path, kPemBytes);
  if (content.ok() && as_text(*content) == pem) return Existing::equal;
  return make_error(Errc::already_exists, quoted(path) + " exists, and is another key",
                    "find out whose it is before you replace it", path);
}

}  // namespace

Result<int> run_certificate_trust(Session& session) {
  Output& out = session.out();
  const std::string& directory = session.operand(0);
  ASSIGN_OR_RETURN(Json trust, session.call("Certificate", "Trust", {}, Json::object()));
  const std::string store = text_at(trust, "store");
  const std::string pem = text_at(trust, "public_key_pem");
  if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
    return errno_error(errno, "cannot create the directory " + quoted(directory)).about(directory);
  }
  const std::string path = directory + "/" + store + ".pem";
  ASSIGN_OR_RETURN(const Existing existing, look_at(path, pem));
  if (existing == Existing::absent) {
    ASSIGN_OR_RETURN(Receiver receiver, Receiver::open_directory(directory));
    ASSIGN_OR_RETURN(const UniqueFd file, receiver.create(store + ".pem"));
    RETURN_IF_ERROR(write_fully(file.get(), pem.data(), pem.size()));
    if (fchmod(file.get(), 0644) != 0) return errno_error(errno, "cannot set the mode of the file");
    RETURN_IF_ERROR(receiver.keep());
  }
  if (!out.for_people()) {
    trust["file"] = printable(path);
    out.print_json("certificate trust", std::move(trust));
  } else if (out.quiet()) {
    out.print(printable(path) + "\n");
  } else {
    out.print((existing == Existing::absent ? "Wrote " : "Already there: ") + printable(path) +
              ".\nFingerprint: " + printable(text_at(trust, "fingerprint")) +
              "\nNext: whoever verifies compares the fingerprint with you by another way, puts the "
              "file into\n/etc/aierase/trust.d, and runs aierase verify FILE.\n");
  }
  return 0;
}

}  // namespace aierase::ctl
