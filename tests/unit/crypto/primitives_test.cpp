#include "crypto/primitives.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/signature.h"
#include "unit/support/vectors.h"

namespace aierase::crypto {
namespace {

using test::json_vector;
using test::unhex;

SecretBytes secret_of(const Bytes& bytes) {
  return SecretBytes::copy_of(bytes).value();
}

template <typename Key>
Key key_of(const std::string& hex) {
  return std::move(Key::adopt(secret_of(unhex(hex)))).value();
}

std::string shown(const SecretBytes& secret) {
  return secret.reveal([](ByteView bytes) { return to_hex(bytes); });
}

// Calls check(group, test) for every test of a Wycheproof file; the number of them.
template <typename Check>
std::size_t for_each_wycheproof(const std::string& file, Check&& check) {
  std::size_t count = 0;
  const nlohmann::json vectors = json_vector("wycheproof/" + file);
  for (const auto& group : vectors["testGroups"]) {
    for (const auto& test : group["tests"]) {
      SCOPED_TRACE(file + " " + test["tcId"].dump() + " " + test["comment"].get<std::string>());
      check(group, test);
      ++count;
    }
  }
  EXPECT_EQ(count, vectors["numberOfTests"].get<std::size_t>());
  return count;
}

bool is_valid(const nlohmann::json& test) {
  return test["result"] == "valid";
}

TEST(Sha256Digests, AreThoseOfFips180) {
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 hash;
  const std::string thousand(1000, 'a');
  for (int i = 0; i < 1000; ++i) hash.update(as_bytes(thousand));
  EXPECT_EQ(to_hex(hash.finish()),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(ASha256, StartsAnewAfterItsEnd) {
  Sha256 hash;
  hash.update(as_bytes("x"));
  hash.finish();
  hash.update(as_bytes("ab"));
  hash.update(as_bytes("c"));
  Sha256 moved = std::move(hash);
  EXPECT_EQ(moved.finish(), sha256(as_bytes("abc")));
}

TEST(HmacSha256, PassesWycheproof) {
  for_each_wycheproof("hmac_sha256_test.json", [](const auto&, const auto& test) {
    const auto tag = hmac_sha256(unhex(test["key"]), unhex(test["msg"]));
    ASSERT_TRUE(tag.ok());
    EXPECT_EQ(equal_constant_time(*tag, unhex(test["tag"])), is_valid(test));
  });
  EXPECT_EQ(to_hex(hmac_sha256({}, {}).value()),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(HkdfSha256, PassesWycheproofAndRfc5869) {
  for_each_wycheproof("hkdf_sha256_test.json", [](const auto&, const auto& test) {
    Bytes okm(test["size"].template get<std::size_t>());
    const Status derived =
        hkdf_sha256(unhex(test["ikm"]), unhex(test["salt"]), unhex(test["info"]), okm);
    EXPECT_EQ(derived.ok(), is_valid(test));
    if (derived.ok()) {
      EXPECT_EQ(to_hex(okm), test["okm"]);
    }
  });
}

TEST(HkdfSha256, RefusesAnInfoThatTheLibraryCouldNotHold) {
  Bytes okm(32);
  EXPECT_TRUE(hkdf_sha256(as_bytes("key"), {}, Bytes(1024), okm).ok());
  EXPECT_EQ(hkdf_sha256(as_bytes("key"), {}, Bytes(1025), okm).error().code, Errc::invalid_input);
}

TEST(Aes256Gcm, PassesWycheproofInBothDirections) {
  Aead aead;
  for_each_wycheproof("aes_gcm_test.json", [&](const auto&, const auto& test) {
    const Bytes key = unhex(test["key"]);
    const Bytes iv = unhex(test["iv"]);
    const Bytes associated = unhex(test["aad"]);
    const Bytes plaintext = unhex(test["msg"]);
    const Bytes ciphertext = unhex(test["ct"]);
    Bytes opened(ciphertext.size());
    const Status status = aead.open(key, iv, associated, ciphertext, unhex(test["tag"]), opened);
    EXPECT_EQ(status.ok(), is_valid(test));
    if (!is_valid(test)) {
      EXPECT_EQ(status.error().code, Errc::verification_failed);
      EXPECT_EQ(opened, Bytes(ciphertext.size()));  // nothing unauthentic is left
      return;
    }
    EXPECT_EQ(opened, plaintext);
    Bytes sealed(plaintext.size());
    Bytes tag(kGcmTagBytes);
    ASSERT_TRUE(aead.seal(key, iv, associated, plaintext, sealed, tag).ok());
    EXPECT_EQ(sealed, ciphertext);
    EXPECT_EQ(to_hex(tag), test["tag"]);
  });
}

TEST(Aes256Gcm, WorksInPlaceAndAfterAFailure) {
  Aead aead;
  const Bytes key(32, std::byte{1});
  const Bytes iv(12);
  Bytes data = copy_of(as_bytes("in place"));
  Bytes tag(16);
  ASSERT_TRUE(aead.seal(key, iv, {}, data, data, tag).ok());
  EXPECT_NE(as_text(data), "in place");
  Bytes broken = data;
  broken[0] ^= std::byte{1};
  EXPECT_FALSE(aead.open(key, iv, {}, broken, tag, broken).ok());
  ASSERT_TRUE(aead.open(key, iv, {}, data, tag, data).ok());
  EXPECT_EQ(as_text(data), "in place");
}

TEST(Aes256Gcm, RefusesOtherSizes) {
  Aead aead;
  Bytes out(4);
  Bytes tag(16);
  const Bytes four(4);
  EXPECT_FALSE(aead.seal(Bytes(16), Bytes(12), {}, four, out, tag).ok());
  EXPECT_FALSE(aead.seal(Bytes(32), Bytes(13), {}, four, out, tag).ok());
  EXPECT_FALSE(aead.seal(Bytes(32), Bytes(12), {}, Bytes(5), out, tag).ok());
  EXPECT_FALSE(aead.open(Bytes(32), Bytes(12), {}, four, Bytes(15), out).ok());
}

TEST(ConstantTimeEquality, IsEquality) {
  EXPECT_TRUE(equal_constant_time({}, {}));
  EXPECT_TRUE(equal_constant_time(as_bytes("abc"), as_bytes("abc")));
  EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("abcd")));
}

TEST(RandomBytes, FillTheirWholeSpan) {
  Bytes bytes(1000);
  random_bytes(bytes);
  EXPECT_LT(std::count(bytes.begin(), bytes.end(), std::byte{0}), 100);
}

TEST(EveryDerivation, IsTheOneOfTheManPage) {
  const nlohmann::json known = json_vector("derivations.json");
  const auto slot = key_of<SlotSecret>(known["slot_secret"]);
  const auto unlock = key_of<UnlockSecret>(known["unlock_secret"]);
  const auto dek = key_of<Dek>(known["dek"]);
  const Uuid store = Uuid::from_bytes(unhex(known["store"])).value();
  const Uuid asset = Uuid::from_bytes(unhex(known["asset"])).value();
  const Uuid blob = Uuid::from_bytes(unhex(known["blob"])).value();
  const auto epoch = known["epoch"].get<std::uint64_t>();
  const RootSecret root = derive_root(slot, &unlock, store, epoch).value();
  EXPECT_EQ(shown(root.bytes()), known["root"]);
  EXPECT_EQ(shown(derive_root(slot, nullptr, store, epoch)->bytes()), known["root_without_unlock"]);
  EXPECT_EQ(to_hex(key_check_value(dek, store, asset).value()), known["kcv"]);
  EXPECT_EQ(to_hex(key_check_value(unhex(known["dek"]), store, asset).value()), known["kcv"]);
  EXPECT_EQ(shown(blob_key(dek, blob)->bytes()), known["blob_key"]);
  EXPECT_EQ(shown(manifest_key(dek)->bytes()), known["manifest_key"]);
  EXPECT_EQ(shown(payload_key(dek)->bytes()), known["payload_key"]);
  EXPECT_EQ(shown(anchor_key(root)->bytes()), known["anchor_key"]);
  EXPECT_EQ(shown(slot_check_key(slot)->bytes()), known["slot_check_key"]);
  EXPECT_EQ(shown(keyfile_key(unlock, known["keyfile_purpose"].get<std::string>())->bytes()),
            known["keyfile_key"]);
}

TEST(ADerivation, FromNoKeyIsRefused) {
  EXPECT_FALSE(manifest_key(Dek()).ok());
  EXPECT_FALSE(derive_root(SlotSecret(), nullptr, Uuid(), 0).ok());
  const UnlockSecret none;
  EXPECT_FALSE(derive_root(SlotSecret::random().value(), &none, Uuid(), 0).ok());
  EXPECT_FALSE(key_check_value(Dek(), Uuid(), Uuid()).ok());
  EXPECT_FALSE(Dek::adopt(SecretBytes::zeroed(31).value()).ok());
}

TEST(APassphrase, GivesTheSameKeyForTheSameSaltAndCostOnly) {
  const PassphraseCost cheap{1, 8192};
  const SecretBytes passphrase = secret_of(copy_of(as_bytes("correct horse")));
  const Bytes salt(16, std::byte{1});
  const std::string key = shown(unlock_from_passphrase(passphrase, salt, cheap)->bytes());
  EXPECT_EQ(shown(unlock_from_passphrase(passphrase, salt, cheap)->bytes()), key);
  EXPECT_NE(shown(unlock_from_passphrase(passphrase, Bytes(16), cheap)->bytes()), key);
  EXPECT_NE(shown(unlock_from_passphrase(passphrase, salt, {2, 8192})->bytes()), key);
  EXPECT_FALSE(unlock_from_passphrase(passphrase, Bytes(15), cheap).ok());
  EXPECT_FALSE(unlock_from_passphrase(passphrase, salt, {0, 8192}).ok());
  EXPECT_FALSE(unlock_from_passphrase(passphrase, salt, {1, 100}).ok());
}

TEST(ASealedMessage, HasTheLayoutOfTheManPage) {
  const nlohmann::json known = json_vector("derivations.json")["sealed"];
  const auto key = key_of<SealKey>(known["key"]);
  const auto opened = open_message(key, unhex(known["associated"]), unhex(known["bytes"]));
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ(shown(*opened), known["message"]);
}

TEST(ASealedMessage, OpensUnderItsKeyAndPlaceAlone) {
  const SealKey key = SealKey::random().value();
  const SealKey other = SealKey::random().value();
  const Bytes sealed = seal_message(key, as_bytes("here"), as_bytes("text")).value();
  EXPECT_EQ(sealed.size(), 4 + kSealOverhead);
  EXPECT_EQ(shown(open_message(key, as_bytes("here"), sealed).value()), to_hex(as_bytes("text")));
  EXPECT_EQ(open_message(other, as_bytes("here"), sealed).error().code, Errc::verification_failed);
  EXPECT_EQ(open_message(key, as_bytes("there"), sealed).error().code, Errc::verification_failed);
  EXPECT_NE(seal_message(key, as_bytes("here"), as_bytes("text")).value(), sealed);
}

TEST(ASealedMessage, MayBeEmpty) {
  const SealKey key = SealKey::random().value();
  const Bytes sealed = seal_message(key, {}, {}).value();
  EXPECT_EQ(sealed.size(), kSealOverhead);
  EXPECT_TRUE(open_message(key, {}, sealed)->empty());
}

TEST(ASealedMessage, IsRefusedWhenAnyByteOfItIsChangedOrGone) {
  const SealKey key = SealKey::random().value();
  const Bytes sealed = seal_message(key, as_bytes("a"), as_bytes("some text")).value();
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes broken = sealed;
    broken[i] ^= std::byte{0x80};
    EXPECT_FALSE(open_message(key, as_bytes("a"), broken).ok()) << i;
    EXPECT_FALSE(open_message(key, as_bytes("a"), ByteView(sealed).first(i)).ok()) << i;
  }
  Bytes longer = sealed;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(open_message(key, as_bytes("a"), longer).ok());
}

TEST(Ed25519, SignsAsRfc8032Says) {
  const nlohmann::json vectors = json_vector("rfc8032.json");
  for (const auto& known : vectors["tests"]) {
    SCOPED_TRACE(known["name"].get<std::string>());
    const auto key = SigningKey::from_seed(secret_of(unhex(known["seed"])));
    ASSERT_TRUE(key.ok());
    EXPECT_EQ(to_hex(key->public_key()), known["public"]);
    EXPECT_EQ(to_hex(key->sign(unhex(known["message"])).value()), known["signature"]);
    EXPECT_EQ(shown(key->seed().value()), known["seed"]);
  }
}

TEST(Ed25519, PassesWycheproofWithItsPemAndDer) {
  for_each_wycheproof("ed25519_test.json", [](const auto& group, const auto& test) {
    const std::string pem = group["publicKeyPem"];
    const auto key = parse_public_key_pem(pem);
    ASSERT_TRUE(key.ok()) << key.error().message;
    EXPECT_EQ(to_hex(*key), group["publicKey"]["pk"]);
    EXPECT_EQ(to_hex(public_key_der(*key)), group["publicKeyDer"]);
    const std::string written = public_key_pem(*key);
    EXPECT_EQ(written.substr(0, written.size() - 1), pem.substr(0, pem.find_last_not_of('\n') + 1));
    const Bytes raw = unhex(test["sig"]);
    Signature signature{};
    const bool sized = raw.size() == signature.size();
    if (sized) std::copy(raw.begin(), raw.end(), signature.begin());
    EXPECT_EQ(sized && verify_signature(*key, unhex(test["msg"]), signature), is_valid(test));
  });
}

TEST(ASignature, HoldsForItsMessageAndKeyAlone) {
  const SigningKey key = SigningKey::generate().value();
  const SigningKey other = SigningKey::generate().value();
  const Signature signature = key.sign(as_bytes("message")).value();
  EXPECT_TRUE(verify_signature(key.public_key(), as_bytes("message"), signature));
  EXPECT_FALSE(verify_signature(key.public_key(), as_bytes("Message"), signature));
  EXPECT_FALSE(verify_signature(other.public_key(), as_bytes("message"), signature));
  Signature altered = signature;
  altered[63] ^= std::byte{1};
  EXPECT_FALSE(verify_signature(key.public_key(), as_bytes("message"), altered));
}

TEST(AKeyInPem, IsReadWithAnyLineEndsButOfNoOtherKind) {
  const PublicKey key = SigningKey::generate()->public_key();
  const std::string pem = public_key_pem(key);
  std::string dos = pem;
  for (std::size_t i = dos.find('\n'); i != std::string::npos; i = dos.find('\n', i + 2)) {
    dos.insert(i, "\r");
  }
  EXPECT_EQ(parse_public_key_pem(dos).value(), key);
  EXPECT_EQ(key_fingerprint(key), sha256(public_key_der(key)));
  // X25519 differs from Ed25519 in one byte of the object identifier.
  Bytes der = public_key_der(key);
  der[8] = std::byte{0x6e};
  const auto framed = [](const std::string& body) {
    return "-----BEGIN PUBLIC KEY-----\n" + body + "\n-----END PUBLIC KEY-----\n";
  };
  EXPECT_EQ(parse_public_key_pem(framed(to_base64(der))).error().code, Errc::invalid_input);
  EXPECT_FALSE(parse_public_key_pem(framed("")).ok());
  EXPECT_FALSE(parse_public_key_pem(framed("!!!!")).ok());
  EXPECT_FALSE(parse_public_key_pem("").ok());
  EXPECT_FALSE(parse_public_key_pem("-----BEGIN PUBLIC KEY-----\n").ok());
  EXPECT_FALSE(parse_public_key_pem(pem + pem).ok());
  EXPECT_FALSE(parse_public_key_pem(std::string(100'000, 'A')).ok());
}

}  // namespace
}  // namespace aierase::crypto
