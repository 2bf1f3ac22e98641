#include "certificate/ssh_signature.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "unit/certificate/ssh_sample.h"

namespace aierase::certificate {
namespace {

using ssh_sample::armored;
using ssh_sample::Parts;
using ssh_sample::SoftwareKey;
using ssh_sample::StockSshKeygen;
using ssh_sample::unarmored;

constexpr std::string_view kText = "what a person agrees to\n";
constexpr SshKeyType kSecurityKeys[] = {SshKeyType::sk_ed25519, SshKeyType::sk_ecdsa_p256};
constexpr SshKeyType kAllKeys[] = {SshKeyType::ed25519, SshKeyType::sk_ed25519,
                                   SshKeyType::sk_ecdsa_p256};

std::string ssh_refusal(std::string_view signature, std::string_view text = kText) {
  const auto signer = verify_ssh_signature(signature, text);
  EXPECT_FALSE(signer.ok());
  return signer.ok() ? "" : signer.error().message;
}

// Of an Ed25519 key whose parts a test has changed before they are signed.
std::string signed_anew(Parts parts) {
  const SoftwareKey key(SshKeyType::ed25519);
  parts.signature = key.signature(parts.signed_data(kText));
  return armored(parts.blob());
}
Parts ed25519_parts() {
  return SoftwareKey(SshKeyType::ed25519).parts(kText);
}

TEST(ASignatureOfStockSshKeygen, IsVerified) {
  const StockSshKeygen stock;
  const std::string line = stock.make_key("key", "-t ed25519");
  for (const std::string& options : {std::string("-n aierase-approval@v1"),
                                     std::string("-n aierase-approval@v1 -O hashalg=sha256"),
                                     std::string("-n aierase-approval@v1 -O hashalg=sha512")}) {
    for (const std::string& message :
         {std::string(kText), std::string(), std::string(70'000, 'x')}) {
      const std::string signature = stock.sign("key", message, options);
      const auto signer = verify_ssh_signature(signature, message);
      ASSERT_TRUE(signer.ok()) << signer.error().message << signature;
      EXPECT_EQ(signer->key, SshPublicKey::from_line(line).value());
      EXPECT_FALSE(signer->use.has_value());
      EXPECT_FALSE(verify_ssh_signature(signature, message + " ").ok());
    }
  }
}

TEST(ASignatureOfStockSshKeygen, IsRefusedForAnotherNamespace) {
  const StockSshKeygen stock;
  stock.make_key("key", "-t ed25519");
  for (const std::string& other : {std::string("file"), std::string("aierase-approval@v2")}) {
    const auto signer = verify_ssh_signature(stock.sign("key", kText, "-n " + other), kText);
    ASSERT_FALSE(signer.ok());
    EXPECT_NE(signer.error().message.find("namespace \"" + other + "\""), std::string::npos);
    EXPECT_NE(signer.error().hint.find("-n aierase-approval@v1"), std::string::npos);
  }
}

TEST(ASignatureOfStockSshKeygen, IsRefusedByNameForKeysThatAreNotTaken) {
  const StockSshKeygen stock;
  const std::pair<std::string, std::string> kinds[] = {
      {"-t rsa -b 2048", "RSA keys are not taken"},
      {"-t ecdsa", "ECDSA keys are taken only where they live in a security key"}};
  for (const auto& [options, sentence] : kinds) {
    const std::string name = options.substr(3, 3);
    const auto key = SshPublicKey::from_line(stock.make_key(name, options));
    ASSERT_FALSE(key.ok());
    EXPECT_NE(key.error().message.find(sentence), std::string::npos) << key.error().message;
    EXPECT_NE(key.error().hint.find("ssh-keygen -t ed25519"), std::string::npos);
    const std::string why = ssh_refusal(stock.sign(name, kText));
    EXPECT_NE(why.find(sentence), std::string::npos) << why;
  }
}

TEST(ASignatureThatWeVerify, IsVerifiedByStockSshKeygenToo) {
  const StockSshKeygen stock;
  for (const SshKeyType type : kAllKeys) {
    const SoftwareKey key(type);
    for (const std::string& hash : {std::string("sha256"), std::string("sha512")}) {
      const std::string signature = key.sign(kText, hash);
      EXPECT_TRUE(verify_ssh_signature(signature, kText).ok()) << to_text(type);
      EXPECT_TRUE(stock.verifies(key.line(), kText, signature)) << to_text(type);
      EXPECT_FALSE(verify_ssh_signature(signature, "another text").ok()) << to_text(type);
      EXPECT_FALSE(stock.verifies(key.line(), "another text", signature)) << to_text(type);
    }
  }
}

TEST(ASecurityKey, SaysHowItWasUsed) {
  for (const SshKeyType type : kSecurityKeys) {
    SoftwareKey key(type, "ssh:approvals");
    auto signer = verify_ssh_signature(key.sign(kText), kText);
    ASSERT_TRUE(signer.ok()) << signer.error().message;
    EXPECT_EQ(signer->key.application(), "ssh:approvals");
    ASSERT_TRUE(signer->use.has_value());
    EXPECT_EQ(signer->use->verification, UserVerification::none);
    EXPECT_EQ(signer->use->counter, 41U);
    key.flags = 0x05;
    key.counter = 0xFFFFFFFF;
    signer = verify_ssh_signature(key.sign(kText), kText);
    ASSERT_TRUE(signer.ok()) << signer.error().message;
    EXPECT_EQ(signer->use->verification, UserVerification::done);
    EXPECT_EQ(signer->use->counter, 0xFFFFFFFFU);
  }
}

TEST(ASecurityKey, ThatSawNoTouchIsRefused) {
  const StockSshKeygen stock;
  for (const SshKeyType type : kSecurityKeys) {
    SoftwareKey key(type);
    for (const std::uint8_t flags : {std::uint8_t{0x00}, std::uint8_t{0x04}}) {
      key.flags = flags;
      const std::string signature = key.sign(kText);
      EXPECT_NE(ssh_refusal(signature).find("without a touch"), std::string::npos);
    }
  }
}

TEST(ASecurityKey, ForTheWebIsNoKeyOfAPerson) {
  const SoftwareKey key(SshKeyType::sk_ed25519, "example.com");
  EXPECT_NE(ssh_refusal(key.sign(kText)).find("its application is \"example.com\""),
            std::string::npos);
  EXPECT_FALSE(SshPublicKey::from_line(key.line()).ok());
}

// Whatever else the bytes of a signature become, they are none of this text any more.
TEST(AChangedBit, AnywhereInASignatureIsRefused) {
  for (const SshKeyType type : kAllKeys) {
    const SoftwareKey key(type);
    const Bytes blob = key.parts(kText).blob();
    ASSERT_TRUE(verify_ssh_signature(armored(blob), kText).ok());
    for (std::size_t at = 0; at < blob.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        Bytes changed = blob;
        changed[at] ^= std::byte{1} << bit;
        EXPECT_FALSE(verify_ssh_signature(armored(changed), kText).ok())
            << to_text(type) << ", byte " << at << ", bit " << bit;
      }
    }
  }
}

TEST(AChangedCharacter, AnywhereInTheArmourIsRefused) {
  const std::string text = SoftwareKey(SshKeyType::sk_ed25519).sign(kText);
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char other : {'A', 'z', '+', '=', '-', ' ', '\t', '\r', '\n', '\0', '\x80'}) {
      if (text[at] == other) continue;
      std::string changed = text;
      changed[at] = other;
      EXPECT_FALSE(verify_ssh_signature(changed, kText).ok()) << "at " << at << ": " << int{other};
    }
  }
}

TEST(TheArmour, MayBeBrokenIntoOtherLinesAndEndLikeThoseOfAMail) {
  const Bytes blob = ed25519_parts().blob();
  std::string with_returns;
  for (const char character : armored(blob)) {
    if (character == '\n') with_returns += '\r';
    with_returns += character;
  }
  EXPECT_TRUE(verify_ssh_signature(with_returns, kText).ok());
  std::string without_end = armored(blob);
  without_end.pop_back();
  EXPECT_TRUE(verify_ssh_signature(without_end, kText).ok());
}

TEST(TheArmour, StandsAlone) {
  const std::string text = armored(ed25519_parts().blob());
  for (const std::string& broken :
       {"x\n" + text, "\n" + text, text + "\n", text + text, text + "x", std::string(),
        text.substr(30), text.substr(0, text.size() - 30), std::string(kSshSignatureBegin),
        std::string(kSshSignatureBegin) + "\n" + std::string(kSshSignatureEnd) + "\n"}) {
    EXPECT_FALSE(verify_ssh_signature(broken, kText).ok()) << broken;
  }
  std::string one_line = text;
  one_line.erase(one_line.find('\n', 40), 1);
  EXPECT_NE(ssh_refusal(one_line).find("longer than 76"), std::string::npos);
  const auto huge = verify_ssh_signature(std::string(limits::kSshSignatureBytes + 1, 'x'), kText);
  ASSERT_FALSE(huge.ok());
  EXPECT_EQ(huge.error().code, Errc::resource_limit);
}

TEST(APartOfASignature, IsRefusedWhereItIsNotTheOneKnown) {
  Parts parts = ed25519_parts();
  parts.version = 2;
  EXPECT_NE(ssh_refusal(signed_anew(parts)).find("its version is 2"), std::string::npos);
  parts = ed25519_parts();
  parts.reserved = "x";
  EXPECT_NE(ssh_refusal(signed_anew(parts)).find("reserved"), std::string::npos);
  parts = ed25519_parts();
  parts.hash = "md5";
  EXPECT_NE(ssh_refusal(signed_anew(parts)).find("hash algorithm is \"md5\""), std::string::npos);
  parts = ed25519_parts();
  parts.name_space = "";
  EXPECT_NE(ssh_refusal(signed_anew(parts)).find("namespace"), std::string::npos);
  EXPECT_TRUE(verify_ssh_signature(signed_anew(ed25519_parts()), kText).ok());
}

TEST(ASignature, HasNothingLeftOver) {
  Bytes blob = ed25519_parts().blob();
  blob.push_back(std::byte{});
  EXPECT_NE(ssh_refusal(armored(blob)).find("left over"), std::string::npos);
  for (const SshKeyType type : kAllKeys) {
    Parts parts = SoftwareKey(type).parts(kText);
    parts.signature.push_back(std::byte{});
    EXPECT_NE(ssh_refusal(armored(parts.blob())).find("left over"), std::string::npos);
    parts = SoftwareKey(type).parts(kText);
    parts.key.push_back(std::byte{});
    EXPECT_NE(ssh_refusal(armored(parts.blob())).find("left over"), std::string::npos);
  }
}

TEST(ASignature, IsOfTheTypeOfItsKey) {
  Parts parts = SoftwareKey(SshKeyType::sk_ed25519).parts(kText);
  parts.signature = ed25519_parts().signature;
  EXPECT_NE(ssh_refusal(armored(parts.blob())).find("its key of type sk-ssh-ed25519"),
            std::string::npos);
}

// S + L is S to a careless verifier: RFC 8032, 5.1.7.
TEST(AnEd25519Signature, IsRefusedInItsSecondEncoding) {
  constexpr std::uint8_t kOrder[32] = {0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58,
                                       0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14,
                                       0,    0,    0,    0,    0,    0,    0,    0,
                                       0,    0,    0,    0,    0,    0,    0,    0x10};
  Parts parts = ed25519_parts();
  const std::size_t s = parts.signature.size() - 32;
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += static_cast<unsigned>(parts.signature[s + i]) + kOrder[i];
    parts.signature[s + i] = static_cast<std::byte>(carry & 0xFF);
    carry >>= 8;
  }
  EXPECT_FALSE(verify_ssh_signature(armored(parts.blob()), kText).ok());
}

