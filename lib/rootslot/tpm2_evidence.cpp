#include <tss2/tss2_mu.h>

#include <algorithm>

#include "crypto/p256.h"
#include "crypto/primitives.h"
#include "rootslot/tpm2_connection.h"

namespace aierase::rootslot {
namespace {

constexpr std::size_t kNvPiece = 512;            // every TPM reads as much at once
constexpr std::size_t kCertificateBytes = 4096;  // more is no certificate

// As above, under the endorsement seed, and for signatures over what the TPM itself says alone.
TPM2B_PUBLIC attestation_key_template() {
  TPM2B_PUBLIC key = storage_key_template();
  TPMT_PUBLIC& area = key.publicArea;
  area.objectAttributes &= ~TPMA_OBJECT_DECRYPT;
  area.objectAttributes |= TPMA_OBJECT_SIGN_ENCRYPT;
  TPMS_ECC_PARMS& ecc = area.parameters.eccDetail;
  ecc.symmetric.algorithm = TPM2_ALG_NULL;
  ecc.scheme.scheme = TPM2_ALG_ECDSA;
  ecc.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  return key;
}

// Big-endian, as wide as the curve.
void put_number(const TPM2B_ECC_PARAMETER& from, ByteSpan to) {
  const ByteView bytes =
      std::as_bytes(std::span(from.buffer)).first(std::min<std::size_t>(from.size, to.size()));
  std::copy(bytes.begin(), bytes.end(), to.last(bytes.size()).begin());
}

// TPM 2.0 Library, part 1, 16: what the TPM calls the index once it is written. Empty: it has none.
Bytes name_of(NvIndex index, NvKind kind) {
  TPMS_NV_PUBLIC area = nv_template(index, kind).nvPublic;
  area.attributes |= TPMA_NV_WRITTEN;
  std::array<std::uint8_t, sizeof(TPMS_NV_PUBLIC)> packed{};
  std::size_t size = 0;
  if (Tss2_MU_TPMS_NV_PUBLIC_Marshal(&area, packed.data(), packed.size(), &size) !=
      TSS2_RC_SUCCESS) {
    return {};
  }
  Bytes name;
  append_be16(name, area.nameAlg);
  append(name, crypto::sha256(std::as_bytes(std::span(packed)).first(size)));
  return name;
}

bool is_signed_by(ByteView key, const domain::TpmStatement& signed_by_tpm) {
  const auto point = crypto::parse_p256_public_key_der(key);
  const auto signature = crypto::parse_p256_signature_der(signed_by_tpm.signature);
  return point && signature && crypto::verify_p256(*point, signed_by_tpm.statement, *signature);
}

}  // namespace

Status check_nv_statement(const domain::TpmStatement& signed_by_tpm, ByteView key, NvIndex index,
                          NvKind kind, const Digest& bound_to) {
  const auto refuse = [&](const char* why) {
    return make_error(Errc::unexpected,
                      "the TPM signed something else of NV index " + nv_text(index) +
                          " than it was asked for: " + why,
                      "nothing is certified by it; see to the TPM, its firmware, and what is "
                      "between it and aierased");
  };
  if (!is_signed_by(key, signed_by_tpm)) return refuse("the signature is not its key's");
  const Bytes& bytes = signed_by_tpm.statement;
  TPMS_ATTEST said{};
  std::size_t size = 0;
  const TSS2_RC parsed = Tss2_MU_TPMS_ATTEST_Unmarshal(
      reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), &size, &said);
  if (parsed != TSS2_RC_SUCCESS || size != bytes.size() || said.magic != TPM2_GENERATED_VALUE ||
      said.type != TPM2_ST_ATTEST_NV) {
    return refuse("it is no statement about an NV index");
  }
  const auto holds = [](const auto& of_tpm, const auto& data, ByteView wanted) {
    const ByteView found = std::as_bytes(std::span(data)).first(of_tpm.size);
    return std::equal(found.begin(), found.end(), wanted.begin(), wanted.end());
  };
  const TPMS_NV_CERTIFY_INFO& nv = said.attested.nv;
  if (!holds(said.extraData, said.extraData.buffer, bound_to)) return refuse("for another end");
  if (!holds(nv.indexName, nv.indexName.name, name_of(index, kind))) return refuse("another index");
  if (nv.offset != 0 || nv.nvContents.size != nv_template(index, kind).nvPublic.dataSize) {
    return refuse("a part of it");
  }
  const bool zero = holds(nv.nvContents, nv.nvContents.buffer, Bytes(nv.nvContents.size));
  return kind == NvKind::counter || zero ? Status() : refuse("it is not zero");
}

