// Time stamps of others (RFC 3161): the request, and what an authority answered.
//
// Contract: nothing here talks to anybody; requests and responses are DER in files. A response is
// bytes of a stranger: read with a limit, and believed only under a certificate that the reader
// trusts, as it was valid at the time that is stamped. Specified in: RFC 3161; RFC 5816.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace aierase::crypto {

// Over the SHA-256 of `data`; asks for the certificate of the authority, and has no nonce, so that
// equal data give equal bytes.
Result<Bytes> timestamp_request(ByteView data);

struct TimeStamp {
  UtcTime time{};
};
// What a granted response over exactly this data says, whoever signed it.
Result<TimeStamp> read_timestamp(ByteView response, ByteView data);
// Whether a text is certificates in PEM, at least one, and nothing of them broken.
Status check_authorities(std::string_view pem);
// The same as read_timestamp, signed by an authority whose certificate, or its issuer's, is among
// these PEM texts. Errc::signer_unknown where nothing is wrong with it but that nobody here vouches
// for its authority; Errc::verification_failed where its own certificate does not bear it either.
Result<TimeStamp> verify_timestamp(ByteView response, ByteView data,
                                   const std::vector<std::string>& trusted);

}  // namespace aierase::crypto
