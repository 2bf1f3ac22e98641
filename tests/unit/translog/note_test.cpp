#include "translog/note.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "translog/proof_file.h"

namespace aierase::translog {
namespace {

// The example of C2SP signed-note.
constexpr std::string_view kPublishedNote =
    "This is an example message.\n\n"
    "\xe2\x80\x94 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
    "\n";
constexpr std::string_view kPublishedKey =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

crypto::PublicKey published_key() {
  const auto raw = from_base64(kPublishedKey.substr(kPublishedKey.rfind('+') + 1)).value();
  crypto::PublicKey key{};
  std::copy(raw.begin() + 1, raw.end(), key.begin());
  return key;
}

crypto::SigningKey log_key(unsigned char filled = 0x21) {
  const Bytes seed(32, std::byte{filled});
  return crypto::SigningKey::from_seed(SecretBytes::copy_of(seed).value()).value();
}

TEST(ThePublishedNote, IsSignedByThePublishedKey) {
  const auto note = parse_note(kPublishedNote);
  ASSERT_TRUE(note.ok());
  EXPECT_EQ(note->text, "This is an example message.\n");
  EXPECT_EQ(check_note(*note, "example.com/foo", published_key()), NoteVerdict::signed_by_key);
  EXPECT_EQ(verifier_key("example.com/foo", published_key()), kPublishedKey);
}

TEST(ThePublishedNote, IsNotSignedUnderAnotherNameNorWithAnotherText) {
  auto note = parse_note(kPublishedNote);
  ASSERT_TRUE(note.ok());
  EXPECT_EQ(check_note(*note, "example.com/bar", published_key()), NoteVerdict::not_signed);
  EXPECT_EQ(check_note(*note, "example.com/foo", log_key().public_key()), NoteVerdict::not_signed);
  note->text[0] = 't';
  EXPECT_EQ(check_note(*note, "example.com/foo", published_key()), NoteVerdict::forged);
}

TEST(ACheckpoint, ComesBackAsItWasSigned) {
  const Checkpoint head{origin_of(Uuid::random()), 20'852'163, leaf_hash(as_bytes("root"))};
  const auto key = log_key();
  const auto text = sign_checkpoint(head, key);
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text, sign_checkpoint(head, key).value());
  const auto note = parse_note(*text);
  ASSERT_TRUE(note.ok());
  EXPECT_EQ(check_note(*note, head.origin, key.public_key()), NoteVerdict::signed_by_key);
  const auto parsed = parse_checkpoint(note->text);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->origin, head.origin);
  EXPECT_EQ(parsed->size, head.size);
  EXPECT_EQ(parsed->root, head.root);
}

TEST(ACheckpointWithAnyByteChanged, IsNoLongerOfTheLog) {
  const Checkpoint head{origin_of(Uuid::random()), 7, leaf_hash(as_bytes("root"))};
  const auto key = log_key();
  const std::string text = sign_checkpoint(head, key).value();
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char flip : {'\x01', '\x20'}) {
      std::string changed = text;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      const auto note = parse_note(changed);
      if (!note.ok()) continue;
      EXPECT_NE(check_note(*note, head.origin, key.public_key()), NoteVerdict::signed_by_key)
          << "byte " << at;
    }
  }
}

TEST(NotesThatAreNone, AreRefused) {
  const std::string signature = "\xe2\x80\x94 name AAAAAAAA\n";
  EXPECT_TRUE(parse_note("text\n\n" + signature).ok());
  for (const std::string& note :
       {std::string(), std::string("text\n"), std::string("text\n\n"), "text\n" + signature,
        "te\x01xt\n\n" + signature, std::string("text\n\n- name AAAAAAAA\n"),
        std::string("text\n\n\xe2\x80\x94 AAAAAAAA\n"),
        std::string("text\n\n\xe2\x80\x94 na+me AAAAAAAA\n"),
        std::string("text\n\n\xe2\x80\x94 name AAA\n"), "text\n\n" + signature + "\xff",
        std::string("text\n\n\xe2\x80\x94 name AAAA\n"), "text\n\n" + signature + "name"}) {
    EXPECT_FALSE(parse_note(note).ok()) << note;
  }
  EXPECT_EQ(parse_note(std::string(70'000, 'x')).error().code, Errc::resource_limit);
}

TEST(CheckpointsThatAreNone, AreRefused) {
  const std::string root = to_base64(Digest{}) + "\n";
  EXPECT_TRUE(parse_checkpoint("o\n0\n" + root + "extension\n").ok());
  for (const std::string& text :
       {"o\n01\n" + root, "o\n-1\n" + root, "\n1\n" + root, "o\n99999999999999999999\n" + root,
        std::string("o\n1\nAAAA\n"), "o\n1\n" + root + "\n", std::string("o\n1\n")}) {
    EXPECT_FALSE(parse_checkpoint(text).ok()) << text;
  }
}

// The first lines of the example of C2SP tlog-proof, whose checkpoint is abridged there.
TEST(ThePublishedProof, IsRead) {
  const std::string text =
      "c2sp.org/tlog-proof@v1\n"
      "extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFy\n"
      "index 73894\n"
      "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n"
      "B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n"
      "\n"
      "example.com/fancylog\n"
      "109482\n"
      "sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n"
      "\n"
      "\xe2\x80\x94 example.com/fancylog hI2DJwAA\n";
  const auto file = parse_inclusion(text);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->index, 73'894U);
  EXPECT_EQ(file->proof.size(), 2U);
  const auto note = parse_note(file->checkpoint);
  ASSERT_TRUE(note.ok());
  EXPECT_EQ(parse_checkpoint(note->text)->size, 109'482U);
}

TEST(ProofFiles, ComeBackAsTheyWere) {
  InclusionFile inclusion{3,
                          {leaf_hash(as_bytes("a")), leaf_hash(as_bytes("b"))},
                          "the note\n",
                          copy_of(as_bytes("body"))};
  const auto read = parse_inclusion(format_inclusion(inclusion));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->index, 3U);
  EXPECT_EQ(read->proof, inclusion.proof);
  EXPECT_EQ(read->checkpoint, "the note\n");
  EXPECT_EQ(as_text(read->extra), "body");
  ConsistencyFile consistency{9, {leaf_hash(as_bytes("c"))}, "the note\n"};
  const auto later = parse_consistency(format_consistency(consistency));
  ASSERT_TRUE(later.ok());
  EXPECT_EQ(later->old_size, 9U);
  EXPECT_EQ(later->proof, consistency.proof);
  EXPECT_EQ(later->checkpoint, "the note\n");
}

TEST(ProofFilesThatAreNone, AreRefused) {
  const std::string header(kProofHeader);
  for (const std::string& text :
       {std::string(), header, header + "index 01\n\nnote", header + "index 1\nAAAA\n\nnote",
        header + "index 1\n", header + "extra !\nindex 1\n\nnote",
        std::string("index 1\n\nnote")}) {
    EXPECT_FALSE(parse_inclusion(text).ok()) << text;
  }
  for (const std::string& text :
       {std::string("old x\n\nnote"), std::string("old 1\n"), std::string("old 1\nAAAA\n\n")}) {
    EXPECT_FALSE(parse_consistency(text).ok()) << text;
  }
}

}  // namespace
}  // namespace aierase::translog
