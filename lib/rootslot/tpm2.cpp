#include "rootslot/tpm2.h"

#include <fmt/format.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <thread>

#include "rootslot/tpm2_errors.h"

namespace aierase::rootslot {
namespace {

constexpr TPMA_NV kCommonAttributes = TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA;
constexpr TPMA_NV kSlotAttributes = kCommonAttributes;
constexpr TPMA_NV kCounterAttributes =
    kCommonAttributes | (TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT);
constexpr std::size_t kCounterBytes = 8;

constexpr TPMA_SESSION kPlain = TPMA_SESSION_CONTINUESESSION;
constexpr TPMA_SESSION kSealedCommand = kPlain | TPMA_SESSION_DECRYPT;
constexpr TPMA_SESSION kSealedAnswer = kPlain | TPMA_SESSION_ENCRYPT;

template <typename T>
struct EsysFree {
  void operator()(T* pointer) const { Esys_Free(pointer); }
};
template <typename T>
using Answer = std::unique_ptr<T, EsysFree<T>>;

TPMT_SYM_DEF aes_cfb() {
  TPMT_SYM_DEF symmetric{};
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = 128;
  symmetric.mode.aes = TPM2_ALG_CFB;
  return symmetric;
}

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

std::string nv_text(NvIndex index) {
  return fmt::format("0x{:08x}", index);
}

void quiet_tpm_library() {
  ::setenv("TSS2_LOG", "all+none", 0);
}

struct Tpm2::Impl {
  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (session != ESYS_TR_NONE) static_cast<void>(Esys_FlushContext(esys, session));
    if (key != ESYS_TR_NONE) static_cast<void>(Esys_FlushContext(esys, key));
    if (esys != nullptr) Esys_Finalize(&esys);
    if (tcti != nullptr) Tss2_TctiLdr_Finalize(&tcti);
  }

  Tpm2Settings settings;
  TSS2_TCTI_CONTEXT* tcti = nullptr;
  ESYS_CONTEXT* esys = nullptr;
  ESYS_TR key = ESYS_TR_NONE;
  ESYS_TR session = ESYS_TR_NONE;
  Tpm2Facts facts;

  using Command = std::function<TSS2_RC()>;

