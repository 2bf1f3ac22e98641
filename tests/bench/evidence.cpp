// What evidence costs: certificates made and verified per second beside the rate at which a core,
// or all of them at once, sign and verify Ed25519 in the same run, proofs out of a log of a million
// leaves, memory.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "unit/certificate/sample_archive.h"

namespace aierase::bench {
namespace {

using namespace certificate;

double seconds_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

// Calls per second, over at least a second.
double rate_of(const std::function<void(std::size_t)>& call) {
  const double start = seconds_now();
  std::size_t calls = 0;
  while (seconds_now() - start < 1) {
    for (int i = 0; i < 64; ++i) call(calls++);
  }
  return static_cast<double>(calls) / (seconds_now() - start);
}

double peak_memory_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, 6, "VmHWM:") == 0) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  }
  return 0;
}

void row(const char* what, double rate, double limit) {
  std::printf("%-34s %10.0f /s  limit %10.0f /s  %.2f of it\n", what, rate, limit, rate / limit);
}

void require(bool holds) {
  if (!holds) std::abort();
}

void certificates() {
  const auto key = sample::signer();
  const auto log_key = sample::log_signer();
  const std::string draft = draft_statement(sample::record()).value();
  const std::string statement = sample::statement_of(sample::record());
  const std::string encoded =
      pre_authentication_encoding("application/vnd.in-toto+json", statement);
  const domain::DestroyedProof proof = sample::proof();
  const double signing = rate_of([&](std::size_t) { require(key.sign(as_bytes(encoded)).ok()); });
  domain::LogState log;
  const double making = rate_of([&](std::size_t) {
    const std::string made = complete_statement(draft, sample::evidence()).value();
    const auto signature = sign_statement(proof, made, key).value();
    const std::string body = log_entry_body(made, signature, key.public_key()).value();
    log = translog::extended(log, translog::leaf_hash(as_bytes(body)));
  });
  row("certificates made", making, signing);

  sample::Log shown(sample::record().store);
  shown.fill(999);
  const std::uint64_t leaf = sample::log_statement(shown, statement, key);
  const std::string bundle = sample::logged_bundle(shown, leaf, 1000, statement, key, log_key);
  const TrustStore trust = sample::trust_of(sample::keyring());
  const auto signature = key.sign(as_bytes(encoded)).value();
  const double checking = rate_of([&](std::size_t) {
    require(crypto::verify_signature(key.public_key(), as_bytes(encoded), signature));
  });
  const double verifying =
      rate_of([&](std::size_t) { require(verify_bundle(bundle, trust).verified); });
  row("certificates verified, one core", verifying, checking);
  std::printf("  each has two signatures, its own and that of the log; %zu bytes\n", bundle.size());
}

// A log in memory, whose tiles proofs are made from.
class Shelf {
 public:
  void add(std::string_view body) {
    require(writer_.add(translog::leaf_hash(as_bytes(body)), put()).ok());
  }
  // The tree so far is a head of the log.
  translog::Checkpoint head(const std::string& origin) {
    require(writer_.finish(put()).ok());
    const domain::LogState state = writer_.state();
    return {origin, state.size, state.root};
  }
  std::size_t tiles() const { return tiles_.size(); }
  translog::Proof inclusion(std::uint64_t leaf, std::uint64_t size) const {
    translog::TileNodes nodes(size, [this](const translog::TileName& name) {
      return translog::parse_tile(tiles_.at(translog::tile_path(name)));
    });
    return translog::inclusion_proof(nodes, leaf, size).value();
  }

 private:
  translog::TileWriter::Put put() {
    return [this](const translog::TileName& name, std::span<const Digest> hashes) {
      tiles_[translog::tile_path(name)] = translog::encode_tile(hashes);
      return Status();
    };
  }
  std::map<std::string, Bytes> tiles_;
  translog::TileWriter writer_;
};

