#include "fault/support/inspect.h"

#include <sqlite3.h>

#include <algorithm>

#include "catalog/catalog.h"
#include "domain/ids.h"
#include "domain/refusal.h"

namespace aierase::test {
namespace {

void collect(FakeDisk& disk, const std::string& directory, Contents& found) {
  const auto names = disk.list(directory);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    const std::string path = (directory == "/" ? "" : directory) + "/" + name;
    const auto info = disk.stat(path);
    if (!info.ok() || !*info) continue;
    if ((*info)->type == FileType::directory) {
      found[path + "/"];
      collect(disk, path, found);
    } else {
      found[path] = disk.content(path);
    }
  }
}

std::string plan_line(const domain::Plan& plan) {
  std::string text = "plan of " + plan.requester.login + " is " +
                     std::string(domain::to_text(plan.state)) + (plan.due ? ", due" : "") +
                     (plan.finished ? ", finished" : "") + ":";
  for (const domain::PlanItem& item : plan.items) {
    text += " " + item.name.text() + "=" + std::string(domain::to_text(item.state)) + "/" +
            std::string(domain::to_text(item.verdict)) + (item.certificate ? "+c" : "");
  }
  for (const domain::Approval& approval : plan.approvals) {
    text +=
        "; " + approval.actor.login + " says " + std::string(domain::to_text(approval.decision));
  }
  return text + "\n";
}

// A plan that ended otherwise than done, and its signed record: never the one without the other.
std::string record_line(World& world, const domain::Plan& plan) {
  const auto view = world.store->show_plan(plan.id);
  if (!view.ok()) return view.error().message + "\n";
  EXPECT_EQ(view->refusal.has_value(), domain::is_refusal(plan.state)) << plan_line(plan);
  if (!view->refusal) return {};
  EXPECT_EQ(view->refusal->outcome, plan.state);
  return view->refusal->signature.empty() ? "recorded, not signed\n" : "recorded and signed\n";
}

std::string asset_line(const lifecycle::AssetView& view) {
  const domain::Asset& asset = view.asset;
  std::string text = asset.name.text() + " is " + std::string(domain::to_text(asset.state)) +
                     ", class " + asset.retention + (asset.leaf ? "" : ", no leaf") +
                     (view.open_plan ? ", planned" : "") + (view.certificate ? ", certified" : "") +
                     ";";
  for (const auto& [key, value] : asset.labels) {
    text += " ";
    text += key;
    text += "=";
    text += value;
  }
  for (const domain::Custodian& custodian : asset.custodians) text += " @" + custodian.text();
  for (const domain::ExportRecord& one : view.exports) {
    text += " export(" + one.scope + " to " + one.destination + " by " + one.actor.login + ")";
  }
  for (const domain::Hold& hold : view.holds) text += " hold(" + hold.matter + ")";
  for (const catalog::Event& event : view.events) {
    text += " " + event.action + "(" + event.actor.login + ":" + event.from + ">" + event.to + ")";
  }
  return text + "\n";
}

}  // namespace

Contents everything(FakeDisk& disk) {
  Contents found;
  collect(disk, "/", found);
  return found;
}

std::string differences(const Contents& before, const Contents& after) {
  std::string text;
  for (const auto& [path, content] : before) {
    const auto now = after.find(path);
    if (now == after.end()) text += " -" + path;
    if (now != after.end() && now->second != content) text += " ~" + path;
  }
  for (const auto& entry : after) {
    if (before.count(entry.first) == 0) text += " +" + entry.first;
  }
  return text;
}

std::vector<std::string> names_in(FakeDisk& disk, const std::string& directory) {
  const auto names = disk.list(directory);
  std::vector<std::string> sorted = names.ok() ? *names : std::vector<std::string>();
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

std::size_t blob_files(FakeDisk& disk) {
  const std::string blobs = std::string(kStoreDirectory) + "/blobs";
  std::size_t count = 0;
  for (const std::string& name : names_in(disk, blobs)) {
    count += names_in(disk, blobs + "/" + name).size();
  }
  return count;
}

Status put_file(FakeDisk& disk, const std::string& path, ByteView content) {
  ASSIGN_OR_RETURN(const std::optional<FileInfo> there, disk.stat(path));
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                   disk.open(path, {.mode = there ? OpenMode::read_write : OpenMode::create_new}));
  RETURN_IF_ERROR(file->truncate(content.size()));
  RETURN_IF_ERROR(file->write_at(0, content));
  RETURN_IF_ERROR(file->sync());
  return disk.sync_directory(parent_of(path));
}

void spoil(FakeDisk& disk, const std::string& path, std::uint64_t offset, std::size_t size) {
  const Bytes content = disk.content(path);
  const auto from = content.begin() + static_cast<std::ptrdiff_t>(offset);
  Bytes bytes(from, from + static_cast<std::ptrdiff_t>(size));
  for (std::byte& byte : bytes) byte = ~byte;
  disk.poke(path, offset, bytes);
}

Status cut_journal(FakeDisk& disk) {
  ASSIGN_OR_RETURN(const std::unique_ptr<File> journal,
                   disk.open("/store/catalog.db-journal", {.mode = OpenMode::read_write}));
  return journal->truncate(0);
}

Status sql(FakeDisk& disk, const std::string& statements) {
  const std::string path = std::string(kStoreDirectory) + "/catalog.db";
  sqlite3* handle = nullptr;
  char* said = nullptr;
  int code = sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE, disk.sqlite_vfs());
  if (code == SQLITE_OK) {
    const std::string all = "PRAGMA foreign_keys=OFF; PRAGMA journal_mode=TRUNCATE;" + statements;
    code = sqlite3_exec(handle, all.c_str(), nullptr, nullptr, &said);
  }
  Status done;
  if (code != SQLITE_OK) {
    done = make_error(Errc::unexpected, said != nullptr ? said : sqlite3_errstr(code));
  }
  sqlite3_free(said);
  sqlite3_close(handle);
  return done;
}

std::string fingerprint(World& world) {
  std::string text;
  for (const Imported& asset : world.assets) {
    const auto view = world.store->show_asset(asset.id);
    text += view.ok() ? asset_line(*view) : asset.name + ": " + view.error().message + "\n";
  }
  const auto plans = world.store->list_plans("", 100);
  if (!plans.ok()) return text + plans.error().message;
  for (const domain::Plan& plan : plans->rows) text += plan_line(plan) + record_line(world, plan);
  return text;
}

std::vector<std::string> log_types(FakeDisk& disk) {
  std::vector<std::string> types;
  const auto catalog = catalog::Catalog::open(disk, std::string(kStoreDirectory) + "/catalog.db");
  if (!catalog.ok()) return {catalog.error().message};
  for (std::uint64_t index = 0;; ++index) {
    const auto leaf = (*catalog)->read().log_leaf(index);
    if (!leaf.ok() || !*leaf) return types;
    if ((*leaf)->type != "recovery") types.push_back((*leaf)->type);
  }
}

std::vector<lifecycle::Finding> check_all(World& world, lifecycle::CheckDepth depth) {
  lifecycle::CheckRun run(*world.store, {}, depth);
  while (true) {
    const Result<bool> more = run.step();
    EXPECT_TRUE(done(more));
    if (!more.ok() || !*more) return run.findings();
  }
}

std::string to_string(const std::vector<lifecycle::Finding>& findings) {
  std::string text;
  for (const lifecycle::Finding& one : findings) {
    text += one.code + " " + one.subject + ": " + one.text + "\n";
  }
  return text;
}

}  // namespace aierase::test
