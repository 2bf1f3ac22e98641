#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bus/names.h"
#include "bus/running_daemon.h"

namespace aierase::bus_test {
namespace {

// One asset from import to certificate, over the bus alone.
TEST(AnApprovedPlan, IsErasedAtOnceAndCertified) {
  RunningDaemon daemon;
  daemon.start();
  bus::Client client = daemon.client();
  init(client);
  ASSERT_TRUE(import_text(client, "m", "weights").ok());
  ASSERT_TRUE(client.watch_changes().ok());

  const Result<Json> plan =
      client.call(bus::kPlanInterface, "Retire",
                  {std::vector<std::string>{"m"},
                   bus::Options(Json{{"reason", "contract ended"}, {"now", "yes"}})});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  const std::string id = plan->at("id");
  const std::string digest = plan->at("digest");
  const Result<Json> approved =
      client.call(bus::kPlanInterface, "Approve", {id, digest.substr(0, 12), bus::Options()});
  ASSERT_TRUE(approved.ok()) << approved.error().message;

  std::string state = approved->at("state");
  while (state == "approved" || state == "running") {
    ASSERT_TRUE(client.wait_for_changes(std::nullopt).ok());
    const Result<Json> now = client.call(bus::kPlanInterface, "Show", {id, bus::Options()});
    ASSERT_TRUE(now.ok());
    state = now->at("state");
  }
  EXPECT_EQ(state, "done");

  const Result<Json> list = client.call(bus::kCertificateInterface, "List", {bus::Options()});
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->at("certificates").size(), 1U);
  const std::string certificate = list->at("certificates")[0].at("id");
  const UniqueFd memory(memfd_create("bundle", MFD_CLOEXEC));
  Result<bus::Job> job = client.start(bus::kCertificateInterface, "Export",
                                      {certificate, bus::PassedFile{memory.get()}, bus::Options()});
  ASSERT_TRUE(job.ok()) << job.error().message;
  const Result<Json> exported = job->wait();
  ASSERT_TRUE(exported.ok()) << exported.error().message;
  EXPECT_EQ(lseek(memory.get(), 0, SEEK_END), exported->at("bytes").get<std::int64_t>());

  const Result<Json> gone =
      client.start(bus::kAssetInterface, "Export", {std::string("m"), bus::Options()}).ok()
          ? Result<Json>(Json::object())
          : Result<Json>(make_error(Errc::erased, ""));
  EXPECT_FALSE(gone.ok());
  EXPECT_TRUE(daemon.blobs().empty());
}

TEST(ADeepCheck, OfASoundStoreFindsNothing) {
  RunningDaemon daemon;
  daemon.start();
  bus::Client client = daemon.client();
  init(client);
  ASSERT_TRUE(import_text(client, "m", "weights").ok());
  Result<bus::Job> job =
      client.start(bus::kManagerInterface, "Check",
                   {std::vector<std::string>{}, bus::Options(Json{{"depth", "deep"}})});
  ASSERT_TRUE(job.ok()) << job.error().message;
  const Result<Json> result = job->wait();
  ASSERT_TRUE(result.ok()) << result.error().message;
  for (const Json& finding : result->at("findings")) {
    EXPECT_NE(finding.at("severity"), "error") << finding.dump();
  }
}

TEST(ADeepCheck, ThatKeepsToARateEndsAtOnceWhenItIsCancelled) {
  RunningDaemon daemon;
  daemon.start();
  bus::Client client = daemon.client();
  init(client);
  // At a byte a second the second piece would be read in half a year.
  ASSERT_TRUE(import_text(client, "m", std::string(20'000'000, 'w')).ok());
  Result<bus::Job> job = client.start(
      bus::kManagerInterface, "Check",
      {std::vector<std::string>{"m"}, bus::Options(Json{{"depth", "deep"}, {"max_rate", 1}})});
  ASSERT_TRUE(job.ok()) << job.error().message;
  std::string first;
  const Result<Json> result = job->wait([&](const bus::JobProgress& now) {
    if (!first.empty()) return;
    first = now.state;
    // The store serves others meanwhile.
    EXPECT_TRUE(client.call(bus::kManagerInterface, "Status", {bus::Options()}).ok());
    EXPECT_TRUE(job->cancel().ok());
  });
  EXPECT_EQ(first, "running");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Errc::cancelled);
}

