#include "ctl/session.h"

#include <nlohmann/json.hpp>

#include "ctl/interrupt.h"
#include "ctl/render.h"
#include "domain/ids.h"

namespace aierase::ctl {
namespace {

std::vector<bus::Argument> packed(CallArguments arguments, bus::Options options) {
  std::vector<bus::Argument> result;
  for (std::string& text : arguments.texts) result.emplace_back(std::move(text));
  if (arguments.names) result.emplace_back(*std::move(arguments.names));
  if (arguments.contents) result.emplace_back(*std::move(arguments.contents));
  if (arguments.descriptor >= 0) result.emplace_back(bus::PassedFile{arguments.descriptor});
  result.emplace_back(std::move(options));
  return result;
}

std::string interface_of(std::string_view noun) {
  return "org.aierase1." + std::string(noun);
}

// What the daemon cannot know: how this program, and this host, mend it.
Error with_next_step(Error error, const CommandLine& line) {
  if (error.code == Errc::unreachable && !line.host.empty()) {
    return std::move(error).with_hint("does `ssh " + printable(line.host) +
                                      " systemctl status aierased` answer, and show it running?");
  }
  if (!error.hint.empty() || error.code != Errc::unreachable) return error;
  return std::move(error).with_hint("is aierased running? systemctl status aierased");
}

}  // namespace

Job::~Job() {
  if (open_) static_cast<void>(job_.cancel());
}

Status Job::add_files(const std::vector<JobFile>& files) {
  return job_.add_files(files);
}

Status Job::commit() {
  return job_.commit();
}

Result<Json> Job::wait(const OnBytes& on_bytes) {
  auto result = job_.wait([&](const bus::JobProgress& progress) {
    if (on_bytes) on_bytes(progress.bytes);
  });
  // Interrupted: the destructor cancels. Everything else has ended by itself.
  if (!result.ok() && Interrupt::asked()) return interrupted();
  open_ = false;
  static_cast<void>(job_.release());
  return result;
}

Session::Session(CommandLine line, Output& out) : line_(std::move(line)), out_(out) {}

Result<bus::Client*> Session::client() {
  if (client_) return &*client_;
  bus::ClientSettings settings;
  settings.bus = line_.bus;
  settings.host = line_.host;
  settings.prompting =
      line_.prompts == Prompts::allowed ? bus::Prompting::allowed : bus::Prompting::never;
  settings.interrupt = Interrupt::descriptor();
  auto connected = bus::Client::connect(std::move(settings));
  if (!connected.ok()) return with_next_step(std::move(connected).error(), line_);
  client_.emplace(std::move(connected).value());
  // On another host polkit asks for passwords there, and on a private bus there is none.
  const bool here = line_.bus == "system" && line_.host.empty();
  if (here && line_.prompts == Prompts::allowed) agent_.start();
  return &*client_;
}

Result<Json> Session::call(std::string_view noun, std::string_view method, CallArguments arguments,
                           const Json& options) {
  ASSIGN_OR_RETURN(bus::Client* const bus, client());
  auto answer = bus->call(interface_of(noun).c_str(), std::string(method).c_str(),
                          packed(std::move(arguments), bus::Options(options)));
  if (!answer.ok()) return with_next_step(std::move(answer).error(), line_);
  return answer;
}

Result<Json> Session::call_with_option(std::string_view noun, std::string_view method,
                                       const Json& options, std::string_view key, int descriptor) {
  ASSIGN_OR_RETURN(bus::Client* const bus, client());
  bus::Options with_file(options);
  with_file.files.push_back({std::string(key), descriptor});
  auto answer = bus->call(interface_of(noun).c_str(), std::string(method).c_str(),
                          packed({}, std::move(with_file)));
  if (!answer.ok()) return with_next_step(std::move(answer).error(), line_);
  return answer;
}

Result<Job> Session::start(std::string_view noun, std::string_view method, CallArguments arguments,
                           const Json& options, std::vector<bus::DescriptorOption> files) {
  ASSIGN_OR_RETURN(bus::Client* const bus, client());
  bus::Options with_files(options);
  with_files.files = std::move(files);
  auto job = bus->start(interface_of(noun).c_str(), std::string(method).c_str(),
                        packed(std::move(arguments), std::move(with_files)));
  if (!job.ok()) return with_next_step(std::move(job).error(), line_);
  return Job(std::move(job).value());
}

Status Session::watch_changes() {
  ASSIGN_OR_RETURN(bus::Client* const bus, client());
  return bus->watch_changes();
}

Status Session::wait_for_change(std::optional<std::chrono::milliseconds> timeout) {
  ASSIGN_OR_RETURN(bus::Client* const bus, client());
  auto changed = bus->wait_for_changes(timeout);
  if (!changed.ok()) return with_next_step(std::move(changed).error(), line_);
  return {};
}

Json unwrapped(Json answer, std::string_view key) {
  if (!answer.is_object()) return answer;
  const auto inner = answer.find(key);
  if (inner == answer.end() || !inner->is_object()) return answer;
  Json object = std::move(*inner);
  return object;
}

}  // namespace aierase::ctl
