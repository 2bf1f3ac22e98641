#include "daemon/authority.h"

#include <pwd.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <string_view>

#include "base/limits.h"
#include "base/log.h"
#include "bus/json_bridge.h"
#include "daemon/journal_events.h"
#include "daemon/roles.h"

namespace aierase::daemon {
namespace {

constexpr const char* kPolkit = "org.freedesktop.PolicyKit1";
constexpr const char* kBus = "org.freedesktop.DBus";
constexpr std::uint64_t kBusTimeout = 25'000'000;      // microseconds
constexpr std::uint64_t kPromptTimeout = 600'000'000;  // somebody types a password
constexpr const char* kAuthority = "org.freedesktop.PolicyKit1.Authority";
constexpr const char* kAuthorityPath = "/org/freedesktop/PolicyKit1/Authority";

bool is_trusted_owner(uid_t uid) {
  if (uid == 0) return true;
  std::vector<char> buffer(16 << 10);
  passwd entry{};
  passwd* found = nullptr;
  return getpwnam_r("polkitd", &entry, buffer.data(), buffer.size(), &found) == 0 &&
         found != nullptr && found->pw_uid == uid;
}

Error denied(std::string message, std::string hint = {}) {
  return make_error(Errc::access_denied, std::move(message), std::move(hint));
}

}  // namespace

// One question on its way: who owns polkit's name, who is that, what does he say.
class Authority::Inquiry {
 public:
  Inquiry(Authority& authority, std::uint64_t number, Question question, Task<void(Status)> answer)
      : authority_(authority),
        number_(number),
        call_(bus::share(question.call)),
        question_(std::move(question)),
        answer_(std::move(answer)) {}

  void begin() {
    next_ = &Inquiry::on_owner;
    call_bus("GetNameOwner", kPolkit);
  }
  std::uint32_t uid() const { return question_.uid; }

 private:
  using Step = void (Inquiry::*)(sd_bus_message*);

  void send(sd_bus_message* message, std::uint64_t timeout) {
    sd_bus_slot* slot = nullptr;
    const int sent =
        sd_bus_call_async(authority_.bus_, &slot, message, &Inquiry::on_reply, this, timeout);
    if (sent < 0) return finish(denied("polkit cannot be asked"));
    slot_.reset(slot);
  }

  void call_bus(const char* method, const char* argument) {
    sd_bus_message* raw = nullptr;
    if (sd_bus_message_new_method_call(authority_.bus_, &raw, kBus, "/org/freedesktop/DBus", kBus,
                                       method) < 0) {
      return finish(denied("polkit cannot be asked"));
    }
    const bus::MessagePtr message(raw);
    if (argument != nullptr && sd_bus_message_append_basic(raw, 's', argument) < 0) {
      return finish(denied("polkit cannot be asked"));
    }
    send(raw, kBusTimeout);
  }

  static int on_reply(sd_bus_message* reply, void* self, sd_bus_error*) noexcept {
    Inquiry& inquiry = *static_cast<Inquiry*>(self);
    try {
      (inquiry.*inquiry.next_)(reply);
    } catch (const std::exception&) {
      inquiry.finish(denied("polkit could not be asked"));
    }
    return 1;
  }

  void on_owner(sd_bus_message* reply) {
    const char* owner = nullptr;
    if (sd_bus_message_is_method_error(reply, "org.freedesktop.DBus.Error.NameHasNoOwner") > 0) {
      if (started_) return finish(denied("polkit was started and went away"));
      next_ = &Inquiry::on_activatable;
      return call_bus("ListActivatableNames", nullptr);
    }
    if (sd_bus_message_is_method_error(reply, nullptr) > 0 ||
        sd_bus_message_read_basic(reply, 's', &owner) <= 0) {
      return finish(denied("the bus does not say whether there is a polkit"));
    }
    owner_ = owner;
    next_ = &Inquiry::on_owner_uid;
    call_bus("GetConnectionUnixUser", owner_.c_str());
  }

