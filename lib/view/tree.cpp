#include "view/tree.h"

#include <algorithm>
#include <unordered_map>

#include "base/json.h"

namespace aierase::view {
namespace {

using Folders = std::unordered_map<std::string_view, std::uint64_t>;  // by path, "" the root

std::uint64_t add(std::vector<Node>& nodes, std::uint64_t parent, std::string_view name,
                  const domain::FileEntry* file) {
  const std::uint64_t number = nodes.size() + 1;
  nodes.push_back({number, parent, file, {}});
  nodes[parent - 1].entries.emplace_back(name, number);
  return number;
}

// The number of the folder of that path, made with those above it where it is not there yet.
std::uint64_t folder(std::vector<Node>& nodes, Folders& known, std::string_view path) {
  std::uint64_t number = Tree::kRoot;
  for (std::size_t end = 0; end < path.size();) {
    const std::size_t begin = end == 0 ? 0 : end + 1;
    end = std::min(path.find('/', begin), path.size());
    const auto [found, fresh] = known.try_emplace(path.substr(0, end), 0);
    if (fresh) found->second = add(nodes, number, path.substr(begin, end - begin), nullptr);
    number = found->second;
  }
  return number;
}

}  // namespace

Result<Tree> Tree::of(const domain::Manifest& manifest) {
  Tree tree;
  tree.nodes_.push_back({kRoot, kRoot, nullptr, {}});
  Folders known;
  for (const domain::FileEntry& file : manifest.files) {
    const std::string_view path = file.path;
    const std::size_t slash = path.rfind('/');
    const bool nested = slash != std::string_view::npos;
    const std::uint64_t parent = nested ? folder(tree.nodes_, known, path.substr(0, slash)) : kRoot;
    add(tree.nodes_, parent, nested ? path.substr(slash + 1) : path, &file);
  }
  for (Node& node : tree.nodes_) {
    std::sort(node.entries.begin(), node.entries.end());
    const auto twice =
        std::adjacent_find(node.entries.begin(), node.entries.end(),
                           [](const auto& a, const auto& b) { return a.first == b.first; });
    if (twice != node.entries.end()) {
      return make_error(Errc::damaged,
                        "two things in the asset are called " + quoted(std::string(twice->first)));
    }
  }
  return tree;
}

const Node* Tree::find(std::uint64_t number) const {
  return number >= kRoot && number <= nodes_.size() ? &nodes_[number - 1] : nullptr;
}

const Node* Tree::find(std::uint64_t folder, std::string_view name) const {
  const Node* const node = find(folder);
  if (node == nullptr) return nullptr;
  const auto found = std::lower_bound(
      node->entries.begin(), node->entries.end(), name,
      [](const auto& entry, std::string_view wanted) { return entry.first < wanted; });
  const bool same = found != node->entries.end() && found->first == name;
  return same ? find(found->second) : nullptr;
}

}  // namespace aierase::view
