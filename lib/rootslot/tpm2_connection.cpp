#include "rootslot/tpm2_connection.h"

#include <fmt/format.h>
#include <tss2/tss2_tctildr.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

namespace aierase::rootslot {
namespace {

constexpr TPMA_NV kCommonAttributes = TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA;
constexpr TPMA_NV kSlotAttributes = kCommonAttributes;
constexpr TPMA_NV kCounterAttributes =
    kCommonAttributes | (TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT);

TPMT_SYM_DEF aes_cfb() {
  TPMT_SYM_DEF symmetric{};
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = 128;
  symmetric.mode.aes = TPM2_ALG_CFB;
  return symmetric;
}

// Four characters of a property, as far as they can be printed.
std::string letters(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    const char letter = static_cast<char>((value >> shift) & 0xFFU);
    if (letter > ' ' && letter <= '~') text += letter;
    if (letter == ' ' && !text.empty()) text += letter;
  }
  return text;
}

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace

// The storage key of the TCG's guidance for P-256: the same key for the same template as long as
// the owner's seed lives.
TPM2B_PUBLIC storage_key_template() {
  TPM2B_PUBLIC key{};
  TPMT_PUBLIC& area = key.publicArea;
  area.type = TPM2_ALG_ECC;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                          TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
                          TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
  TPMS_ECC_PARMS& ecc = area.parameters.eccDetail;
  ecc.symmetric.algorithm = TPM2_ALG_AES;
  ecc.symmetric.keyBits.aes = 128;
  ecc.symmetric.mode.aes = TPM2_ALG_CFB;
  ecc.scheme.scheme = TPM2_ALG_NULL;
  ecc.curveID = TPM2_ECC_NIST_P256;
  ecc.kdf.scheme = TPM2_ALG_NULL;
  return key;
}

TPM2B_NV_PUBLIC nv_template(NvIndex index, NvKind kind) {
  TPM2B_NV_PUBLIC area{};
  area.nvPublic.nvIndex = index;
  area.nvPublic.nameAlg = TPM2_ALG_SHA256;
  area.nvPublic.attributes = kind == NvKind::slot ? kSlotAttributes : kCounterAttributes;
  area.nvPublic.dataSize =
      static_cast<std::uint16_t>(kind == NvKind::slot ? kNvSlotBytes : kCounterBytes);
  return area;
}

std::string nv_text(NvIndex index) {
  return fmt::format("0x{:08x}", index);
}

void quiet_tpm_library() {
  ::setenv("TSS2_LOG", "all+none", 1);
}

Tpm2::Impl::~Impl() {
  if (session != ESYS_TR_NONE) static_cast<void>(Esys_FlushContext(esys, session));
  if (signer != ESYS_TR_NONE) static_cast<void>(Esys_FlushContext(esys, signer));
  if (key != ESYS_TR_NONE) static_cast<void>(Esys_FlushContext(esys, key));
  if (esys != nullptr) Esys_Finalize(&esys);
  if (tcti != nullptr) Tss2_TctiLdr_Finalize(&tcti);
}

Status Tpm2::Impl::run(const std::string& what, Effect effect, const Command& command) const {
  auto pause = std::chrono::milliseconds(10);
  for (auto waited = std::chrono::milliseconds(0);; waited += pause, pause *= 2) {
    const TSS2_RC code = command();
    if (code == TSS2_RC_SUCCESS) return {};
    if (!asks_for_patience(code) || waited >= settings.patience) {
      return tpm_error(code, "the TPM (" + settings.tcti + "): " + what, effect);
    }
    std::this_thread::sleep_for(pause);
  }
}

Status Tpm2::Impl::open() {
  RETURN_IF_ERROR(run("it cannot be reached", Effect::none,
                      [&] { return Tss2_TctiLdr_Initialize(settings.tcti.c_str(), &tcti); }));
  RETURN_IF_ERROR(run("it cannot be used", Effect::none,
                      [&] { return Esys_Initialize(&esys, tcti, nullptr); }));
  RETURN_IF_ERROR(ask_who_it_is());
  RETURN_IF_ERROR(make_key());
  return start_session();
}

Status Tpm2::Impl::ask_who_it_is() {
  TPMS_CAPABILITY_DATA* raw = nullptr;
  RETURN_IF_ERROR(run("it does not tell who made it", Effect::none, [&] {
    TPMI_YES_NO more = TPM2_NO;
    return Esys_GetCapability(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                              TPM2_CAP_TPM_PROPERTIES, TPM2_PT_FIXED, TPM2_MAX_TPM_PROPERTIES,
                              &more, &raw);
  }));
  const Answer<TPMS_CAPABILITY_DATA> data(raw);
  const TPML_TAGGED_TPM_PROPERTY& list = data->data.tpmProperties;
  const auto value_of = [&](TPM2_PT property) -> std::uint32_t {
    for (std::size_t i = 0; i < std::min<std::size_t>(list.count, TPM2_MAX_TPM_PROPERTIES); ++i) {
      if (list.tpmProperty[i].property == property) return list.tpmProperty[i].value;
    }
    return 0;
  };
  facts.manufacturer = trimmed(letters(value_of(TPM2_PT_MANUFACTURER)));
  for (TPM2_PT part = TPM2_PT_VENDOR_STRING_1; part <= TPM2_PT_VENDOR_STRING_4; ++part) {
    facts.vendor += letters(value_of(part));
  }
  facts.vendor = trimmed(facts.vendor);
  const std::uint32_t high = value_of(TPM2_PT_FIRMWARE_VERSION_1);
  const std::uint32_t low = value_of(TPM2_PT_FIRMWARE_VERSION_2);
  facts.firmware =
      fmt::format("{}.{}.{}.{}", high >> 16U, high & 0xFFFFU, low >> 16U, low & 0xFFFFU);
  return {};
}

Status Tpm2::Impl::make_key() {
  const TPM2B_PUBLIC wanted = storage_key_template();
  const TPM2B_SENSITIVE_CREATE nothing{};
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION registers{};
  RETURN_IF_ERROR(run("its storage key cannot be made", Effect::none, [&] {
    return Esys_CreatePrimary(esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                              &nothing, &wanted, &outside, &registers, &key, nullptr, nullptr,
                              nullptr, nullptr);
  }));
  TPM2B_NAME* raw = nullptr;
  RETURN_IF_ERROR(run("its storage key has no name", Effect::none,
                      [&] { return Esys_TR_GetName(esys, key, &raw); }));
  const Answer<TPM2B_NAME> name(raw);
  facts.key_name = copy_of(std::as_bytes(std::span(name->name, name->size)));
  return {};
}

Status Tpm2::Impl::start_session() {
  const TPMT_SYM_DEF symmetric = aes_cfb();
  return run("it begins no session", Effect::none, [&] {
    return Esys_StartAuthSession(esys, key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                 nullptr, TPM2_SE_HMAC, &symmetric, TPM2_ALG_SHA256, &session);
  });
}

Status Tpm2::Impl::take(NvIndex index, Handle& handle) const {
  return run("NV index " + nv_text(index) + " cannot be found", Effect::none, [&] {
    return Esys_TR_FromTPMPublic(esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &handle.tr);
  });
}

Status Tpm2::Impl::authorize(Handle& handle, const SecretBytes& auth) const {
  TPM2B_AUTH value{};
  Status set = auth.reveal([&](ByteView bytes) -> Status {
    value.size = static_cast<std::uint16_t>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), std::as_writable_bytes(std::span(value.buffer)).begin());
    return run("an authorization value is refused", Effect::none,
               [&] { return Esys_TR_SetAuth(esys, handle.tr, &value); });
  });
  zeroize(std::as_writable_bytes(std::span(value.buffer)));
  return set;
}

void Tpm2::Impl::protect(TPMA_SESSION attributes) const {
  static_cast<void>(Esys_TRSess_SetAttributes(esys, session, attributes, 0xFF));
}

}  // namespace aierase::rootslot
