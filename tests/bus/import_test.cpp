#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "bus/names.h"
#include "bus/running_daemon.h"

namespace aierase::bus_test {
namespace {

class AStore : public testing::Test {
 protected:
  void SetUp() override {
    daemon_.start();
    client_ = std::make_unique<bus::Client>(daemon_.client());
    init(*client_);
  }

  std::size_t assets() {
    const Result<Json> list = client_->call(bus::kAssetInterface, "List", {bus::Options()});
    EXPECT_TRUE(list.ok());
    return list.ok() ? list->at("assets").size() : 0;
  }

  // Each call goes through the store thread, behind what was there before it.
  bool blobs_go() {
    for (int i = 0; i < 1000 && !daemon_.blobs().empty(); ++i) assets();
    return daemon_.blobs().empty();
  }

  RunningDaemon daemon_;
  std::unique_ptr<bus::Client> client_;
};

std::string read_all(int descriptor) {
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(descriptor, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

TEST_F(AStore, GivesBackWhatWasImportedAndRecordsTheExport) {
  const Result<Json> imported = import_text(*client_, "org/tiny:1", "some weights");
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  EXPECT_EQ(imported->at("created"), true);
  const std::string id = imported->at("asset").at("id");

  Result<bus::Job> job = client_->start(
      bus::kAssetInterface, "Export", {id, bus::Options(Json{{"destination", "standard output"}})});
  ASSERT_TRUE(job.ok()) << job.error().message;
  Pipe pipe;
  const bus::NamedFile file{"weights.bin", pipe.writer.get()};
  ASSERT_TRUE(job->add_files({&file, 1}).ok());
  ASSERT_TRUE(job->commit().ok());
  pipe.writer.reset();
  EXPECT_EQ(read_all(pipe.reader.get()), "some weights");
  const Result<Json> exported = job->wait();
  ASSERT_TRUE(exported.ok()) << exported.error().message;
  EXPECT_EQ(exported->at("bytes"), 12);

  const Result<Json> shown = client_->call(bus::kAssetInterface, "Show", {id, bus::Options()});
  ASSERT_TRUE(shown.ok());
  ASSERT_EQ(shown->at("exports").size(), 1U);
  EXPECT_EQ(shown->at("exports")[0].at("medium"), "stream");
  EXPECT_EQ(shown->at("exports")[0].at("destination"), "standard output");
  EXPECT_EQ(shown->at("source_history"), "unknown");
}

// Files are read side by side: the one that cannot be read ends the wait for the one that is
// silent.
TEST_F(AStore, EndsAnImportWithTheErrorOfOneFileWhileAnotherIsWaitedFor) {
  Result<bus::Job> job = client_->start(bus::kAssetInterface, "Import", {"m", bus::Options()});
  ASSERT_TRUE(job.ok());
  const Pipe silent;
  const UniqueFd directory(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const bus::NamedFile files[] = {{"silent", silent.reader.get()}, {"no-file", directory.get()}};
  ASSERT_TRUE(job->add_files(files).ok());
  const Result<Json> result = job->wait();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Errc::invalid_input);
  EXPECT_NE(result.error().message.find("no-file"), std::string::npos) << result.error().message;
  EXPECT_TRUE(blobs_go());
  EXPECT_EQ(assets(), 0U);
}

// One fails in its lane, behind the call that handed it over.
TEST_F(AStore, EndsAnImportWhoseOneSourceBreaksOffWhileAnotherIsWaitedFor) {
  Result<bus::Job> job = client_->start(bus::kAssetInterface, "Import", {"m", bus::Options()});
  ASSERT_TRUE(job.ok());
  const Pipe silent;
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const UniqueFd broken(ends[0]);
  // Closed with a byte unread: the other end hears ECONNRESET.
  ASSERT_EQ(write(ends[0], "x", 1), 1);
  close(ends[1]);
  const bus::NamedFile files[] = {{"silent", silent.reader.get()}, {"broken", broken.get()}};
  ASSERT_TRUE(job->add_files(files).ok());
  const Result<Json> result = job->wait();
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().message.find("broken"), std::string::npos) << result.error().message;
  EXPECT_TRUE(blobs_go());
  EXPECT_EQ(assets(), 0U);
}

TEST_F(AStore, LeavesTheListOfFilesOutOfTheResultWhereAskedTo) {
  const Json asked{{"without_files", "yes"}};
  const Result<Json> brief = import_text(*client_, "tiny", "weights", bus::Options(asked));
  ASSERT_TRUE(brief.ok()) << brief.error().message;
  const Json& asset = brief->at("asset");
  EXPECT_TRUE(asset.at("files").empty());
  EXPECT_EQ(asset.at("files_count"), 1);
  EXPECT_FALSE(asset.contains("files_omitted"));
  const Result<Json> shown = client_->call(bus::kAssetInterface, "Show",
                                           {asset.at("id").get<std::string>(), bus::Options()});
  ASSERT_TRUE(shown.ok());
  EXPECT_EQ(shown->at("files").size(), 1U);
  EXPECT_EQ(shown->at("manifest_sha256"), asset.at("manifest_sha256"));
  const Result<Json> whole = import_text(*client_, "tiny", "weights");
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->at("asset").at("files").size(), 1U);
  const Result<Json> wrong =
      import_text(*client_, "other", "weights", bus::Options(Json{{"without_files", "perhaps"}}));
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, Errc::usage);
}

TEST_F(AStore, AnswersTheSameContentWithTheExistingAsset) {
  const Result<Json> first = import_text(*client_, "tiny", "weights");
  const Result<Json> second = import_text(*client_, "tiny", "weights");
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(second->at("created"), false);
  EXPECT_EQ(second->at("asset").at("id"), first->at("asset").at("id"));
  const Result<Json> other = import_text(*client_, "tiny", "other weights");
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, Errc::already_exists);
}

