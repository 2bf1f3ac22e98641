#include <algorithm>
#include <nlohmann/json.hpp>

#include "ctl/describe.h"
#include "ctl/render.h"

namespace aierase::ctl {
namespace {

constexpr std::size_t kFilesShown = 40;

std::string labels_text(const Json& asset) {
  const Json& labels = object_at(asset, "labels");
  std::string text;
  for (auto label = labels.begin(); label != labels.end(); ++label) {
    text += (text.empty() ? "" : " ") + label.key() + "=" +
            (label->is_string() ? label->get<std::string>() : label->dump());
  }
  return text;
}

std::string sources_text(const Json& asset, const Output& out) {
  if (list_at(asset, "sources").empty()) return {};
  Table table({"  READ FROM", "FILES", "SIZE", "FILE SYSTEM", "HISTORY", "PLAINTEXT THERE"});
  for (const Json& source : list_at(asset, "sources")) {
    const std::string removed = text_at(source, "removed_at");
    const bool made_here =
        text_at(source, "history") == "encrypted-from-first-write" && !holds(source, "asserted_by");
    const std::string there = made_here         ? "none, made in the store"
                              : removed.empty() ? "not known to be gone"
                                                : "removed " + printable(removed);
    table.add({"  " + printable(text_at(source, "description")), text_at(source, "files"),
               human_bytes(number_at(source, "bytes")), printable(text_at(source, "filesystem")),
               printable(text_at(source, "history")), there});
  }
  return "\nSources\n" + table.text(out.width());
}

std::string files_text(const Json& asset, const Output& out) {
  const Json& files = list_at(asset, "files");
  if (files.empty()) return {};
  Table table({"  FILE", "BYTES", "SHA-256"});
  std::size_t shown = 0;
  for (const Json& file : files) {
    if (shown++ == kFilesShown) break;
    table.add({"  " + printable(text_at(file, "name")), text_at(file, "bytes"),
               printable(text_at(file, "sha256"))});
  }
  std::string text = "\nFiles\n" + table.text(out.width());
  const std::uint64_t count =
      std::max<std::uint64_t>(number_at(asset, "files_count"), files.size());
  if (count > kFilesShown) {
    text += "  and " + std::to_string(count - kFilesShown) + " more (--json lists all)\n";
  }
  return text;
}

std::string lineage_text(const Json& asset, const Output& out) {
  const Json& lineage = object_at(asset, "lineage");
  Table table({"  RELATION", "ASSET", "NAME", "STATE"});
  for (const Json& parent : list_at(lineage, "parents")) {
    table.add({"  " + printable(text_at(parent, "relation")), short_id(text_at(parent, "id")),
               printable(text_at(parent, "name")), printable(text_at(parent, "state"))});
  }
  for (const Json& child : list_at(lineage, "dependants")) {
    table.add({"  dependant, " + printable(text_at(child, "relation")),
               short_id(text_at(child, "id")), printable(text_at(child, "name")),
               printable(text_at(child, "state"))});
  }
  return table.empty() ? std::string() : "\nLineage\n" + table.text(out.width());
}

std::string exports_text(const Json& asset, const Output& out) {
  if (list_at(asset, "exports").empty()) return {};
  Table table({"  EXPORTED", "BY", "WHAT", "SCOPE", "TO"});
  for (const Json& row : list_at(asset, "exports")) {
    const std::string who =
        text_at(row, "login").empty() ? "uid " + text_at(row, "uid") : text_at(row, "login");
    table.add(
        {"  " + printable(text_at(row, "time")), printable(who), printable(text_at(row, "kind")),
         printable(text_at(row, "scope")),
         printable(text_at(row, "destination")) + " (" + printable(text_at(row, "medium")) + ")"});
  }
  return "\nCopies that left this store, not under its control\n" + table.text(out.width());
}

std::string events_text(const Json& asset, const Output& out) {
  if (list_at(asset, "events").empty()) return {};
  Table table({"  TIME", "WHO", "ACT", "FROM", "TO", "REASON"});
  for (const Json& event : list_at(asset, "events")) {
    const std::string who =
        text_at(event, "login").empty() ? "uid " + text_at(event, "uid") : text_at(event, "login");
    table.add({"  " + printable(text_at(event, "time")), printable(who),
               printable(text_at(event, "action")), printable(text_at(event, "from")),
               printable(text_at(event, "to")), printable(text_at(event, "reason"))});
  }
  return "\nHistory\n" + table.text(out.width());
}

std::string grace_text(const Json& rules) {
  const bool skipped = text_at(rules, "allow_now") == "yes";
  return text_at(rules, "grace_words") + (skipped ? ", may be skipped with --now" : "");
}

void add_rules(const Json& asset, Fields& fields) {
  const Json& rules = object_at(asset, "rules");
  if (rules.empty()) return;
  fields.add("Rules of class", joined(list_at(rules, "classes"), ", "));
  fields.add("Kept until", text_at(rules, "kept_until"));
  fields.add("Due", text_at(rules, "due"));
  fields.add("Grace", grace_text(rules));
  const std::uint64_t approvals = number_at(rules, "approvals");
  const std::string who = joined(list_at(rules, "custodians"), ", ");
  fields.add("Approvals", std::to_string(approvals) + (who.empty() ? "" : ", also from " + who));
  for (const Json& basis : list_at(rules, "basis")) {
    fields.add("Basis", basis.is_string() ? basis.get<std::string>() : "");
  }
}

std::string rules_text(const Json& asset, const Output& out) {
  const Json& sentences = list_at(object_at(asset, "rules"), "explanation");
  if (sentences.empty()) return {};
  std::string text = "\nWhy it is kept, and how long\n";
  for (const Json& sentence : sentences) {
    if (!sentence.is_string()) continue;
    text += wrapped(printable(sentence.get<std::string>()), out.width(), 2) + "\n";
  }
  return text;
}

}  // namespace

std::string describe_asset(const Json& asset, const Output& out) {
  Fields fields;
  fields.add("Asset", text_at(asset, "id"));
  fields.add("Name", text_at(asset, "name"));
  fields.add("Kind", text_at(asset, "kind"));
  const std::string why = text_at(asset, "state_reason");
  fields.add("State", text_at(asset, "state") + (why.empty() ? "" : ": " + why));
  fields.add("Unreadable", text_at(asset, "unreadable"));
  const std::string files = text_at(asset, "files_count");
  fields.add("Size",
             human_bytes(number_at(asset, "bytes")) + " (" + text_at(asset, "bytes") + " bytes)" +
                 (files.empty() ? "" : " in " + counted(number_at(asset, "files_count"), "file")));
  fields.add("Created", text_at(asset, "created"));
  fields.add("Erased", text_at(asset, "erased_at"));
  fields.add("Imported by", person_at(asset, "importer"));
  fields.add("Custodians", joined(list_at(asset, "custodians"), ", "));
  fields.add("Labels", labels_text(asset));
  fields.add("Retention class", text_at(asset, "retention"));
  add_rules(asset, fields);
  fields.add("Source history", text_at(asset, "source_history"));
  fields.add("Manifest SHA-256", text_at(asset, "manifest_sha256"));
  fields.add("Key check value", text_at(asset, "key_check_value"));
  if (number_at(asset, "exports_running") > 0) {
    fields.add("Exports running", text_at(asset, "exports_running"));
  }
  for (const Json& hold : list_at(asset, "holds")) {
    fields.add("Legal hold", short_id(text_at(hold, "id")) + " of matter " +
                                 quoted(text_at(hold, "matter")) + ": cannot be erased");
  }
  fields.add("Open plan", text_at(asset, "open_plan"));
  fields.add("Certificate", text_at(asset, "certificate"));
  return fields.text(out.width()) + rules_text(asset, out) + files_text(asset, out) +
         sources_text(asset, out) + lineage_text(asset, out) + leases_text(asset, out) +
         exports_text(asset, out) + events_text(asset, out);
}

std::string asset_table(const Json& assets, const Output& out) {
  Table table({"ASSET", "KIND", "STATE", "SIZE", "FILES", "CREATED", "NAME"});
  for (const Json& asset : assets) {
    table.add({short_id(text_at(asset, "id")), printable(text_at(asset, "kind")),
               printable(text_at(asset, "state")), human_bytes(number_at(asset, "bytes")),
               text_at(asset, "files_count"), printable(text_at(asset, "created")),
               printable(text_at(asset, "name"))});
  }
  return table.text(out.width());
}

}  // namespace aierase::ctl