TEST(AnEcdsaNumber, IsRefusedInALongerForm) {
  Parts parts = SoftwareKey(SshKeyType::sk_ecdsa_p256).parts(kText);
  const auto with_numbers = [&](const Bytes& r, const Bytes& s) {
    Bytes pair;
    append_ssh_string(pair, r);
    append_ssh_string(pair, s);
    parts.signature.clear();
    append_ssh_string(parts.signature, as_bytes(to_text(SshKeyType::sk_ecdsa_p256)));
    append_ssh_string(parts.signature, pair);
    append(parts.signature, Bytes(5, std::byte{1}));
    return ssh_refusal(armored(parts.blob()));
  };
  const Bytes one{std::byte{1}};
  EXPECT_NE(with_numbers({std::byte{0}, std::byte{1}}, one).find("shortest form"),
            std::string::npos);
  EXPECT_NE(with_numbers({std::byte{0}}, one).find("shortest form"), std::string::npos);
  EXPECT_NE(with_numbers({}, one).find("not a positive integer"), std::string::npos);
  EXPECT_NE(with_numbers(one, {std::byte{0x80}}).find("not a positive integer"), std::string::npos);
  EXPECT_NE(with_numbers(Bytes(33, std::byte{1}), one).find("too large"), std::string::npos);
  EXPECT_NE(with_numbers(Bytes(34, std::byte{1}), one).find("the limit is 33"), std::string::npos);
  EXPECT_NE(with_numbers(one, one).find("not over this text"), std::string::npos);
}

