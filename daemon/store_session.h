// The store as the daemon knows it: not there yet, locked, open, or not to be opened, and why.
//
// Contract: belongs to the store thread. The store's lock is taken by start() and held for life,
// whatever the standing, so that there is never a second daemon. Runs of check, enforce and
// evidence live here too: they die before the store they look at. Specified in: aierased(8) STATES.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "daemon/config.h"
#include "lifecycle/enforcing.h"
#include "lifecycle/evidence_run.h"
#include "lifecycle/store.h"

namespace aierase::daemon {

class StoreSession {
 public:
  // Whether somebody starts the process anew when it ends with an error.
  enum class Keeper { nobody, service_manager };
  StoreSession(lifecycle::StoreSettings settings, Config config, Keeper keeper = Keeper::nobody)
      : settings_(std::move(settings)), config_(std::move(config)), keeper_(keeper) {}
  ~StoreSession();
  StoreSession(const StoreSession&) = delete;
  StoreSession& operator=(const StoreSession&) = delete;

  // An error only where the store directory is missing or another daemon holds it: then this
  // process has nothing to do. All else becomes the standing that status() tells.
  Status start();
  void close();

  // The open store, or why it is not open.
  Result<lifecycle::Store*> store();
  bool is_open() const { return store_ != nullptr; }

  struct Initialisation {
    domain::Actor actor;
    std::optional<lifecycle::SlotKind> slot_kind;  // none: what choose_slot() says
    std::optional<std::string> slot_path;
    std::optional<lifecycle::UnlockKind> unlock;  // none: credential where there is one, else none
    std::string keyfile;
    std::optional<SecretBytes> passphrase;
    domain::PeopleRule people_rule = domain::PeopleRule::two_person;
  };
  // Where nobody named a home for the slot: the best there is here, and why; else nothing.
  std::string choose_slot(Initialisation& request) const;
  Status initialise(Initialisation request);
  Status adopt();
  // A store that could not be opened because its TPM did not answer, if the last try is a while
  // ago; nothing otherwise.
  void try_again();
  bool waits_for_tpm() const;
  // Where it waits for a TPM whose device is not even there: a sandbox does not show what came
  // after the process, so with a keeper this one ends (must_stop), and the next one looks.
  void give_way();
  // The open store saw an io error, or opening it did: what the TPM did then is not known, and a
  // new process looks. Or as give_way() says.
  bool must_stop() const;
  Status unlock(const SecretBytes& passphrase);

  Json status();
  // Why the store cannot be opened; nothing where it is open, not there yet, or where it waits for
  // its passphrase, as it should.
  std::optional<Error> fault() const;
  std::string standing();  // "open", "locked: the store waits for its passphrase"
  Result<Json> doctor();

  // What a later initialise() goes by.
  void take_over(Config config) { config_ = std::move(config); }
  lifecycle::StoreSettings& settings() { return settings_; }
  std::map<Uuid, std::unique_ptr<lifecycle::CheckRun>>& checks() { return checks_; }
  std::map<Uuid, std::unique_ptr<lifecycle::EnforceRun>>& enforcements() { return enforcements_; }
  std::map<Uuid, std::unique_ptr<lifecycle::EvidenceRun>>& evidence() { return evidence_; }

 private:
  Status open(std::optional<crypto::UnlockSecret> secret, lifecycle::Store::Adopt adopt);
  Result<std::optional<crypto::UnlockSecret>> find_secret(const lifecycle::SlotLocator& locator);
  Status ensure_lock();
  void set_reason(Error reason) { reason_ = std::move(reason); }
  Error not_open() const;
  bool device_is_missing() const;

  lifecycle::StoreSettings settings_;
  Config config_;
  Keeper keeper_;
  std::unique_ptr<File> lock_;  // while the store is not open
  std::unique_ptr<lifecycle::Store> store_;
  std::optional<Error> reason_;  // why it is not open
  bool waits_for_passphrase_ = false;
  enum class Opening { harmless, fatal } opening_ = Opening::harmless;
  std::chrono::seconds next_try_{};  // since the boot
  std::map<Uuid, std::unique_ptr<lifecycle::CheckRun>> checks_;
  std::map<Uuid, std::unique_ptr<lifecycle::EnforceRun>> enforcements_;
  std::map<Uuid, std::unique_ptr<lifecycle::EvidenceRun>> evidence_;
};

}  // namespace aierase::daemon
