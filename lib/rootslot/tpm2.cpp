#include "rootslot/tpm2.h"

#include <algorithm>

#include "rootslot/tpm2_connection.h"

namespace aierase::rootslot {

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
  return count(index, auth);
}

Result<std::uint64_t> Tpm2::count(NvIndex index, const SecretBytes& auth) {
  Bytes value(kCounterBytes);
  RETURN_IF_ERROR(read(index, auth, value));
  return get_be64(value);
}

}  // namespace aierase::rootslot
