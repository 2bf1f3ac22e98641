#include "certificate/claims.h"

#include <algorithm>

#include "certificate/statement.h"

namespace aierase::certificate {
namespace {

using domain::Level;
using domain::SourceHistory;

ExportReach reach_of_all(const std::vector<domain::ExportRecord>& exports) {
  const bool near = std::any_of(exports.begin(), exports.end(), [](const auto& record) {
    return reach_of(record.medium) == ExportReach::own_medium_or_unknown;
  });
  return near ? ExportReach::own_medium_or_unknown : ExportReach::elsewhere_only;
}

std::string purge_reason(Level level, SourceHistory history, ExportReach reach) {
  if (level < Level::ea3) {
    return "Purge is claimed from assurance level EA3 up; this certificate reaches " +
           std::string(domain::to_text(level)) + ".";
  }
  if (history != SourceHistory::encrypted_from_first_write) {
    return "Purge by cryptographic erase asks that the data was encrypted from its first write.";
  }
  if (reach == ExportReach::own_medium_or_unknown) {
    return "A copy was exported to the medium of this store, or to one that is not known.";
  }
  return level == Level::ea3
             ? "The key died in a firmware TPM; that its firmware does what it says is taken on "
               "trust."
             : "The key died in a discrete device; that the key which signed the evidence is that "
               "device's is the word of this host.";
}

void add_constant(std::vector<Residual>& to, const domain::DispositionRecord& record) {
  to.push_back({"root-on-host",
                "Root on this host could copy the asset or its keys while the asset lived; this "
                "cannot be seen afterwards."});
  to.push_back({"plaintext-elsewhere",
                "Plaintext outside this store is not covered: sources, exports, caches, memory of "
                "programs and devices that used the asset."});
  to.push_back({"learned", "What models derived from this asset have learned from it remains."});
  to.push_back({"slot-copy", "Whoever holds a copy of the root slot taken while the asset lived, " +
                                 std::string(record.at_rest == domain::AtRest::unlock_secret
                                                 ? "the unlock secret, and "
                                                 : "and ") +
                                 "a copy of database and blobs of that time, can read the asset."});
}

void add_assurance(std::vector<Residual>& to, const domain::DispositionRecord& record) {
  const Level level = assurance_of(record.epochs);
  to.push_back({"own-word",
                level < Level::ea4
                    ? "That the key is gone is the word of this host; no device outside "
                      "of its control has signed it."
                    : "That the key which signed the evidence is a TPM's, and of which TPM, is the "
                      "word of this host; nothing on this certificate ties it to a device."});
  if (level == Level::ea0) {
    to.push_back({"assurance", "Assurance EA0: " + lowest_epoch(record.epochs).assurance.reason});
  }
  std::vector<std::string_view> seen;
  for (const domain::EpochRecord& epoch : record.epochs) {
    for (const std::string& copier : epoch.assurance.may_have_copied) {
      if (std::find(seen.begin(), seen.end(), copier) != seen.end()) continue;
      seen.push_back(copier);
      to.push_back({"slot-may-be-copied", "May hold a copy of the root slot: " + copier});
    }
  }
  if (record.at_rest == domain::AtRest::none) {
    to.push_back({"at-rest",
                  "The store has no unlock secret: whoever took or copied its disks "
                  "while the asset lived has keys and data together."});
  }
}

bool was_removed(const domain::DispositionRecord& record, const std::string& place) {
  return std::any_of(record.sources_removed.begin(), record.sources_removed.end(),
                     [&](const domain::RemovedSource& source) {
                       return source.left == domain::RemovedSource::Left::file &&
                              source.description == place;
                     });
}

// What the daemon saw under the name of a source that was reported as removed.
std::string_view seen_sentence(domain::RemovedSource::Left left) {
  using Left = domain::RemovedSource::Left;
  switch (left) {
    case Left::nothing:
      break;
    case Left::empty_directory:
      return "The directory itself was still there when the erase began, and nothing lay in it: ";
    case Left::filled_directory:
      return "The directory itself was still there when the erase began, and something lay in it, "
             "be it files or what directories a removal leaves: ";
    case Left::closed_directory:
      return "The directory itself was still there when the erase began; whether something lay in "
             "it could not be seen by the daemon: ";
    case Left::file:
      return "A file of its name was there when the erase began: ";
  }
  return "The source: ";
}

void add_sources(std::vector<Residual>& to, const domain::DispositionRecord& record) {
  const domain::Asset& asset = record.asset;
  if (asset.source_history == SourceHistory::retrofitted) {
    to.push_back({"source-history",
                  "The data was stored unencrypted before its import; remnants "
                  "of that on its former medium are not covered."});
  } else if (asset.source_history == SourceHistory::unknown) {
    to.push_back({"source-history",
                  "Whether the data was ever stored unencrypted before its "
                  "import is not known."});
  } else if (history_word(asset) == HistoryWord::observed) {
    to.push_back({"source-history",
                  "The daemon of this store made the key itself and sealed it before its first "
                  "write; that is its word alone."});
  } else {
    to.push_back({"source-history",
                  "That the data was encrypted from its first write is asserted "
                  "by the importing person, not observed."});
  }
  for (const std::string& place : record.sources_still_present) {
    to.push_back(
        {"source-present",
         (was_removed(record, place)
              ? "The source was reported as removed, and a file of its name was there when "
                "the erase began: "
              : "The source was still there, readable, when the erase began: ") +
             place});
  }
  for (const std::string& place : record.sources_not_visible) {
    to.push_back({"source-not-visible",
                  "Whether the source was still there when the erase began could not be seen by "
                  "the daemon: " +
                      place});
  }
  for (const domain::RemovedSource& source : record.sources_removed) {
    to.push_back(
        {"source-removed", "Removal of the source was reported at " + to_rfc3339(source.reported) +
                               " by the program of " + asset.importer.login +
                               "; removing a file does not overwrite its blocks. " +
                               std::string(seen_sentence(source.left)) + source.description});
  }
}

void add_copies(std::vector<Residual>& to, const domain::DispositionRecord& record) {
  if (!record.exports.empty()) {
    const std::size_t count = record.exports.size();
    to.push_back({"exports", std::to_string(count) + (count == 1 ? " export" : " exports") +
                                 " left this store while the asset lived; such copies are not "
                                 "under its control (listed under exports)."});
  }
  if (record.asset.kind == domain::AssetKind::dataset_key) {
    to.push_back({"dataset",
                  "The asset is a key: data encrypted under it lies outside this store, "
                  "readable to whoever holds another copy of the key."});
  }
  for (const domain::LineageName& dependant : record.dependants) {
    if (dependant.state == domain::AssetState::erased) continue;
    to.push_back(
        {"dependant", "An asset made with this one stays: " + dependant.name.text() +
                          (dependant.kept_because.empty() ? std::string(".")
                                                          : " (" + dependant.kept_because + ").")});
  }
}

}  // namespace

std::string_view to_text(Method method) noexcept {
  switch (method) {
    case Method::none:
      return "none";
    case Method::clear:
      return "clear";
    case Method::purge:
      return "purge";
  }
  return "none";
}

std::optional<Method> parse_method(std::string_view text) noexcept {
  for (const Method method : {Method::none, Method::clear, Method::purge}) {
    if (to_text(method) == text) return method;
  }
  return std::nullopt;
}

ExportReach reach_of(domain::ExportMedium medium) {
  const bool elsewhere =
      medium == domain::ExportMedium::other_medium || medium == domain::ExportMedium::stream;
  return elsewhere ? ExportReach::elsewhere_only : ExportReach::own_medium_or_unknown;
}

Method method_for(Level level, SourceHistory history, ExportReach reach) {
  if (level == Level::ea0) return Method::none;
  const bool purge = level >= Level::ea3 && history == SourceHistory::encrypted_from_first_write &&
                     reach == ExportReach::elsewhere_only;
  return purge ? Method::purge : Method::clear;
}

Claim claim_of(const domain::DispositionRecord& record) {
  const Level level = assurance_of(record.epochs);
  const SourceHistory history = record.asset.source_history;
  const ExportReach reach = reach_of_all(record.exports);
  const Method method = method_for(level, history, reach);
  return {method, claim_sentence(level, history, method), purge_reason(level, history, reach)};
}

std::string claim_sentence(Level level, SourceHistory history, Method method) {
  if (method == Method::purge) return "Purge by cryptographic erase is claimed.";
  if (level == Level::ea0) {
    return "Keys removed logically, CE not claimed: that their place on the medium was "
           "overwritten is not shown.";
  }
  if (history != SourceHistory::encrypted_from_first_write) {
    return "Keys destroyed, CE not claimed: " +
           std::string(history == SourceHistory::retrofitted
                           ? "the data had been stored unencrypted before it came into this store."
                           : "whether the data had been stored unencrypted before is not known.");
  }
  return "Keys destroyed and their slot overwritten in place (method clear); purge by CE not "
         "claimed.";
}

std::string_view level_sentence(Level level) {
  switch (level) {
    case Level::ea0:
      return "Key removed logically; no erasure of the medium is shown.";
    case Level::ea1:
      return "Key slot overwritten in place on user-addressable storage.";
    case Level::ea2:
      return "Key slot in a software or virtual element; the operator of the host is not excluded.";
    case Level::ea3:
      return "Key slot in a firmware TPM.";
    case Level::ea4:
      return "Key slot in a discrete TPM or HSM, with signed evidence; that its key is the "
             "device's is the word of the host.";
  }
  return "";
}

// Nobody asserts anything of what the daemon has made.
HistoryWord history_word(const domain::Asset& asset) {
  const bool made_here =
      asset.source_history == SourceHistory::encrypted_from_first_write && !asset.sources.empty() &&
      std::none_of(asset.sources.begin(), asset.sources.end(),
                   [](const auto& source) { return source.asserted_by.has_value(); });
  return made_here ? HistoryWord::observed : HistoryWord::asserted;
}

std::string_view history_sentence(SourceHistory history, HistoryWord word) {
  switch (history) {
    case SourceHistory::encrypted_from_first_write:
      if (word == HistoryWord::observed) {
        return "Encrypted from the first write: made by the daemon of this store itself.";
      }
      return "Encrypted from the first write: asserted by a named person, not observed.";
    case SourceHistory::retrofitted:
      return "Stored unencrypted before its import.";
    case SourceHistory::unknown:
      return "Not known whether it was stored unencrypted before its import.";
  }
  return "";
}

std::vector<Residual> residuals_of(const domain::DispositionRecord& record) {
  std::vector<Residual> residuals;
  residuals.reserve(16);
  add_constant(residuals, record);
  add_assurance(residuals, record);
  add_sources(residuals, record);
  add_copies(residuals, record);
  if (record.people_rule == domain::PeopleRule::single_operator) {
    residuals.push_back({"single-operator",
                         "The store is single-operator: no second person need "
                         "have looked at this erase."});
  }
  for (const std::string& finding : record.host_findings) {
    residuals.push_back({"host", "On this host: " + finding});
  }
  return residuals;
}

std::vector<std::string_view> not_claimed() {
  return {"That a law, a contract or a standard is fulfilled: that is for people to judge.",
          "That the storage medium as a whole was cleared: only the keys of this asset are gone.",
          "That anybody but this host has watched the erase."};
}

const domain::EpochRecord& lowest_epoch(const std::vector<domain::EpochRecord>& epochs) {
  return *std::min_element(epochs.begin(), epochs.end(), [](const auto& a, const auto& b) {
    return a.assurance.level < b.assurance.level;
  });
}

Level assurance_of(const std::vector<domain::EpochRecord>& epochs) {
  return epochs.empty() ? Level::ea0 : lowest_epoch(epochs).assurance.level;
}

}  // namespace aierase::certificate
