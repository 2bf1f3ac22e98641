#include <unistd.h>

#include "rootslot/file_slot.h"

namespace aierase::rootslot {
namespace {

// https://bford.info/cachedir/: backup programs leave a directory with this file out.
constexpr std::string_view kCacheTag =
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This directory holds the root slot of an aierase store. A backup of it would bring back\n"
    "# what was erased; without it every backup of the store stays unreadable.\n";

OpenHow how(OpenMode mode, Caching caching) {
  OpenHow open;
  open.mode = mode;
  open.durability = Durability::data_synced;
  open.caching = caching;
  open.permissions = 0600;
  return open;
}

// Opens the same file once more for direct I/O, and tries it: some file systems refuse at the
// first transfer only. Refused: nullptr.
Result<std::unique_ptr<File>> open_direct(Env& env, const std::string& path, File& same,
                                          SecretBytes& buffer) {
  Result<std::unique_ptr<File>> direct = env.open(path, how(OpenMode::read_write, Caching::direct));
  if (!direct.ok()) {
    if (direct.error().code == Errc::invalid_input) return std::unique_ptr<File>();
    return std::move(direct).error();
  }
  ASSIGN_OR_RETURN(const FileInfo locked, same.info());
  ASSIGN_OR_RETURN(const FileInfo opened, (*direct)->info());
  if (locked.inode != opened.inode || locked.device != opened.device) {
    return make_error(Errc::damaged, path + " was replaced while it was opened",
                      "Find out who writes to its directory, then try again.", path);
  }
  const Status tried = buffer.fill(
      [&](ByteSpan bytes) -> Status { return (*direct)->read_at(0, bytes.first(kBlockBytes)); });
  if (tried.ok()) return direct;
  // A device that cannot read at all is not a file system without direct I/O.
  RETURN_IF_ERROR(buffer.fill(
      [&](ByteSpan bytes) -> Status { return same.read_at(0, bytes.first(kBlockBytes)); }));
  return std::unique_ptr<File>();
}

Result<std::unique_ptr<FileSlot>> assemble(Env& env, const FileSlotOptions& options,
                                           std::unique_ptr<File> lock) {
  const std::string& path = options.path;
  ASSIGN_OR_RETURN(SecretBytes buffer, SecretBytes::zeroed(FileSlot::kBufferBytes));
  ASSIGN_OR_RETURN(std::unique_ptr<File> direct, open_direct(env, path, *lock, buffer));
  FileSlot::Parts parts{path, options.destination.empty() ? path : options.destination,
                        std::move(lock), std::move(direct), std::move(buffer)};
  return std::make_unique<FileSlot>(env, std::move(parts));
}

Status refuse(const std::string& path, std::string what, std::string hint) {
  return make_error(Errc::damaged, "the root slot " + path + " " + std::move(what), std::move(hint),
                    path);
}

Status check_info(const std::string& path, const FileInfo& info) {
  if (info.type != FileType::regular) {
    return refuse(path, "is not a regular file", "Name the slot file that `init` created.");
  }
  if (info.links != 1) {
    return refuse(path, "has " + std::to_string(info.links) + " names",
                  "Remove the other hard links: through them the secret can be copied.");
  }
  if (info.owner != ::geteuid()) {
    return refuse(path,
                  "belongs to uid " + std::to_string(info.owner) + ", and this is uid " +
                      std::to_string(::geteuid()),
                  "If nobody else could read it, chown it to the user that runs aierased.");
  }
  if ((info.permissions & 0177U) != 0) {
    return refuse(path, "is open to others than its owner",
                  "If nobody else could read it, chmod it to 0600; else rotate it afterwards.");
  }
  if (info.size < kFileBytes) {
    return refuse(
        path,
        "has " + std::to_string(info.size) + " bytes instead of " + std::to_string(kFileBytes),
        "It was cut short or never finished: put the slot file back as it was last in use. Nothing "
        "was changed.");
  }
  return {};
}

Status put_cache_tag(Env& env, const std::string& path) {
  const std::string tag = parent_of(path) + "/CACHEDIR.TAG";
  ASSIGN_OR_RETURN(const std::optional<FileInfo> there, env.stat(tag));
  if (there.has_value()) return {};
  return write_new_file(env, tag, as_bytes(kCacheTag), 0644);
}

Status check_directory(Env& env, const std::string& path) {
  const std::string directory = parent_of(path);
  ASSIGN_OR_RETURN(const std::optional<FileInfo> there, env.stat(directory));
  if (there.has_value() && there->type == FileType::directory) return {};
  return make_error(Errc::not_found, "there is no directory " + directory + " for the root slot",
                    "Create it with mode 0700, owned by the user that runs aierased.", directory);
}

Result<std::unique_ptr<FileSlot>> fill_new_file(Env& env, const FileSlotOptions& options,
                                                std::unique_ptr<File> lock, const Uuid& store) {
  RETURN_IF_ERROR(lock->lock_exclusive());
  RETURN_IF_ERROR(lock->set_no_dump());
  RETURN_IF_ERROR(lock->allocate(kFileBytes));
  RETURN_IF_ERROR(lock->truncate(kFileBytes));
  RETURN_IF_ERROR(lock->sync());
  ASSIGN_OR_RETURN(std::unique_ptr<FileSlot> slot, assemble(env, options, std::move(lock)));
  RETURN_IF_ERROR(slot->format(store));
  RETURN_IF_ERROR(put_cache_tag(env, options.path));
  RETURN_IF_ERROR(env.sync_directory(parent_of(options.path)));
  return slot;
}

// Of the file system that the open file lies on: the place below an absent mount is another one.
Status check_same_filesystem(Env& env, const std::string& path, File& open) {
  ASSIGN_OR_RETURN(const FileInfo info, open.info());
  const std::string directory = parent_of(path);
  ASSIGN_OR_RETURN(const std::optional<FileInfo> there, env.stat(directory));
  if (there && there->type == FileType::directory && there->device == info.device) return {};
  return make_error(
      Errc::damaged, directory + " is not there, or not on the file system that the slot lies on",
      "mount that file system there, or create the directory with mode 0700", directory);
}

}  // namespace

Status FileSlot::put_back() {
  RETURN_IF_ERROR(check_same_filesystem(env_, parts_.path, *parts_.lock));
  ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                   env_.open(parts_.path, how(OpenMode::create_new, Caching::page_cache)));
  Result<std::unique_ptr<FileSlot>> made =
      fill_new_file(env_, {parts_.path, parts_.destination}, std::move(file), header_.store);
  Status taken = made.ok() ? (*made)->take_over(*this) : Status(made.error());
  if (!taken.ok()) {
    if (made.ok()) static_cast<void>((*made)->put_zeros_into_slots());
    static_cast<void>(env_.unlink(parts_.path));
    return taken;
  }
  std::swap(parts_, (*made)->parts_);
  std::swap(header_, (*made)->header_);
  // The old file, which has no name or another one. What cannot be zeroed there is one copy more of
  // those that the level tells of.
  static_cast<void>((*made)->put_zeros_into_slots());
  return {};
}

