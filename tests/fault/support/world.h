// A store on a fake disk, with the people around it and an adversary who copies everything.
//
// Contract: one World is one machine. open() is one life of the daemon, close() ends it; crash()
// is what happens between two lives. Everything returns Status, so that an act can be stopped by
// the disk anywhere. keep() and go_back() make many futures out of one past.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fault/fake_disk.h"
#include "fault/support/adversary.h"
#include "fault/support/software_tpm.h"
#include "lifecycle/store.h"
#include "unit/support/fake_clock.h"

namespace aierase::test {

inline constexpr const char* kStoreDirectory = "/store";
inline constexpr const char* kSlotDirectory = "/slot-dir";
inline constexpr const char* kSlotPath = "/slot-dir/slot";

domain::Actor person(std::uint32_t uid, std::string login);
inline domain::Actor alice() {
  return person(1000, "alice");
}  // imports and requests
inline domain::Actor bob() {
  return person(1001, "bob");
}  // custodian

// For EXPECT_TRUE and ASSERT_TRUE: a failure shows the error.
template <typename Outcome>
::testing::AssertionResult done(const Outcome& outcome) {
  if (outcome.ok()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << outcome.error().message << " [" << outcome.error().hint << "]";
}

// The same bytes for the same seed.
Bytes content_of(std::uint64_t seed, std::size_t size);

struct NamedContent {
  std::string path;
  Bytes bytes;
};

struct Imported {
  Uuid id;
  std::string name;
  std::vector<NamedContent> files;
  Bytes key;  // of a dataset key
  Target target;
};

struct ImportWish {
  std::string name;
  domain::AssetKind kind = domain::AssetKind::model;
  std::vector<NamedContent> files;
  std::vector<std::pair<domain::Relation, std::string>> lineage;
  std::vector<domain::Custodian> custodians = {{domain::CustodianKind::user, "bob", 1001}};
  std::size_t packs = 1;  // neighbours lie in different ones, as several lanes write them
};
ImportWish small_asset(const std::string& name, std::uint64_t seed);

// What happens to the machine when its process is gone.
struct Crash {
  enum class Kind { killed, power_cut } kind = Kind::killed;
  Cut cut = Cut::lose_all;
  std::uint64_t seed = 1;
};
std::string to_string(const Crash& crash);

class World {
 public:
  World();
  ~World() { close(); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  lifecycle::StoreSettings settings();
  Status init(domain::PeopleRule rule = domain::PeopleRule::single_operator);
  Status open(lifecycle::Store::Adopt adopt = lifecycle::Store::Adopt::no);
  void close();
  void crash(const Crash& crash);  // closes first

  // A failure is followed by the abort, as in the daemon; Ending::abort is the client who leaves.
  enum class Ending { finish, abort };
  Status import(const ImportWish& wish, Ending ending = Ending::finish);
  Status import_key(const std::string& name, std::optional<Bytes> key);
  Result<lifecycle::PlanView> request(const std::vector<std::string>& names,
                                      const domain::Actor& actor = alice());
  Status retire(const std::vector<std::string>& names);  // requested by alice, approved by bob
  Status execute();                                      // until nothing is due
  Status erase(const std::vector<std::string>& names);
  // Placed by bob in case 7, upon what matches.
  Status hold(const std::vector<std::string>& selectors,
              domain::HoldReach reach = domain::HoldReach::present);
  // Exports and compares with what was imported, byte for byte.
  Status read_back(const Imported& asset);

  const Imported& asset(const std::string& name) const;  // the latest of that name
  // What an import that was stopped may have made durable.
  void remember(const lifecycle::AssetView& view, const ImportWish& wish, Bytes key = {});
  std::vector<Target> targets() const;
  std::set<StolenSlot> slots();  // as they are now, in file or TPM
  std::set<Uuid> stolen();       // what the adversary reads with the slot as it is now
  Uuid store_uuid() const { return uuid_; }

  struct Moment;
  std::shared_ptr<const Moment> keep() const;
  void go_back(const Moment& moment);

  FakeDisk disk;
  FakeClock clock;
  lifecycle::HostFacts host;
  SoftwareTpm* tpm = nullptr;               // a part of the machine; init puts the root slot there
  std::optional<lifecycle::SlotKind> home;  // where init puts it else
  std::chrono::seconds coalesce{0};
  std::optional<Bytes> unlock;  // init with this secret (kind: credential), and open with it
  lifecycle::AuditTrail* audit = nullptr;     // given to the store that open() opens
  lifecycle::FindCustodians find_custodians;  // where others than bob and carol are known
  domain::EnrolledPeople enrolled;            // people.toml; absent: there is none
  domain::PersonToday person_today;           // where somebody is not who he was any more
  lifecycle::StepHook hook;                   // after the adversary has had his look
  lifecycle::Aside aside;                     // given to the store that open() opens
  std::unique_ptr<lifecycle::Store> store;
  std::vector<Imported> assets;
  Adversary adversary{Uuid{}};

 private:
  Result<std::optional<crypto::UnlockSecret>> unlock_secret() const;
  Result<domain::Manifest> write_blobs(const lifecycle::ImportTicket& ticket,
                                       const ImportWish& wish);

  Uuid uuid_;
};

struct World::Moment {
  std::shared_ptr<const FakeDisk::Snapshot> disk;
  Bytes tpm_memory;
  FakeClock clock;
  std::vector<Imported> assets;
  Adversary adversary{Uuid{}};
  Uuid uuid;
};

}  // namespace aierase::test
