#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/env.h"
#include "base/limits.h"
#include "certificate/keyring.h"
#include "ctl/evidence_file.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {
namespace {

enum class Existing { absent, equal, earlier };

struct TrustFile {
  std::string path;
  std::string content;
  Existing existing = Existing::absent;
};

Error another_key(const std::string& path) {
  return make_error(Errc::already_exists, quoted(path) + " exists, and is another key",
                    "find out whose it is before you replace it", path);
}

Result<std::optional<std::string>> content_of(const std::string& path) {
  PosixEnv env;
  ASSIGN_OR_RETURN(const auto there, env.stat(path));
  if (!there) return std::optional<std::string>();
  Result<Bytes> content = read_file(env, path, limits::kKeyringBytes);
  if (!content.ok()) return another_key(path);
  return std::optional<std::string>(as_text(*content));
}

// What lies in the directory from before may be replaced where its keys are the first of these.
Result<Existing> look_at_keyring(const TrustFile& keyring) {
  ASSIGN_OR_RETURN(const std::optional<std::string> there, content_of(keyring.path));
  if (!there) return Existing::absent;
  if (*there == keyring.content) return Existing::equal;
  const Result<certificate::Keyring> earlier = certificate::parse_keyring(*there);
  ASSIGN_OR_RETURN(const certificate::Keyring now, certificate::parse_keyring(keyring.content));
  if (earlier.ok() && certificate::continues(now, *earlier)) return Existing::earlier;
  return another_key(keyring.path);
}

struct TrustFiles {
  TrustFile keyring, pem, trusted_root;

  static Result<TrustFiles> of(const std::string& directory, const Json& trust) {
    const std::string stem = directory + "/" + text_at(trust, "store");
    TrustFiles files;
    files.keyring = {stem + ".keyring.json", text_at(trust, "keyring")};
    files.pem = {stem + ".pem", text_at(trust, "public_key_pem")};
    files.trusted_root = {stem + ".trusted_root.json", text_at(trust, "trusted_root")};
    ASSIGN_OR_RETURN(files.keyring.existing, look_at_keyring(files.keyring));
    for (TrustFile* file : {&files.pem, &files.trusted_root}) {
      ASSIGN_OR_RETURN(const std::optional<std::string> there, content_of(file->path));
      if (!there) continue;
      file->existing = *there == file->content ? Existing::equal : Existing::earlier;
      // Only a keyring says that the key in the file was one of this store.
      if (file->existing == Existing::earlier && files.keyring.existing == Existing::absent) {
        return another_key(file->path);
      }
    }
    return files;
  }

  Status write() const {
    for (const TrustFile* file : {&keyring, &pem, &trusted_root}) {
      if (file->existing == Existing::equal) continue;
      RETURN_IF_ERROR(replace_evidence(file->path, file->content));
    }
    return {};
  }
};

// The directory, and whether it is ours to take away again.
class Directory {
 public:
  static Result<Directory> open(const std::string& path) {
    const bool made = mkdir(path.c_str(), 0755) == 0;
    if (!made && errno != EEXIST) {
      return errno_error(errno, "cannot create the directory " + quoted(path)).about(path);
    }
    if (access(path.c_str(), W_OK | X_OK) != 0) {
      return errno_error(errno, "cannot write into " + quoted(path)).about(path);
    }
    return Directory(path, made);
  }
  // Where nothing was written into it after all.
  void forget() const {
    if (made_) static_cast<void>(rmdir(path_.c_str()));
  }

 private:
  Directory(std::string path, bool made) : path_(std::move(path)), made_(made) {}
  std::string path_;
  bool made_;
};

// New keys first, where that is wished; the directory has to take what comes of it.
Result<Json> rotated(Session& session, const Directory& directory) {
  Result<Json> trust = session.call("Certificate", "RotateKeys", {}, Json::object());
  if (!trust.ok()) directory.forget();
  return trust;
}

}  // namespace

Result<int> run_certificate_trust(Session& session) {
  Output& out = session.out();
  const std::string& directory = session.operand(0);
  const bool rotate = session.arguments().has("rotate");
  ASSIGN_OR_RETURN(Json trust, session.call("Certificate", "Trust", {}, Json::object()));
  ASSIGN_OR_RETURN(const Directory place, Directory::open(directory));
  ASSIGN_OR_RETURN(TrustFiles files, TrustFiles::of(directory, trust));
  if (rotate) {
    ASSIGN_OR_RETURN(trust, rotated(session, place));
    ASSIGN_OR_RETURN(files, TrustFiles::of(directory, trust));
  }
  RETURN_IF_ERROR(files.write());
  if (!out.for_people()) {
    for (const char* file : {"keyring", "trusted_root"}) trust.erase(file);
    trust["file"] = printable(files.pem.path);
    trust["files"] = {printable(files.pem.path), printable(files.keyring.path),
                      printable(files.trusted_root.path)};
    out.print_json("certificate trust", std::move(trust));
  } else if (out.quiet()) {
    out.print(printable(files.pem.path) + "\n");
  } else {
    out.print((rotate ? "Signer and log have new keys; the log has the change, signed by the keys "
                        "before and after.\n"
                      : "") +
              std::string("Wrote ") + printable(files.keyring.path) +
              "\n  all keys that ever signed for this store, each with its time\nWrote " +
              printable(files.pem.path) + "\n  the signer in force, for openssl\nWrote " +
              printable(files.trusted_root.path) +
              "\n  the keys of the log, for Sigstore's verifiers\nFingerprint: " +
              printable(text_at(trust, "fingerprint")) +
              "\nNext: whoever verifies compares the fingerprint with you by another way, puts the "
              "files into\n/etc/aierase/trust.d, and runs aierase verify FILE.\n");
  }
  return 0;
}

}  // namespace aierase::ctl