TEST(ADeepCheck, RefusesARateThatIsNone) {
  RunningDaemon daemon;
  daemon.start();
  bus::Client client = daemon.client();
  init(client);
  for (const Json& options : {Json{{"depth", "deep"}, {"max_rate", 0}}, Json{{"max_rate", 5}},
                              Json{{"depth", "deep"}, {"max_rate", "fast"}}}) {
    const Result<bus::Job> job = client.start(bus::kManagerInterface, "Check",
                                              {std::vector<std::string>{}, bus::Options(options)});
    ASSERT_FALSE(job.ok()) << options.dump();
    EXPECT_EQ(job.error().code, Errc::usage) << options.dump();
  }
}

std::uint64_t address_space_of(pid_t process) {
  std::ifstream pages("/proc/" + std::to_string(process) + "/statm");
  std::uint64_t count = 0;
  pages >> count;
  return count * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

// No address space is left for the stack of one more thread, some for all else.
TEST(ADaemonThatGetsNoThread, RefusesTheJobAndGoesOn) {
  RunningDaemon daemon;
  daemon.start();
  bus::Client client = daemon.client();
  init(client);
  rlimit all{};
  ASSERT_EQ(prlimit(daemon.process().pid(), RLIMIT_AS, nullptr, &all), 0);
  rlimit little = all;
  little.rlim_cur = address_space_of(daemon.process().pid()) + (1 << 20);
  ASSERT_EQ(prlimit(daemon.process().pid(), RLIMIT_AS, &little, nullptr), 0);

  const Result<Json> refused = import_text(client, "m", "weights");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::resource_limit) << refused.error().message;
  EXPECT_NE(refused.error().message.find("no thread"), std::string::npos)
      << refused.error().message;
  EXPECT_FALSE(refused.error().hint.empty());
  Result<bus::Job> check =
      client.start(bus::kManagerInterface, "Check", {std::vector<std::string>{}, bus::Options()});
  ASSERT_TRUE(check.ok()) << check.error().message;
  EXPECT_EQ(check->wait().error().code, Errc::resource_limit);

  ASSERT_EQ(prlimit(daemon.process().pid(), RLIMIT_AS, &all, nullptr), 0);
  EXPECT_TRUE(import_text(client, "m", "weights").ok());
  ASSERT_EQ(daemon.stop(), 0);
  daemon.start();
  bus::Client later = daemon.client();
  Result<bus::Job> again =
      later.start(bus::kManagerInterface, "Check", {std::vector<std::string>{}, bus::Options()});
  ASSERT_TRUE(again.ok()) << again.error().message;
  const Result<Json> sound = again->wait();
  ASSERT_TRUE(sound.ok()) << sound.error().message;
  for (const Json& finding : sound->at("findings")) {
    EXPECT_NE(finding.at("code"), "import-interrupted") << finding.dump();
  }
}

TEST(AStoreWithAPassphrase, WaitsForItAfterARestart) {
  RunningDaemon daemon;
  daemon.start();
  {
    bus::Client client = daemon.client();
    Pipe pipe;
    ASSERT_EQ(write(pipe.writer.get(), "correct horse\n", 14), 14);
    pipe.writer.reset();
    bus::Options options(Json{{"unlock", "passphrase"}});
    options.files.push_back({"passphrase", pipe.reader.get()});
    const Result<Json> made = client.call(bus::kManagerInterface, "Init", {options});
    ASSERT_TRUE(made.ok()) << made.error().message;
    EXPECT_EQ(made->at("at_rest"), "unlock-secret");
  }
  ASSERT_EQ(daemon.stop(), 0);
  daemon.start();
  bus::Client client = daemon.client();
  const Result<Json> waiting = client.call(bus::kManagerInterface, "Status", {bus::Options()});
  ASSERT_TRUE(waiting.ok());
  EXPECT_EQ(waiting->at("state"), "locked");
  for (const char* passphrase : {"wrong horse", "correct horse"}) {
    Pipe pipe;
    ASSERT_GT(write(pipe.writer.get(), passphrase, strlen(passphrase)), 0);
    pipe.writer.reset();
    const Result<Json> status = client.call(bus::kManagerInterface, "Unlock",
                                            {bus::PassedFile{pipe.reader.get()}, bus::Options()});
    EXPECT_EQ(status.ok(), passphrase[0] == 'c') << passphrase;
  }
}

}  // namespace
}  // namespace aierase::bus_test
