#include "translog/note.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "base/limits.h"
#include "crypto/primitives.h"

namespace aierase::translog {
namespace {

constexpr std::string_view kDash = "\xe2\x80\x94 ";  // em dash and a blank
constexpr std::byte kEd25519{0x01};
constexpr std::size_t kSignatures = 64;

Error malformed(const std::string& why) {
  return make_error(Errc::invalid_input, "no signed note: " + why);
}

bool is_name(std::string_view name) {
  return !name.empty() && std::none_of(name.begin(), name.end(), [](unsigned char c) {
    return c <= 0x20 || c == 0x7f || c == '+';
  });
}

Bytes key_material(const crypto::PublicKey& key) {
  Bytes material{kEd25519};
  aierase::append(material, key);
  return material;
}

// The next line without its end; the rest begins behind it.
Result<std::string_view> take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) return malformed("a line has no end");
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

Result<NoteSignature> parse_signature(std::string_view line) {
  if (!line.starts_with(kDash)) return malformed("a signature does not begin with a dash");
  line.remove_prefix(kDash.size());
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return malformed("a signature has no name");
  NoteSignature signature;
  signature.name = line.substr(0, blank);
  if (!is_name(signature.name)) return malformed("the name of a key has what none may have");
  const std::optional<Bytes> raw = from_base64(line.substr(blank + 1));
  if (!raw || raw->size() <= signature.key_id.size()) {
    return malformed("a signature is not base64, or too short");
  }
  std::copy_n(raw->begin(), signature.key_id.size(), signature.key_id.begin());
  signature.signature.assign(raw->begin() + 4, raw->end());
  return signature;
}

}  // namespace

std::string origin_of(const Uuid& store) {
  return std::string(kOriginPrefix) + store.hex();
}

Digest note_key_id(std::string_view name, const crypto::PublicKey& key) {
  crypto::Sha256 hash;
  hash.update(as_bytes(name));
  hash.update(as_bytes("\n"));
  hash.update(key_material(key));
  return hash.finish();
}

std::string verifier_key(std::string_view name, const crypto::PublicKey& key) {
  const Digest id = note_key_id(name, key);
  return std::string(name) + "+" + to_hex(ByteView(id).first(4)) + "+" +
         to_base64(key_material(key));
}

Result<SignedNote> parse_note(std::string_view note) {
  if (note.size() > limits::kNoteBytes) {
    return make_error(Errc::resource_limit,
                      "a signed note has at most " + std::to_string(limits::kNoteBytes) + " bytes");
  }
  const bool controls = std::any_of(note.begin(), note.end(), [](unsigned char c) {
    return (c < 0x20 && c != '\n') || c == 0x7f;
  });
  if (controls || !is_valid_utf8(note)) return malformed("it is no plain UTF-8 text");
  const std::size_t split = note.rfind("\n\n");
  if (split == std::string_view::npos) return malformed("it has no signatures");
  SignedNote parsed;
  parsed.text = note.substr(0, split + 1);
  std::string_view rest = note.substr(split + 2);
  while (!rest.empty()) {
    if (parsed.signatures.size() == kSignatures) return malformed("it has too many signatures");
    ASSIGN_OR_RETURN(const std::string_view line, take_line(rest));
    ASSIGN_OR_RETURN(NoteSignature signature, parse_signature(line));
    parsed.signatures.push_back(std::move(signature));
  }
  if (parsed.signatures.empty()) return malformed("it has no signatures");
  return parsed;
}

NoteVerdict check_note(const SignedNote& note, std::string_view name,
                       const crypto::PublicKey& key) {
  const Digest id = note_key_id(name, key);
  NoteVerdict verdict = NoteVerdict::not_signed;
  for (const NoteSignature& one : note.signatures) {
    if (one.name != name || !std::equal(one.key_id.begin(), one.key_id.end(), id.begin())) continue;
    crypto::Signature signature{};
    if (one.signature.size() != signature.size()) return NoteVerdict::forged;
    std::copy(one.signature.begin(), one.signature.end(), signature.begin());
    if (!crypto::verify_signature(key, as_bytes(note.text), signature)) return NoteVerdict::forged;
    verdict = NoteVerdict::signed_by_key;
  }
  return verdict;
}

Result<std::string> sign_checkpoint(const Checkpoint& checkpoint, const crypto::SigningKey& key) {
  const std::string text = checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" +
                           to_base64(checkpoint.root) + "\n";
  ASSIGN_OR_RETURN(const crypto::Signature signature, key.sign(as_bytes(text)));
  const Digest id = note_key_id(checkpoint.origin, key.public_key());
  Bytes named = copy_of(ByteView(id).first(4));
  aierase::append(named, signature);
  return text + "\n" + std::string(kDash) + checkpoint.origin + " " + to_base64(named) + "\n";
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
  Checkpoint checkpoint;
  std::string_view rest = text;
  ASSIGN_OR_RETURN(const std::string_view origin, take_line(rest));
  if (origin.empty()) return malformed("the checkpoint names no log");
  checkpoint.origin = origin;
  ASSIGN_OR_RETURN(const std::string_view size, take_line(rest));
  const auto read = std::from_chars(size.data(), size.data() + size.size(), checkpoint.size);
  if (read.ec != std::errc() || std::to_string(checkpoint.size) != size) {
    return malformed("the size of the checkpoint is no number");
  }
  ASSIGN_OR_RETURN(const std::string_view root, take_line(rest));
  const std::optional<Bytes> raw = from_base64(root);
  if (!raw || raw->size() != checkpoint.root.size()) {
    return malformed("the root of the checkpoint is no SHA-256 in base64");
  }
  std::copy(raw->begin(), raw->end(), checkpoint.root.begin());
  while (!rest.empty()) {
    ASSIGN_OR_RETURN(const std::string_view line, take_line(rest));
    if (line.empty()) return malformed("the checkpoint has an empty line");
  }
  return checkpoint;
}

}  // namespace aierase::translog