TEST(AKeyLine, IsThatOfAPubFile) {
  const StockSshKeygen stock;
  const std::string made = stock.make_key("key", "-t ed25519");
  const auto key = SshPublicKey::from_line(made);
  ASSERT_TRUE(key.ok()) << key.error().message;
  EXPECT_EQ(key->type(), SshKeyType::ed25519);
  EXPECT_EQ(made.find(key->line() + " of a test"), 0U);
  EXPECT_EQ(SshPublicKey::from_line(key->line()).value(), *key);
  EXPECT_EQ(SshPublicKey::from_line("  " + key->line() + "\tMüller \n").value(), *key);
}

TEST(AKeyLine, HasTheFingerprintThatSshKeygenPrints) {
  const StockSshKeygen stock;
  for (const SshKeyType type : kAllKeys) {
    const SoftwareKey sample(type);
    const auto key = SshPublicKey::from_line(sample.line());
    ASSERT_TRUE(key.ok()) << key.error().message;
    EXPECT_EQ(key->fingerprint().size(), 50U);
    EXPECT_EQ(key->fingerprint(), stock.fingerprint(sample.line()));
  }
}

TEST(AKeyLine, IsRefusedWithASentence) {
  const std::string good = SoftwareKey(SshKeyType::ed25519).line();
  const auto why = [](const std::string& line) {
    const auto key = SshPublicKey::from_line(line);
    EXPECT_FALSE(key.ok()) << line;
    return key.ok() ? "" : key.error().message;
  };
  EXPECT_NE(why("no-pty " + good).find("options before"), std::string::npos);
  EXPECT_NE(why("cert-authority,principals=\"x\" " + good).find("options before"),
            std::string::npos);
  EXPECT_NE(why("ssh-ed25519-cert-v01@openssh.com AAAA").find("certificates"), std::string::npos);
  EXPECT_NE(why("ssh-dss AAAA").find("DSA"), std::string::npos);
  EXPECT_NE(why("").find("no SSH public key"), std::string::npos);
  EXPECT_NE(why("hello").find("\"hello\""), std::string::npos);
  EXPECT_NE(why("ssh-ed25519").find("base64"), std::string::npos);
  EXPECT_NE(why("ssh-ed25519 AAA").find("base64"), std::string::npos);
  EXPECT_NE(why("ssh-ed25519 AAAA").find("ends inside"), std::string::npos);
  EXPECT_NE(why(good + "\n" + good).find("one line"), std::string::npos);
  EXPECT_NE(why(good + std::string(limits::kSshKeyLineBytes, 'x')).find("the limit is"),
            std::string::npos);
  EXPECT_NE(
      why("sk-" + good.substr(0, 11) + "@openssh.com" + good.substr(11)).find("the line says"),
      std::string::npos);
}

TEST(AKey, OfSmallOrderIsRefused) {
  Bytes blob;
  append_ssh_string(blob, as_bytes("ssh-ed25519"));
  append_ssh_string(blob, Bytes(32));
  const auto key = SshPublicKey::from_blob(blob);
  ASSERT_FALSE(key.ok());
  EXPECT_NE(key.error().message.find("no sound point"), std::string::npos);
}

}  // namespace
}  // namespace aierase::certificate
