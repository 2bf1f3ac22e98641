#include "crypto/floe.h"

#include <algorithm>
#include <string_view>

namespace aierase::crypto {
namespace {

using Position = FloeEncryptor::Position;

constexpr std::byte kAeadId{0};  // AES-GCM-256
constexpr std::byte kKdfId{0};   // HKDF-EXPAND-SHA-384
constexpr std::size_t kParameterBytes = 10;
constexpr std::size_t kIvBytes = 32;
constexpr std::size_t kPrefixBytes = kParameterBytes + kIvBytes;
constexpr std::size_t kTagBytes = 32;
constexpr std::size_t kMessageKeyBytes = 48;
constexpr std::size_t kLengthBytes = 4;
constexpr std::uint32_t kInnerLength = 0xFFFF'FFFF;
constexpr std::uint64_t kMaxSegments = 1ULL << 40;
static_assert(kPrefixBytes + kTagBytes == kFloeHeaderBytes);
static_assert(kLengthBytes + kGcmIvBytes + kGcmTagBytes == kFloeSegmentOverhead);

Error refused(std::string message) {
  return make_error(Errc::verification_failed, std::move(message));
}

Status check(const FloeParameters& parameters) {
  if (parameters.segment_bytes > kFloeSegmentOverhead && parameters.segment_bytes < kInnerLength &&
      parameters.rotation_bits < 64) {
    return {};
  }
  return make_error(Errc::invalid_input,
                    "FLOE segments are longer than 32 bytes, and keys rotate "
                    "by less than 64 bits");
}

std::array<std::byte, kParameterBytes> encode(const FloeParameters& parameters) {
  std::array<std::byte, kParameterBytes> encoded{kAeadId, kKdfId};
  put_be32(ByteSpan(encoded).subspan(2, 4), parameters.segment_bytes);
  put_be32(ByteSpan(encoded).subspan(6, 4), std::uint32_t{kIvBytes});
  return encoded;
}

// The associated data of one segment inside: its number and whether it is the last.
std::array<std::byte, 9> segment_associated(std::uint64_t number, Position position) {
  std::array<std::byte, 9> associated{};
  put_be64(ByteSpan(associated).first(8), number);
  associated[8] = position == Position::final ? std::byte{1} : std::byte{0};
  return associated;
}

// What both directions share: one message's keys.
struct Message {
  FloeParameters parameters;
  Bytes prefix;  // parameters || iv
  Bytes associated;
  SecretBytes message_key;
  // Of the first 2^rotation_bits segments: 256 GiB with our parameters, so nearly always.
  SecretBytes first_key;

  Status derive(ByteView key, ByteView purpose, ByteSpan out) const {
    Bytes info = prefix;
    append(info, purpose);
    append(info, associated);
    return hkdf_expand_sha384(key, info, out);
  }

  Status derive_secret(const SecretBytes& key, ByteView purpose, SecretBytes& to) const {
    return key.reveal([&](ByteView from) {
      return to.fill([&](ByteSpan out) { return derive(from, purpose, out); });
    });
  }

  Result<SecretBytes> segment_key(std::uint64_t first_of_rotation) const {
    Bytes purpose = copy_of(as_bytes("DEK:"));
    append_be64(purpose, first_of_rotation);
    ASSIGN_OR_RETURN(SecretBytes key, SecretBytes::zeroed(kKeyBytes));
    RETURN_IF_ERROR(derive_secret(message_key, purpose, key));
    return key;
  }

  Result<Digest> header_tag(const SealKey& key) const {
    Digest tag{};
    RETURN_IF_ERROR(key.bytes().reveal(
        [&](ByteView from) { return derive(from, as_bytes("HEADER_TAG:"), tag); }));
    return tag;
  }

  Status derive_keys(const SealKey& key) {
    ASSIGN_OR_RETURN(message_key, SecretBytes::zeroed(kMessageKeyBytes));
    RETURN_IF_ERROR(derive_secret(key.bytes(), as_bytes("MESSAGE_KEY:"), message_key));
    ASSIGN_OR_RETURN(first_key, segment_key(0));
    return {};
  }

