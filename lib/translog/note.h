// Signed notes, and the one kind that we sign: the checkpoint, the signed head of a log.
//
// Contract: parsing keeps to the form to the letter and has limits; what is parsed proves nothing
// until a signature of a known key over `text` holds. A checkpoint says that there is a log of this
// origin, size and root; a log signs no two that contradict each other, and that is for the caller
// to see to. Specified in: C2SP signed-note, tlog-checkpoint; aierase-store(5) PUBLISHED LOG.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "crypto/signature.h"

namespace aierase::translog {

inline constexpr std::string_view kOriginPrefix = "aierase.org/log/";
std::string origin_of(const Uuid& store);

// SHA-256(name || 0x0A || 0x01 || key); a note names the key by the first four bytes.
Digest note_key_id(std::string_view name, const crypto::PublicKey& key);
// "name+hex+base64", as other software takes a key of a note.
std::string verifier_key(std::string_view name, const crypto::PublicKey& key);

struct NoteSignature {
  std::string name;
  std::array<std::byte, 4> key_id{};
  Bytes signature;
};
struct SignedNote {
  std::string text;  // with its last line end
  std::vector<NoteSignature> signatures;
};
Result<SignedNote> parse_note(std::string_view note);
// Whether this key signed it; a signature under its name and id that does not hold is refused.
enum class NoteVerdict { signed_by_key, not_signed, forged };
NoteVerdict check_note(const SignedNote& note, std::string_view name, const crypto::PublicKey& key);

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Digest root{};
};
Result<std::string> sign_checkpoint(const Checkpoint& checkpoint, const crypto::SigningKey& key);
// Origin, size and root out of the text of a note; lines behind them are for others.
Result<Checkpoint> parse_checkpoint(std::string_view text);

}  // namespace aierase::translog
