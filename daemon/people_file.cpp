#include "daemon/people_file.h"

#include <unistd.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "base/toml.h"

namespace aierase::daemon {
namespace {

constexpr std::size_t kIdBytes = 32;  // as useradd(8) has it
constexpr unsigned kWritableByOthers = 0022;

bool is_person_id(std::string_view id) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !id.empty() && id.size() <= kIdBytes && id.front() != '-' && id.front() != '.' &&
         std::all_of(id.begin(), id.end(), is_allowed);
}

// Reads the keys of one person.
class PersonReader {
 public:
  PersonReader(TomlFile& file, const std::string& id)
      : file_(file), table_("person." + toml_part(id)) {}

  Error refused(const std::string& what) const { return file_.error_at(table_, what); }
  Error refused(std::string_view key, const std::string& what) const {
    return file_.error_at(path(key), what);
  }

  Status words(std::string_view key, std::string& to) {
    ASSIGN_OR_RETURN(const std::optional<std::string> text, file_.get_string(path(key)));
    if (!text) return {};
    if (text->size() > limits::kPersonFieldBytes) {
      return refused(key, std::string(key) + " has " + std::to_string(text->size()) +
                              " bytes; the limit is " + std::to_string(limits::kPersonFieldBytes));
    }
    if (text->empty() || !is_printable_utf8(*text)) {
      return refused(key,
                     std::string(key) + " has to be one line of text, and is " + quoted(*text));
    }
    to = *text;
    return {};
  }

  Status uid(std::optional<std::uint32_t>& to) {
    constexpr std::string_view kKey = "uid";
    ASSIGN_OR_RETURN(const std::optional<std::int64_t> number, file_.get_integer(path(kKey)));
    if (!number) return {};
    // The largest number is "no user" to the kernel.
    if (*number <= 0 || *number >= std::numeric_limits<std::uint32_t>::max()) {
      return refused(kKey, "uid has to be the number of a user, and not 0");
    }
    to = static_cast<std::uint32_t>(*number);
    return {};
  }

  Status keys(std::vector<certificate::SshPublicKey>& to) {
    constexpr std::string_view kKey = "ssh-key";
    ASSIGN_OR_RETURN(const std::optional<std::vector<std::string>> key_lines,
                     file_.get_string_or_strings(path(kKey)));
    if (!key_lines) return {};
    if (key_lines->empty() || key_lines->size() > limits::kKeysPerPerson) {
      return refused(kKey, "ssh-key has to be 1 to " + std::to_string(limits::kKeysPerPerson) +
                               " keys, not " + std::to_string(key_lines->size()));
    }
    for (const std::string& line : *key_lines) {
      auto key = certificate::SshPublicKey::from_line(line);
      if (!key.ok()) {
        return refused(kKey, key.error().message).with_hint(key.error().hint);
      }
      to.push_back(std::move(key).value());
    }
    return {};
  }

 private:
  std::string path(std::string_view key) const { return table_ + "." + std::string(key); }

  TomlFile& file_;
  std::string table_;
};

Result<Person> read_person(PersonReader& reader, const std::string& id) {
  if (!is_person_id(id)) {
    return reader.refused("a person is named by 1 to 32 letters, digits, '.', '_' and '-', not " +
                          quoted(id));
  }
  Person person;
  person.id = id;
  RETURN_IF_ERROR(reader.words("name", person.name));
  RETURN_IF_ERROR(reader.words("title", person.title));
  RETURN_IF_ERROR(reader.words("organisation", person.organisation));
  RETURN_IF_ERROR(reader.words("location", person.location));
  RETURN_IF_ERROR(reader.words("contact", person.contact));
  RETURN_IF_ERROR(reader.uid(person.uid));
  RETURN_IF_ERROR(reader.keys(person.keys));
  if (person.name.empty()) return reader.refused("person " + quoted(id) + " has no name");
  return person;
}

// The person who had this first, if another one has.
template <typename Map, typename Key>
std::optional<std::size_t> enter(Map& map, Key key, std::size_t index) {
  const auto [entry, is_new] = map.try_emplace(std::move(key), index);
  if (is_new) return std::nullopt;
  return entry->second;
}

Status check_owner(const FileInfo& info, const std::string& path) {
  if (info.type != FileType::regular) {
    return make_error(Errc::invalid_input, path + " is not a regular file", {}, path);
  }
  if ((info.permissions & kWritableByOthers) != 0) {
    return make_error(Errc::invalid_input,
                      path +
                          " may be written by others than its owner: anybody of them could "
                          "enrol a key",
                      "chmod go-w " + path, path);
  }
  if (info.owner != 0 && info.owner != ::geteuid()) {
    return make_error(
        Errc::invalid_input,
        path + " belongs to uid " + std::to_string(info.owner) + ", who could enrol keys",
        "chown root " + path, path);
  }
  return {};
}

}  // namespace

