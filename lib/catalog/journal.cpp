#include "catalog/journal.h"

#include <array>
#include <memory>
#include <optional>

namespace aierase::catalog {
namespace {

constexpr std::size_t kJournalHeaderBytes =
    28;  // of a rollback journal, as SQLite's file format has it

std::string journal_of(const std::string& path) {
  return path + "-journal";
}

Result<std::optional<FileInfo>> find_journal(Env& env, const std::string& path) {
  ASSIGN_OR_RETURN(std::optional<FileInfo> there, env.stat(journal_of(path)));
  if (there && there->type != FileType::regular) there.reset();
  return there;
}

Result<std::unique_ptr<File>> open_journal(Env& env, const std::string& path) {
  return env.open(journal_of(path), {.mode = OpenMode::read_write});
}

Status end_again(Env& env, const std::string& path) {
  ASSIGN_OR_RETURN(const std::unique_ptr<File> journal, open_journal(env, path));
  const std::array<std::byte, kJournalHeaderBytes> zeros{};
  RETURN_IF_ERROR(journal->write_at(0, zeros));
  return journal->sync();
}

Status empty(Env& env, const std::string& path) {
  ASSIGN_OR_RETURN(const std::unique_ptr<File> journal, open_journal(env, path));
  RETURN_IF_ERROR(journal->truncate(0));
  return journal->sync();
}

}  // namespace

// A commit ends it by zeros over its header, or by a length of zero.
Result<bool> journal_waits(Env& env, const std::string& path) {
  ASSIGN_OR_RETURN(const std::optional<FileInfo> there, find_journal(env, path));
  if (!there || there->size == 0) return false;
  ASSIGN_OR_RETURN(const std::unique_ptr<File> journal, env.open(journal_of(path), OpenHow{}));
  std::array<std::byte, 1> first{};
  RETURN_IF_ERROR(journal->read_at(0, first));
  return first.front() != std::byte{0};
}

// After a sync that failed the kernel may show an ended journal where the disk still holds the last
// one as it was: the next would be written over it, and a power cut would leave a mixture of the
// two, which SQLite believes. Said again and synced, its end is durable; no byte changes for a
// reader. A file system that writes nothing in place may have no room for that, but for less.
Status settle_journal(Env& env, const std::string& path) {
  ASSIGN_OR_RETURN(const std::optional<FileInfo> there, find_journal(env, path));
  if (!there) return {};
  ASSIGN_OR_RETURN(const bool waits, journal_waits(env, path));
  if (waits) return {};
  if (there->size < kJournalHeaderBytes) return empty(env, path);
  Status ended = end_again(env, path);
  return ended.ok() || ended.error().code != Errc::no_space ? ended : empty(env, path);
}

}  // namespace aierase::catalog
