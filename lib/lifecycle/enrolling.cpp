// Enrolments, as they are found in people.toml: in the log before anybody's word counts by them.

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "lifecycle/noticing.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

constexpr std::size_t kTold = 5;  // in the text of a notice; the log has all

struct Change {
  domain::Enrolled before, now;  // empty id: was not, is not enrolled
  const std::string& person() const { return now.id.empty() ? before.id : now.id; }
};

std::string means_of(const domain::Enrolled& person) {
  std::string text;
  if (person.uid != domain::kNoUid) text = "uid " + std::to_string(person.uid);
  for (const std::string& key : person.keys) text += (text.empty() ? "key " : ", key ") + key;
  return text;
}

std::string words_of(const Change& change) {
  if (change.now.id.empty()) return change.person() + " was struck out";
  const char* act = change.before.id.empty() ? " was enrolled with " : " speaks now with ";
  return change.person() + act + means_of(change.now);
}

std::vector<Change> changes_of(const std::vector<domain::Enrolled>& before,
                               const std::vector<domain::Enrolled>& now) {
  std::map<std::string, Change> by_person;
  for (const domain::Enrolled& person : before) by_person[person.id].before = person;
  for (const domain::Enrolled& person : now) by_person[person.id].now = person;
  std::vector<Change> changes;
  for (auto& [id, change] : by_person) {
    if (change.before != change.now) changes.push_back(std::move(change));
  }
  return changes;
}

Result<translog::LogRecord> leaf_of(const Change& change, UtcTime now) {
  Json record{{"person", change.person()}, {"keys", change.now.keys}, {"uid", nullptr}};
  if (change.now.uid != domain::kNoUid) record["uid"] = change.now.uid;
  record["enrolled"] = !change.now.id.empty();
  ASSIGN_OR_RETURN(std::string text, dump_canonical(record));
  return translog::LogRecord{"enrolment", now, std::move(text), translog::Visibility::committed};
}

domain::Notice notice_of(const std::vector<Change>& changes, UtcTime now) {
  std::string text;
  for (std::size_t i = 0; i < std::min(changes.size(), kTold); ++i) {
    text += (text.empty() ? "" : "; ") + words_of(changes[i]);
  }
  if (changes.size() > kTold) {
    text += "; and " + std::to_string(changes.size() - kTold) + " more";
  }
  return {domain::NoticeKind::enrolment, "people.toml", "", now, 0, "people.toml: " + text};
}

}  // namespace

Status note_enrolments(Core& core) {
  if (!core.settings.enrolled) return {};
  const Result<std::vector<domain::Enrolled>> now = core.settings.enrolled();
  if (!now.ok()) return {};  // nobody's word counts by a file that cannot be read
  ASSIGN_OR_RETURN(const std::vector<domain::Enrolled> before, core.view().enrolments());
  const std::vector<Change> changes = changes_of(before, *now);
  if (changes.empty()) return {};
  const UtcTime moment = core.now();
  std::vector<translog::LogRecord> leaves;
  for (const Change& change : changes) {
    ASSIGN_OR_RETURN(translog::LogRecord leaf, leaf_of(change, moment));
    leaves.push_back(std::move(leaf));
  }
  return transact(core, ReserveShare::none,
                  [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
                    for (const Change& change : changes) {
                      const bool gone = change.now.id.empty();
                      RETURN_IF_ERROR(gone ? transaction.drop_enrolment(change.person())
                                           : transaction.put_enrolment(change.now));
                      RETURN_IF_ERROR(transaction.add_event(
                          {moment, own_actor(), "enrol", "person " + change.person(),
                           means_of(change.before), means_of(change.now), "found in people.toml"}));
                    }
                    RETURN_IF_ERROR(core.append_log(transaction, state, leaves));
                    return tell(core, transaction, notice_of(changes, moment));
                  });
}

}  // namespace aierase::lifecycle