// As a section of an archive has them: `count` certificates in heads of erase rounds.
sample::Section section_of(std::size_t count) {
  constexpr std::size_t kRound = 1'024;
  const auto key = sample::signer();
  const auto log_key = sample::log_signer();
  const std::string origin = translog::origin_of(sample::record().store);
  const domain::DestroyedProof proof = sample::proof();
  sample::Section section{{sample::record().store, 0, count}, {}};
  Shelf shelf;
  std::vector<std::string> bodies, statements;
  std::vector<crypto::Signature> signatures;
  std::string checkpoint;
  for (std::size_t first = 0; first < count; first += kRound) {
    const std::size_t end = std::min(count, first + kRound);
    for (std::size_t i = first; i < end; ++i) {
      auto record = sample::record();
      put_be64(record.certificate.bytes, i);
      statements.push_back(sample::statement_of(record));
      signatures.push_back(sign_statement(proof, statements[i], key).value());
      bodies.push_back(log_entry_body(statements[i], signatures[i], key.public_key()).value());
      shelf.add(bodies[i]);
    }
    const translog::Checkpoint head = shelf.head(origin);
    checkpoint = translog::sign_checkpoint(head, log_key).value();
    for (std::size_t i = first; i < end; ++i) {
      const LogEntry entry{i,
                           translog::note_key_id(origin, log_key.public_key()),
                           shelf.inclusion(i, head.size),
                           head.size,
                           head.root,
                           checkpoint,
                           bodies[i]};
      Uuid id = sample::record().certificate;
      put_be64(id.bytes, i);
      section.members[{Part::certificate, i, 0, domain::id_text(domain::IdType::certificate, id)}] =
          bundle_json(statements[i], signatures[i], key.public_key(), entry).value();
    }
  }
  SectionFacts facts;
  facts.name = section.name;
  section.members[{Part::section, 0, 0, {}}] = section_json(facts).value();
  section.members[{Part::keyring, 0, 0, {}}] = keyring_json(sample::keyring()).value();
  section.members[{Part::trusted_root, 0, 0, {}}] = trusted_root_json(sample::keyring()).value();
  section.members[{Part::checkpoint, 0, 0, {}}] = checkpoint;
  for (std::size_t at = 0; at < count; at += translog::kTileWidth) {
    const std::size_t width = std::min<std::size_t>(translog::kTileWidth, count - at);
    const Bytes entries = translog::encode_entries(std::span(bodies).subspan(at, width)).value();
    section.members[{Part::entries, at, 0, {}}] = as_text(entries);
  }
  return section;
}

// Signatures over a statement checked per second by all cores at once: what the machine gives just
// then, whoever else is on it.
double checking_by_all(unsigned cores) {
  const auto key = sample::signer();
  const std::string encoded = pre_authentication_encoding("application/vnd.in-toto+json",
                                                          sample::statement_of(sample::record()));
  const auto signature = key.sign(as_bytes(encoded)).value();
  std::vector<double> rates(cores);
  std::vector<std::thread> threads;
  for (double& rate : rates) {
    threads.emplace_back([&] {
      rate = rate_of([&](std::size_t) {
        require(crypto::verify_signature(key.public_key(), as_bytes(encoded), signature));
      });
    });
  }
  for (std::thread& one : threads) one.join();
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

// Between two looks at the limit, five times; the median of what it was of it.
void archive() {
  constexpr std::size_t kCertificates = 10'000;
  const sample::Section section = section_of(kCertificates);
  std::size_t bytes = 0;
  for (const auto& [member, content] : section.members) bytes += content.size();
  const double before = peak_memory_mib();
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  struct Run {
    double share, rate, limit;
  };
  std::vector<Run> runs;
  for (int i = 0; i < 5; ++i) {
    const double limit_before = checking_by_all(cores);
    const double start = seconds_now();
    SectionCheck check(section.name, {&sample::everybody(), cores, nullptr});
    for (const auto& [member, content] : section.members) check.add(member, content);
    const SectionReport report = check.finish();
    const double rate = kCertificates / (seconds_now() - start);
    require(holds(report.integrity) && holds(report.completeness));
    require(report.certificates.size() == kCertificates);
    const double limit = (limit_before + checking_by_all(cores)) / 2;
    runs.push_back({rate / limit, rate, limit});
  }
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.share < b.share; });
  const Run& median = runs[runs.size() / 2];
  row("an archive of 10,000 verified", median.rate, median.limit);
  std::printf("  on %u cores, %.2f to %.2f of it; %.0f MiB, and %.0f MiB of memory beside them\n",
              cores, runs.front().share, runs.back().share, static_cast<double>(bytes) / (1 << 20),
              peak_memory_mib() - before);
}

void proofs() {
  constexpr std::uint64_t kLeaves = 1'000'000;
  Shelf shelf;
  const double start = seconds_now();
  for (std::uint64_t i = 0; i < kLeaves; ++i) shelf.add(std::to_string(i));
  const Digest root = shelf.head("a log").root;
  std::printf("a log of %llu leaves               %10.2f s to hash into %zu tiles\n",
              static_cast<unsigned long long>(kLeaves), seconds_now() - start, shelf.tiles());
  std::size_t hashes = 0;
  const double rate = rate_of([&](std::size_t call) {
    const std::uint64_t index = (call * 7919) % kLeaves;
    const translog::Proof proof = shelf.inclusion(index, kLeaves);
    hashes = proof.size();
    const Digest leaf = translog::leaf_hash(as_bytes(std::to_string(index)));
    require(translog::root_of_inclusion(leaf, index, kLeaves, proof) == root);
  });
  // Made from tiles of 256 hashes, a proof costs the joining of its siblings in each of them (247
  // in a full one), and checking it one hash for each level.
  const double hashing =
      rate_of([&](std::size_t) { require(translog::node_hash(root, root) != root); });
  constexpr double kHashesPerProof = 247 + 247 + 11 + 21;
  row("proofs from it, made and checked", rate, hashing / kHashesPerProof);
  std::printf("  of %zu hashes, each from its tiles anew\n", hashes);
}

}  // namespace
}  // namespace aierase::bench

int main() {
  aierase::bench::certificates();
  aierase::bench::archive();
  aierase::bench::proofs();
  std::printf("peak memory                        %10.0f MiB\n", aierase::bench::peak_memory_mib());
  return 0;
}
