#include "daemon/options.h"

#include <cxxopts.hpp>

#include "base/build_id.h"

namespace aierase::daemon {
namespace {

cxxopts::Options description() {
  cxxopts::Options options("aierased", "End-of-life authority for AI models: the daemon.");
  options.custom_help("[OPTION...]");
  options.add_options()                                                           //
      ("bus", "system, session, or a D-Bus address",                              //
       cxxopts::value<std::string>()->default_value("system"), "BUS")             //
      ("store", "the store's directory",                                          //
       cxxopts::value<std::string>()->default_value("/var/lib/aierase"), "DIR")   //
      ("config", "the configuration file (default: /etc/aierase/aierased.toml)",  //
       cxxopts::value<std::string>(), "FILE")                                     //
      ("log-level", "debug, info, notice, warning or error",                      //
       cxxopts::value<std::string>()->default_value("info"), "LEVEL")             //
      ("version", "print version and build id")                                   //
      ("help", "print this");
  return options;
}

Error wrong(std::string message) {
  return make_error(Errc::usage, std::move(message), "aierased --help lists the options");
}

Result<Options> read_options(const cxxopts::ParseResult& parsed,
                             const cxxopts::Options& described) {
  Options options;
  if (parsed.count("help") > 0) options.print = described.help();
  if (parsed.count("version") > 0) {
    options.print = "aierased " + tool_version() + "\nbuild " + build_id() + "\n";
  }
  if (!parsed.unmatched().empty())
    return wrong("unexpected argument " + parsed.unmatched().front());
  options.bus = parsed["bus"].as<std::string>();
  options.store = parsed["store"].as<std::string>();
  if (options.store.empty() || options.store.front() != '/') {
    return wrong("--store needs an absolute path, not '" + options.store + "'");
  }
  while (options.store.size() > 1 && options.store.back() == '/') options.store.pop_back();
  if (parsed.count("config") > 0) options.config = parsed["config"].as<std::string>();
  ASSIGN_OR_RETURN(options.log_level, parse_log_level(parsed["log-level"].as<std::string>()));
  return options;
}

}  // namespace

std::string tool_version() {
  return AIERASE_VERSION;
}

Result<Options> parse_options(int argc, char** argv) {
  // cxxopts throws, and no exception may leave this file.
  try {
    cxxopts::Options described = description();
    return read_options(described.parse(argc, argv), described);
  } catch (const std::exception& fault) {
    return wrong(fault.what());
  }
}

}  // namespace aierase::daemon
