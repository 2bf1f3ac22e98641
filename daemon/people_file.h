// people.toml: who the people behind user ids and SSH keys are.
//
// Contract: values, read whole or refused whole; unknown keys, wrong types and texts that are not
// fit for a certificate are errors with file, line and column. A uid or a key stands with one
// person only. Pointers to a Person live as long as their People. load() refuses a file that others
// than its owner may write, or whose owner is neither root nor the daemon; a missing one is nobody.
// Specified in: aierase-people(5).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "certificate/ssh_key.h"

namespace aierase::daemon {

struct Person {
  std::string id;  // U of [person.U]
  std::string name;
  std::string title;
  std::string organisation;
  std::string location;
  std::string contact;
  std::optional<std::uint32_t> uid;
  std::vector<certificate::SshPublicKey> keys;
};

// Whom a name means: a person, a user of the host, or both in one.
struct NamedPerson {
  const Person* person = nullptr;
  std::optional<std::uint32_t> uid;
};

class People {
 public:
  People() = default;  // nobody
  static Result<People> parse(std::string_view text, const std::string& file_name);
  static Result<People> load(Env& env, const std::string& path);

  const std::vector<Person>& all() const { return people_; }  // in the order of the file
  const Person* find(std::string_view id) const;
  const Person* by_uid(std::uint32_t uid) const;
  const Person* by_key(const certificate::SshPublicKey& key) const;

  // Who U is, where the host has the user U with `user` as his uid, or has none. A person and a
  // user of one name but different uids are Errc::invalid_input; neither of them, Errc::not_found.
  Result<NamedPerson> resolve(std::string_view name, std::optional<std::uint32_t> user) const;

 private:
  std::vector<Person> people_;
  std::map<std::string, std::size_t, std::less<>> by_id_;
  std::map<std::uint32_t, std::size_t> by_uid_;
  std::map<std::string, std::size_t, std::less<>> by_blob_;
};

}  // namespace aierase::daemon
