#include <gtest/gtest.h>
#include <systemd/sd-bus.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "bus/names.h"
#include "bus/running_daemon.h"

namespace aierase::bus_test {
namespace {

std::string introspect(sd_bus* bus, const std::string& path) {
  sd_bus_message* raw = nullptr;
  const int result =
      sd_bus_call_method(bus, bus::kService, path.c_str(), "org.freedesktop.DBus.Introspectable",
                         "Introspect", nullptr, &raw, "");
  const bus::MessagePtr reply(raw);
  const char* text = "";
  if (result < 0 || sd_bus_message_read_basic(raw, 's', &text) <= 0) {
    ADD_FAILURE() << "cannot introspect " << path;
  }
  return text;
}

std::string without_comments(std::string text) {
  for (std::size_t at = text.find("<!--"); at != std::string::npos; at = text.find("<!--")) {
    text.erase(at, text.find("-->", at) + 3 - at);
  }
  return text;
}

// `name="x" type="s"` in any order becomes the same text.
std::string sorted_attributes(const std::string& tag) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false;
  for (const char character : tag) {
    if (character == '"') inside = !inside;
    if (!inside && (character == ' ' || character == '\n' || character == '/')) {
      if (!word.empty()) words.push_back(word);
      word.clear();
      if (character == '/' && words.empty()) word = "/";
    } else {
      word += character;
    }
  }
  if (!word.empty()) words.push_back(word);
  std::sort(words.begin() + 1, words.end());
  std::string result;
  for (const std::string& part : words) result += (result.empty() ? "" : " ") + part;
  return result;
}

// The tags of one interface, one a line, closing tags of empty elements left out.
std::string interface_of(const std::string& xml, const std::string& interface) {
  const std::string text = without_comments(xml);
  const std::size_t begin = text.find("<interface name=\"" + interface + "\">");
  if (begin == std::string::npos) return "no interface " + interface;
  const std::size_t end = text.find("</interface>", begin);
  std::string result;
  for (std::size_t at = text.find('<', begin); at < end; at = text.find('<', at + 1)) {
    const std::string tag = text.substr(at + 1, text.find('>', at) - at - 1);
    if (tag.front() != '/') result += sorted_attributes(tag) + "\n";
  }
  return result;
}

std::string documented(const std::string& interface) {
  std::ifstream file(AIERASE_SOURCE_DIR "/lib/bus/interfaces/" + interface + ".xml");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(TheInterface, IsTheDocumentedOne) {
  RunningDaemon daemon;
  daemon.start();
  const bus::BusPtr bus = daemon.raw_client();
  const std::string xml = introspect(bus.get(), bus::kObject);
  for (const char* interface :
       {bus::kManagerInterface, bus::kAssetInterface, bus::kPlanInterface, bus::kHoldInterface,
        bus::kCertificateInterface, bus::kLogInterface}) {
    EXPECT_EQ(interface_of(xml, interface), interface_of(documented(interface), interface));
  }
}

TEST(TheInterface, OfAJobIsTheDocumentedOneAndIsSeenByItsClientAlone) {
  RunningDaemon daemon;
  daemon.start();
  bus::Client maker = daemon.client();
  init(maker);
  const bus::BusPtr bus = daemon.raw_client();
  sd_bus_message* raw = nullptr;
  ASSERT_GE(sd_bus_call_method(bus.get(), bus::kService, bus::kObject, bus::kAssetInterface,
                               "Import", nullptr, &raw, "sa{sv}", "m", 0U),
            0);
  const bus::MessagePtr reply(raw);
  const char* path = nullptr;
  ASSERT_GT(sd_bus_message_read_basic(raw, 'o', &path), 0);
  EXPECT_EQ(interface_of(introspect(bus.get(), path), bus::kJobInterface),
            interface_of(documented(bus::kJobInterface), bus::kJobInterface));

  const bus::BusPtr stranger = daemon.raw_client();
  sd_bus_error error{};
  EXPECT_LT(sd_bus_call_method(stranger.get(), bus::kService, path, bus::kJobInterface, "Commit",
                               &error, nullptr, ""),
            0);
  EXPECT_STREQ(error.name, "org.freedesktop.DBus.Error.UnknownObject");
  sd_bus_error_free(&error);
}

TEST(AnEmptyStoreDirectory, AnswersStatusAndDoctorAndSaysWhatToDo) {
  RunningDaemon daemon;
  daemon.start();
  bus::Client client = daemon.client();
  const Result<Json> status = client.call(bus::kManagerInterface, "Status", {bus::Options()});
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(status->at("state"), "uninitialised");
  EXPECT_NE(status->at("next").get<std::string>().find("aierase init"), std::string::npos);
  EXPECT_TRUE(client.call(bus::kManagerInterface, "Doctor", {bus::Options()}).ok());
  const Result<Json> list = client.call(bus::kAssetInterface, "List", {bus::Options()});
  ASSERT_FALSE(list.ok());
  EXPECT_EQ(list.error().code, Errc::uninitialised);
}

TEST(AnUnknownOption, IsRefusedByNameAndNothingIsMade) {
  RunningDaemon daemon;
  daemon.start();
  bus::Client client = daemon.client();
  const Result<Json> refused = client.call(bus::kManagerInterface, "Init",
                                           {bus::Options(Json{{"peeple_rule", "two-person"}})});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::usage);
  EXPECT_NE(refused.error().message.find("peeple_rule"), std::string::npos);
  EXPECT_FALSE(refused.error().hint.empty());
  const Result<Json> status = client.call(bus::kManagerInterface, "Status", {bus::Options()});
  EXPECT_EQ(status->at("state"), "uninitialised");
}

TEST(AnUnknownConfigurationKey, KeepsTheDaemonFromStarting) {
  RunningDaemon daemon;
  const std::string config = daemon.store() + ".toml";
  std::ofstream(config) << "slot = \"/x/slot\"\nslott = 1\n";
  EXPECT_EQ(daemon.run_second({"--config", config}), info(Errc::invalid_input).exit_code);
}

}  // namespace
}  // namespace aierase::bus_test
