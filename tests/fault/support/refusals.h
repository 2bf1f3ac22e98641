// A store with a past, and what every refusal has to do: name the file, say why and what to do, and
// touch nothing.
//
// Contract: good is what the disk held when all was last known to be right; put_back() takes one
// file from there, as a person would.
#pragma once

#include <string>
#include <vector>

#include "fault/support/crashes.h"
#include "fault/support/inspect.h"

namespace aierase::test {

inline constexpr const char* kDatabase = "/store/catalog.db";
inline constexpr const char* kLocator = "/store/root-slot";
inline constexpr const char* kCheckpoint = "/store/log/checkpoint";
inline constexpr const char* kSignerKey = "/slot-dir/signer.key";

using Words = std::vector<std::string>;

template <typename Outcome>
Status status_of(const Outcome& outcome) {
  return outcome.ok() ? Status() : Status(outcome.error());
}

// A failure with this code, a hint, and each of these words in message or hint.
void expect_clear(const Status& status, Errc code, const Words& words);

// A store of epoch 1 with three models and a key; model-3 was erased on the way.
class ARefusal : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NO_FATAL_FAILURE(build(std::nullopt)); }
  void build(std::optional<Bytes> unlock);

  // The daemon does not start, and the disk is as it was.
  void expect_refused(Errc code, const Words& words,
                      lifecycle::Store::Adopt adopt = lifecycle::Store::Adopt::no);
  // A daemon serves all but model-3, and finds nothing wrong. Its records make a new `good`.
  void expect_all_readable();
  void refuse_and_put_back(const std::string& path, Errc code, const Words& words);

  void put(const std::string& path, ByteView content);
  void put_back(const std::string& path);
  // What one moment held in both: alone, one of them is refused.
  void put_back_database_and_slot();

  // The file of another store that lives as this one does.
  Bytes of_another_store(const std::string& path);

  World world;
  Bytes database_of_epoch_0, slot_of_epoch_0, older_database;
  Contents good;
};

class ARefusalWithAnUnlockSecret : public ARefusal {
 protected:
  void SetUp() override { ASSERT_NO_FATAL_FAILURE(build(content_of(70, 32))); }
};

}  // namespace aierase::test
