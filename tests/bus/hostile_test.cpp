#include <gtest/gtest.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "bus/errors.h"
#include "bus/json_bridge.h"
#include "bus/names.h"
#include "bus/running_daemon.h"

namespace aierase::bus_test {
namespace {

class AHostileCaller : public testing::Test {
 protected:
  void SetUp() override {
    daemon_.start();
    client_ = std::make_unique<bus::Client>(daemon_.client());
    init(*client_);
    ASSERT_TRUE(import_text(*client_, "bystander", "weights").ok());
    before_ = state();
    raw_ = daemon_.raw_client();
  }
  void TearDown() override { EXPECT_EQ(state(), before_); }

  Json state() {
    const Result<Json> list = client_->call(bus::kAssetInterface, "List", {bus::Options()});
    const Result<Json> status = client_->call(bus::kManagerInterface, "Status", {bus::Options()});
    EXPECT_TRUE(list.ok() && status.ok());
    if (!list.ok() || !status.ok()) return Json::object();
    return Json{{"assets", *list}, {"store", status->at("store")}};
  }

  bus::MessagePtr new_call(const char* path, const char* interface, const char* method) {
    sd_bus_message* raw = nullptr;
    EXPECT_GE(
        sd_bus_message_new_method_call(raw_.get(), &raw, bus::kService, path, interface, method),
        0);
    return bus::MessagePtr(raw);
  }

  // The error's name; empty where the call succeeded.
  std::string error_of(sd_bus_message* call) {
    sd_bus_error error{};
    const int result = sd_bus_call(raw_.get(), call, 0, &error, nullptr);
    const std::string name = result >= 0 ? "" : error.name != nullptr ? error.name : "disconnected";
    sd_bus_error_free(&error);
    return name;
  }