TEST_F(AStore, LosesTheImportOfAClientThatVanished) {
  Pipe pipe;
  {
    bus::Client vanishing = daemon_.client();
    Result<bus::Job> job =
        vanishing.start(bus::kAssetInterface, "Import", {std::string("m"), bus::Options()});
    ASSERT_TRUE(job.ok()) << job.error().message;
    const bus::NamedFile file{"f", pipe.reader.get()};
    ASSERT_TRUE(job->add_files({&file, 1}).ok());
    pipe.reader.reset();
    const std::string part(60'000, 'x');
    ASSERT_EQ(write(pipe.writer.get(), part.data(), part.size()), 60'000);
  }
  // The daemon lets go of the descriptor when the job ends.
  pollfd wait{pipe.writer.get(), 0, 0};
  ASSERT_EQ(poll(&wait, 1, -1), 1);
  EXPECT_NE(wait.revents & POLLERR, 0);
  EXPECT_TRUE(blobs_go());
  EXPECT_EQ(assets(), 0U);
}

TEST_F(AStore, EndsCleanlyInTheMiddleOfAnImport) {
  Pipe pipe;
  Result<bus::Job> job =
      client_->start(bus::kAssetInterface, "Import", {std::string("m"), bus::Options()});
  ASSERT_TRUE(job.ok());
  const bus::NamedFile file{"f", pipe.reader.get()};
  ASSERT_TRUE(job->add_files({&file, 1}).ok());
  ASSERT_EQ(write(pipe.writer.get(), "begin", 5), 5);
  EXPECT_EQ(daemon_.stop(), 0);
  EXPECT_TRUE(daemon_.blobs().empty());

  daemon_.start();
  bus::Client again = daemon_.client();
  const Result<Json> status = again.call(bus::kManagerInterface, "Status", {bus::Options()});
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->at("state"), "open");
  EXPECT_TRUE(import_text(again, "m", "whole").ok());
}

TEST_F(AStore, IsTheOneDaemonsAlone) {
  EXPECT_EQ(daemon_.run_second({}), info(Errc::busy).exit_code);
  EXPECT_TRUE(import_text(*client_, "m", "still served").ok());
}

TEST_F(AStore, CallsFilesFromADiskRetrofitted) {
  // Beside the build: the directory for temporary files may be in memory.
  std::string path = std::filesystem::current_path() / "weights.XXXXXX";
  const UniqueFd file(mkostemp(path.data(), O_CLOEXEC));
  ASSERT_TRUE(file.valid());
  const std::string content = "plaintext on a disk";
  const bool written = pwrite(file.get(), content.data(), content.size(), 0) > 0;
  unlink(path.c_str());
  ASSERT_TRUE(written);
  Result<bus::Job> job = client_->start(
      bus::kAssetInterface, "Import",
      {std::string("m"), bus::Options(Json{{"source_history", "encrypted-from-first-write"}})});
  ASSERT_TRUE(job.ok());
  const bus::NamedFile passed{"weights", file.get()};
  ASSERT_TRUE(job->add_files({&passed, 1}).ok());
  ASSERT_TRUE(job->commit().ok());
  const Result<Json> refused = job->wait();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::invalid_input);
  EXPECT_EQ(assets(), 0U);
}

