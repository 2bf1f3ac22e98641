#include "base/env.h"

namespace aierase {
namespace {

Status write_and_sync(File& file, ByteView content) {
  RETURN_IF_ERROR(file.write_at(0, content));
  return file.sync();
}

}  // namespace

Result<Bytes> read_file(Env& env, const std::string& path, std::size_t limit) {
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file, env.open(path, {}));
  ASSIGN_OR_RETURN(const FileInfo info, file->info());
  if (info.type != FileType::regular) {
    return make_error(Errc::invalid_input, path + " is not a regular file", {}, path);
  }
  if (info.size > limit) {
    return make_error(Errc::resource_limit,
                      path + " has " + std::to_string(info.size) + " bytes; the limit is " +
                          std::to_string(limit),
                      {}, path);
  }
  Bytes content(static_cast<std::size_t>(info.size));
  RETURN_IF_ERROR(file->read_at(0, content));
  return content;
}

Status write_new_file(Env& env, const std::string& path, ByteView content, unsigned permissions) {
  OpenHow how;
  how.mode = OpenMode::create_new;
  how.permissions = permissions;
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, env.open(path, how));
  Status written = write_and_sync(*file, content);
  file.reset();
  if (!written.ok()) {
    // Half a file under its final name would be taken for the whole. The first error is the one
    // to report, so that of the removal is dropped.
    static_cast<void>(env.unlink(path));
    return written;
  }
  return env.sync_directory(parent_of(path));
}

std::string base_name(const std::string& path) {
  return path.substr(path.find_last_of('/') + 1);
}

std::string parent_of(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return path.empty() ? "." : "/";
  const std::size_t slash = path.find_last_of('/', end);
  if (slash == std::string::npos) return ".";
  const std::size_t parent_end = path.find_last_not_of('/', slash);
  return parent_end == std::string::npos ? "/" : path.substr(0, parent_end + 1);
}

}  // namespace aierase
