// The erase protocol with the root slot in a TPM, which may die, refuse, or be another one.

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "certificate/tpm_evidence.h"
#include "fault/support/erasures.h"
#include "fault/support/inspect.h"
#include "rootslot/tpm2_slot.h"

namespace aierase::test {
namespace {

constexpr std::uint32_t kRetry = 0x922;
constexpr std::uint32_t kLockout = 0x921;

bool has_fault(const Json& predicate) {
  const JsonDocument read = read_json(predicate.dump()).value();
  return certificate::fault_of_tpm_evidence(read.root()).has_value();
}

class AStoreWithATpm : public testing::Test {
 protected:
  void SetUp() override { world_.tpm = &tpm_; }
  std::set<Uuid> ids(const std::vector<std::string>& names) {
    std::set<Uuid> found;
    for (const std::string& name : names) found.insert(world_.asset(name).id);
    return found;
  }
  // The erasure of what is approved ends there, and so does the process.
  void die_at(lifecycle::EraseStep step, const std::function<void()>& blow) {
    const lifecycle::StepHook look = world_.hook;
    world_.hook = [=](lifecycle::EraseStep now) {
      look(now);
      if (now == step) blow();
    };
    ASSERT_TRUE(done(world_.open()));
    EXPECT_FALSE(world_.execute().ok());
    EXPECT_TRUE(world_.store->must_stop());
    world_.hook = look;
    fall();
  }
  std::string findings() {
    const auto found = world_.store->doctor();
    EXPECT_TRUE(done(found));
    return found.ok() ? to_string(*found) : "";
  }
  domain::AssetState state_of(const std::string& name) {
    const auto view = world_.store->show_asset(world_.asset(name).id);
    EXPECT_TRUE(done(view));
    return view.ok() ? view->asset.state : domain::AssetState::active;
  }
  void fall() { world_.crash({}); }
  void fall_without_power(std::uint64_t seed) {
    world_.crash({Crash::Kind::power_cut, Cut::lose_all, seed});
  }

  SoftwareTpm tpm_;
  World world_;
};

TEST_F(AStoreWithATpm, ErasesWithAllImagesOfItsDiskInOtherHands) {
  const auto before = four_assets(world_);
  const std::set<StolenSlot> earlier = world_.slots();
  EXPECT_TRUE(Adversary::slots(world_.disk, kSlotPath).empty()) << "a secret lies in the file";
  Watch watch(world_);
  ASSERT_TRUE(done(world_.open()));
  ASSERT_TRUE(done(world_.erase({"model-1", "model-3"})));
  expect_sound(world_, watch.seen);
  EXPECT_EQ(world_.stolen(), ids({"model-0", "model-2"}));
  // Whoever had asked the TPM before has what he heard.
  EXPECT_EQ(world_.adversary.readable(earlier, world_.targets()).size(), 4U);

  const auto view = world_.store->show_asset(world_.asset("model-1").id);
  ASSERT_TRUE(done(view));
  const auto row = world_.store->show_certificate(*view->certificate);
  ASSERT_TRUE(done(row));
  EXPECT_EQ(row->assurance, domain::Level::ea2);
  EXPECT_NE(row->statement.find("\"slot_kind\":\"tpm2\""), std::string::npos);
}

// Changed in one place, whichever, the evidence no longer holds.
TEST_F(AStoreWithATpm, HasEvidenceThatAStrangerCanCheck) {
  four_assets(world_);
  const std::vector<std::string> names{"model-0", "model-1", "model-3"};
  ASSERT_TRUE(done(world_.open()));
  ASSERT_TRUE(done(world_.erase(names)));
  for (const std::string& name : names) {
    const auto view = world_.store->show_asset(world_.asset(name).id);
    ASSERT_TRUE(done(view));
    const auto row = world_.store->show_certificate(*view->certificate);
    ASSERT_TRUE(done(row));
    const Json predicate = Json::parse(row->statement).at("predicate");
    EXPECT_FALSE(has_fault(predicate));
    for (const auto& [key, value] : predicate.at("evidence").at("tpm").items()) {
      if (key.find("endorsement") != std::string::npos) continue;  // said, not shown
      SCOPED_TRACE(name + " " + key);
      Json altered = predicate;
      std::string text = value.get<std::string>();
      ASSERT_FALSE(text.empty());
      char& letter = text[text.size() / 2];
      letter = letter == 'A' ? 'B' : 'A';
      altered["evidence"]["tpm"][key] = text;
      EXPECT_TRUE(has_fault(altered));
      altered["evidence"]["tpm"].erase(key);
      EXPECT_TRUE(has_fault(altered));
    }
    Json of_another = predicate;
    of_another["asset"]["key_check_value"] = std::string(64, '0');
    EXPECT_TRUE(has_fault(of_another));
    Json without = predicate;
    without["evidence"].erase("tpm");
    EXPECT_TRUE(has_fault(without));
  }
}

// The whole machine as it was before the erasure, but the TPM: store, anchor, keys, all files.
TEST_F(AStoreWithATpm, GivesNothingToAnOldImageOfTheWholeDisk) {
  const auto before = four_assets(world_);
  ASSERT_TRUE(done(world_.open()));
  ASSERT_TRUE(done(world_.erase({"model-1"})));
  world_.close();
  world_.disk.restore(*before->disk);
  const Contents image = everything(world_.disk);
  const Status opened = world_.open();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Errc::damaged) << opened.error().message;
  EXPECT_NE(opened.error().message.find("older database"), std::string::npos);
  EXPECT_EQ(differences(image, everything(world_.disk)), "");
  EXPECT_EQ(world_.stolen().count(world_.asset("model-1").id), 0U);