  // Calls `act(key)` with the key that segment `number` has.
  template <typename Act>
  Status with_key(std::uint64_t number, Act&& act) const {
    if (number >= kMaxSegments) {
      return make_error(Errc::resource_limit, "a FLOE message has at most 2^40 segments");
    }
    const std::uint64_t first = number >> parameters.rotation_bits << parameters.rotation_bits;
    if (first == 0) return first_key.reveal(act);
    ASSIGN_OR_RETURN(const SecretBytes key, segment_key(first));
    return key.reveal(act);
  }
};

Result<Message> make_message(const SealKey& key, ByteView associated,
                             const FloeParameters& parameters) {
  RETURN_IF_ERROR(check(parameters));
  if (key.empty()) return make_error(Errc::unexpected, "a FLOE message needs a key");
  Message message;
  message.parameters = parameters;
  message.prefix = copy_of(encode(parameters));
  message.associated = copy_of(associated);
  return message;
}

Status check_segment(ByteView segment, Position position, std::uint32_t segment_bytes) {
  if (position == Position::inner) {
    if (segment.size() == segment_bytes && get_be32(segment) == kInnerLength) return {};
    return refused("a segment is not one that others follow: the data are cut or altered");
  }
  if (segment.size() >= kFloeSegmentOverhead && segment.size() <= segment_bytes &&
      get_be32(segment) == segment.size()) {
    return {};
  }
  return refused("the last segment does not say that it is the last: the data are cut or altered");
}

}  // namespace

struct FloeEncryptor::Impl {
  Message message;
  FloeHeader header{};
};

FloeEncryptor::FloeEncryptor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FloeEncryptor::FloeEncryptor(FloeEncryptor&&) noexcept = default;
FloeEncryptor& FloeEncryptor::operator=(FloeEncryptor&&) noexcept = default;
FloeEncryptor::~FloeEncryptor() = default;

Result<FloeEncryptor> FloeEncryptor::start(const SealKey& key, ByteView associated,
                                           const FloeParameters& parameters) {
  ASSIGN_OR_RETURN(Message message, make_message(key, associated, parameters));
  std::array<std::byte, kIvBytes> iv{};
  random_bytes(iv);
  append(message.prefix, iv);
  ASSIGN_OR_RETURN(const Digest tag, message.header_tag(key));
  RETURN_IF_ERROR(message.derive_keys(key));
  auto impl = std::make_unique<Impl>();
  std::copy(message.prefix.begin(), message.prefix.end(), impl->header.begin());
  std::copy(tag.begin(), tag.end(), impl->header.begin() + kPrefixBytes);
  impl->message = std::move(message);
  return FloeEncryptor(std::move(impl));
}

const FloeHeader& FloeEncryptor::header() const {
  return impl_->header;
}

Status FloeEncryptor::seal_segment(std::uint64_t number, Position position, ByteView plaintext,
                                   ByteSpan out, Aead& aead) const {
  const std::size_t room = impl_->message.parameters.segment_bytes - kFloeSegmentOverhead;
  const bool fits =
      position == Position::final ? plaintext.size() <= room : plaintext.size() == room;
  if (!fits || out.size() != plaintext.size() + kFloeSegmentOverhead) {
    return make_error(Errc::invalid_input,
                      "an inner segment has " + std::to_string(room) +
                          " bytes of plaintext, the last at most as many; sealed, 32 more");
  }
  const bool last = position == Position::final;
  put_be32(out.first(kLengthBytes), last ? static_cast<std::uint32_t>(out.size()) : kInnerLength);
  const ByteSpan iv = out.subspan(kLengthBytes, kGcmIvBytes);
  random_bytes(iv);
  return impl_->message.with_key(number, [&](ByteView key) {
    return aead.seal(key, iv, segment_associated(number, position), plaintext,
                     out.subspan(kLengthBytes + kGcmIvBytes, plaintext.size()),
                     out.last(kGcmTagBytes));
  });
}

struct FloeDecryptor::Impl {
  Message message;
};

FloeDecryptor::FloeDecryptor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FloeDecryptor::FloeDecryptor(FloeDecryptor&&) noexcept = default;
FloeDecryptor& FloeDecryptor::operator=(FloeDecryptor&&) noexcept = default;
FloeDecryptor::~FloeDecryptor() = default;

Result<FloeDecryptor> FloeDecryptor::start(const SealKey& key, ByteView associated, ByteView header,
                                           const FloeParameters& parameters) {
  ASSIGN_OR_RETURN(Message message, make_message(key, associated, parameters));
  if (header.size() != kFloeHeaderBytes ||
      !std::equal(message.prefix.begin(), message.prefix.end(), header.begin())) {
    return refused("the FLOE header is of another kind, or damaged");
  }
  append(message.prefix, header.subspan(kParameterBytes, kIvBytes));
  ASSIGN_OR_RETURN(const Digest tag, message.header_tag(key));
  if (!equal_constant_time(tag, header.last(kTagBytes))) {
    return refused("the FLOE header does not match: wrong key, wrong place, or damaged");
  }
  RETURN_IF_ERROR(message.derive_keys(key));
  auto impl = std::make_unique<Impl>();
  impl->message = std::move(message);
  return FloeDecryptor(std::move(impl));
}

Status FloeDecryptor::open_segment(std::uint64_t number, Position position, ByteView segment,
                                   ByteSpan out, Aead& aead) const {
  RETURN_IF_ERROR(check_segment(segment, position, impl_->message.parameters.segment_bytes));
  if (out.size() + kFloeSegmentOverhead != segment.size()) {
    return make_error(Errc::invalid_input, "an opened segment is 32 bytes shorter than the sealed");
  }
  return impl_->message.with_key(number, [&](ByteView key) {
    return aead.open(
        key, segment.subspan(kLengthBytes, kGcmIvBytes), segment_associated(number, position),
        segment.subspan(kLengthBytes + kGcmIvBytes, out.size()), segment.last(kGcmTagBytes), out);
  });
}

}  // namespace aierase::crypto
