// A TPM that signs whatever it is told, and its evidence for the record of sample_record.h.
#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <functional>
#include <memory>

#include "certificate/tpm_evidence.h"
#include "translog/log.h"
#include "unit/certificate/sample_record.h"

namespace aierase::certificate::sample {

inline constexpr std::uint32_t kSlotAttributes = 0x22040004;  // written, no_da, authread, authwrite
inline constexpr std::uint32_t kCounterAttributes = 0x22040014;

// TPMS_ATTEST of TPM2_NV_Certify.
struct Said {
  std::uint32_t magic = 0xFF544347;
  std::uint16_t type = 0x8014;
  std::uint32_t index = 0;
  std::uint32_t attributes = 0;
  Digest bound_to{};
  Bytes contents;
};

inline void append_sized(Bytes& to, ByteView from) {
  append_be16(to, static_cast<std::uint16_t>(from.size()));
  append(to, from);
}

inline Bytes name_of(const Said& said) {
  Bytes area;
  append_be32(area, said.index);
  append_be16(area, 0x000B);
  append_be32(area, said.attributes);
  append_sized(area, {});
  append_be16(area, static_cast<std::uint16_t>(said.contents.size()));
  Bytes name;
  append_be16(name, 0x000B);
  append(name, crypto::sha256(area));
  return name;
}

inline Bytes attest(const Said& said) {
  Bytes bytes;
  append_be32(bytes, said.magic);
  append_be16(bytes, said.type);
  append_sized(bytes, Bytes(34));
  append_sized(bytes, said.bound_to);
  append(bytes, Bytes(17 + 8));
  append_sized(bytes, name_of(said));
  append_be16(bytes, 0);
  append_sized(bytes, said.contents);
  return bytes;
}

class Tpm {
 public:
  Tpm() : key_(EVP_EC_gen("prime256v1"), EVP_PKEY_free) {}
  Bytes key() const {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key_.get(), &der);
    const Bytes result = copy_of({reinterpret_cast<const std::byte*>(der), std::size_t(size)});
    OPENSSL_free(der);
    return result;
  }
  domain::TpmStatement sign(const Said& said) const {
    const Bytes statement = attest(said);
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                     EVP_MD_CTX_free);
    EXPECT_EQ(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()), 1);
    Bytes signature(128);
    std::size_t size = signature.size();
    EXPECT_EQ(
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       reinterpret_cast<const unsigned char*>(statement.data()), statement.size()),
        1);
    signature.resize(size);
    return {statement, signature};
  }

 private:
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
};

// All epochs in a TPM.
inline domain::DispositionRecord tpm_record(domain::Level level) {
  domain::DispositionRecord result = record();
  for (domain::EpochRecord& epoch : result.epochs) {
    epoch.assurance.kind = "tpm2";
    epoch.assurance.level = level;
  }
  return result;
}

// What the TPM says of slot and counter of that record; a test may change it before it is signed.
struct Words {
  Said slot, counter;
};

inline std::string tpm_statement_of(
    const domain::DispositionRecord& from,
    const std::function<void(Words&)>& change = [](Words&) {}) {
  const Tpm tpm;
  domain::DestructionEvidence all = evidence();
  all.slot.kind = "tpm2";
  all.intent.intent = intent_text(
      {from.store, from.asset.id, from.asset.kcv, from.plan, from.plan_digest, all.slot.epoch});
  const Digest bound_to = translog::leaf_hash(as_bytes(all.intent.intent));
  const std::uint32_t first = 0x01800000 + 4 * (get_be32(from.store.view().first(4)) % (1U << 20U));
  Words words;
  words.slot.index = first + static_cast<std::uint32_t>(all.slot.epoch % 2);
  words.slot.attributes = kSlotAttributes;
  words.slot.contents = Bytes(96);
  words.counter.index = first + 2;
  words.counter.attributes = kCounterAttributes;
  words.counter.contents = Bytes(8);
  words.slot.bound_to = words.counter.bound_to = bound_to;
  change(words);
  all.slot.tpm = domain::TpmEvidence{tpm.key(), {}, tpm.sign(words.slot), tpm.sign(words.counter)};
  const auto statement = complete_statement(draft_statement(from).value(), all);
  EXPECT_TRUE(statement.ok());
  return statement.value();
}

}  // namespace aierase::certificate::sample
