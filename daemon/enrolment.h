// Who is meant by a name, a user id or a key: people.toml and the users of this host, together.
//
// Contract: any thread. The file is read anew for each question, so that who is struck out of it is
// out at once. A file that cannot be used is the error of every question that needs it, never an
// empty one. Specified in: aierase-people(5) WHO IS MEANT.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "certificate/ssh_key.h"
#include "domain/people.h"

namespace aierase::daemon {

class Enrolment {
 public:
  Enrolment(Env& env, std::string file)
      : env_(env), file_(std::make_shared<const std::string>(std::move(file))) {}

  // Another file, from the next question on.
  void move_to(std::string file) { file_ = std::make_shared<const std::string>(std::move(file)); }

  // Whether the file can be used; a missing one can.
  Status check() const;
  // "alice", "@group"; somebody unknown is Errc::invalid_input with a hint.
  Result<std::vector<domain::Custodian>> custodians(const std::vector<std::string>& names) const;
  // All who may speak with an account or a key, in the order of the file.
  Result<std::vector<domain::Enrolled>> all() const;
  // What the file says of a user of this host.
  Result<std::optional<domain::PersonEntry>> entry_of(std::uint32_t uid) const;
  // The person of this key, as an actor: with the account, if there is one, and its groups. Nobody:
  // Errc::signer_unknown.
  Result<domain::Actor> signer(const certificate::SshPublicKey& key) const;
  // Who somebody is today that was known then, by account or by key; nobody, where that account,
  // entry or key is gone, or is somebody else's now.
  Result<std::optional<domain::Actor>> today(const domain::Actor& then,
                                             const std::optional<std::string>& key) const;

 private:
  Env& env_;
  std::string file() const { return *file_.load(); }
  std::atomic<std::shared_ptr<const std::string>> file_;
};

}  // namespace aierase::daemon