  void on_activatable(sd_bus_message* reply) {
    if (sd_bus_message_is_method_error(reply, nullptr) > 0) {
      return finish(denied("the bus does not say whether there is a polkit"));
    }
    const Result<std::vector<std::string>> names = bus::read_strings(reply, 100'000);
    if (!names.ok()) return finish(denied("the bus does not say whether there is a polkit"));
    for (const std::string& name : *names) {
      if (name != kPolkit) continue;
      started_ = true;
      next_ = &Inquiry::on_started;
      return start_polkit();
    }
    decide_without_polkit();
  }

  void start_polkit() {
    sd_bus_message* raw = nullptr;
    if (sd_bus_message_new_method_call(authority_.bus_, &raw, kBus, "/org/freedesktop/DBus", kBus,
                                       "StartServiceByName") < 0) {
      return finish(denied("polkit cannot be started"));
    }
    const bus::MessagePtr message(raw);
    if (sd_bus_message_append(raw, "su", kPolkit, 0U) < 0) {
      return finish(denied("polkit cannot be started"));
    }
    send(raw, kBusTimeout);
  }

  void on_started(sd_bus_message* reply) {
    if (sd_bus_message_is_method_error(reply, nullptr) > 0) {
      return finish(denied("polkit cannot be started", "systemctl status polkit"));
    }
    begin();
  }

  void on_owner_uid(sd_bus_message* reply) {
    std::uint32_t uid = 0;
    if (sd_bus_message_is_method_error(reply, nullptr) > 0 ||
        sd_bus_message_read_basic(reply, 'u', &uid) <= 0) {
      return finish(denied("the bus does not say who polkit is"));
    }
    // Somebody else took the name: on this bus that proves nothing.
    if (!is_trusted_owner(uid)) return decide_without_polkit();
    check();
  }

  void decide_without_polkit() {
    if (question_.uid == 0 || question_.uid == getuid()) return finish(Status());
    finish(
        denied("there is no polkit on this bus, so only root and the daemon's own user may do "
               "this",
               "install polkit, or call as root"));
  }

  int append_question(sd_bus_message* message, bool interactive) {
    int result =
        sd_bus_message_append(message, "(sa{sv})s", "system-bus-name", 1U, "name", "s",
                              sd_bus_message_get_sender(call_.get()), question_.action.c_str());
    if (result >= 0) result = sd_bus_message_open_container(message, 'a', "{ss}");
    for (const auto& detail : question_.details) {
      if (result < 0) return result;
      result = sd_bus_message_append(message, "{ss}", detail.first.c_str(), detail.second.c_str());
    }
    if (result >= 0) result = sd_bus_message_close_container(message);
    if (result < 0) return result;
    return sd_bus_message_append(message, "us", interactive ? 1U : 0U,
                                 interactive ? cancellation().c_str() : "");
  }

  void check() {
    sd_bus_message* raw = nullptr;
    // To the unique name whose owner was looked at: the well-known one may change hands.
    if (sd_bus_message_new_method_call(authority_.bus_, &raw, owner_.c_str(), kAuthorityPath,
                                       kAuthority, "CheckAuthorization") < 0) {
      return finish(denied("polkit cannot be asked"));
    }
    const bus::MessagePtr message(raw);
    const bool interactive = is_interactive();
    if (append_question(raw, interactive) < 0) return finish(denied("polkit cannot be asked"));
    if (interactive && !follow_caller()) return finish(denied("whoever called has gone"));
    next_ = &Inquiry::on_verdict;
    send(raw, interactive ? kPromptTimeout : kBusTimeout);
  }

  // A password that comes after its caller has gone is for nothing: what he asked for is not done.
  bool follow_caller() {
    sd_bus_track* raw = nullptr;
    if (sd_bus_track_new(authority_.bus_, &raw, &Inquiry::on_caller_gone, this) < 0) return false;
    caller_.reset(raw);
    return sd_bus_track_add_name(raw, sd_bus_message_get_sender(call_.get())) >= 0;
  }

  static int on_caller_gone(sd_bus_track*, void* self) noexcept {
    Inquiry& inquiry = *static_cast<Inquiry*>(self);
    inquiry.withdraw();
    inquiry.finish(denied("whoever called has gone, and polkit had not decided"));
    return 1;  // 0 would have sd-bus call again
  }

  std::string cancellation() const { return "aierase-" + std::to_string(number_); }

  // polkit takes its question away from whoever has it on his screen.
  void withdraw() {
    sd_bus_message* raw = nullptr;
    if (sd_bus_message_new_method_call(authority_.bus_, &raw, owner_.c_str(), kAuthorityPath,
                                       kAuthority, "CancelCheckAuthorization") < 0) {
      return;
    }
    const bus::MessagePtr message(raw);
    if (sd_bus_message_append_basic(raw, 's', cancellation().c_str()) < 0) return;
    sd_bus_message_set_expect_reply(raw, 0);
    sd_bus_send(authority_.bus_, raw, nullptr);
  }

  void on_verdict(sd_bus_message* reply) {
    int authorized = 0;
    int challenge = 0;
    if (const sd_bus_error* error = sd_bus_message_get_error(reply)) {
      log(LogLevel::warning, "polkit did not decide; the call is denied",
          {field_of(kPolkitUndecided),
           {"AIERASE_ACTION", question_.action},
           {"AIERASE_ERROR", error->message != nullptr ? error->message : error->name}});
      if (caller_) withdraw();
      return finish(denied("polkit did not decide, so this is denied",
                           caller_ ? "a password is waited for ten minutes; journalctl -u polkit"
                                   : "journalctl -u polkit"));
    }
    if (sd_bus_message_enter_container(reply, 'r', "bba{ss}") <= 0 ||
        sd_bus_message_read(reply, "bb", &authorized, &challenge) <= 0) {
      return finish(denied("polkit answered with something else, so this is denied"));
    }
    if (authorized != 0) return finish(Status());
    const std::string groups = groups_for(question_.action);
    if (challenge != 0) {
      return finish(denied("this needs a password (" + question_.action + ")",
                           std::string("in a terminal it is asked for") +
                               (is_interactive() ? "" : ", without --no-ask-password") +
                               "; members of " + groups + " need none: aierase(1) PEOPLE"));
    }
    finish(denied("you may not do this (" + question_.action + ")",
                  "members of " + groups + " may; see aierase(1) PEOPLE"));
  }

  bool is_interactive() const {
    return sd_bus_message_get_allow_interactive_authorization(call_.get()) > 0;
  }

  // Ends with this object gone.
  void finish(Status status) {
    Task<void(Status)> answer = std::move(answer_);
    authority_.forget(number_);
    // Nothing of this object may be touched from here on, not even by a handler of exceptions.
    try {
      answer(std::move(status));
    } catch (const std::exception& fault) {
      log_error(make_error(Errc::unexpected, fault.what()), "a call could not be carried on");
    }
  }

  Authority& authority_;
  const std::uint64_t number_;
  bus::MessagePtr call_;
  Question question_;
  Task<void(Status)> answer_;
  bus::SlotPtr slot_;
  bus::TrackPtr caller_;  // while somebody may be asked for a password
  Step next_ = nullptr;
  std::string owner_;
  bool started_ = false;
};

Authority::Authority(sd_bus* bus) : bus_(bus) {}
Authority::~Authority() = default;

void Authority::forget(std::uint64_t number) {
  open_.erase(number);
}

void Authority::ask(Question question, Task<void(Status)> answer) {
  std::size_t of_uid = 0;
  for (const auto& entry : open_) of_uid += entry.second->uid() == question.uid ? 1 : 0;
  if (of_uid >= limits::kOpenQuestionsPerUid) {
    return answer(make_error(Errc::resource_limit,
                             std::to_string(limits::kOpenQuestionsPerUid) +
                                 " questions of yours to polkit are open already",
                             "answer them, or wait for their end"));
  }
  // Root is not kept out by others.
  if (question.uid != 0 && open_.size() >= limits::kOpenQuestions) {
    return answer(
        make_error(Errc::resource_limit,
                   std::to_string(limits::kOpenQuestions) + " questions to polkit are open already",
                   "try again in a moment"));
  }
  const std::uint64_t number = next_++;
  auto inquiry = std::make_unique<Inquiry>(*this, number, std::move(question), std::move(answer));
  Inquiry& begun = *inquiry;
  open_.emplace(number, std::move(inquiry));
  begun.begin();
}

}  // namespace aierase::daemon