  // A busy TPM is asked again: nothing of a refused command has been done.
  Status run(const std::string& what, Effect effect, const Command& command) const {
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

  Status open() {
    RETURN_IF_ERROR(run("it cannot be reached", Effect::none,
                        [&] { return Tss2_TctiLdr_Initialize(settings.tcti.c_str(), &tcti); }));
    RETURN_IF_ERROR(run("it cannot be used", Effect::none,
                        [&] { return Esys_Initialize(&esys, tcti, nullptr); }));
    RETURN_IF_ERROR(ask_who_it_is());
    RETURN_IF_ERROR(make_key());
    return start_session();
  }

  Status ask_who_it_is() {
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

  Status make_key() {
    const TPM2B_PUBLIC wanted = storage_key_template();
    const TPM2B_SENSITIVE_CREATE nothing{};
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION registers{};
    RETURN_IF_ERROR(run("its storage key cannot be made", Effect::none, [&] {
      return Esys_CreatePrimary(esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                ESYS_TR_NONE, &nothing, &wanted, &outside, &registers, &key,
                                nullptr, nullptr, nullptr, nullptr);
    }));
    TPM2B_NAME* raw = nullptr;
    RETURN_IF_ERROR(run("its storage key has no name", Effect::none,
                        [&] { return Esys_TR_GetName(esys, key, &raw); }));
    const Answer<TPM2B_NAME> name(raw);
    facts.key_name = copy_of(std::as_bytes(std::span(name->name, name->size)));
    return {};
  }

  Status start_session() {
    const TPMT_SYM_DEF symmetric = aes_cfb();
    return run("it begins no session", Effect::none, [&] {
      return Esys_StartAuthSession(esys, key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                   ESYS_TR_NONE, nullptr, TPM2_SE_HMAC, &symmetric, TPM2_ALG_SHA256,
                                   &session);
    });
  }

  // The handle of an index, with our authorization value; it lives in this process alone.
  class Handle {
   public:
    explicit Handle(ESYS_CONTEXT* esys) : esys_(esys) {}
    ~Handle() {
      if (tr != ESYS_TR_NONE) static_cast<void>(Esys_TR_Close(esys_, &tr));
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ESYS_TR tr = ESYS_TR_NONE;

   private:
    ESYS_CONTEXT* esys_;
  };

  Status take(NvIndex index, Handle& handle) const {
    return run("NV index " + nv_text(index) + " cannot be found", Effect::none, [&] {
      return Esys_TR_FromTPMPublic(esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                   &handle.tr);
    });
  }

  Status authorize(Handle& handle, const SecretBytes& auth) const {
    TPM2B_AUTH value{};
    Status set = auth.reveal([&](ByteView bytes) -> Status {
      value.size = static_cast<std::uint16_t>(bytes.size());
      std::copy(bytes.begin(), bytes.end(),
                std::as_writable_bytes(std::span(value.buffer)).begin());
      return run("an authorization value is refused", Effect::none,
                 [&] { return Esys_TR_SetAuth(esys, handle.tr, &value); });
    });
    zeroize(std::as_writable_bytes(std::span(value.buffer)));
    return set;
  }

  void protect(TPMA_SESSION attributes) const {
    static_cast<void>(Esys_TRSess_SetAttributes(esys, session, attributes, 0xFF));
  }
};

Tpm2::Tpm2(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tpm2::Tpm2(Tpm2&&) noexcept = default;
Tpm2& Tpm2::operator=(Tpm2&&) noexcept = default;
Tpm2::~Tpm2() = default;

Result<Tpm2> Tpm2::connect(const Tpm2Settings& settings) {
  auto impl = std::make_unique<Impl>();
  impl->settings = settings;
  RETURN_IF_ERROR(impl->open());
  return Tpm2(std::move(impl));
}

const Tpm2Facts& Tpm2::facts() const {
  return impl_->facts;
}

Result<NvState> Tpm2::state(NvIndex index, NvKind kind) {
  TPMS_CAPABILITY_DATA* raw = nullptr;
  RETURN_IF_ERROR(impl_->run("it does not list its NV indexes", Effect::none, [&] {
    TPMI_YES_NO more = TPM2_NO;
    return Esys_GetCapability(impl_->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                              TPM2_CAP_HANDLES, index, 1, &more, &raw);
  }));
  const Answer<TPMS_CAPABILITY_DATA> data(raw);
  const TPML_HANDLE& handles = data->data.handles;
  if (handles.count == 0 || handles.handle[0] != index) return NvState::absent;
  Impl::Handle handle(impl_->esys);
  RETURN_IF_ERROR(impl_->take(index, handle));
  TPM2B_NV_PUBLIC* raw_area = nullptr;
  RETURN_IF_ERROR(
      impl_->run("NV index " + nv_text(index) + " cannot be described", Effect::none, [&] {
        return Esys_NV_ReadPublic(impl_->esys, handle.tr, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                  &raw_area, nullptr);
      }));
  const Answer<TPM2B_NV_PUBLIC> area(raw_area);
  const TPM2B_NV_PUBLIC wanted = nv_template(index, kind);
  const TPMS_NV_PUBLIC& found = area->nvPublic;
  const bool same = found.nameAlg == wanted.nvPublic.nameAlg &&
                    (found.attributes & ~TPMA_NV_WRITTEN) == wanted.nvPublic.attributes &&
                    found.authPolicy.size == 0 && found.dataSize == wanted.nvPublic.dataSize;
  if (!same) return NvState::other;
  return (found.attributes & TPMA_NV_WRITTEN) != 0 ? NvState::defined : NvState::unwritten;
}

Status Tpm2::define(NvIndex index, NvKind kind, const SecretBytes& auth) {
  TPM2B_AUTH value{};
  const TPM2B_NV_PUBLIC area = nv_template(index, kind);
  impl_->protect(kSealedCommand);
  Impl::Handle handle(impl_->esys);
  Status done = auth.reveal([&](ByteView bytes) -> Status {
    value.size = static_cast<std::uint16_t>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), std::as_writable_bytes(std::span(value.buffer)).begin());
    return impl_->run("NV index " + nv_text(index) + " cannot be defined", Effect::unknown, [&] {
      return Esys_NV_DefineSpace(impl_->esys, ESYS_TR_RH_OWNER, impl_->session, ESYS_TR_NONE,
                                 ESYS_TR_NONE, &value, &area, &handle.tr);
    });
  });
  zeroize(std::as_writable_bytes(std::span(value.buffer)));
  return done;
}

Status Tpm2::undefine(NvIndex index) {
  Impl::Handle handle(impl_->esys);
  RETURN_IF_ERROR(impl_->take(index, handle));
  impl_->protect(kPlain);
  RETURN_IF_ERROR(
      impl_->run("NV index " + nv_text(index) + " cannot be removed", Effect::unknown, [&] {
        return Esys_NV_UndefineSpace(impl_->esys, ESYS_TR_RH_OWNER, handle.tr, impl_->session,
                                     ESYS_TR_NONE, ESYS_TR_NONE);
      }));
  handle.tr = ESYS_TR_NONE;  // it went with the index
  return {};
}

Status Tpm2::read(NvIndex index, const SecretBytes& auth, ByteSpan to) {
  Impl::Handle handle(impl_->esys);
  RETURN_IF_ERROR(impl_->take(index, handle));
  RETURN_IF_ERROR(impl_->authorize(handle, auth));
  impl_->protect(kSealedAnswer);
  TPM2B_MAX_NV_BUFFER* raw = nullptr;
  RETURN_IF_ERROR(impl_->run("NV index " + nv_text(index) + " cannot be read", Effect::none, [&] {
    return Esys_NV_Read(impl_->esys, handle.tr, handle.tr, impl_->session, ESYS_TR_NONE,
                        ESYS_TR_NONE, static_cast<std::uint16_t>(to.size()), 0, &raw);
  }));
  const Answer<TPM2B_MAX_NV_BUFFER> data(raw);
  const ByteSpan found = std::as_writable_bytes(std::span(data->buffer));
  const bool whole = data->size == to.size();
  if (whole) std::copy_n(found.begin(), to.size(), to.begin());
  zeroize(found);
  if (whole) return {};
  return make_error(Errc::unexpected, "the TPM gives another number of bytes of NV index " +
                                          nv_text(index) + " than it was asked for");
}

Status Tpm2::write(NvIndex index, const SecretBytes& auth, ByteView from) {
  Impl::Handle handle(impl_->esys);
  RETURN_IF_ERROR(impl_->take(index, handle));
  RETURN_IF_ERROR(impl_->authorize(handle, auth));
  impl_->protect(kSealedCommand);
  TPM2B_MAX_NV_BUFFER data{};
  data.size = static_cast<std::uint16_t>(from.size());
  const ByteSpan buffer = std::as_writable_bytes(std::span(data.buffer));
  std::copy(from.begin(), from.end(), buffer.begin());
  Status done =
      impl_->run("NV index " + nv_text(index) + " cannot be written", Effect::unknown, [&] {
        return Esys_NV_Write(impl_->esys, handle.tr, handle.tr, impl_->session, ESYS_TR_NONE,
                             ESYS_TR_NONE, &data, 0);
      });
  zeroize(buffer);
  return done;
}

Result<std::uint64_t> Tpm2::increment(NvIndex index, const SecretBytes& auth) {
  Impl::Handle handle(impl_->esys);
  RETURN_IF_ERROR(impl_->take(index, handle));
  RETURN_IF_ERROR(impl_->authorize(handle, auth));
  impl_->protect(kPlain);
  RETURN_IF_ERROR(
      impl_->run("the counter " + nv_text(index) + " does not advance", Effect::unknown, [&] {
        return Esys_NV_Increment(impl_->esys, handle.tr, handle.tr, impl_->session, ESYS_TR_NONE,
                                 ESYS_TR_NONE);
      }));
  Bytes value(kCounterBytes);
  RETURN_IF_ERROR(read(index, auth, value));
  return get_be64(value);
}

}  // namespace aierase::rootslot
