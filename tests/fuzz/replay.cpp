// Runs a fuzz target over its corpus without libFuzzer: each file, its prefixes, and mutations that
// are the same on every machine, so that a failure is repeatable.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

constexpr int kMutations = 2'000;
constexpr std::size_t kPrefixes = 512;

Input read_input(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Input(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

void run(const Input& input) {
  // A copy of exactly this size, so that AddressSanitizer sees a read past its end.
  const Input exact(input);
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

// One to four edits: flip, overwrite, drop, repeat.
Input mutated(Input input, std::mt19937& random) {
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
    if (input.empty()) return input;
    const auto at = input.begin() + static_cast<std::ptrdiff_t>(below(input.size()));
    switch (below(4)) {
      case 0:
        *at = static_cast<std::uint8_t>(*at ^ (1U << below(8)));
        break;
      case 1:
        *at = static_cast<std::uint8_t>(random());
        break;
      case 2:
        input.erase(at, at + static_cast<std::ptrdiff_t>(
                                 1 + below(static_cast<std::size_t>(input.end() - at))));
        break;
      default: {
        const Input piece(at, at + static_cast<std::ptrdiff_t>(
                                       1 + below(std::min<std::size_t>(
                                               64, static_cast<std::size_t>(input.end() - at)))));
        input.insert(at, piece.begin(), piece.end());
      }
    }
  }
  return input;
}

void run_around(const Input& seed) {
  run(seed);
  const std::size_t step = 1 + seed.size() / kPrefixes;
  for (std::size_t size = 0; size < seed.size(); size += step) {
    run(Input(seed.begin(), seed.begin() + static_cast<std::ptrdiff_t>(size)));
  }
  std::mt19937 random(20'261'120);
  for (int i = 0; i < kMutations; ++i) run(mutated(seed, random));
}

}  // namespace

int main(int argc, char** argv) {
  int files = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      run_around(read_input(entry.path()));
      ++files;
    }
  }
  std::printf("%d corpus files replayed\n", files);
  return files > 0 ? 0 : 1;
}
