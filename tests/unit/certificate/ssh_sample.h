// SSH signatures for tests: made by the stock ssh-keygen, and, for security keys, by a security key
// in software. No FIDO device is at hand where tests run: what such a device signs is put together
// here by hand from PROTOCOL.u2f, with an Ed25519 key of libsodium or a P-256 key of libcrypto, and
// ssh-keygen -Y verify is asked whether the result is one.
#pragma once

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "certificate/ssh_signature.h"
#include "certificate/ssh_wire.h"
#include "crypto/primitives.h"
#include "crypto/signature.h"
#include "unit/support/temp_directory.h"

namespace aierase::certificate::ssh_sample {

inline void write_text(const std::string& path, std::string_view content) {
  std::ofstream(path, std::ios::binary) << content;
}
inline std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline std::string armored(ByteView blob) {
  const std::string body = to_base64(blob);
  std::string text(kSshSignatureBegin);
  for (std::size_t at = 0; at < body.size(); at += 70) text += "\n" + body.substr(at, 70);
  return text + "\n" + std::string(kSshSignatureEnd) + "\n";
}

inline Bytes unarmored(std::string_view text) {
  std::string body;
  for (std::size_t at = text.find('\n') + 1; text[at] != '-'; ++at) {
    if (text[at] != '\n') body += text[at];
  }
  return from_base64(body).value();
}

// The parts of an SSHSIG, each to be made wrong by a test.
struct Parts {
  std::uint32_t version = 1;
  Bytes key;
  std::string name_space = std::string(kApprovalNamespace);
  std::string reserved;
  std::string hash = "sha512";
  Bytes signature;

  Bytes signed_data(std::string_view message) const {
    Bytes data = copy_of(as_bytes("SSHSIG"));
    append_ssh_string(data, as_bytes(name_space));
    append_ssh_string(data, as_bytes(reserved));
    append_ssh_string(data, as_bytes(hash));
    if (hash == "sha256") {
      append_ssh_string(data, crypto::sha256(as_bytes(message)));
    } else {
      append_ssh_string(data, crypto::sha512(as_bytes(message)));
    }
    return data;
  }
  Bytes blob() const {
    Bytes bytes = copy_of(as_bytes("SSHSIG"));
    append_be32(bytes, version);
    append_ssh_string(bytes, key);
    append_ssh_string(bytes, as_bytes(name_space));
    append_ssh_string(bytes, as_bytes(reserved));
    append_ssh_string(bytes, as_bytes(hash));
    append_ssh_string(bytes, signature);
    return bytes;
  }
};

// A key in software behind the face of a security key, or a plain one.
class SoftwareKey {
 public:
  explicit SoftwareKey(SshKeyType type, std::string application = "ssh:")
      : type_(type), application_(std::move(application)) {}

  std::uint8_t flags = 0x01;  // user present
  std::uint32_t counter = 41;

  Bytes blob() const {
    Bytes bytes;
    append_ssh_string(bytes, as_bytes(to_text(type_)));
    if (type_ == SshKeyType::sk_ecdsa_p256) {
      append_ssh_string(bytes, as_bytes("nistp256"));
      append_ssh_string(bytes, p256_point());
    } else {
      append_ssh_string(bytes, ed25519_.public_key());
    }
    if (type_ != SshKeyType::ed25519) append_ssh_string(bytes, as_bytes(application_));
    return bytes;
  }
  std::string line() const { return std::string(to_text(type_)) + " " + to_base64(blob()); }

  Parts parts(std::string_view message, std::string hash = "sha512") const {
    Parts parts;
    parts.key = blob();
    parts.hash = std::move(hash);
    parts.signature = signature(parts.signed_data(message));
    return parts;
  }
  std::string sign(std::string_view message, std::string hash = "sha512") const {
    return armored(parts(message, std::move(hash)).blob());
  }

  Bytes signature(ByteView data) const {
    Bytes bytes;
    append_ssh_string(bytes, as_bytes(to_text(type_)));
    if (type_ == SshKeyType::ed25519) {
      append_ssh_string(bytes, ed25519_.sign(data).value());
      return bytes;
    }
    Bytes message = copy_of(crypto::sha256(as_bytes(application_)));
    message.push_back(std::byte{flags});
    append_be32(message, counter);
    append(message, crypto::sha256(data));
    if (type_ == SshKeyType::sk_ed25519) {
      append_ssh_string(bytes, ed25519_.sign(message).value());
    } else {
      append_ssh_string(bytes, ecdsa(message));
    }
    bytes.push_back(std::byte{flags});
    append_be32(bytes, counter);
    return bytes;
  }