  // The honest control: a software TPM is part of the image of its own host. EA2 says so.
  world_.go_back(*before);
  ASSERT_TRUE(done(world_.open()));
  EXPECT_TRUE(done(world_.read_back(world_.asset("model-1"))));
}

TEST_F(AStoreWithATpm, MayBeStoppedAnywhereInAnErasure) {
  const auto start = approved(world_, {"model-1"});
  Watch watch(world_);
  EXPECT_GT(stop_erasure(world_, *start, watch, {"model-1"}, 29), 12U);
}

// Both of it: the TPM dies, then the process; or the machine as a whole.
TEST_F(AStoreWithATpm, SurvivesTheDeathOfItsTpmAtEachCommand) {
  const std::vector<std::string> names{"model-1", "model-2"};
  const auto start = approved(world_, names);
  Watch watch(world_);
  for (const SoftwareTpm::When when : {SoftwareTpm::When::before, SoftwareTpm::When::after}) {
    for (std::size_t n = 1;; ++n) {
      SCOPED_TRACE("killed at command " + std::to_string(n));
      world_.go_back(*start);
      watch.seen = Seen();
      tpm_.kill_at(n, when);
      if (world_.open().ok()) static_cast<void>(world_.execute().ok());
      const bool killed = tpm_.was_killed();
      // Before the point of no return the round was undone.
      if (!world_.store || !world_.store->must_stop()) watch.seen.doomed.clear();
      n % 2 == 0 ? fall() : fall_without_power(n);
      ASSERT_TRUE(done(world_.open()));
      settle(world_, watch, names, Look::readings);
      ASSERT_FALSE(HasFailure());
      if (killed) continue;
      EXPECT_GE(n, 12U);
      break;
    }
  }
}

TEST_F(AStoreWithATpm, SurvivesTheDeathOfItsTpmInsideRecovery) {
  const auto start = approved(world_, {"model-1"});
  Watch watch(world_);
  const lifecycle::StepHook look = world_.hook;
  for (std::size_t m = 1;; ++m) {
    SCOPED_TRACE("killed at command " + std::to_string(m) + " of the recovery");
    world_.go_back(*start);
    watch.seen = Seen();
    world_.hook = [&](lifecycle::EraseStep step) {
      look(step);
      if (step == lifecycle::EraseStep::zero_slot) tpm_.kill_at(3, SoftwareTpm::When::after);
    };
    ASSERT_TRUE(done(world_.open()));
    EXPECT_FALSE(world_.execute().ok());
    EXPECT_TRUE(world_.store->must_stop());
    world_.hook = look;
    fall();
    tpm_.kill_at(m, SoftwareTpm::When::after);
    const Status recovered = world_.open();
    const bool killed = tpm_.was_killed();
    EXPECT_NE(killed, recovered.ok());
    fall();
    ASSERT_TRUE(done(world_.open()));
    settle(world_, watch, {"model-1"}, Look::readings);
    ASSERT_FALSE(HasFailure());
    if (killed) continue;
    EXPECT_GT(m, 3U);
    break;
  }
}

// Refused before anything was changed: the round is undone, models go on being served, and later it
// is tried again.
TEST_F(AStoreWithATpm, ServesItsModelsWhileTheTpmRefuses) {
  const auto start = approved(world_, {"model-1"});
  Watch watch(world_);
  for (std::size_t passing = 0;; ++passing) {
    SCOPED_TRACE("refused after " + std::to_string(passing) + " writes");
    world_.go_back(*start);
    watch.seen = Seen();
    ASSERT_TRUE(done(world_.open()));
    tpm_.refuse(Tpm::nv_write, kRetry, passing);
    const Status executed = world_.execute();
    if (executed.ok()) {
      EXPECT_GE(passing, 2U);
      break;
    }
    EXPECT_EQ(executed.error().code, Errc::busy) << executed.error().message;
    ASSERT_FALSE(world_.store->must_stop());
    const auto plans = world_.store->list_plans("", 1);
    ASSERT_TRUE(done(plans) && plans->rows.size() == 1);
    EXPECT_EQ(plans->rows.front().state, domain::PlanState::approved) << "it is decided again";
    EXPECT_TRUE(done(world_.read_back(world_.asset("model-0"))));
    EXPECT_TRUE(done(world_.import(small_asset("new-" + std::to_string(passing), 77))));
    watch.seen.doomed.clear();  // step 4 had begun, and was refused
    expect_sound(world_, watch.seen, Look::readings);
    const auto findings = world_.store->doctor();
    ASSERT_TRUE(done(findings));
    EXPECT_NE(to_string(*findings).find("plan-stuck"), std::string::npos);
    tpm_.forget();
    world_.clock.advance(std::chrono::minutes(11));
    ASSERT_TRUE(done(world_.execute()));
    settle(world_, watch, {"model-1"}, Look::readings);
    // And the same when the process does not live to see it.
    ASSERT_TRUE(done(world_.open()));
    expect_sound(world_, watch.seen);
    ASSERT_FALSE(HasFailure());
  }
}

TEST_F(AStoreWithATpm, OpensAgainAfterARefusalThatNobodyLivedToMend) {
  const auto start = approved(world_, {"model-1"});
  Watch watch(world_);
  world_.go_back(*start);
  ASSERT_TRUE(done(world_.open()));
  tpm_.refuse(Tpm::nv_write, kRetry, 1);  // the new secret is in, the old one cannot be zeroed
  ASSERT_FALSE(world_.execute().ok());
  watch.seen.doomed.clear();
  tpm_.forget();
  fall();
  ASSERT_TRUE(done(world_.open()));
  settle(world_, watch, {"model-1"});
}

// The old secret is gone before it was zeroed, and the TPM refuses: there is no way back, and what
// lives must not be looked for there.
TEST_F(AStoreWithATpm, NeverGoesBackToASecretThatSomebodyRemoved) {
  const auto start = approved(world_, {"model-1"});
  world_.go_back(*start);
  const std::string index = rootslot::nv_text(rootslot::indexes_of(world_.store_uuid()).slot[0]);
  world_.hook = [&](lifecycle::EraseStep step) {
    if (step != lifecycle::EraseStep::zero_slot) return;
    EXPECT_TRUE(tpm_.tool("tpm2_nvundefine -Q -C o " + index));
    tpm_.refuse(Tpm::nv_write, kRetry);
  };
  ASSERT_TRUE(done(world_.open()));
  EXPECT_FALSE(world_.execute().ok());
  EXPECT_TRUE(world_.store->must_stop());
  world_.hook = nullptr;
  fall();
  ASSERT_TRUE(done(world_.open()));
  expect_sound(world_, Seen());
  const auto view = world_.store->show_asset(world_.asset("model-1").id);
  ASSERT_TRUE(done(view));
  EXPECT_EQ(view->asset.state, domain::AssetState::erased);
}

// Somebody between passes the zeros on and says that the TPM refused them: undone, the round would
// go back to a secret that is gone.
TEST_F(AStoreWithATpm, LosesNothingToARefusalThatIsALie) {
  approved(world_, {"model-1"});
  for (const std::uint32_t code : {kLockout, kRetry}) {
    const auto start = world_.keep();
    Watch watch(world_);
    die_at(lifecycle::EraseStep::zero_slot, [&] { tpm_.belie(Tpm::nv_write, code); });
    ASSERT_TRUE(done(world_.open()));
    settle(world_, watch, {"model-1"});
    world_.go_back(*start);
  }
}

TEST_F(AStoreWithATpm, GoesBackWhileTheTpmWillNotSign) {
  approved(world_, {"model-1"});
  Watch watch(world_);
  ASSERT_TRUE(done(world_.open()));
  tpm_.refuse(Tpm::nv_certify, kLockout);
  EXPECT_EQ(world_.execute().error().code, Errc::busy);
  EXPECT_FALSE(world_.store->must_stop());
  watch.seen.doomed.clear();
  expect_sound(world_, watch.seen, Look::readings);
  tpm_.forget();
  world_.clock.advance(std::chrono::minutes(11));
  settle(world_, watch, {"model-1"});
}

TEST_F(AStoreWithATpm, GoesBackInRecoveryWhileTheTpmWillNotSign) {
  approved(world_, {"model-1"});
  Watch watch(world_);
  die_at(lifecycle::EraseStep::zero_slot, [&] { tpm_.kill_at(1, SoftwareTpm::When::before); });
  tpm_.refuse(Tpm::nv_certify, kLockout);
  ASSERT_TRUE(done(world_.open()));
  EXPECT_EQ(state_of("model-1"), domain::AssetState::retired);
  watch.seen.doomed.clear();
  expect_sound(world_, watch.seen, Look::readings);
  fall();
  ASSERT_TRUE(done(world_.open()));
  settle(world_, watch, {"model-1"});
}

// Past the point of no return, and the record has to wait: the models do not.
TEST_F(AStoreWithATpm, ServesItsModelsWhileTheWordOfTheTpmIsMissing) {
  approved(world_, {"model-1"});
  Watch watch(world_);
  die_at(lifecycle::EraseStep::zero_slot, [&] { tpm_.refuse(Tpm::nv_certify, kLockout, 1); });
  for (const Tpm refused : {Tpm::nv_increment, Tpm::nv_certify}) {
    SCOPED_TRACE(static_cast<unsigned>(refused));
    fall();
    tpm_.refuse(refused, kLockout);
    ASSERT_TRUE(done(world_.open()));
    EXPECT_FALSE(world_.store->must_stop());
    EXPECT_EQ(state_of("model-1"), domain::AssetState::erasing);
    EXPECT_TRUE(done(world_.read_back(world_.asset("model-0"))));
    EXPECT_NE(findings().find("waits for the word of the TPM"), std::string::npos);
  }
  // Not even the TPM is needed for that.
  tpm_.kill();
  world_.clock.advance(std::chrono::minutes(11));
  EXPECT_FALSE(world_.execute().ok());
  EXPECT_FALSE(world_.store->must_stop());
  EXPECT_TRUE(done(world_.read_back(world_.asset("model-0"))));
  tpm_.forget();
  tpm_.start();
  EXPECT_TRUE(done(world_.execute())) << "it is not asked each time";
  EXPECT_EQ(state_of("model-1"), domain::AssetState::erasing);
  world_.clock.advance(std::chrono::minutes(11));
  ASSERT_TRUE(done(world_.execute()));
  settle(world_, watch, {"model-1"});
  EXPECT_EQ(findings().find("round-open"), std::string::npos);
}

TEST_F(AStoreWithATpm, OpensAlthoughTheTpmWillNotZeroAnUnusedSecret) {
  approved(world_, {"model-1"});
  Watch watch(world_);
  die_at(lifecycle::EraseStep::drain, [&] { world_.disk.stop_at(1); });
  tpm_.refuse(Tpm::nv_write, kRetry);
  ASSERT_TRUE(done(world_.open()));
  EXPECT_FALSE(world_.store->must_stop());
  EXPECT_TRUE(done(world_.read_back(world_.asset("model-0"))));
  tpm_.forget();
  settle(world_, watch, {"model-1"});
}

TEST_F(AStoreWithATpm, StaysClosedAndUntouchedWithoutItsTpm) {
  four_assets(world_);
  tpm_.kill();
  const Contents before = everything(world_.disk);
  const Status opened = world_.open();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Errc::busy);
  EXPECT_EQ(differences(before, everything(world_.disk)), "");
  tpm_.start();
  ASSERT_TRUE(done(world_.open()));
  EXPECT_TRUE(done(world_.read_back(world_.asset("model-0"))));
}

