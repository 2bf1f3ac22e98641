// Folders made of paths, and numbers as the kernel, or somebody who speaks for it, may send them.
#include "view/tree.h"

#include <gtest/gtest.h>

namespace aierase::view {
namespace {

domain::Manifest manifest_of(const std::vector<std::string>& paths) {
  domain::Manifest manifest;
  for (const std::string& path : paths) {
    domain::FileEntry file;
    file.path = path;
    manifest.files.push_back(std::move(file));
  }
  return manifest;
}

std::string names_in(const Tree& tree, std::uint64_t number) {
  std::string names;
  for (const auto& entry : tree.find(number)->entries) names += std::string(entry.first) + " ";
  return names;
}

TEST(ATree, HasAFolderForEachPartOfAPath) {
  const domain::Manifest manifest =
      manifest_of({"a/b/one", "a/b/two", "a/b-c", "model.bin", "z/deep/er/file"});
  const Result<Tree> tree = Tree::of(manifest);
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ(tree->size(), 11U);
  EXPECT_EQ(names_in(*tree, Tree::kRoot), "a model.bin z ");
  const Node* const a = tree->find(Tree::kRoot, "a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->file, nullptr);
  EXPECT_EQ(names_in(*tree, a->number), "b b-c ");
  const Node* const b = tree->find(a->number, "b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->parent, a->number);
  const Node* const two = tree->find(b->number, "two");
  ASSERT_NE(two, nullptr);
  EXPECT_EQ(two->file, &manifest.files[1]);
}

TEST(ATree, KnowsNoNumberThatItHasNotGivenOut) {
  const domain::Manifest manifest = manifest_of({"one"});
  const Result<Tree> tree = Tree::of(manifest);
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ(tree->find(0), nullptr);
  EXPECT_EQ(tree->find(3), nullptr);
  EXPECT_EQ(tree->find(~std::uint64_t{0}), nullptr);
  EXPECT_EQ(tree->find(~std::uint64_t{0}, "one"), nullptr);
  EXPECT_EQ(tree->find(2, "one"), nullptr) << "a file has nothing in it";
  EXPECT_EQ(tree->find(Tree::kRoot, ""), nullptr);
  EXPECT_EQ(tree->find(Tree::kRoot, ".."), nullptr);
  EXPECT_EQ(tree->find(Tree::kRoot, std::string(100'000, 'x')), nullptr);
}

TEST(ATree, IsRefusedWhereAPathIsFileAndFolder) {
  const domain::Manifest manifest = manifest_of({"a", "a/b"});
  const Result<Tree> tree = Tree::of(manifest);
  ASSERT_FALSE(tree.ok());
  EXPECT_EQ(tree.error().code, Errc::damaged);
}

TEST(ATree, OfNoFilesIsAnEmptyFolder) {
  const domain::Manifest manifest;
  const Result<Tree> tree = Tree::of(manifest);
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ(tree->size(), 1U);
  EXPECT_TRUE(tree->find(Tree::kRoot)->entries.empty());
}

}  // namespace
}  // namespace aierase::view
