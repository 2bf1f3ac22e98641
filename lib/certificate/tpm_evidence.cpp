#include "certificate/tpm_evidence.h"

#include <algorithm>

#include "certificate/canonical_text.h"
#include "crypto/p256.h"
#include "crypto/primitives.h"
#include "domain/ids.h"
#include "domain/states.h"
#include "translog/log.h"

namespace aierase::certificate {
namespace {

constexpr std::uint32_t kGenerated = 0xFF544347;  // TPM_GENERATED_VALUE
constexpr std::uint16_t kOfNv = 0x8014;           // TPM_ST_ATTEST_NV
constexpr std::size_t kClockAndFirmware = 17 + 8;
constexpr std::size_t kSlotBytes = 96;
constexpr std::size_t kCounterBytes = 8;

// aierase-store(5) TPM SLOT.
constexpr std::uint32_t kFirstIndex = 0x01800000;
constexpr std::uint32_t kStores = 1U << 20U;
constexpr std::uint16_t kSha256 = 0x000B;                 // TPM_ALG_SHA256
constexpr std::uint32_t kSlotAttributes = 0x22040004;     // written, no_da, authread, authwrite
constexpr std::uint32_t kCounterAttributes = 0x22040014;  // and a counter
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

// TPM 2.0 Library, part 1, 16: the algorithm, and the digest over TPMS_NV_PUBLIC.
Bytes name_of(std::uint32_t index, std::uint32_t attributes, std::size_t size) {
  Bytes area;
  append_be32(area, index);
  append_be16(area, kSha256);
  append_be32(area, attributes);
  append_be16(area, 0);  // no policy
  append_be16(area, static_cast<std::uint16_t>(size));
  Bytes name;
  append_be16(name, kSha256);
  append(name, crypto::sha256(area));
  return name;
}

struct SignedContents {
  Bytes contents;
  std::optional<std::string> fault;
};

SignedContents read_signed(JsonView tpm, const char* statement_key, const char* signature_key,
                           const crypto::P256Point& key, const Digest& bound_to,
                           const Bytes& name) {
  const std::optional<Bytes> statement = from_base64(tpm[statement_key].text());
  const std::optional<Bytes> der = from_base64(tpm[signature_key].text());
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
  if (parsed->name != name) {
    return {{}, "the TPM signed what another NV index holds than this store's"};
  }
  return {std::move(parsed->contents), std::nullopt};
}

// As intent_text() writes it, from the members of the predicate.
std::string expected_intent(JsonView predicate) {
  const JsonView asset = predicate["asset"];
  const JsonView disposal = predicate["disposal"];
  const std::optional<std::uint64_t> epoch = predicate["evidence"]["epoch"].number();
  std::string text = "aierase/intent/v1 ";
  text += predicate["store"]["id"].text();
  text += ' ';
  text += asset["id"].text();
  text += ' ';
  text += asset["key_check_value"].text();
  text += ' ';
  text += disposal["plan"].text();
  text += ' ';
  text += disposal["plan_digest"].text();
  text += ' ';
  text += epoch ? std::to_string(*epoch) : "";
  return text;
}

// What root_slots says of the slot whose secret died.
struct DeadSlot {
  bool named = false;
  bool same_kind = true;
  domain::Level level = domain::Level::ea0;  // the highest that is claimed for it
};

DeadSlot dead_slot(JsonView predicate) {
  DeadSlot found;
  const JsonView evidence = predicate["evidence"];
  const std::optional<std::uint64_t> epoch = evidence["epoch"].number();
  for (const JsonView slot : predicate["root_slots"]) {
    const std::optional<std::uint64_t> from = slot["epoch_from"].number();
    const std::optional<std::uint64_t> to = slot["epoch_to"].number();
    if (!epoch || !from || !to || *epoch < *from || *to < *epoch) continue;
    found.named = true;
    found.same_kind &= slot["kind"].text() == evidence["slot_kind"].text();
    const auto level = domain::parse_level(slot["level"].text());
    if (level) found.level = std::max(found.level, *level);
  }
  return found;
}

}  // namespace

std::string intent_text(const Intent& intent) {
  return "aierase/intent/v1 " + intent.store.text() + " " +
         domain::id_text(domain::IdType::asset, intent.asset) + " " + to_hex(intent.kcv) + " " +
         domain::id_text(domain::IdType::plan, intent.plan) + " " + to_hex(intent.plan_digest) +
         " " + std::to_string(intent.epoch);
}

IntentTree::IntentTree(std::vector<Digest> leaves) {
  levels_.push_back(std::move(leaves));
  while (levels_.back().size() > 1) {
    const std::vector<Digest>& below = levels_.back();
    std::vector<Digest> level;
    for (std::size_t i = 0; i + 1 < below.size(); i += 2) {
      level.push_back(translog::node_hash(below[i], below[i + 1]));
    }
    if (below.size() % 2 != 0) level.push_back(below.back());
    levels_.push_back(std::move(level));
  }
}

std::vector<domain::IntentStep> IntentTree::steps(std::size_t leaf) const {
  using Side = domain::IntentStep::Side;
  std::vector<domain::IntentStep> steps;
  for (const std::vector<Digest>& level : levels_) {
    const bool right = leaf % 2 != 0;
    const std::size_t neighbour = right ? leaf - 1 : leaf + 1;
    if (neighbour < level.size()) {
      steps.push_back({right ? Side::left : Side::right, level[neighbour]});
    }
    leaf /= 2;
  }
  return steps;
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
  const std::optional<ByteView> name = reader.sized();
  const std::optional<std::uint16_t> offset = reader.number16();
  const std::optional<ByteView> contents = reader.sized();
  if (!named || !bound_to || !timed || !name || offset != 0 || !contents || !reader.at_end()) {
    return no_statement();
  }
  return NvStatement{copy_of(*bound_to), copy_of(*name), copy_of(*contents)};
}

NvNames nv_names(const Uuid& store, std::uint64_t epoch) {
  const std::uint32_t first = kFirstIndex + 4 * (get_be32(store.view().first(4)) % kStores);
  return {name_of(first + static_cast<std::uint32_t>(epoch % 2), kSlotAttributes, kSlotBytes),
          name_of(first + 2, kCounterAttributes, kCounterBytes)};
}

std::optional<std::string> fault_of_tpm_evidence(JsonView predicate) {
  const JsonView evidence = predicate["evidence"];
  const DeadSlot dead = dead_slot(predicate);
  if (!dead.named) return "it names no root slot of the epoch whose secret died";
  if (!dead.same_kind) return "its evidence is of another kind of root slot than it names";
  const JsonView tpm = evidence["tpm"];
  const bool needed =
      evidence["slot_kind"].text().substr(0, 4) == "tpm2" || dead.level >= domain::Level::ea3;
  if (!needed && tpm.is_null()) return std::nullopt;
  const std::optional<Bytes> der = from_base64(tpm["tpm_key"].text());
  const auto key = der ? crypto::parse_p256_public_key_der(*der) : std::nullopt;
  if (!key) return "the slot is said to have lain in a TPM, and there is no key of one";
  const std::string intent(tpm["tpm_intent"].text());
  if (intent != expected_intent(predicate)) return "the intent that the TPM signed is of another";
  const std::optional<Digest> bound_to =
      climb(translog::leaf_hash(as_bytes(intent)), tpm["tpm_intent_path"].text());
  if (!bound_to) return "the way from the intent to what the TPM signed is none";
  const auto store = Uuid::from_text(predicate["store"]["id"].text());
  if (!store) return "the id of its store is none";
  const NvNames names = nv_names(*store, evidence["epoch"].number().value_or(0));

  const SignedContents slot =
      read_signed(tpm, "tpm_slot_statement", "tpm_slot_signature", *key, *bound_to, names.slot);
  if (slot.fault) return slot.fault;
  const bool zero = slot.contents.size() == kSlotBytes &&
                    std::all_of(slot.contents.begin(), slot.contents.end(),
                                [](std::byte byte) { return byte == std::byte{0}; });
  if (!zero) return "the TPM signed that the slot was not zero";
  const SignedContents counter = read_signed(tpm, "tpm_counter_statement", "tpm_counter_signature",
                                             *key, *bound_to, names.counter);
  if (counter.fault) return counter.fault;
  if (counter.contents.size() != kCounterBytes) return "the TPM signed no counter";
  return std::nullopt;
}

}  // namespace aierase::certificate
