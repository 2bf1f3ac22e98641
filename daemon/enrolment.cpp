#include "daemon/enrolment.h"

#include "base/json.h"
#include "daemon/accounts.h"
#include "daemon/people_file.h"

namespace aierase::daemon {
namespace {

domain::PersonEntry entry(const Person& person) {
  return {person.id,           person.name,     person.title,
          person.organisation, person.location, person.contact};
}

Result<domain::Custodian> group_custodian(const std::string& name) {
  const std::optional<std::uint32_t> id = group_named(name);
  if (id) return domain::Custodian{domain::CustodianKind::group, name, *id};
  return make_error(Errc::invalid_input, "there is no group " + quoted(name) + " on this host",
                    "getent group lists them", "@" + name);
}

std::optional<std::uint32_t> uid_named(const std::string& name) {
  const std::optional<Account> account = account_named(name);
  return account ? std::optional(account->uid) : std::nullopt;
}

Result<domain::Custodian> custodian(const People& people, const std::string& name) {
  const std::optional<std::uint32_t> user = uid_named(name);
  if (!user && people.find(name) == nullptr) {
    return make_error(Errc::invalid_input,
                      "there is no user " + quoted(name) + " on this host, and no such person",
                      "name a user, a person of people.toml, or a group as @GROUP", name);
  }
  ASSIGN_OR_RETURN(const NamedPerson named, people.resolve(name, user));
  if (people.find(name) == nullptr) {
    return domain::Custodian{domain::CustodianKind::user, name, *user};
  }
  return domain::Custodian{domain::CustodianKind::person, name, named.uid.value_or(domain::kNoUid)};
}

}  // namespace

Status Enrolment::check() const {
  const Result<People> people = People::load(env_, file());
  return people.ok() ? Status() : Status(people.error());
}

Result<std::vector<domain::Custodian>> Enrolment::custodians(
    const std::vector<std::string>& names) const {
  std::vector<domain::Custodian> custodians;
  if (names.empty()) return custodians;
  ASSIGN_OR_RETURN(const People people, People::load(env_, file()));
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(domain::Custodian one, name.starts_with('@') ? group_custodian(name.substr(1))
                                                                  : custodian(people, name));
    custodians.push_back(std::move(one));
  }
  return custodians;
}

Result<std::vector<domain::Enrolled>> Enrolment::all() const {
  ASSIGN_OR_RETURN(const People people, People::load(env_, file()));
  std::vector<domain::Enrolled> all;
  for (const Person& person : people.all()) {
    domain::Enrolled one{person.id, person.uid.value_or(domain::kNoUid), {}};
    for (const certificate::SshPublicKey& key : person.keys) one.keys.push_back(key.fingerprint());
    all.push_back(std::move(one));
  }
  return all;
}

Result<std::optional<domain::PersonEntry>> Enrolment::entry_of(std::uint32_t uid) const {
  ASSIGN_OR_RETURN(const People people, People::load(env_, file()));
  const Person* const person = people.by_uid(uid);
  if (person == nullptr) return std::optional<domain::PersonEntry>();
  return std::optional(entry(*person));
}

Result<domain::Actor> Enrolment::signer(const certificate::SshPublicKey& key) const {
  ASSIGN_OR_RETURN(const People people, People::load(env_, file()));
  const Person* const person = people.by_key(key);
  if (person == nullptr) {
    return make_error(Errc::signer_unknown,
                      "the key " + key.fingerprint() + " belongs to nobody in " + file(),
                      "whoever may enrol the person writes the key there, see aierase-people(5)",
                      key.fingerprint());
  }
  // A name that could be somebody else's on this host is nobody's.
  RETURN_IF_ERROR(people.resolve(person->id, uid_named(person->id)));
  domain::Actor actor;
  actor.uid = person->uid.value_or(domain::kNoUid);
  actor.login = person->id;
  actor.person = entry(*person);
  if (!person->uid) return actor;
  if (const std::optional<Account> account = account_of(*person->uid)) {
    actor.login = account->login;
    actor.groups = groups_of(*account);
  }
  return actor;
}

Result<std::optional<domain::Actor>> Enrolment::today(const domain::Actor& then,
                                                      const std::optional<std::string>& key) const {
  using Answer = std::optional<domain::Actor>;
  const auto is_the_same = [&](const std::optional<domain::PersonEntry>& person) {
    return !then.person || (person && person->id == then.person->id);
  };
  if (key) {
    ASSIGN_OR_RETURN(const certificate::SshPublicKey enrolled,
                     certificate::SshPublicKey::from_line(*key));
    Result<domain::Actor> actor = signer(enrolled);
    if (!actor.ok()) {
      if (actor.error().code == Errc::signer_unknown) return Answer();
      return std::move(actor).error();
    }
    return is_the_same(actor->person) ? Answer(std::move(*actor)) : Answer();
  }
  const std::optional<Account> account = account_of(then.uid);
  if (!account || account->login != then.login) return Answer();
  domain::Actor actor = then;
  actor.groups = groups_of(*account);
  ASSIGN_OR_RETURN(actor.person, entry_of(then.uid));
  return is_the_same(actor.person) ? Answer(std::move(actor)) : Answer();
}

}  // namespace aierase::daemon