  RunningDaemon daemon_;
  std::unique_ptr<bus::Client> client_;
  bus::BusPtr raw_;
  Json before_;
};

TEST_F(AHostileCaller, WithAnotherSignatureIsRefused) {
  const bus::MessagePtr call = new_call(bus::kObject, bus::kAssetInterface, "Import");
  ASSERT_GE(sd_bus_message_append(call.get(), "as", 1, "bystander"), 0);
  EXPECT_EQ(error_of(call.get()), "org.freedesktop.DBus.Error.InvalidArgs");
}

TEST_F(AHostileCaller, WithHugeTextIsRefused) {
  const bus::MessagePtr call = new_call(bus::kObject, bus::kAssetInterface, "Set");
  ASSERT_GE(sd_bus_message_append_basic(call.get(), 's', "bystander"), 0);
  ASSERT_TRUE(bus::append_object(call.get(), Json{{"reason", std::string(2 << 20, 'x')}}).ok());
  EXPECT_EQ(error_of(call.get()), info(Errc::resource_limit).dbus);
}

TEST_F(AHostileCaller, WithANameFullOfControlCharactersIsRefused) {
  const bus::MessagePtr call = new_call(bus::kObject, bus::kAssetInterface, "Suspend");
  ASSERT_GE(sd_bus_message_append(call.get(), "sa{sv}", "\x1b[2J\nbystander", 0U), 0);
  EXPECT_FALSE(error_of(call.get()).empty());
}

TEST_F(AHostileCaller, WithDeepNestingIsRefused) {
  Json deep = "bottom";
  for (int i = 0; i < 15; ++i) deep = Json{{"in", deep}};
  const bus::MessagePtr call = new_call(bus::kObject, bus::kManagerInterface, "Status");
  ASSERT_TRUE(bus::append_object(call.get(), deep).ok());
  EXPECT_EQ(error_of(call.get()), info(Errc::resource_limit).dbus);
}

TEST_F(AHostileCaller, WithManyValuesIsRefused) {
  Json many = Json::array();
  for (int i = 0; i < 30'000; ++i) many.push_back("x");
  const bus::MessagePtr call = new_call(bus::kObject, bus::kPlanInterface, "Retire");
  ASSERT_GE(sd_bus_message_append(call.get(), "as", 1, "bystander"), 0);
  ASSERT_TRUE(bus::append_object(call.get(), Json{{"reason", "r"}, {"keep", many}}).ok());
  EXPECT_EQ(error_of(call.get()), info(Errc::resource_limit).dbus);
}

TEST_F(AHostileCaller, WithSeventeenDescriptorsIsRefused) {
  const bus::MessagePtr start = new_call(bus::kObject, bus::kAssetInterface, "Import");
  ASSERT_GE(sd_bus_message_append(start.get(), "sa{sv}", "m", 0U), 0);
  sd_bus_message* raw = nullptr;
  ASSERT_GE(sd_bus_call(raw_.get(), start.get(), 0, nullptr, &raw), 0);
  const bus::MessagePtr reply(raw);
  const char* path = nullptr;
  ASSERT_GT(sd_bus_message_read_basic(raw, 'o', &path), 0);

  const bus::MessagePtr call = new_call(path, bus::kJobInterface, "AddFiles");
  const Pipe pipe;
  ASSERT_GE(sd_bus_message_open_container(call.get(), 'a', "(sh)"), 0);
  for (int i = 0; i < 17; ++i) {
    const std::string name = "f" + std::to_string(i);
    ASSERT_GE(sd_bus_message_append(call.get(), "(sh)", name.c_str(), pipe.reader.get()), 0);
  }
  ASSERT_GE(sd_bus_message_close_container(call.get()), 0);
  EXPECT_EQ(error_of(call.get()), info(Errc::resource_limit).dbus);
  const bus::MessagePtr cancel = new_call(path, bus::kJobInterface, "Cancel");
  EXPECT_EQ(error_of(cancel.get()), "");
}

TEST_F(AHostileCaller, WithAPathOutOfTheAssetIsRefused) {
  for (const char* path : {"../../etc/passwd", "/etc/passwd", "a//b", "", "a\nb"}) {
    Result<bus::Job> job =
        client_->start(bus::kAssetInterface, "Import", {std::string("m"), bus::Options()});
    ASSERT_TRUE(job.ok()) << job.error().message;
    Pipe pipe;
    const bus::NamedFile file{path, pipe.reader.get()};
    ASSERT_TRUE(job->add_files({&file, 1}).ok());
    pipe.writer.reset();
    const Result<Json> refused = job->wait();
    ASSERT_FALSE(refused.ok()) << path;
    EXPECT_EQ(refused.error().code, Errc::invalid_input) << refused.error().message;
    ASSERT_TRUE(job->release().ok());
  }
}

TEST_F(AHostileCaller, WhoHandsInWhatNobodySignedIsRefused) {
  const std::string begin = "-----BEGIN SSH SIGNATURE-----\n";
  const std::string end = "-----END SSH SIGNATURE-----\n";
  for (const std::string& verb : {std::string("approve"), std::string("erase"), std::string()}) {
    for (const std::string& text :
         {std::string(), std::string("AIERASE DECISION, FORMAT 1\n"), std::string(3 << 20, 'x')}) {
      for (const std::string& signature :
           {std::string(), begin + end, begin + "AAAA\n" + end, std::string(1 << 20, 'A')}) {
        const Result<Json> answer =
            client_->call(bus::kPlanInterface, "HandIn", {verb, text, signature, bus::Options()});
        EXPECT_FALSE(answer.ok()) << verb << ", " << text.size() << ", " << signature.size();
      }
    }
  }
}

TEST_F(AHostileCaller, WhoStartsTooManyJobsIsRefusedAndTheOthersGoOn) {
  std::vector<bus::Job> jobs;
  for (;;) {
    Result<bus::Job> job = client_->start(bus::kAssetInterface, "Import",
                                          {"m" + std::to_string(jobs.size()), bus::Options()});
    if (!job.ok()) {
      EXPECT_EQ(job.error().code, Errc::resource_limit);
      break;
    }
    jobs.push_back(std::move(*job));
    ASSERT_LT(jobs.size(), 100U);
  }
  EXPECT_EQ(jobs.size(), geteuid() == 0 ? limits::kJobs : limits::kJobsPerUid);
  EXPECT_TRUE(
      client_->start(bus::kManagerInterface, "Check", {std::vector<std::string>{}, bus::Options()})
          .ok())
      << "the store's own work goes on beside them";
  for (bus::Job& job : jobs) EXPECT_TRUE(job.cancel().ok());
  for (bus::Job& job : jobs) EXPECT_EQ(job.wait().error().code, Errc::cancelled);
}

}  // namespace
}  // namespace aierase::bus_test
