#include "daemon/options.h"

#include <link.h>

#include <cxxopts.hpp>

#include "base/bytes.h"

namespace aierase::daemon {
namespace {

// The linker's note "GNU", type 3, in the first object of the list: this program.
int find_build_id(dl_phdr_info* object, std::size_t, void* result) {
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = object->dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    // An address from the dynamic linker: there is no other way to it than this cast.
    const auto* at = reinterpret_cast<const char*>(object->dlpi_addr + header.p_vaddr);
    std::size_t left = header.p_memsz;
    while (left >= sizeof(ElfW(Nhdr))) {
      const auto* note = reinterpret_cast<const ElfW(Nhdr)*>(at);
      const std::size_t name = (note->n_namesz + 3U) & ~std::size_t{3};
      const std::size_t size = sizeof *note + name + ((note->n_descsz + 3U) & ~std::size_t{3});
      if (size > left) break;
      const char* label = at + sizeof *note;
      if (note->n_type == 3 &&
          std::string_view(label, note->n_namesz) == std::string_view("GNU", 4)) {
        *static_cast<std::string*>(result) =
            to_hex(as_bytes(std::string_view(label + name, note->n_descsz)));
        return 1;
      }
      at += size;
      left -= size;
    }
  }
  return 1;  // only the first object
}

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

Result<Options> read(const cxxopts::ParseResult& parsed, const cxxopts::Options& described) {
  Options options;
  if (parsed.count("help") > 0) options.print = described.help();
  if (parsed.count("version") > 0) {
    options.print = "aierased " + tool_version() + "\nbuild " + tool_build() + "\n";
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

std::string tool_build() {
  std::string build;
  dl_iterate_phdr(&find_build_id, &build);
  return build.empty() ? "unknown" : build;
}

Result<Options> parse_options(int argc, char** argv) {
  // cxxopts throws, and no exception may leave this file.
  try {
    cxxopts::Options described = description();
    return read(described.parse(argc, argv), described);
  } catch (const std::exception& fault) {
    return wrong(fault.what());
  }
}

}  // namespace aierase::daemon
