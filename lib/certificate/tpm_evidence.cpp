#include "certificate/tpm_evidence.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "certificate/canonical_text.h"
#include "certificate/json_lookup.h"
#include "crypto/p256.h"
#include "crypto/primitives.h"
#include "domain/ids.h"
#include "translog/log.h"

namespace aierase::certificate {
namespace {

constexpr std::uint32_t kGenerated = 0xFF544347;  // TPM_GENERATED_VALUE
constexpr std::uint16_t kOfNv = 0x8014;           // TPM_ST_ATTEST_NV
constexpr std::size_t kClockAndFirmware = 17 + 8;
constexpr std::size_t kSlotBytes = 96;
constexpr std::size_t kCounterBytes = 8;
constexpr std::size_t kMaxStatementBytes = 1024;
constexpr std::size_t kMaxSteps = 32;

constexpr const char* kNoCertificate = "none: none can be read from the TPM";

// Reads from the front; past the end everything is missing.
class Reader {
 public:
  explicit Reader(ByteView left) : left_(left) {}
  std::optional<ByteView> take(std::size_t size) {
    if (size > left_.size()) return std::nullopt;
    const ByteView taken = left_.first(size);
    left_ = left_.subspan(size);
    return taken;
  }
  std::optional<std::uint16_t> number16() {
    const std::optional<ByteView> two = take(2);
    if (!two) return std::nullopt;
    return static_cast<std::uint16_t>(std::to_integer<unsigned>((*two)[0]) << 8U |
                                      std::to_integer<unsigned>((*two)[1]));
  }
  std::optional<ByteView> sized() {
    const std::optional<std::uint16_t> size = number16();
    return size ? take(*size) : std::nullopt;
  }
  bool at_end() const { return left_.empty(); }