TEST_F(AStoreWithATpm, IsMadeWholeOrNotAtAll) {
  SoftwareTpm& tpm = tpm_;
  const auto empty = world_.keep();
  for (std::uint64_t n = 1;; n += test_all() ? 1 : 17) {
    SCOPED_TRACE("init stopped at " + std::to_string(n));
    world_.go_back(*empty);
    world_.disk.stop_at(n);
    const Status made = world_.init();
    const bool stopped = world_.disk.stopped();
    world_.disk.stop_at(0);
    fall_without_power(n);
    const Status opened = world_.open();
    if (!opened.ok()) {
      EXPECT_EQ(opened.error().code, Errc::uninitialised) << opened.error().message;
      EXPECT_TRUE(tpm.tool("tpm2_nvreadpublic | grep -q . && exit 1 || exit 0")) << "left behind";
      ASSERT_TRUE(done(world_.init()));
      ASSERT_TRUE(done(world_.open()));
    }
    ASSERT_FALSE(HasFailure());
    if (!stopped) {
      ASSERT_TRUE(done(made));
      break;
    }
  }
}

TEST_F(AStoreWithATpm, IsMadeWholeOrNotAtAllWhenTheTpmDies) {
  const auto empty = world_.keep();
  for (std::size_t n = 1;; ++n) {
    SCOPED_TRACE("the TPM dies at command " + std::to_string(n) + " of init");
    world_.go_back(*empty);
    tpm_.kill_at(n, SoftwareTpm::When::after);
    const Status made = world_.init();
    if (!tpm_.was_killed()) {
      ASSERT_TRUE(done(made));
      EXPECT_GT(n, 6U);
      break;
    }
    ASSERT_FALSE(made.ok());
    fall();
    const Status opened = world_.open();
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Errc::uninitialised) << opened.error().message;
    EXPECT_TRUE(tpm_.tool("tpm2_nvreadpublic | grep -q . && exit 1 || exit 0")) << "left behind";
  }
}

}  // namespace
}  // namespace aierase::test