Status Tpm2::Impl::make_signer() {
  if (signer != ESYS_TR_NONE) return {};
  const TPM2B_PUBLIC wanted = attestation_key_template();
  const TPM2B_SENSITIVE_CREATE nothing{};
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION registers{};
  TPM2B_PUBLIC* raw = nullptr;
  // By the session: its code over the answer shows that the key is of the TPM that we talk to.
  protect(kPlain);
  RETURN_IF_ERROR(run("its attestation key cannot be made", Effect::none, [&] {
    return Esys_CreatePrimary(esys, ESYS_TR_RH_ENDORSEMENT, session, ESYS_TR_NONE, ESYS_TR_NONE,
                              &nothing, &wanted, &outside, &registers, &signer, &raw, nullptr,
                              nullptr, nullptr);
  }));
  const Answer<TPM2B_PUBLIC> made(raw);
  crypto::P256Point point{};
  point[0] = std::byte{4};
  put_number(made->publicArea.unique.ecc.x, ByteSpan(point).subspan(1, 32));
  put_number(made->publicArea.unique.ecc.y, ByteSpan(point).subspan(33, 32));
  signer_key = crypto::p256_public_key_der(point);
  return {};
}

Result<Bytes> Tpm2::attestation_key() {
  RETURN_IF_ERROR(impl_->make_signer());
  return impl_->signer_key;
}

Result<domain::TpmStatement> Tpm2::certify(NvIndex index, NvKind kind, const SecretBytes& auth,
                                           const Digest& bound_to) {
  RETURN_IF_ERROR(impl_->make_signer());
  Impl::Handle handle(impl_->esys);
  RETURN_IF_ERROR(impl_->take(index, handle));
  RETURN_IF_ERROR(impl_->authorize(handle, auth));
  impl_->protect(kPlain);
  TPM2B_DATA bound{};
  bound.size = static_cast<std::uint16_t>(bound_to.size());
  std::copy(bound_to.begin(), bound_to.end(),
            std::as_writable_bytes(std::span(bound.buffer)).begin());
  TPMT_SIG_SCHEME scheme{};
  scheme.scheme = TPM2_ALG_NULL;  // the key has its own
  const std::uint16_t size = nv_template(index, kind).nvPublic.dataSize;
  TPM2B_ATTEST* raw_statement = nullptr;
  TPMT_SIGNATURE* raw_signature = nullptr;
  RETURN_IF_ERROR(
      impl_->run("NV index " + nv_text(index) + " cannot be certified", Effect::none, [&] {
        return Esys_NV_Certify(impl_->esys, impl_->signer, handle.tr, handle.tr, ESYS_TR_PASSWORD,
                               impl_->session, ESYS_TR_NONE, &bound, &scheme, size, 0,
                               &raw_statement, &raw_signature);
      }));
  const Answer<TPM2B_ATTEST> statement(raw_statement);
  const Answer<TPMT_SIGNATURE> signature(raw_signature);
  crypto::P256Signature pair;
  put_number(signature->signature.ecdsa.signatureR, pair.r);
  put_number(signature->signature.ecdsa.signatureS, pair.s);
  domain::TpmStatement said{
      copy_of(std::as_bytes(std::span(statement->attestationData)).first(statement->size)),
      crypto::p256_signature_der(pair)};
  RETURN_IF_ERROR(check_nv_statement(said, impl_->signer_key, index, kind, bound_to));
  return said;
}

Result<Bytes> Tpm2::endorsement_certificate() {
  // TCG EK Credential Profile: of the P-256 key, else of the RSA-2048 key.
  for (const NvIndex index : {NvIndex{0x01C0000A}, NvIndex{0x01C00002}}) {
    ASSIGN_OR_RETURN(const NvState state, this->state(index, NvKind::slot));
    if (state == NvState::absent) continue;
    Impl::Handle handle(impl_->esys);
    RETURN_IF_ERROR(impl_->take(index, handle));
    TPM2B_NV_PUBLIC* raw_area = nullptr;
    RETURN_IF_ERROR(impl_->run("its certificate cannot be described", Effect::none, [&] {
      return Esys_NV_ReadPublic(impl_->esys, handle.tr, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                &raw_area, nullptr);
    }));
    const Answer<TPM2B_NV_PUBLIC> area(raw_area);
    Bytes certificate(std::min<std::size_t>(area->nvPublic.dataSize, kCertificateBytes));
    for (std::size_t at = 0; at < certificate.size(); at += kNvPiece) {
      const std::size_t size = std::min(kNvPiece, certificate.size() - at);
      TPM2B_MAX_NV_BUFFER* raw = nullptr;
      RETURN_IF_ERROR(impl_->run("its certificate cannot be read", Effect::none, [&] {
        return Esys_NV_Read(impl_->esys, handle.tr, handle.tr, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                            ESYS_TR_NONE, static_cast<std::uint16_t>(size),
                            static_cast<std::uint16_t>(at), &raw);
      }));
      const Answer<TPM2B_MAX_NV_BUFFER> piece(raw);
      const ByteView found = std::as_bytes(std::span(piece->buffer)).first(piece->size);
      std::copy_n(found.begin(), std::min(found.size(), size),
                  certificate.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return certificate;
  }
  return Bytes();
}

}  // namespace aierase::rootslot