 private:
  ByteView left_;
};

Error no_statement() {
  return make_error(Errc::invalid_input, "it is no statement of a TPM about an NV index");
}

std::string step_text(const domain::IntentStep& step) {
  return (step.side == domain::IntentStep::Side::left ? "l" : "r") + to_base64(step.neighbour);
}

// The digest that the steps lead to; nothing where they are none.
std::optional<Digest> climb(Digest at, std::string_view steps) {
  std::size_t count = 0;
  while (!steps.empty()) {
    const std::string_view step = steps.substr(0, steps.find(' '));
    steps.remove_prefix(std::min(steps.size(), step.size() + 1));
    const std::optional<Bytes> bytes = step.empty() ? std::nullopt : from_base64(step.substr(1));
    if (!bytes || bytes->size() != at.size() || ++count > kMaxSteps) return std::nullopt;
    Digest neighbour{};
    std::copy(bytes->begin(), bytes->end(), neighbour.begin());
    if (step.front() == 'l') {
      at = translog::node_hash(neighbour, at);
    } else if (step.front() == 'r') {
      at = translog::node_hash(at, neighbour);
    } else {
      return std::nullopt;
    }
  }
  return at;
}

struct SignedContents {
  Bytes contents;
  std::optional<std::string> fault;
};

SignedContents read_signed(const Json& tpm, const char* statement_key, const char* signature_key,
                           const crypto::P256Point& key, const Digest& bound_to) {
  const std::optional<Bytes> statement = from_base64(text_at(tpm, statement_key));
  const std::optional<Bytes> der = from_base64(text_at(tpm, signature_key));
  if (!statement || !der) return {{}, "a statement of the TPM, or its signature, is missing"};
  const std::optional<crypto::P256Signature> signature = crypto::parse_p256_signature_der(*der);
  if (!signature || !crypto::verify_p256(key, *statement, *signature)) {
    return {{}, "a signature of the TPM does not hold"};
  }
  Result<NvStatement> parsed = parse_nv_statement(*statement);
  if (!parsed.ok()) return {{}, parsed.error().message};
  if (!std::equal(parsed->bound_to.begin(), parsed->bound_to.end(), bound_to.begin(),
                  bound_to.end())) {
    return {{}, "the TPM signed for another erasure"};
  }
  return {std::move(parsed->contents), std::nullopt};
}

// As intent_text() writes it, from the members of the predicate.
std::string expected_intent(const Json& predicate) {
  const Json& asset = at(predicate, "asset");
  const Json& disposal = at(predicate, "disposal");
  const Json& epoch = at(at(predicate, "evidence"), "epoch");
  std::string text = "aierase/intent/v1 ";
  text += text_at(asset, "id");
  text += ' ';
  text += text_at(asset, "key_check_value");
  text += ' ';
  text += text_at(disposal, "plan");
  text += ' ';
  text += text_at(disposal, "plan_digest");
  text += ' ';
  text += epoch.is_number_unsigned() ? std::to_string(epoch.get<std::uint64_t>()) : "";
  return text;
}

}  // namespace

std::string intent_text(const Intent& intent) {
  return "aierase/intent/v1 " + domain::id_text(domain::IdType::asset, intent.asset) + " " +
         to_hex(intent.kcv) + " " + domain::id_text(domain::IdType::plan, intent.plan) + " " +
         to_hex(intent.plan_digest) + " " + std::to_string(intent.epoch);
}

std::string tpm_part(const domain::TpmEvidence& evidence, const domain::IntentPath& intent) {
  std::string path;
  for (const domain::IntentStep& step : intent.steps) {
    path += (path.empty() ? "" : " ") + step_text(step);
  }
  const Bytes& endorsement = evidence.endorsement_certificate;
  return ObjectText()
      .text("tpm_key", to_base64(evidence.key))
      .text("tpm_endorsement_certificate",
            endorsement.empty() ? std::string(kNoCertificate) : to_base64(endorsement))
      .text("tpm_endorsement_text",
            "that key and certificate are of one TPM is the word of this host")
      .text("tpm_intent", intent.intent)
      .text("tpm_intent_path", path)
      .text("tpm_slot_statement", to_base64(evidence.slot.statement))
      .text("tpm_slot_signature", to_base64(evidence.slot.signature))
      .text("tpm_counter_statement", to_base64(evidence.counter.statement))
      .text("tpm_counter_signature", to_base64(evidence.counter.signature))
      .finish();
}

Result<NvStatement> parse_nv_statement(ByteView bytes) {
  if (bytes.size() > kMaxStatementBytes) return no_statement();
  Reader reader(bytes);
  const std::optional<ByteView> magic = reader.take(4);
  if (!magic || get_be32(*magic) != kGenerated || reader.number16() != kOfNv) return no_statement();
  const bool named = reader.sized().has_value();
  const std::optional<ByteView> bound_to = reader.sized();
  const bool timed = reader.take(kClockAndFirmware).has_value();
  const bool indexed = reader.sized().has_value();
  const std::optional<std::uint16_t> offset = reader.number16();
  const std::optional<ByteView> contents = reader.sized();
  if (!named || !bound_to || !timed || !indexed || offset != 0 || !contents || !reader.at_end()) {
    return no_statement();
  }
  return NvStatement{copy_of(*bound_to), copy_of(*contents)};
}

std::optional<std::string> fault_of_tpm_evidence(const Json& predicate) {
  const Json& evidence = at(predicate, "evidence");
  if (text_at(evidence, "slot_kind") != "tpm2") return std::nullopt;
  const Json& tpm = at(evidence, "tpm");
  const std::optional<Bytes> der = from_base64(text_at(tpm, "tpm_key"));
  const auto key = der ? crypto::parse_p256_public_key_der(*der) : std::nullopt;
  if (!key) return "the slot lay in a TPM, and there is no key of one";
  const std::string intent(text_at(tpm, "tpm_intent"));
  if (intent != expected_intent(predicate)) return "the intent that the TPM signed is of another";
  const std::optional<Digest> bound_to =
      climb(translog::leaf_hash(as_bytes(intent)), text_at(tpm, "tpm_intent_path"));
  if (!bound_to) return "the way from the intent to what the TPM signed is none";

  const SignedContents slot =
      read_signed(tpm, "tpm_slot_statement", "tpm_slot_signature", *key, *bound_to);
  if (slot.fault) return slot.fault;
  const bool zero = slot.contents.size() == kSlotBytes &&
                    std::all_of(slot.contents.begin(), slot.contents.end(),
                                [](std::byte byte) { return byte == std::byte{0}; });
  if (!zero) return "the TPM signed that the slot was not zero";
  const SignedContents counter =
      read_signed(tpm, "tpm_counter_statement", "tpm_counter_signature", *key, *bound_to);
  if (counter.fault) return counter.fault;
  if (counter.contents.size() != kCounterBytes) return "the TPM signed no counter";
  return std::nullopt;
}

}  // namespace aierase::certificate