TEST_F(AStore, TakesManyFilesBatchByBatch) {
  Result<bus::Job> job =
      client_->start(bus::kAssetInterface, "Import", {std::string("many"), bus::Options()});
  ASSERT_TRUE(job.ok());
  std::vector<UniqueFd> contents;
  for (int batch = 0; batch < 20; ++batch) {
    std::vector<bus::NamedFile> files;
    for (int i = 0; i < 16; ++i) {
      const std::string name = "f" + std::to_string(batch) + "-" + std::to_string(i);
      contents.emplace_back(memfd_create("content", MFD_CLOEXEC));
      ASSERT_EQ(pwrite(contents.back().get(), name.data(), name.size(), 0),
                static_cast<ssize_t>(name.size()));
      files.push_back({name, contents.back().get()});
    }
    ASSERT_TRUE(job->add_files(files).ok());
  }
  ASSERT_TRUE(job->commit().ok());
  const Result<Json> result = job->wait();
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->at("asset").at("files_count"), 320);
  EXPECT_EQ(result->at("asset").at("files").size(), 320U);
}

TEST_F(AStore, RefusesSourcesThatClaimTheImpossibleBeforeAnythingIsSealed) {
  for (const char* what : {"files", "bytes"}) {
    const Json source{{"description", "/srv/m"}, {what, UINT64_MAX}};
    const Result<bus::Job> job =
        client_->start(bus::kAssetInterface, "Import",
                       {std::string("m"), bus::Options(Json{{"sources", Json::array({source})}})});
    ASSERT_FALSE(job.ok()) << what;
    EXPECT_EQ(job.error().code, Errc::usage) << job.error().message;
    EXPECT_NE(job.error().message.find(what), std::string::npos) << job.error().message;
  }
}

// The limit of a shell is for programs of long ago; here a small one stands for it, and a few jobs
// for many.
TEST(ADaemonWithALowSoftLimit, HoldsTheFilesOfItsJobs) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  RunningDaemon daemon;
  rlimit low = before;
  low.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  daemon.start();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  bus::Client client = daemon.client();
  init(client);
  // Nothing comes through any of them until all are there.
  std::vector<Pipe> pipes(4 * 32);
  std::vector<bus::Job> jobs;
  for (std::size_t at = 0; at < pipes.size(); at += 16) {
    if (at % 32 == 0) {
      auto job =
          client.start(bus::kAssetInterface, "Import", {"m" + std::to_string(at), bus::Options()});
      ASSERT_TRUE(job.ok()) << job.error().message;
      jobs.push_back(std::move(*job));
    }
    std::vector<bus::NamedFile> files;
    for (std::size_t i = at; i < at + 16; ++i) {
      files.push_back({"f" + std::to_string(i), pipes[i].reader.get()});
    }
    const Status added = jobs.back().add_files(files);
    ASSERT_TRUE(added.ok()) << at << ": " << added.error().message;
  }
  for (Pipe& pipe : pipes) {
    ASSERT_EQ(write(pipe.writer.get(), "x", 1), 1);
    pipe.writer.reset();
  }
  for (bus::Job& job : jobs) {
    ASSERT_TRUE(job.commit().ok());
    const Result<Json> result = job.wait();
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_EQ(result->at("asset").at("files_count"), 32);
  }
}

