#include "daemon/store_session.h"

#include <nlohmann/json.hpp>

#include "daemon/host_findings.h"
#include "daemon/policy_records.h"
#include "daemon/records.h"
#include "daemon/secret_input.h"

namespace aierase::daemon {
namespace {

// A TPM that does not answer holds the store thread up each time.
constexpr std::chrono::seconds kTryAgainPause{20};

}  // namespace

using lifecycle::Store;
using lifecycle::UnlockKind;

StoreSession::~StoreSession() {
  close();
}

void StoreSession::close() {
  checks_.clear();
  enforcements_.clear();
  evidence_.clear();
  store_.reset();
  lock_.reset();
}

namespace {

// A secret that opens nothing is Errc::locked; people know it by where it came from.
Error about_secret(Error error, const lifecycle::SlotLocator& locator) {
  if (error.code != Errc::locked) return error;
  switch (locator.unlock) {
    case UnlockKind::none:
      return error;
    case UnlockKind::passphrase:
      error.message = "the passphrase is wrong: it does not open this store";
      return std::move(error).with_hint("try again with aierase unlock; the store is untouched");
    case UnlockKind::keyfile:
      error.message = "the key file " + locator.keyfile_path + " is not the one of this store";
      return std::move(error).with_hint(
          "put back the 32 bytes it was made with, then restart aierased; the store is untouched");
    case UnlockKind::credential:
      error.message = "the credential aierase.unlock is not the one of this store";
      return std::move(error).with_hint(
          "pass the one it was made with, then restart aierased; the store is untouched");
  }
  return error;
}

}  // namespace

Status StoreSession::ensure_lock() {
  if (lock_) return {};
  ASSIGN_OR_RETURN(lock_, Store::lock(settings_));
  return {};
}

Status StoreSession::start() {
  RETURN_IF_ERROR(ensure_lock());
  const Result<Store::Presence> presence = Store::presence(settings_);
  if (!presence.ok()) {
    set_reason(presence.error());
    return {};
  }
  if (*presence == Store::Presence::absent) {
    set_reason(make_error(Errc::uninitialised,
                          "there is no store in " + settings_.directory + " yet",
                          "create it: aierase init", settings_.directory));
    return {};
  }
  const Result<lifecycle::SlotLocator> locator = Store::read_locator(settings_);
  if (!locator.ok()) {
    set_reason(locator.error());
    return {};
  }
  if (locator->unlock == UnlockKind::passphrase) {
    waits_for_passphrase_ = true;
    set_reason(make_error(Errc::locked, "the store waits for its passphrase", "aierase unlock",
                          settings_.directory));
    return {};
  }
  Result<std::optional<crypto::UnlockSecret>> secret = find_secret(*locator);
  if (!secret.ok()) {
    set_reason(std::move(secret).error());
    return {};
  }
  Status opened = open(std::move(*secret), Store::Adopt::no);
  if (!opened.ok()) set_reason(about_secret(std::move(opened).error(), *locator));
  return {};
}

Result<std::optional<crypto::UnlockSecret>> StoreSession::find_secret(
    const lifecycle::SlotLocator& locator) {
  switch (locator.unlock) {
    case UnlockKind::none:
    case UnlockKind::passphrase:
      return std::optional<crypto::UnlockSecret>();
    case UnlockKind::credential: {
      Result<std::optional<crypto::UnlockSecret>> secret = read_credential();
      if (secret.ok() && *secret) return secret;
      Error error = secret.ok() ? make_error(Errc::locked,
                                             "the credential aierase.unlock, which opens this "
                                             "store, was not passed to the daemon")
                                : std::move(secret).error();
      error.code = Errc::locked;
      return std::move(error).with_hint(
          "LoadCredential=aierase.unlock:FILE in its unit, then restart it; the store is "
          "untouched");
    }
    case UnlockKind::keyfile: {
      Result<crypto::UnlockSecret> secret = read_keyfile(locator.keyfile_path);
      if (secret.ok()) return std::optional<crypto::UnlockSecret>(std::move(*secret));
      // A new key would open nothing: only the one of the beginning does.
      Error error = std::move(secret).error();
      error.code = Errc::locked;
      if (error.hint.find("chmod") == std::string::npos) {
        error.hint = "put back the 32 bytes it was made with";
      }
      error.hint += ", then restart aierased; the store is untouched";
      return error;
    }
  }
  return std::optional<crypto::UnlockSecret>();
}

Status StoreSession::open(std::optional<crypto::UnlockSecret> secret, Store::Adopt adopt) {
  RETURN_IF_ERROR(ensure_lock());
  Result<std::unique_ptr<Store>> opened =
      Store::open(settings_, std::move(lock_), std::move(secret), adopt);
  lock_.reset();
  if (!opened.ok()) {
    const Result<lifecycle::SlotLocator> locator = Store::read_locator(settings_);
    const bool in_tpm = locator.ok() && lifecycle::uses_tpm(*locator);
    if (in_tpm && opened.error().code == Errc::io) opening_ = Opening::fatal;
    // The lock went with the attempt.
    RETURN_IF_ERROR(ensure_lock());
    return std::move(opened).error();
  }
  store_ = std::move(opened).value();
  reason_.reset();
  return {};
}

Error StoreSession::not_open() const {
  return reason_ ? *reason_ : make_error(Errc::unexpected, "the store is not open");
}

Result<Store*> StoreSession::store() {
  if (store_) return store_.get();
  return not_open();
}

std::string StoreSession::choose_slot(Initialisation& request) const {
  if (request.slot_kind || request.slot_path || store_) return {};
  Store::SlotChoice choice = Store::choose_slot(settings_);
  request.slot_kind = choice.kind;
  return std::move(choice.why);
}

Status StoreSession::initialise(Initialisation request) {
  if (store_) {
    return make_error(Errc::already_exists,
                      "there is a store in " + settings_.directory + " already",
                      "aierase status shows it", settings_.directory);
  }
  if (!reason_ || reason_->code != Errc::uninitialised) return not_open();
  RETURN_IF_ERROR(ensure_lock());
  lifecycle::InitRequest init;
  init.actor = request.actor;
  init.slot_kind = request.slot_kind.value_or(lifecycle::SlotKind::file);
  init.slot_path = request.slot_path.value_or(config_.slot);
  init.people_rule = request.people_rule;
  std::optional<crypto::UnlockSecret> for_opening;
  ASSIGN_OR_RETURN(std::optional<crypto::UnlockSecret> credential, read_credential());
  init.unlock = request.unlock.value_or(credential ? UnlockKind::credential : UnlockKind::none);
  if (init.unlock == UnlockKind::credential) {
    if (!credential) {
      return make_error(Errc::usage, "no credential aierase.unlock was passed to the daemon",
                        "LoadCredential=aierase.unlock:FILE in its unit, then restart it");
    }
    init.secret = std::move(credential);
  } else if (init.unlock == UnlockKind::keyfile) {
    init.keyfile_path = request.keyfile;
    ASSIGN_OR_RETURN(init.secret, read_keyfile(request.keyfile));
  }
  if (init.secret) {
    ASSIGN_OR_RETURN(for_opening, init.secret->clone());
  }
  if (init.unlock == UnlockKind::passphrase) {
    if (!request.passphrase) {
      return make_error(Errc::usage, "no passphrase came with the call",
                        "pass it as descriptor in the option passphrase");
    }
    ASSIGN_OR_RETURN(init.passphrase, request.passphrase->clone());
  }
  // An interrupted init is undone, catalog and all: its audit begins with the store that is kept.
  lifecycle::StoreSettings unaudited = settings_;
  unaudited.audit = nullptr;
  const Result<lifecycle::StatusReport> made = Store::initialise(unaudited, std::move(init));
  if (!made.ok()) return made.error();
  if (request.passphrase) return unlock(*request.passphrase);
  Status opened = open(std::move(for_opening), Store::Adopt::no);
  if (!opened.ok()) set_reason(opened.error());
  return opened;
}

Status StoreSession::adopt() {
  if (store_) {
    return make_error(Errc::wrong_state, "this store is open: there is nothing to adopt");
  }
  if (!reason_ || reason_->code != Errc::foreign) return not_open();
  ASSIGN_OR_RETURN(const lifecycle::SlotLocator locator, Store::read_locator(settings_));
  if (locator.unlock == UnlockKind::passphrase) {
    return make_error(Errc::wrong_state, "a store with a passphrase cannot be adopted",
                      "put back the machine-id, or the disk, that it was last used with");
  }
  ASSIGN_OR_RETURN(std::optional<crypto::UnlockSecret> secret, find_secret(locator));
  Status opened = open(std::move(secret), Store::Adopt::yes);
  if (!opened.ok()) set_reason(opened.error());
  return opened;
}

bool StoreSession::waits_for_tpm() const {
  return !store_ && reason_ && reason_->code == Errc::busy;
}

void StoreSession::try_again() {
  if (!waits_for_tpm() || settings_.clock->read().since_boot < next_try_) return;
  const Status started = start();
  if (!started.ok()) set_reason(started.error());
  next_try_ = settings_.clock->read().since_boot + kTryAgainPause;
}

bool StoreSession::device_is_missing() const {
  constexpr std::string_view kDevice = "device:";
  const std::string& tcti = settings_.tpm.tcti;
  if (tcti.rfind(kDevice, 0) != 0) return false;
  const Result<std::optional<FileInfo>> there = settings_.env->stat(tcti.substr(kDevice.size()));
  return there.ok() && !*there;
}

void StoreSession::give_way() {
  if (keeper_ != Keeper::service_manager || !waits_for_tpm()) return;
  if (device_is_missing()) opening_ = Opening::fatal;
}

bool StoreSession::must_stop() const {
  return store_ ? store_->must_stop() : opening_ == Opening::fatal;
}

Status StoreSession::unlock(const SecretBytes& passphrase) {
  if (store_) return make_error(Errc::wrong_state, "the store is open already");
  ASSIGN_OR_RETURN(const lifecycle::SlotLocator locator, Store::read_locator(settings_));
  if (locator.unlock != UnlockKind::passphrase) {
    return make_error(Errc::wrong_state, "this store is not unlocked by a passphrase",
                      "aierase status says what it waits for");
  }
  ASSIGN_OR_RETURN(
      crypto::UnlockSecret secret,
      crypto::unlock_from_passphrase(passphrase, locator.passphrase_salt, locator.passphrase_cost));
  Status opened = open(std::move(secret), Store::Adopt::no);
  if (opened.ok()) return opened;
  return about_secret(std::move(opened).error(), locator);
}

Json StoreSession::status() {
  if (!store_) return closed_status(not_open(), settings_);
  const Result<lifecycle::StatusReport> report = store_->status();
  if (!report.ok()) return closed_status(report.error(), settings_);
  Json status = open_status(*report, settings_);
  status["policy"] = in_force_json(store_->retention());
  status["enforce"] = enforcement_json(report->enforcement);
  return status;
}

std::optional<Error> StoreSession::fault() const {
  if (store_ || !reason_ || reason_->code == Errc::uninitialised || waits_for_passphrase_) {
    return std::nullopt;
  }
  return reason_;
}

std::string StoreSession::standing() {
  const Json now = status();
  const std::string state = now.at("state").get<std::string>();
  return now.contains("message") ? state + ": " + now.at("message").get<std::string>() : state;
}

Result<Json> StoreSession::doctor() {
  std::vector<lifecycle::Finding> found;
  if (store_) {
    ASSIGN_OR_RETURN(found, store_->doctor());
  } else {
    const Error reason = not_open();
    found.push_back({lifecycle::Finding::Severity::error, std::string(info(reason.code).name),
                     reason.subject, reason.message, reason.hint});
  }
  for (lifecycle::Finding& finding : host_findings({}, lockable_bytes())) {
    found.push_back(std::move(finding));
  }
  return Json{{"findings", findings_json(found)}};
}

}  // namespace aierase::daemon
