#include "ctl/removal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <set>

#include "base/env.h"
#include "base/json.h"
#include "ctl/render.h"

namespace aierase::ctl {
namespace {

constexpr std::size_t kSentences = 20;

// Empty when the name is gone, else why it stays.
std::string take_away(const FoundFile& file) {
  struct stat status {};
  const bool link = file.reached == Reached::through_link;
  if ((link ? stat(file.path.c_str(), &status) : lstat(file.path.c_str(), &status)) != 0) {
    return errno == ENOENT ? std::string() : "cannot be looked at: " + std::string(strerror(errno));
  }
  if (identity_of(status) != file.identity) return "has changed since it was read";
  if (unlink(file.path.c_str()) != 0) return "cannot be removed: " + std::string(strerror(errno));
  return {};
}

bool inside(const std::string& path, const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    if (path == folder || path.rfind(folder == "/" ? folder : folder + "/", 0) == 0) return true;
  }
  return false;
}

class Remover {
 public:
  explicit Remover(const Found& found) : found_(found) {}

  Removal run() {
    // Links first: their targets must still be there to be recognised.
    for (const FoundFile& file : found_.files) {
      if (file.reached == Reached::through_link) take(file);
    }
    for (const FoundFile& file : found_.files) {
      if (file.reached == Reached::directly) take(file);
    }
    for (std::size_t i = 0; i < found_.arguments.size(); ++i) {
      if (held_.count(i) == 0) removal_.gone.push_back(found_.arguments[i]);
    }
    for (const std::string& place : places_) {
      say("the files below " + quoted(place) +
          " that links led to: they lie outside what was named");
    }
    if (unsaid_ > 0) removal_.stayed.push_back("and " + counted(unsaid_, "more file"));
    return std::move(removal_);
  }

 private:
  void take(const FoundFile& file) {
    const std::string why = take_away(file);
    if (!why.empty()) {
      held_.insert(file.argument);
      say(quoted(file.path) + " " + why);
      return;
    }
    if (file.reached == Reached::through_link && !inside(file.target, found_.arguments)) {
      removal_.links += 1;
      places_.insert(parent_of(file.target));
      return;
    }
    removal_.removed += 1;
    if (file.reached == Reached::directly && file.names > 1) {
      held_.insert(file.argument);
      say(quoted(file.path) + " is removed, but has " + counted(file.names - 1, "other name") +
          " (hard links): its plaintext stays there");
    }
  }

  void say(std::string sentence) {
    if (removal_.stayed.size() < kSentences) {
      removal_.stayed.push_back(std::move(sentence));
    } else {
      ++unsaid_;
    }
  }

  const Found& found_;
  Removal removal_;
  std::set<std::size_t> held_;    // arguments with plaintext left
  std::set<std::string> places_;  // directories that links led to
  std::size_t unsaid_ = 0;
};

}  // namespace

Removal remove_sources(const Found& found) {
  return Remover(found).run();
}

}  // namespace aierase::ctl
