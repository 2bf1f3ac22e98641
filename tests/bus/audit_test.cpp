#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "bus/names.h"
#include "bus/running_daemon.h"

namespace aierase::bus_test {
namespace {

class TheAuditOnTheBus : public testing::Test {
 protected:
  void SetUp() override {
    daemon_.start();
    client_ = std::make_unique<bus::Client>(daemon_.client());
  }
  Result<Json> call(const char* interface, const char* method, const Json& options) {
    return client_->call(interface, method, {bus::Options(options)});
  }
  Result<Json> show(const std::string& asset) {
    return client_->call(bus::kAssetInterface, "Show", {asset, bus::Options()});
  }
  Json calls(Json options = Json::object()) {
    const Result<Json> page = call(bus::kLogInterface, "Audit", options);
    EXPECT_TRUE(page.ok()) << (page.ok() ? "" : page.error().message);
    return page.ok() ? page->at("calls") : Json::array();
  }
  // Those of one method.
  Json calls_of(const std::string& method, Json options = Json::object()) {
    Json found = Json::array();
    for (const Json& one : calls(std::move(options))) {
      if (one.value("method", "") == method) found.push_back(one);
    }
    return found;
  }

  RunningDaemon daemon_;
  std::unique_ptr<bus::Client> client_;
};

TEST_F(TheAuditOnTheBus, HasWhatWasRefusedBeforeItWasServed) {
  init(*client_);
  EXPECT_FALSE(call(bus::kAssetInterface, "List", Json{{"colour", "red"}}).ok());
  const Json rows = calls_of("Asset.List");
  ASSERT_EQ(rows.size(), 1u) << rows.dump(2);
  EXPECT_EQ(rows[0].at("outcome"), "usage");
  EXPECT_NE(rows[0].at("message").get<std::string>().find("colour"), std::string::npos);
  EXPECT_EQ(rows[0].at("uid"), getuid());
  EXPECT_FALSE(rows[0].contains("action"));  // polkit was not asked
}

TEST_F(TheAuditOnTheBus, HasWhatWasCalledBeforeThereWasAStore) {
  EXPECT_FALSE(show("m:1").ok());
  EXPECT_FALSE(call(bus::kLogInterface, "Audit", Json::object()).ok());
  init(*client_);
  const Json rows = calls_of("Asset.Show");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at("outcome"), "uninitialised");
  EXPECT_EQ(rows[0].at("subjects")[0].at("name"), "m:1");
  EXPECT_EQ(calls_of("Manager.Init").size(), 1u);
}

TEST_F(TheAuditOnTheBus, OfOneWhoTriesManyNamesTakesFewRowsAndCountsThemAll) {
  init(*client_);
  constexpr std::uint64_t kTries = 200;
  for (std::uint64_t i = 0; i < kTries; ++i) EXPECT_FALSE(show("guess" + std::to_string(i)).ok());
  daemon_.stop();
  daemon_.start();
  client_ = std::make_unique<bus::Client>(daemon_.client());
  std::uint64_t counted = 0;
  std::size_t rows = 0;
  for (const Json& row : calls({{"outcome", "not_found"}})) {
    counted += row.at("calls").get<std::uint64_t>();
    ++rows;
  }
  EXPECT_EQ(counted, kTries);
  EXPECT_LE(rows, 2 * (limits::kAuditRefusalsPerUid + 1));  // a minute may have ended meanwhile
}

TEST_F(TheAuditOnTheBus, OfAnImportNamesTheAssetThatItMade) {
  init(*client_);
  const Result<Json> asset = import_text(*client_, "m:1", "weights");
  ASSERT_TRUE(asset.ok());
  const Json rows = calls_of("Asset.Import");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at("outcome"), "ok");
  EXPECT_EQ(rows[0].at("action"), "import");
  EXPECT_TRUE(rows[0].contains("begun"));
  EXPECT_EQ(rows[0].at("subjects")[0].at("id"), asset->at("asset").at("id"));
  EXPECT_EQ(rows[0].at("subjects")[0].at("name"), "m:1");
}

