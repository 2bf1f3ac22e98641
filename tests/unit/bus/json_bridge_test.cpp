#include "bus/json_bridge.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "bus/errors.h"
#include "bus/handles.h"
#include "bus/names.h"

namespace aierase::bus {
namespace {

// Messages need a bus, but not one that anybody answers on.
class AMessage : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    sd_bus* raw = nullptr;
    ASSERT_GE(sd_bus_new(&raw), 0);
    bus_.reset(raw);
    other_.reset(ends[1]);
    ASSERT_GE(sd_bus_set_fd(raw, ends[0], ends[0]), 0);
    ASSERT_GE(sd_bus_negotiate_fds(raw, 1), 0);
    ASSERT_GE(sd_bus_start(raw), 0);
    message_ = new_call();
  }

  MessagePtr new_call() const {
    sd_bus_message* raw = nullptr;
    EXPECT_GE(sd_bus_message_new_method_call(bus_.get(), &raw, kService, kObject, kManagerInterface,
                                             "Status"),
              0);
    return MessagePtr(raw);
  }

  // Ends writing, so that the message can be read.
  sd_bus_message* written() {
    EXPECT_GE(sd_bus_message_seal(message_.get(), 1, 0), 0);
    EXPECT_GE(sd_bus_message_rewind(message_.get(), 1), 0);
    return message_.get();
  }

  BusPtr bus_;
  UniqueFd other_;
  MessagePtr message_;
};

TEST_F(AMessage, CarriesEveryKindOfValueThereAndBack) {
  const Json object{{"text", "näme"},
                    {"negative", -5},
                    {"large", UINT64_MAX},
                    {"share", 0.25},
                    {"flag", true},
                    {"words", {"a", "b"}},
                    {"none", Json::array()},
                    {"rows", Json::array({{{"id", "a-1"}, {"n", 1}}, {{"id", "a-2"}}})},
                    {"mixed", Json::array({1, "two", false})},
                    {"nested", {{"deeper", {{"still", "here"}}}}}};
  ASSERT_TRUE(append_object(message_.get(), object).ok());
  const Result<Json> back = read_object(written(), kReplyLimits);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, object);
}

TEST_F(AMessage, LeavesNullMembersOut) {
  ASSERT_TRUE(append_object(message_.get(), Json{{"a", nullptr}, {"b", "c"}}).ok());
  const Result<Json> back = read_object(written(), kReplyLimits);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, (Json{{"b", "c"}}));
}

TEST_F(AMessage, RefusesTextThatIsNotUtf8) {
  const Status status = append_object(message_.get(), Json{{"a", std::string("\xff\xfe")}});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Errc::invalid_input);
}

TEST_F(AMessage, HandsDescriptorsOverUnderTheirKeys) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const DescriptorOption option{"passphrase", reader.get()};
  ASSERT_TRUE(append_object(message_.get(), Json{{"unlock", "passphrase"}}, {&option, 1}).ok());
  Descriptors files;
  const Result<Json> back = read_object(written(), kRequestLimits, &files);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, (Json{{"unlock", "passphrase"}}));
  ASSERT_EQ(files.count("passphrase"), 1U);
  ASSERT_EQ(write(writer.get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(read(files["passphrase"].get(), &byte, 1), 1);
}

TEST_F(AMessage, RefusesADescriptorWhereNoneIsExpected) {
  const DescriptorOption option{"passphrase", STDIN_FILENO};
  ASSERT_TRUE(append_object(message_.get(), Json::object(), {&option, 1}).ok());
  const Result<Json> back = read_object(written(), kRequestLimits);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().code, Errc::invalid_input);
}

TEST_F(AMessage, RefusesTheSameKeyTwice) {
  ASSERT_GE(sd_bus_message_append(message_.get(), "a{sv}", 2U, "k", "s", "1", "k", "s", "2"), 0);
  const Result<Json> back = read_object(written(), kRequestLimits);
  ASSERT_FALSE(back.ok());
  EXPECT_NE(back.error().message.find("\"k\""), std::string::npos) << back.error().message;
}

TEST_F(AMessage, RefusesTypesThatItDoesNotKnow) {
  ASSERT_GE(sd_bus_message_append(message_.get(), "a{sv}", 1U, "k", "(ss)", "1", "2"), 0);
  const Result<Json> back = read_object(written(), kRequestLimits);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().code, Errc::invalid_input);
}

TEST_F(AMessage, RefusesNestingBeyondTheLimit) {
  Json deep = "bottom";
  for (int i = 0; i < 12; ++i) deep = Json{{"in", deep}};
  ASSERT_TRUE(append_object(message_.get(), deep).ok());
  const Result<Json> back = read_object(written(), kRequestLimits);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().code, Errc::resource_limit);
}

TEST_F(AMessage, RefusesTooManyValues) {
  Json many = Json::array();
  for (int i = 0; i < 25'000; ++i) many.push_back(i);
  ASSERT_TRUE(append_object(message_.get(), Json{{"many", many}}).ok());
  const Result<Json> back = read_object(written(), kRequestLimits);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().code, Errc::resource_limit);
}

TEST_F(AMessage, RefusesTooMuchText) {
  ASSERT_TRUE(append_object(message_.get(), Json{{"t", std::string(300'000, 'x')}}).ok());
  const Result<Json> back = read_object(written(), kRequestLimits);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().code, Errc::resource_limit);
}

TEST_F(AMessage, RefusesAnotherSignature) {
  ASSERT_GE(sd_bus_message_append(message_.get(), "s", "no dictionary"), 0);
  const Result<Json> back = read_object(written(), kRequestLimits);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().code, Errc::invalid_input);
}

TEST(AnErrorName, IsTheErrcOfTheTable) {
  for (int code = 0; code <= static_cast<int>(Errc::busy); ++code) {
    const ErrcInfo& row = info(static_cast<Errc>(code));
    EXPECT_EQ(row.dbus.substr(0, std::string_view(kErrorPrefix).size()), kErrorPrefix);
    EXPECT_EQ(error_from_name(std::string(row.dbus), "x").code, row.code);
  }
}

TEST(AnErrorName, OfTheBusSaysWhatToDo) {
  const Error gone = error_from_name("org.freedesktop.DBus.Error.ServiceUnknown", "no such name");
  EXPECT_EQ(gone.code, Errc::unreachable);
  EXPECT_FALSE(gone.hint.empty());
  EXPECT_EQ(error_from_name("org.freedesktop.DBus.Error.Spawn.ChildExited", "x").code,
            Errc::unreachable);
  EXPECT_EQ(error_from_name("org.freedesktop.DBus.Error.AccessDenied", "x").code,
            Errc::access_denied);
  EXPECT_EQ(error_from_name("com.example.Unheard", "x").code, Errc::unexpected);
}

TEST(ABusAddress, ThatLeadsNowhereIsUnreachable) {
  const Result<BusPtr> bus = open_bus("unix:path=/nonexistent/bus");
  ASSERT_FALSE(bus.ok());
  EXPECT_EQ(bus.error().code, Errc::unreachable);
}

TEST(ABusAddress, ThatIsNoneIsUsage) {
  const Result<BusPtr> bus = open_bus("sytem");
  ASSERT_FALSE(bus.ok());
  EXPECT_EQ(bus.error().code, Errc::usage);
}

}  // namespace
}  // namespace aierase::bus
