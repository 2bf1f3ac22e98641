// JSON that is only read: a document made at one go, and places in it that cost nothing to hand on.
//
// Contract: read_json takes what parse_json takes, and refuses the rest in the same words, since
// parse_json is made of it. A JsonView lives as long as its document, and throws nothing but for
// the memory that json() asks for: what is not there, or is of another type, is null, empty or
// nothing. Members come in the order of their keys; whatever a stranger wrote, to look one up
// takes no longer than the logarithm of their number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace aierase {

struct JsonParts;  // of a document
struct JsonNode {
  // A number that was written without a fraction is whole, and negative where it has a minus.
  enum class Kind : std::uint8_t { null, boolean, whole, negative, real, text, list, object };
  Kind kind = Kind::null;
  std::uint32_t size = 0;  // bytes, items or members
  union {
    const char* text;
    std::uint32_t first;  // of its items or keys, in JsonParts::places
    bool truth;
    std::uint64_t whole = 0;
    std::int64_t negative;
    double real;
  };
};

class JsonView {
 public:
  using Kind = JsonNode::Kind;
  JsonView() = default;  // null
  JsonView(const JsonParts& parts, const JsonNode& node) : parts_(&parts), node_(&node) {}

  Kind kind() const { return node_ == nullptr ? Kind::null : node_->kind; }
  bool is_null() const { return kind() == Kind::null; }
  bool is_string() const { return kind() == Kind::text; }
  bool is_array() const { return kind() == Kind::list; }
  bool is_object() const { return kind() == Kind::object; }

  std::string_view text() const {
    return is_string() ? std::string_view(node_->text, node_->size) : std::string_view();
  }
  std::optional<std::uint64_t> number() const {
    return kind() == Kind::whole ? std::optional(node_->whole) : std::nullopt;
  }
  std::optional<bool> truth() const {
    return kind() == Kind::boolean ? std::optional(node_->truth) : std::nullopt;
  }

  // Of items or members; 0 of null, and 1 of what is neither.
  std::size_t size() const;
  bool empty() const { return size() == 0; }
  JsonView operator[](std::size_t i) const;  // an item, or the value of a member
  std::string_view key(std::size_t i) const;
  JsonView operator[](std::string_view key) const { return value_of(member(key)); }
  bool contains(std::string_view key) const { return member(key) != nullptr; }

  // Over the items of a list; over nothing else.
  class Iterator;
  Iterator begin() const;
  Iterator end() const;

  Json json() const;  // a copy, to be changed or written

 private:
  const JsonNode* member(std::string_view key) const;  // its key; null where there is none
  JsonView value_of(const JsonNode* key) const;

  const JsonParts* parts_ = nullptr;
  const JsonNode* node_ = nullptr;
};

class JsonView::Iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = JsonView;
  using difference_type = std::ptrdiff_t;
  using pointer = const JsonView*;
  using reference = JsonView;

  Iterator(JsonView list, std::size_t at) : list_(list), at_(at) {}
  JsonView operator*() const { return list_[at_]; }
  Iterator& operator++() {
    ++at_;
    return *this;
  }
  bool operator==(const Iterator& other) const { return at_ == other.at_; }

 private:
  JsonView list_;
  std::size_t at_;
};
inline JsonView::Iterator JsonView::begin() const {
  return {*this, 0};
}
inline JsonView::Iterator JsonView::end() const {
  return {*this, is_array() ? node_->size : 0};
}

class JsonDocument {
 public:
  explicit JsonDocument(std::unique_ptr<const JsonParts> parts);
  JsonDocument(JsonDocument&& other) noexcept;
  JsonDocument& operator=(JsonDocument&& other) noexcept;
  ~JsonDocument();
  JsonView root() const&;
  JsonView root() && = delete;

 private:
  std::unique_ptr<const JsonParts> parts_;
};

Result<JsonDocument> read_json(std::string_view text, const JsonLimits& limits = {});

}  // namespace aierase