TEST_F(TheAuditOnTheBus, OfACallThatOnlyReadsIsWrittenByADaemonThatEndsInOrder) {
  init(*client_);
  ASSERT_TRUE(call(bus::kAssetInterface, "List", Json::object()).ok());
  ASSERT_TRUE(call(bus::kAssetInterface, "List", Json::object()).ok());
  EXPECT_EQ(daemon_.stop(), 0);
  daemon_.start();
  client_ = std::make_unique<bus::Client>(daemon_.client());
  std::uint64_t counted = 0;
  for (const Json& row : calls_of("Asset.List")) counted += row.at("calls").get<std::uint64_t>();
  EXPECT_EQ(counted, 2u);
}

TEST_F(TheAuditOnTheBus, OfWhatADaemonDidNotLiveToEndSaysThatItBegan) {
  init(*client_);
  ASSERT_TRUE(import_text(*client_, "m:1", std::string(8 << 20, 'w')).ok());
  Pipe pipe;
  auto job = client_->start(bus::kAssetInterface, "Export", {std::string("m:1"), bus::Options()});
  ASSERT_TRUE(job.ok());
  // Nobody reads the pipe: the first bytes are out, the job hangs, and the daemon is killed.
  const std::array files{bus::NamedFile{"weights.bin", pipe.writer.get()}};
  ASSERT_TRUE(job->add_files(files).ok());
  char byte = 0;
  ASSERT_EQ(::read(pipe.reader.get(), &byte, 1), 1);
  daemon_.process().signal(SIGKILL);
  daemon_.process().wait();
  daemon_.start();
  client_ = std::make_unique<bus::Client>(daemon_.client());
  const Json rows = calls_of("Asset.Export");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at("outcome"), "begun");
  EXPECT_EQ(rows[0].at("subjects")[0].at("name"), "m:1");
}

TEST_F(TheAuditOnTheBus, OfAnErasureNamesItsPlanAndTheDaemon) {
  init(*client_);
  ASSERT_TRUE(import_text(*client_, "m:1", "weights").ok());
  ASSERT_TRUE(client_->watch_changes().ok());
  const Result<Json> plan = client_->call(
      bus::kPlanInterface, "Retire",
      {std::vector<std::string>{"m:1"}, bus::Options(Json{{"reason", "end"}, {"now", "yes"}})});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  const Json retired = calls_of("Plan.Retire");
  ASSERT_EQ(retired.size(), 1u);
  EXPECT_EQ(retired[0].at("subjects")[0].at("id"), plan->at("id"));
  const Result<Json> approved = client_->call(
      bus::kPlanInterface, "Approve",
      {plan->at("id").get<std::string>(), plan->at("digest").get<std::string>(), bus::Options()});
  ASSERT_TRUE(approved.ok()) << approved.error().message;
  std::string state = approved->at("state");
  while (state == "approved" || state == "running") {
    ASSERT_TRUE(client_->wait_for_changes(std::nullopt).ok());
    const Result<Json> now = client_->call(bus::kPlanInterface, "Show",
                                           {plan->at("id").get<std::string>(), bus::Options()});
    ASSERT_TRUE(now.ok());
    state = now->at("state");
  }
  const Json erased = calls_of("Daemon.ExecuteDue", {{"asset", "m:1"}, {"outcome", "ok"}});
  ASSERT_FALSE(erased.empty());
  EXPECT_EQ(erased[0].at("login"), "aierased");
  EXPECT_EQ(erased[0].at("action"), "erase");
  EXPECT_EQ(erased[0].at("subjects")[0].at("id"), plan->at("id"));
}

TEST_F(TheAuditOnTheBus, RefusesWhatItDoesNotUnderstand) {
  init(*client_);
  for (const Json& options :
       {Json{{"since", "yesterday"}}, Json{{"outcome", "fine"}}, Json{{"cursor", "x"}},
        Json{{"cursor", "-1"}}, Json{{"limit", "all"}}, Json{{"asset", "a b"}}}) {
    EXPECT_FALSE(call(bus::kLogInterface, "Audit", options).ok()) << options.dump();
  }
  EXPECT_TRUE(calls({{"asset", "never:was"}}).empty());
  EXPECT_TRUE(calls({{"cursor", "9223372036854775807"}}).empty());
}

}  // namespace
}  // namespace aierase::bus_test