Result<std::unique_ptr<RootSlot>> create_file_slot(Env& env, const FileSlotOptions& options,
                                                   const Uuid& store) {
  RETURN_IF_ERROR(check_directory(env, options.path));
  ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                   env.open(options.path, how(OpenMode::create_new, Caching::page_cache)));
  Result<std::unique_ptr<FileSlot>> slot = fill_new_file(env, options, std::move(file), store);
  if (!slot.ok()) {
    // Half a slot would stand in the way of the next attempt. It never held a secret.
    static_cast<void>(env.unlink(options.path));
    return std::move(slot).error();
  }
  return std::unique_ptr<RootSlot>(std::move(slot).value());
}

Result<std::unique_ptr<RootSlot>> open_file_slot(Env& env, const FileSlotOptions& options) {
  const std::string& path = options.path;
  ASSIGN_OR_RETURN(const std::optional<FileInfo> there, env.stat(path));
  if (!there.has_value()) {
    return make_error(Errc::not_found, "there is no root slot at " + path,
                      "Is its file system mounted? Without the slot the store stays unreadable.",
                      path);
  }
  if (there->type != FileType::regular) {
    return refuse(path, "is a link or no regular file",
                  "Name the file itself: a link could lead to a copy.")
        .error();
  }
  ASSIGN_OR_RETURN(std::unique_ptr<File> lock,
                   env.open(path, how(OpenMode::read_write, Caching::page_cache)));
  RETURN_IF_ERROR(lock->lock_exclusive());
  ASSIGN_OR_RETURN(const FileInfo info, lock->info());
  RETURN_IF_ERROR(check_info(path, info));
  ASSIGN_OR_RETURN(std::unique_ptr<FileSlot> slot, assemble(env, options, std::move(lock)));
  RETURN_IF_ERROR(slot->load_header());
  return std::unique_ptr<RootSlot>(std::move(slot));
}

}  // namespace aierase::rootslot