TEST_F(AStore, StopsAnExportWhoseAssetIsSuspended) {
  // More than a pipe holds, so that the job waits for its reader.
  const std::string content(1 << 16, 'w');
  ASSERT_TRUE(import_text(*client_, "m", content).ok());
  Result<bus::Job> job =
      client_->start(bus::kAssetInterface, "Export", {std::string("m"), bus::Options()});
  ASSERT_TRUE(job.ok());
  Pipe pipe;
  ASSERT_GT(fcntl(pipe.writer.get(), F_SETPIPE_SZ, 4096), 0);
  const bus::NamedFile file{"weights.bin", pipe.writer.get()};
  ASSERT_TRUE(job->add_files({&file, 1}).ok());
  pipe.writer.reset();
  char first = 0;
  ASSERT_EQ(read(pipe.reader.get(), &first, 1), 1);  // from here on the lease lives
  const Result<Json> suspended =
      client_->call(bus::kAssetInterface, "Suspend",
                    {std::string("m"), bus::Options(Json{{"reason", "an incident"}})});
  ASSERT_TRUE(suspended.ok()) << suspended.error().message;
  const Result<Json> stopped = job->wait();
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, Errc::wrong_state) << stopped.error().message;
  const Result<Json> shown =
      client_->call(bus::kAssetInterface, "Show", {std::string("m"), bus::Options()});
  ASSERT_TRUE(shown.ok());
  EXPECT_EQ(shown->at("exports_running"), 0);
  EXPECT_EQ(shown->at("exports").size(), 1U);
}

TEST_F(AStore, RefusesADirectoryAsAFile) {
  const UniqueFd directory(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Result<bus::Job> job =
      client_->start(bus::kAssetInterface, "Import", {std::string("m"), bus::Options()});
  ASSERT_TRUE(job.ok());
  const bus::NamedFile passed{"root", directory.get()};
  ASSERT_TRUE(job->add_files({&passed, 1}).ok());
  const Result<Json> refused = job->wait();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::invalid_input);
  EXPECT_NE(refused.error().message.find("directory"), std::string::npos);
}

TEST_F(AStore, HandsAGeneratedKeyOutAsKeyRelease) {
  Result<bus::Job> made = client_->start(
      bus::kAssetInterface, "Import",
      {std::string("k"), bus::Options(Json{{"kind", "dataset-key"}, {"generate", "key"}})});
  ASSERT_TRUE(made.ok()) << made.error().message;
  ASSERT_TRUE(made->commit().ok());
  ASSERT_TRUE(made->wait().ok());

  Result<bus::Job> job =
      client_->start(bus::kAssetInterface, "Export", {std::string("k"), bus::Options()});
  ASSERT_TRUE(job.ok()) << job.error().message;
  const UniqueFd memory(memfd_create("key", MFD_CLOEXEC));
  const bus::NamedFile file{"key", memory.get()};
  ASSERT_TRUE(job->add_files({&file, 1}).ok());
  ASSERT_TRUE(job->commit().ok());
  const Result<Json> done = job->wait();
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(lseek(memory.get(), 0, SEEK_END), 32);
  const Result<Json> shown =
      client_->call(bus::kAssetInterface, "Show", {std::string("k"), bus::Options()});
  ASSERT_TRUE(shown.ok());
  EXPECT_EQ(shown->at("exports")[0].at("kind"), "key-release");
}

}  // namespace
}  // namespace aierase::bus_test
