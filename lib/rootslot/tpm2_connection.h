// The inside of a conversation with a TPM: the library's contexts, and what every command needs.
//
// Contract: for tpm2*.cpp alone. An Impl ends its session and keys in the TPM when it goes. run()
// asks a busy TPM again and tells what is known after a failure, see tpm2_errors.h. Specified in:
// aierase-store(5) TPM SLOT.
#pragma once

#include <tss2/tss2_esys.h>

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "rootslot/tpm2.h"
#include "rootslot/tpm2_errors.h"

namespace aierase::rootslot {

inline constexpr std::size_t kCounterBytes = 8;

// What of a command is encrypted on its way.
inline constexpr TPMA_SESSION kPlain = TPMA_SESSION_CONTINUESESSION;
inline constexpr TPMA_SESSION kSealedCommand = kPlain | TPMA_SESSION_DECRYPT;
inline constexpr TPMA_SESSION kSealedAnswer = kPlain | TPMA_SESSION_ENCRYPT;

template <typename T>
struct EsysFree {
  void operator()(T* pointer) const { Esys_Free(pointer); }
};
template <typename T>
using Answer = std::unique_ptr<T, EsysFree<T>>;

TPM2B_PUBLIC storage_key_template();
TPM2B_NV_PUBLIC nv_template(NvIndex index, NvKind kind);

struct Tpm2::Impl {
  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  Tpm2Settings settings;
  TSS2_TCTI_CONTEXT* tcti = nullptr;
  ESYS_CONTEXT* esys = nullptr;
  ESYS_TR key = ESYS_TR_NONE;
  ESYS_TR session = ESYS_TR_NONE;
  ESYS_TR signer = ESYS_TR_NONE;  // once it was asked for
  Bytes signer_key;
  Tpm2Facts facts;

  using Command = std::function<TSS2_RC()>;
  // A busy TPM is asked again: nothing of a refused command has been done.
  Status run(const std::string& what, Effect effect, const Command& command) const;

  Status open();
  Status ask_who_it_is();
  Status make_key();
  Status start_session();
  Status make_signer();

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

  Status take(NvIndex index, Handle& handle) const;
  Status authorize(Handle& handle, const SecretBytes& auth) const;
  void protect(TPMA_SESSION attributes) const;
};

}  // namespace aierase::rootslot