 private:
  using EcKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

  static crypto::SigningKey ed25519_key() {
    const auto seed = SecretBytes::copy_of(Bytes(32, std::byte{0x2A}));
    return crypto::SigningKey::from_seed(seed.value()).value();
  }
  static EcKey p256_key() { return {EVP_EC_gen("P-256"), &EVP_PKEY_free}; }

  Bytes p256_point() const {
    Bytes point(65);
    std::size_t size = 0;
    EVP_PKEY_get_octet_string_param(
        p256_.get(), "pub", reinterpret_cast<unsigned char*>(point.data()), point.size(), &size);
    if (size != point.size()) std::abort();
    return point;
  }

  static void append_mpint(Bytes& to, const BIGNUM* number) {
    Bytes digits(static_cast<std::size_t>(BN_num_bytes(number)));
    BN_bn2bin(number, reinterpret_cast<unsigned char*>(digits.data()));
    if ((digits.front() & std::byte{0x80}) != std::byte{}) {
      digits.insert(digits.begin(), std::byte{});
    }
    append_ssh_string(to, digits);
  }

  Bytes ecdsa(ByteView message) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          &EVP_MD_CTX_free);
    unsigned char der[128];
    std::size_t size = sizeof der;
    const auto* data = reinterpret_cast<const unsigned char*>(message.data());
    if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, p256_.get()) != 1 ||
        EVP_DigestSign(context.get(), der, &size, data, message.size()) != 1) {
      std::abort();
    }
    const unsigned char* from = der;
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(
        d2i_ECDSA_SIG(nullptr, &from, static_cast<long>(size)), &ECDSA_SIG_free);
    Bytes bytes;
    append_mpint(bytes, ECDSA_SIG_get0_r(pair.get()));
    append_mpint(bytes, ECDSA_SIG_get0_s(pair.get()));
    return bytes;
  }

  SshKeyType type_;
  std::string application_;
  crypto::SigningKey ed25519_ = ed25519_key();
  EcKey p256_ = p256_key();
};

// The stock program, in a directory of its own.
class StockSshKeygen {
 public:
  std::string path(const std::string& name) const { return directory_ / name; }

  // A fresh key in files `name` and `name`.pub; its public line.
  std::string make_key(const std::string& name, const std::string& options) const {
    run("-q " + options + " -N '' -C 'of a test' -f " + path(name));
    return read_text(path(name + ".pub"));
  }
  std::string sign(const std::string& key, std::string_view message,
                   const std::string& options = "-n aierase-approval@v1") const {
    write_text(path("message"), message);
    std::filesystem::remove(path("message.sig"));
    run("-Y sign " + options + " -f " + path(key) + " " + path("message"));
    return read_text(path("message.sig"));
  }
  bool verifies(const std::string& public_line, std::string_view message,
                std::string_view signature) const {
    write_text(path("signers"), "somebody " + public_line + "\n");
    write_text(path("text"), message);
    write_text(path("text.sig"), signature);
    return run("-Y verify -f " + path("signers") + " -I somebody -n aierase-approval@v1 -s " +
               path("text.sig") + " <" + path("text")) == 0;
  }
  // "256 SHA256:... comment (ED25519)"
  std::string fingerprint(const std::string& public_line) const {
    write_text(path("line.pub"), public_line + "\n");
    run("-l -f " + path("line.pub") + " >" + path("fingerprint"));
    const std::string shown = read_text(path("fingerprint"));
    const std::size_t from = shown.find("SHA256:");
    return from == std::string::npos ? "" : shown.substr(from, shown.find(' ', from) - from);
  }

 private:
  int run(const std::string& arguments) const {
    const std::string said = " >>" + path("said") + " 2>&1 ";
    return std::system(("ssh-keygen" + said + arguments).c_str());
  }

  test::TempDirectory directory_;
};

}  // namespace aierase::certificate::ssh_sample
