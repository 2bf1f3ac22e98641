#include "base/json_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_parts.h"

namespace aierase {

std::size_t JsonView::size() const {
  if (is_null()) return 0;
  return is_array() || is_object() ? node_->size : 1;
}

JsonView JsonView::operator[](std::size_t i) const {
  if ((!is_array() && !is_object()) || i >= node_->size) return {};
  const JsonNode& node = parts_->nodes[parts_->places[node_->first + i]];
  return is_object() ? value_of(&node) : JsonView(*parts_, node);
}

std::string_view JsonView::key(std::size_t i) const {
  if (!is_object() || i >= node_->size) return {};
  const JsonNode& key = parts_->nodes[parts_->places[node_->first + i]];
  return {key.text, key.size};
}

const JsonNode* JsonView::member(std::string_view key) const {
  if (!is_object()) return nullptr;
  const JsonNode* const nodes = parts_->nodes.data();
  const std::uint32_t* const first = parts_->places.data() + node_->first;
  const std::uint32_t* const end = first + node_->size;
  const auto text_of = [&](std::uint32_t place) {
    return std::string_view(nodes[place].text, nodes[place].size);
  };
  // Few are gone through in less time.
  constexpr std::ptrdiff_t kFew = 32;
  if (end - first <= kFew) {
    const std::uint32_t* const same = std::find_if(first, end, [&](std::uint32_t place) {
      return nodes[place].size == key.size() && text_of(place) == key;
    });
    return same == end ? nullptr : &nodes[*same];
  }
  const std::uint32_t* const found =
      std::lower_bound(first, end, key, [&](std::uint32_t place, std::string_view wanted) {
        return comes_before(text_of(place), wanted);
      });
  return found != end && text_of(*found) == key ? &nodes[*found] : nullptr;
}

JsonView JsonView::value_of(const JsonNode* key) const {
  return key == nullptr ? JsonView() : JsonView(*parts_, key[1]);
}

// As deep as the document, which has a limit.
Json JsonView::json() const {
  switch (kind()) {
    case Kind::null:
      break;
    case Kind::boolean:
      return node_->truth;
    case Kind::whole:
      return node_->whole;
    case Kind::negative:
      return node_->negative;
    case Kind::real:
      return node_->real;
    case Kind::text:
      return std::string(text());
    case Kind::list: {
      Json list = Json::array();
      auto& items = list.get_ref<Json::array_t&>();
      items.reserve(size());
      for (const JsonView item : *this) items.push_back(item.json());
      return list;
    }
    case Kind::object: {
      Json object = Json::object();
      auto& members = object.get_ref<Json::object_t&>();
      for (std::size_t i = 0; i < size(); ++i) {
        members.emplace_hint(members.end(), std::string(key(i)), (*this)[i].json());
      }
      return object;
    }
  }
  return nullptr;
}

JsonDocument::JsonDocument(std::unique_ptr<const JsonParts> parts) : parts_(std::move(parts)) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

JsonView JsonDocument::root() const& {
  return {*parts_, parts_->nodes.front()};
}

}  // namespace aierase
