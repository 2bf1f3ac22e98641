#include "daemon/import_options.h"

#include <nlohmann/json.hpp>

#include "base/limits.h"

namespace aierase::daemon {
namespace {

// The catalog's numbers have a sign.
constexpr std::uint64_t kMostTold = INT64_MAX;

Result<std::uint64_t> number_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) return std::uint64_t{0};
  const auto number = found->get<std::uint64_t>();
  if (number <= kMostTold) return number;
  return CallOptions::wrong("sources", "claims more " + std::string(key) +
                                           " than there can be: " + std::to_string(number));
}

Result<ToldSource> told_source(const Json& object) {
  ToldSource source;
  for (const auto& item : object.items()) {
    const std::string& key = item.key();
    if (key != "description" && key != "files" && key != "bytes" && key != "observed") {
      return CallOptions::wrong("sources", "does not know " + quoted(key));
    }
  }
  const auto description = object.find("description");
  if (description == object.end() || !description->is_string()) {
    return CallOptions::wrong("sources", "needs a description in each entry");
  }
  source.description = description->get<std::string>();
  if (source.description.empty() || source.description.size() > limits::kPathBytes ||
      !is_printable_utf8(source.description)) {
    return CallOptions::wrong("sources",
                              "has a description that is empty, too long or not "
                              "printable: " +
                                  quoted(source.description));
  }
  ASSIGN_OR_RETURN(source.files, number_in(object, "files"));
  ASSIGN_OR_RETURN(source.bytes, number_in(object, "bytes"));
  const auto observed = object.find("observed");
  if (observed != object.end()) {
    if (*observed != "retrofitted") {
      return CallOptions::wrong("sources", "knows only observed = retrofitted");
    }
    source.retrofitted = true;
  }
  return source;
}

Status read_sources(CallOptions& options, ImportWish& wish) {
  ASSIGN_OR_RETURN(const std::optional<Json> sources, options.objects("sources"));
  if (!sources) return {};
  if (sources->size() > limits::kSourcesPerAsset) {
    return make_error(Errc::resource_limit,
                      "more than " + std::to_string(limits::kSourcesPerAsset) + " sources named",
                      "name the directories instead of their files");
  }
  for (const Json& entry : *sources) {
    ASSIGN_OR_RETURN(ToldSource source, told_source(entry));
    wish.sources.push_back(std::move(source));
  }
  return {};
}

Status read_lineage(CallOptions& options, lifecycle::ImportRequest& request) {
  const std::pair<const char*, domain::Relation> relations[] = {
      {"derived_from", domain::Relation::derived_from},
      {"trained_on", domain::Relation::trained_on},
      {"configured_by", domain::Relation::configured_by},
      {"supersedes", domain::Relation::supersedes}};
  for (const auto& relation : relations) {
    ASSIGN_OR_RETURN(const std::vector<std::string> parents, options.texts(relation.first));
    for (const std::string& parent : parents) {
      request.lineage.emplace_back(relation.second, parent);
    }
  }
  return {};
}

}  // namespace

Result<std::vector<domain::Custodian>> read_custodians(CallOptions& options,
                                                       const Enrolment& people) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, options.texts("custodians"));
  if (names.size() > limits::kCustodiansPerAsset) {
    return CallOptions::wrong(
        "custodians", "has more than " + std::to_string(limits::kCustodiansPerAsset) + " entries");
  }
  return people.custodians(names);
}

Result<ImportWish> read_import(CallOptions& options, const Enrolment& people) {
  ImportWish wish;
  ASSIGN_OR_RETURN(const std::optional<domain::AssetKind> kind,
                   options.word<domain::AssetKind>("kind", domain::parse_asset_kind));
  wish.request.kind = kind.value_or(domain::AssetKind::model);
  ASSIGN_OR_RETURN(wish.request.custodians, read_custodians(options, people));
  ASSIGN_OR_RETURN(wish.request.retention, options.text_or("retention", "default"));
  ASSIGN_OR_RETURN(wish.request.labels, options.pairs("labels"));
  RETURN_IF_ERROR(read_lineage(options, wish.request));
  RETURN_IF_ERROR(read_sources(options, wish));
  ASSIGN_OR_RETURN(const std::optional<std::string> history, options.text("source_history"));
  if (history && *history != "encrypted-from-first-write") {
    return CallOptions::wrong("source_history",
                              "can only be encrypted-from-first-write: all else "
                              "is observed");
  }
  wish.asserts_encrypted = history.has_value();
  ASSIGN_OR_RETURN(const std::optional<std::string> generate, options.text("generate"));
  if (generate && (*generate != "key" || wish.request.kind != domain::AssetKind::dataset_key)) {
    return CallOptions::wrong("generate", "can only be key, with kind = dataset-key");
  }
  wish.generates_key = generate.has_value();
  ASSIGN_OR_RETURN(wish.without_files, options.agreed("without_files"));
  wish.metadata = options.file("metadata");
  if (wish.metadata && wish.request.kind == domain::AssetKind::dataset_key) {
    return CallOptions::wrong("metadata", "is for files, and a dataset-key has none");
  }
  RETURN_IF_ERROR(options.finish());
  return wish;
}

}  // namespace aierase::daemon
