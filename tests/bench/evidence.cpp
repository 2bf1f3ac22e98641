// What evidence costs: certificates made and verified per second beside the rate at which a core
// signs and verifies Ed25519 in the same run, proofs out of a log of a million leaves, memory.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "unit/certificate/sample_log.h"

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

void proofs() {
  constexpr std::uint64_t kLeaves = 1'000'000;
  std::map<std::string, Bytes> shelf;
  translog::TileWriter writer;
  const translog::TileWriter::Put put = [&](const translog::TileName& name,
                                            std::span<const Digest> hashes) {
    shelf[translog::tile_path(name)] = translog::encode_tile(hashes);
    return Status();
  };
  const double start = seconds_now();
  for (std::uint64_t i = 0; i < kLeaves; ++i) {
    require(writer.add(translog::leaf_hash(as_bytes(std::to_string(i))), put).ok());
  }
  require(writer.finish(put).ok());
  std::printf("a log of %llu leaves               %10.2f s to hash into %zu tiles\n",
              static_cast<unsigned long long>(kLeaves), seconds_now() - start, shelf.size());
  const Digest root = writer.state().root;
  const double rate = rate_of([&](std::size_t call) {
    const std::uint64_t index = (call * 7919) % kLeaves;
    translog::TileNodes nodes(kLeaves, [&](const translog::TileName& name) {
      return translog::parse_tile(shelf.at(translog::tile_path(name)));
    });
    const auto proof = translog::inclusion_proof(nodes, index, kLeaves);
    const Digest leaf = translog::leaf_hash(as_bytes(std::to_string(index)));
    require(translog::root_of_inclusion(leaf, index, kLeaves, *proof) == root);
  });
  std::printf("proofs from it, made and checked   %10.0f /s, each from its tiles anew\n", rate);
}

}  // namespace
}  // namespace aierase::bench

int main() {
  aierase::bench::certificates();
  aierase::bench::proofs();
  std::printf("peak memory                        %10.0f MiB\n", aierase::bench::peak_memory_mib());
  return 0;
}