Result<People> People::parse(std::string_view text, const std::string& file_name) {
  ASSIGN_OR_RETURN(TomlFile file, TomlFile::parse(text, file_name, limits::kPeopleBytes));
  ASSIGN_OR_RETURN(const std::vector<std::string> ids, file.table_names("person"));
  if (ids.size() > limits::kPeople) {
    return make_error(Errc::resource_limit,
                      file_name + " has " + std::to_string(ids.size()) + " persons; the limit is " +
                          std::to_string(limits::kPeople),
                      {}, file_name);
  }
  People people;
  for (const std::string& id : ids) {
    PersonReader reader(file, id);
    ASSIGN_OR_RETURN(Person person, read_person(reader, id));
    const std::size_t index = people.people_.size();
    const auto also = [&](const std::string& what, std::size_t other) {
      return what + " of person " + quoted(id) + " is that of person " +
             quoted(people.people_[other].id) + " too";
    };
    people.by_id_.emplace(id, index);
    if (person.uid) {
      if (const auto other = enter(people.by_uid_, *person.uid, index)) {
        return reader.refused("uid", also("the uid " + std::to_string(*person.uid), *other))
            .with_hint("If they are one person, make one table of the two.");
      }
    }
    for (const certificate::SshPublicKey& key : person.keys) {
      const auto other = enter(people.by_blob_, std::string(as_text(key.blob())), index);
      if (other == index) {
        return reader.refused("ssh-key", "the key " + key.fingerprint() + " stands here twice");
      }
      if (other) {
        return reader.refused("ssh-key", also("the key " + key.fingerprint(), *other))
            .with_hint("If they are one person, make one table of the two.");
      }
    }
    people.people_.push_back(std::move(person));
  }
  RETURN_IF_ERROR(file.refuse_unknown_keys());
  // After the unknown keys: "ssh_key" in place of "ssh-key" is better named as what it is.
  for (const Person& person : people.people_) {
    if (person.uid || !person.keys.empty()) continue;
    return PersonReader(file, person.id)
        .refused("person " + quoted(person.id) +
                 " has neither uid nor ssh-key: nothing could be known to come from there");
  }
  return people;
}

Result<People> People::load(Env& env, const std::string& path) {
  ASSIGN_OR_RETURN(const std::optional<FileInfo> there, env.stat(path));
  if (!there) return People();
  RETURN_IF_ERROR(check_owner(*there, path));
  ASSIGN_OR_RETURN(const Bytes text, read_file(env, path, limits::kPeopleBytes));
  return parse(as_text(text), path);
}

const Person* People::find(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &people_[found->second];
}

const Person* People::by_uid(std::uint32_t uid) const {
  const auto found = by_uid_.find(uid);
  return found == by_uid_.end() ? nullptr : &people_[found->second];
}

const Person* People::by_key(const certificate::SshPublicKey& key) const {
  const auto found = by_blob_.find(as_text(key.blob()));
  return found == by_blob_.end() ? nullptr : &people_[found->second];
}

Result<NamedPerson> People::resolve(std::string_view name,
                                    std::optional<std::uint32_t> user) const {
  const Person* const person = find(name);
  if (person == nullptr && !user) {
    return make_error(Errc::not_found,
                      quoted(name) + " is neither a person of people.toml nor a user of this host",
                      {}, std::string(name));
  }
  if (person == nullptr) return NamedPerson{by_uid(*user), user};
  if (user && person->uid != user) {
    return make_error(
        Errc::invalid_input,
        "the person " + quoted(name) + " of people.toml and the user " + quoted(name) +
            " of this host, uid " + std::to_string(*user) + ", are not known to be one",
        "Write uid = " + std::to_string(*user) + " to the person, or give the person another name.",
        std::string(name));
  }
  return NamedPerson{person, person->uid};
}

}  // namespace aierase::daemon
