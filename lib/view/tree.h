// The folders that the paths of a manifest mean, as the kernel asks for them: by numbers.
//
// Contract: a value, constant once made; any thread. Numbers begin with 1, the root, and stay;
// one that the kernel makes up is null, never undefined. The entries of a folder are in byte order
// of their names. Points into the manifest, which must outlive it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "domain/asset.h"

namespace aierase::view {

struct Node {
  std::uint64_t number = 0;
  std::uint64_t parent = 0;                                         // of the root: itself
  const domain::FileEntry* file = nullptr;                          // null: a folder
  std::vector<std::pair<std::string_view, std::uint64_t>> entries;  // of a folder: name, number
};

class Tree {
 public:
  static constexpr std::uint64_t kRoot = 1;

  // Errc::damaged where one path is both a file and a folder.
  static Result<Tree> of(const domain::Manifest& manifest);

  std::size_t size() const { return nodes_.size(); }
  const Node* find(std::uint64_t number) const;
  const Node* find(std::uint64_t folder, std::string_view name) const;

 private:
  std::vector<Node> nodes_;
};

}  // namespace aierase::view
