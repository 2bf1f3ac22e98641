// Reads JSON of strangers member by member, to the letter of a form.
//
// Contract: pure; every refusal is Errc::invalid_input with a sentence that names the place.
// Members that the form does not know are refused: nothing in a signed file goes unread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/json_view.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "crypto/signature.h"

namespace aierase::certificate {

Error malformed(std::string why);
// An object with all of `needed`, and beyond them nothing but `allowed`.
Status check_members(JsonView value, std::string_view what,
                     std::initializer_list<std::string_view> needed,
                     std::initializer_list<std::string_view> allowed = {});
Result<std::string> text_member(JsonView object, const char* key);
Status expect_text(JsonView object, const char* key, std::string_view expected);
Result<Bytes> base64_value(JsonView value, std::string_view what);
Result<Bytes> base64_member(JsonView object, const char* key);
Result<Digest> digest_value(JsonView value, std::string_view what);      // in base64
Result<Digest> digest_member(JsonView object, const char* key);          // the same
Result<crypto::PublicKey> key_member(JsonView object, const char* key);  // DER in base64
Result<Uuid> uuid_member(JsonView object, const char* key);              // in hex
Result<UtcTime> time_member(JsonView object, const char* key);
// A number as text, as the Protobuf JSON mapping writes 64 bits.
Result<std::uint64_t> number_member(JsonView object, const char* key);

}  // namespace aierase::certificate
