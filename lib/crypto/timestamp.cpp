#include "crypto/timestamp.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>

#include "base/limits.h"
#include "crypto/primitives.h"

namespace aierase::crypto {
namespace {

template <auto Free>
struct Release {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Request = std::unique_ptr<TS_REQ, Release<TS_REQ_free>>;
using Response = std::unique_ptr<TS_RESP, Release<TS_RESP_free>>;
using Imprint = std::unique_ptr<TS_MSG_IMPRINT, Release<TS_MSG_IMPRINT_free>>;
using Algorithm = std::unique_ptr<X509_ALGOR, Release<X509_ALGOR_free>>;
using Verifier = std::unique_ptr<TS_VERIFY_CTX, Release<TS_VERIFY_CTX_free>>;
using CertificateStore = std::unique_ptr<X509_STORE, Release<X509_STORE_free>>;
using Certificate = std::unique_ptr<X509, Release<X509_free>>;
using Source = std::unique_ptr<BIO, Release<BIO_free_all>>;

Error no_library(const char* what) {
  ERR_clear_error();
  return make_error(Errc::unexpected, std::string("libcrypto cannot ") + what);
}

Error not_a_stamp(const std::string& why) {
  ERR_clear_error();
  return make_error(Errc::invalid_input, "no RFC 3161 time stamp: " + why);
}

Source memory(ByteView bytes) {
  return Source(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

Result<Response> parse(ByteView response) {
  if (response.size() > limits::kTimeStampBytes) {
    return make_error(Errc::resource_limit, "a time stamp has at most " +
                                                std::to_string(limits::kTimeStampBytes) + " bytes");
  }
  const auto* at = reinterpret_cast<const unsigned char*>(response.data());
  const unsigned char* const end = at + response.size();
  Response parsed(d2i_TS_RESP(nullptr, &at, static_cast<long>(response.size())));
  if (!parsed || at != end) return not_a_stamp("it is not a response in DER");
  const ASN1_INTEGER* status = TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(parsed.get()));
  const long granted = ASN1_INTEGER_get(status);
  if (granted != TS_STATUS_GRANTED && granted != TS_STATUS_GRANTED_WITH_MODS) {
    return not_a_stamp("the authority did not grant it");
  }
  if (TS_RESP_get_tst_info(parsed.get()) == nullptr) return not_a_stamp("it has no token");
  return parsed;
}

Result<UtcTime> time_of(TS_RESP* response) {
  std::tm broken_down{};
  const ASN1_GENERALIZEDTIME* stamped = TS_TST_INFO_get_time(TS_RESP_get_tst_info(response));
  if (stamped == nullptr || ASN1_TIME_to_tm(stamped, &broken_down) != 1) {
    return not_a_stamp("it has no time");
  }
  return from_unix(timegm(&broken_down));
}

// Under the algorithm that the authority chose, which has to be of 256 bits or more.
Status check_imprint(TS_RESP* response, ByteView data) {
  TS_MSG_IMPRINT* imprint = TS_TST_INFO_get_msg_imprint(TS_RESP_get_tst_info(response));
  const ASN1_OBJECT* name = nullptr;
  X509_ALGOR_get0(&name, nullptr, nullptr, TS_MSG_IMPRINT_get_algo(imprint));
  const int kind = OBJ_obj2nid(name);
  if (kind != NID_sha256 && kind != NID_sha384 && kind != NID_sha512) {
    return not_a_stamp("its digest is not of the SHA-2 family");
  }
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(data.data(), data.size(), digest, &size, EVP_get_digestbynid(kind), nullptr) !=
      1) {
    return no_library("hash");
  }
  const ASN1_OCTET_STRING* said = TS_MSG_IMPRINT_get_msg(imprint);
  const std::string_view expected(reinterpret_cast<const char*>(digest), size);
  const std::string_view found(reinterpret_cast<const char*>(ASN1_STRING_get0_data(said)),
                               static_cast<std::size_t>(ASN1_STRING_length(said)));
  return expected == found ? Status() : Status(not_a_stamp("it is of something else"));
}

// All that the text holds; anything in it that is broken is an error, and so is none at all.
Result<std::vector<Certificate>> certificates_in(std::string_view pem) {
  const Source source = memory(as_bytes(pem));
  if (!source) return no_library("read certificates");
  std::vector<Certificate> found;
  while (Certificate one{PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr)}) {
    found.push_back(std::move(one));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (at_end && !found.empty()) return found;
  return make_error(
      Errc::invalid_input,
      found.empty() ? "it holds no certificate in PEM that can be read"
                    : "certificate " + std::to_string(found.size() + 1) + " in it cannot be read",
      "put whole certificates there (BEGIN CERTIFICATE to END CERTIFICATE), or "
      "remove the file");
}

// As the certificates were valid when the stamp was made: they expire long before a certificate
// of ours is looked at.
Result<CertificateStore> empty_store(UtcTime at) {
  CertificateStore store(X509_STORE_new());
  if (!store) return no_library("make a store of certificates");
  X509_VERIFY_PARAM* parameters = X509_STORE_get0_param(store.get());
  X509_VERIFY_PARAM_set_time(parameters, static_cast<std::time_t>(to_unix(at)));
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  return store;
}

Result<CertificateStore> store_of(const std::vector<std::string>& trusted, UtcTime at) {
  ASSIGN_OR_RETURN(CertificateStore store, empty_store(at));
  for (const std::string& pem : trusted) {
    ASSIGN_OR_RETURN(const std::vector<Certificate> certificates, certificates_in(pem));
    for (const Certificate& one : certificates) {
      if (X509_STORE_add_cert(store.get(), one.get()) != 1) return no_library("take a certificate");
    }
  }
  return store;
}

// What the stamp brings with it to be checked by; null where that is nothing.
const STACK_OF(X509) * brought_by(TS_RESP* response) {
  const PKCS7* token = TS_RESP_get_token(response);
  return token != nullptr && PKCS7_type_is_signed(token) ? token->d.sign->cert : nullptr;
}

Result<CertificateStore> store_of(const STACK_OF(X509) * brought, UtcTime at) {
  ASSIGN_OR_RETURN(CertificateStore store, empty_store(at));
  for (int i = 0; i < sk_X509_num(brought); ++i) {
    if (X509_STORE_add_cert(store.get(), sk_X509_value(brought, i)) != 1) {
      return no_library("take a certificate");
    }
  }
  return store;
}

Result<bool> holds_under(CertificateStore store, TS_RESP* response, ByteView data) {
  const Verifier verifier(TS_VERIFY_CTX_new());
  Source source = memory(data);
  if (!verifier || !source) return no_library("verify a time stamp");
  TS_VERIFY_CTX_set_flags(verifier.get(), TS_VFY_SIGNATURE | TS_VFY_VERSION | TS_VFY_DATA);
  TS_VERIFY_CTX_set_data(verifier.get(), source.release());
  TS_VERIFY_CTX_set_store(verifier.get(), store.release());
  const bool holds = TS_RESP_verify_response(verifier.get(), response) == 1;
  ERR_clear_error();
  return holds;
}

}  // namespace

Result<Bytes> timestamp_request(ByteView data) {
  const Digest digest = sha256(data);
  const Request request(TS_REQ_new());
  const Imprint imprint(TS_MSG_IMPRINT_new());
  const Algorithm algorithm(X509_ALGOR_new());
  if (!request || !imprint || !algorithm) return no_library("make a request");
  X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(NID_sha256), V_ASN1_NULL, nullptr);
  std::array<unsigned char, 32> raw{};
  std::copy(digest.begin(), digest.end(), reinterpret_cast<std::byte*>(raw.data()));
  const bool made =
      TS_MSG_IMPRINT_set_algo(imprint.get(), algorithm.get()) == 1 &&
      TS_MSG_IMPRINT_set_msg(imprint.get(), raw.data(), static_cast<int>(raw.size())) == 1 &&
      TS_REQ_set_version(request.get(), 1) == 1 &&
      TS_REQ_set_msg_imprint(request.get(), imprint.get()) == 1 &&
      TS_REQ_set_cert_req(request.get(), 1) == 1;
  const int size = made ? i2d_TS_REQ(request.get(), nullptr) : -1;
  if (size <= 0) return no_library("make a request");
  Bytes der(static_cast<std::size_t>(size));
  auto* to = reinterpret_cast<unsigned char*>(der.data());
  if (i2d_TS_REQ(request.get(), &to) != size) return no_library("write a request");
  return der;
}

Result<TimeStamp> read_timestamp(ByteView response, ByteView data) {
  ASSIGN_OR_RETURN(const Response parsed, parse(response));
  RETURN_IF_ERROR(check_imprint(parsed.get(), data));
  ASSIGN_OR_RETURN(const UtcTime time, time_of(parsed.get()));
  return TimeStamp{time};
}

Status check_authorities(std::string_view pem) {
  const Result<std::vector<Certificate>> certificates = certificates_in(pem);
  return certificates.ok() ? Status() : Status(certificates.error());
}

Result<TimeStamp> verify_timestamp(ByteView response, ByteView data,
                                   const std::vector<std::string>& trusted) {
  ASSIGN_OR_RETURN(const TimeStamp stamp, read_timestamp(response, data));
  ASSIGN_OR_RETURN(const Response parsed, parse(response));
  ASSIGN_OR_RETURN(CertificateStore known, store_of(trusted, stamp.time));
  ASSIGN_OR_RETURN(const bool believed, holds_under(std::move(known), parsed.get(), data));
  if (believed) return stamp;
  if (const STACK_OF(X509)* brought = brought_by(parsed.get()); sk_X509_num(brought) > 0) {
    ASSIGN_OR_RETURN(CertificateStore own, store_of(brought, stamp.time));
    ASSIGN_OR_RETURN(const bool sound, holds_under(std::move(own), parsed.get(), data));
    if (!sound) {
      return make_error(Errc::verification_failed,
                        "the time stamp is not signed under the certificate that it brings");
    }
  }
  return make_error(Errc::signer_unknown,
                    "the time stamp is of an authority that is not trusted here");
}

}  // namespace aierase::crypto
