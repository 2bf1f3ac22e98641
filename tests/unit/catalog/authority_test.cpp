// Public keys and signed heads go in and come out as they were, in their order.
#include "unit/catalog/catalog_fixture.h"

namespace aierase::catalog::test {
namespace {

using AnAuthority = CatalogTest;

domain::SignedHead head_of(std::uint64_t size) {
  return {size, Digest{static_cast<std::byte>(size)}, at(static_cast<int>(size)),
          "note " + std::to_string(size)};
}

TEST_F(AnAuthority, HasTheHeadsThatItSigned) {
  create();
  EXPECT_FALSE(view().last_signed_head()->has_value());
  ASSERT_TRUE(commit([&](Transaction& t) -> Status {
                RETURN_IF_ERROR(t.add_signed_head(head_of(3)));
                return t.add_signed_head(head_of(9));
              }).ok());
  const auto last = view().last_signed_head();
  ASSERT_TRUE(last.ok() && last->has_value());
  EXPECT_EQ((*last)->size, 9U);
  EXPECT_EQ((*last)->root, head_of(9).root);
  EXPECT_EQ((*last)->signed_at, at(9));
  EXPECT_EQ((*last)->checkpoint, "note 9");
  EXPECT_EQ((*view().first_head_with(2))->size, 3U);
  EXPECT_EQ((*view().first_head_with(3))->size, 9U);
  EXPECT_FALSE(view().first_head_with(9)->has_value());
  EXPECT_FALSE(commit([&](Transaction& t) { return t.add_signed_head(head_of(9)); }).ok())
      << "a second head of one size";
}

TEST_F(AnAuthority, HasItsKeysInTheOrderTheyCame) {
  create();
  const domain::AuthorityKey signer{domain::KeyPurpose::signer, {std::byte{1}}, at(1), 0};
  const domain::AuthorityKey log{domain::KeyPurpose::log, {std::byte{2}}, at(1), 0};
  const domain::AuthorityKey next{domain::KeyPurpose::signer, {std::byte{3}}, at(5), 17};
  ASSERT_TRUE(commit([&](Transaction& t) -> Status {
                for (const auto& key : {signer, log, next}) {
                  RETURN_IF_ERROR(t.add_authority_key(key));
                }
                return {};
              }).ok());
  const auto keys = view().authority_keys();
  ASSERT_TRUE(keys.ok());
  ASSERT_EQ(keys->size(), 3U);
  EXPECT_EQ((*keys)[1].purpose, domain::KeyPurpose::log);
  EXPECT_EQ((*keys)[2].public_key, next.public_key);
  EXPECT_EQ((*keys)[2].since, at(5));
  EXPECT_EQ((*keys)[2].first_leaf, 17U);
  EXPECT_FALSE(commit([&](Transaction& t) { return t.add_authority_key(next); }).ok());
}

}  // namespace
}  // namespace aierase::catalog::test
