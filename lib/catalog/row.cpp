#include "catalog/row.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace aierase::catalog {
namespace {

std::optional<Errc> errc_from_name(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Errc::busy); ++i) {
    const auto code = static_cast<Errc>(i);
    if (info(code).name == name) return code;
  }
  return std::nullopt;
}

std::string_view noun(domain::IdType type) {
  switch (type) {
    case domain::IdType::asset:
      return "asset";
    case domain::IdType::plan:
      return "plan";
    case domain::IdType::certificate:
      return "certificate";
    case domain::IdType::hold:
      return "hold";
    case domain::IdType::job:
      return "job";
  }
  return "row";
}

}  // namespace

bool Row::is(int type) {
  const int column = next_++;
  if (sqlite3_column_type(handle_, column) == type) return true;
  fail("is of the wrong type");
  return false;
}

void Row::fail(std::string_view what) {
  if (!fault_.empty()) return;
  const char* name = sqlite3_column_name(handle_, next_ > 0 ? next_ - 1 : 0);
  fault_ = "column " + std::string(name == nullptr ? "?" : name) + " " + std::string(what);
}

Status Row::finish(std::string_view key) const {
  if (fault_.empty()) return {};
  return make_error(
      Errc::damaged,
      "the catalog is damaged: table " + std::string(table_) + ", key " + std::string(key) + ": " +
          fault_,
      "nothing was changed; run `aierase check`, and restore catalog and blobs from one backup",
      std::string(key));
}

std::int64_t Row::integer() {
  if (!is(SQLITE_INTEGER)) return 0;
  return sqlite3_column_int64(handle_, next_ - 1);
}

std::uint64_t Row::count() {
  const std::int64_t value = integer();
  if (value < 0) fail("is negative");
  return value < 0 ? 0 : static_cast<std::uint64_t>(value);
}

std::uint32_t Row::number() {
  const std::int64_t value = integer();
  if (value < 0 || value > std::numeric_limits<std::uint32_t>::max()) {
    fail("is out of range");
    return 0;
  }
  return static_cast<std::uint32_t>(value);
}

std::string_view Row::text_view() {
  if (!is(SQLITE_TEXT)) return {};
  const void* text = sqlite3_column_text(handle_, next_ - 1);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_, next_ - 1));
  return text == nullptr ? std::string_view()
                         : std::string_view(static_cast<const char*>(text), size);
}

std::string Row::text() {
  const std::string_view view = text_view();
  if (!is_valid_utf8(view)) fail("is not valid UTF-8");
  return std::string(view);
}

ByteView Row::blob_view() {
  if (!is(SQLITE_BLOB)) return {};
  const void* bytes = sqlite3_column_blob(handle_, next_ - 1);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_, next_ - 1));
  return size == 0 ? ByteView() : ByteView(static_cast<const std::byte*>(bytes), size);
}

Bytes Row::blob() {
  return copy_of(blob_view());
}

Uuid Row::uuid() {
  const std::optional<Uuid> uuid = Uuid::from_bytes(blob_view());
  if (!uuid) fail("is not a uuid of 16 bytes");
  return uuid.value_or(Uuid{});
}

Digest Row::digest() {
  Digest digest{};
  const ByteView bytes = blob_view();
  if (bytes.size() != digest.size()) {
    fail("is not a digest of 32 bytes");
    return digest;
  }
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return digest;
}

domain::Actor Row::actor() {
  domain::Actor actor;
  actor.uid = number();
  actor.login = text();
  actor.audit_login_uid = maybe_number();
  return actor;
}

std::optional<domain::Actor> Row::maybe_actor() {
  if (sqlite3_column_type(handle_, next_) == SQLITE_NULL) {
    next_ += 3;
    return std::nullopt;
  }
  return actor();
}

domain::AssetName Row::name() {
  Result<domain::AssetName> name = domain::AssetName::parse(text_view());
  if (name.ok()) return std::move(name).value();
  fail("is not an asset name");
  return {};
}

std::vector<std::string> Row::texts() {
  std::vector<std::string> texts;
  const std::string_view view = text_view();
  if (view == "[]") return texts;
  const Result<Json> json = parse_json(view);
  if (!json.ok() || !json->is_array()) {
    fail("is not a JSON array");
    return texts;
  }
  for (const Json& item : *json) {
    if (!item.is_string()) {
      fail("is not an array of strings");
      return {};
    }
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

std::vector<domain::Reason> Row::reasons() {
  std::vector<domain::Reason> reasons;
  const std::string_view view = text_view();
  if (view == "[]") return reasons;
  const Result<Json> json = parse_json(view);
  if (!json.ok() || !json->is_array()) {
    fail("is not a JSON array");
    return reasons;
  }
  for (const Json& item : *json) {
    const bool whole = item.is_object() && item.size() == 2 && item.contains("code") &&
                       item.contains("text") && item["code"].is_string() &&
                       item["text"].is_string();
    const std::optional<Errc> code =
        whole ? errc_from_name(item["code"].get_ref<const std::string&>()) : std::nullopt;
    if (!code) {
      fail("is not an array of reasons");
      return {};
    }
    reasons.push_back({*code, item["text"].get<std::string>()});
  }
  return reasons;
}

Result<std::string> texts_json(const std::vector<std::string>& texts) {
  if (texts.empty()) return std::string("[]");
  return dump_canonical(Json(texts));
}

Result<std::string> reasons_json(const std::vector<domain::Reason>& reasons) {
  if (reasons.empty()) return std::string("[]");
  Json json = Json::array();
  for (const domain::Reason& reason : reasons) {
    Json item = Json::object();
    item["code"] = std::string(info(reason.code).name);
    item["text"] = reason.text;
    json.push_back(std::move(item));
  }
  return dump_canonical(json);
}

Result<std::vector<Uuid>> uuid_rows(Statement& statement, std::string_view table,
                                    std::string_view key) {
  std::vector<Uuid> uuids;
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, table);
    const Uuid uuid = row.uuid();
    RETURN_IF_ERROR(key.empty() ? row.finish(uuid.text()) : row.finish(key));
    uuids.push_back(uuid);
    return {};
  }));
  return uuids;
}

Error absent(domain::IdType type, const Uuid& id) {
  const std::string text = domain::id_text(type, id);
  return make_error(Errc::not_found,
                    "there is no " + std::string(noun(type)) + " " + text + " in the catalog", {},
                    text);
}

}  // namespace aierase::catalog
