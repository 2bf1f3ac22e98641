// aierase: the client. Takes the command line apart, runs one verb, tells its error.
// Specified in: aierase(1).
#include <fcntl.h>
#include <locale.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <string>
#include <vector>

#include "base/build_id.h"
#include "ctl/interrupt.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

#ifndef AIERASE_VERSION
#error "the build defines AIERASE_VERSION"
#endif

namespace aierase::ctl {
namespace {

struct Handler {
  std::string_view verb;
  Result<int> (*run)(Session&);
};

constexpr std::array kHandlers{
    Handler{"init", run_init},
    Handler{"unlock", run_unlock},
    Handler{"slot move", run_slot_move},
    Handler{"status", run_status},
    Handler{"doctor", run_doctor},
    Handler{"check", run_check},
    Handler{"import", run_import},
    Handler{"export", run_export},
    Handler{"mount", run_mount},
    Handler{"list", run_list},
    Handler{"show", run_show},
    Handler{"set", run_set},
    Handler{"suspend", run_suspend},
    Handler{"resume", run_resume},
    Handler{"retire", run_retire},
    Handler{"approve", run_approve},
    Handler{"reject", run_reject},
    Handler{"cancel", run_cancel},
    Handler{"wait", run_wait},
    Handler{"validate", run_validate},
    Handler{"hold place", run_hold_place},
    Handler{"hold lift", run_hold_lift},
    Handler{"policy check", run_policy_check},
    Handler{"policy load", run_policy_load},
    Handler{"policy test", run_policy_test},
    Handler{"enforce", run_enforce},
    Handler{"verify", run_verify},
    Handler{"certificate export", run_certificate_export},
    Handler{"certificate amend", run_certificate_amend},
    Handler{"certificate bundle", run_certificate_bundle},
    Handler{"certificate trust", run_certificate_trust},
    Handler{"log checkpoint", run_log_checkpoint},
    Handler{"audit", run_audit},
    Handler{"completion", run_completion},
    Handler{"help", run_help},
};

constexpr bool handlers_match_verbs() {
  if (kHandlers.size() != kVerbs.size()) return false;
  for (std::size_t i = 0; i < kVerbs.size(); ++i) {
    if (kHandlers[i].verb != kVerbs[i].name) return false;
  }
  return true;
}
static_assert(handlers_match_verbs(), "every verb has one handler, in the order of the table");

// A closed descriptor 0, 1 or 2 would be taken by the next file or socket we open: fill the gaps
// with something that fails as a closed one does.
void fill_gaps() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) >= 0) continue;
    const int mode = descriptor == STDOUT_FILENO ? O_RDONLY : O_WRONLY;
    static_cast<void>(open("/dev/null", mode));
  }
}

std::string pipe_to_use(const CommandLine& line) {
  const std::string host = printable(line.host);
  if (line.verb->name == "import") {
    return "tar -c -C DIR . | ssh " + host + " aierase import NAME - --tar";
  }
  if (line.verb->name == "export") return "ssh " + host + " aierase export A - --tar | tar -x";
  if (line.verb->name == "mount") return "ssh -t " + host + " aierase mount A DIR";
  if (line.verb->name == "unlock") return "ssh -t " + host + " aierase unlock";
  return "ssh " + host + " aierase " + std::string(line.verb->name) + " C - > FILE";
}

Status check_reach(const CommandLine& line) {
  if (line.host.empty() || line.verb->reach == Reach::offline) return {};
  if (line.verb->bulk == Bulk::no) return {};
  return make_error(Errc::usage,
                    "'" + std::string(line.verb->name) +
                        "' passes descriptors, and those do not travel to another host",
                    "use a pipe: " + pipe_to_use(line));
}

Result<int> run_verb(const CommandLine& line, Output& out) {
  RETURN_IF_ERROR(check_reach(line));
  Session session(line, out);
  for (const Handler& handler : kHandlers) {
    if (handler.verb == line.verb->name) return handler.run(session);
  }
  return make_error(Errc::unexpected, "a verb without a handler");
}

int answer(const Result<int>& result, Output& out, Form form) {
  if (result.ok()) return out.finish(*result);
  const int code = out.finish(info(result.error().code).exit_code);
  if (Interrupt::asked()) {
    tell(make_error(Errc::cancelled, result.error().code == Errc::cancelled
                                         ? result.error().message
                                         : "interrupted: " + result.error().message),
         form);
    return kInterruptedExit;
  }
  tell(result.error(), form);
  return code;
}

int run(const std::vector<std::string>& words) {
  auto parsed = parse_command_line(words);
  if (!parsed.ok()) {
    tell(parsed.error(), form_of(words));
    return info(parsed.error().code).exit_code;
  }
  const CommandLine& line = *parsed;
  Output out(line.form, line.verbosity);
  switch (line.request) {
    case Request::nothing:
      tell(make_error(Errc::usage, "what is to be done? There is no verb",
                      "aierase --help lists the verbs; aierase status is a beginning"),
           line.form);
      return info(Errc::usage).exit_code;
    case Request::version:
      out.print("aierase " AIERASE_VERSION "\nbuild " + build_id() + "\n");
      return out.finish(0);
    case Request::help:
      out.print(line.verb != nullptr  ? help_of(*line.verb, out.width())
                : line.family.empty() ? overview(out.width())
                                      : help_of(line.family, out.width()));
      return out.finish(0);
    case Request::run:
      break;
  }
  Status installed = Interrupt::install();
  if (!installed.ok()) return answer(std::move(installed).error(), out, line.form);
  return answer(run_verb(line, out), out, line.form);
}

}  // namespace
}  // namespace aierase::ctl

int main(int argc, char** argv) {
  using aierase::Errc;
  aierase::ctl::fill_gaps();
  setlocale(LC_CTYPE, "C.UTF-8");  // names in archives and widths on terminals are UTF-8
  try {
    return aierase::ctl::run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const std::bad_alloc&) {
    aierase::ctl::tell(aierase::make_error(Errc::resource_limit, "no memory is left"),
                       aierase::ctl::Form::people);
    return aierase::info(Errc::resource_limit).exit_code;
  } catch (const std::exception& error) {
    aierase::ctl::tell(aierase::make_error(Errc::unexpected, error.what()),
                       aierase::ctl::Form::people);
    return aierase::info(Errc::unexpected).exit_code;
  }
}
