// The daemon's view of a store whose TPM may not answer.

#include "daemon/store_session.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fault/support/erasures.h"

namespace aierase::test {
namespace {

constexpr std::uint32_t kLockout = 0x921;

class ASessionWithATpm : public testing::Test {
 protected:
  void SetUp() override { world_.tpm = &tpm_; }
  std::unique_ptr<daemon::StoreSession> begun() {
    auto session = std::make_unique<daemon::StoreSession>(world_.settings(), daemon::Config());
    EXPECT_TRUE(done(session->start()));
    return session;
  }

  SoftwareTpm tpm_;
  World world_;
};

TEST_F(ASessionWithATpm, AsksAgainAfterAWhileAndNotAtEachCall) {
  four_assets(world_);
  tpm_.kill();
  const auto session = begun();
  session->try_again();
  EXPECT_FALSE(session->is_open());
  EXPECT_EQ(session->status().at("state"), "locked");
  tpm_.start();
  session->try_again();
  EXPECT_FALSE(session->is_open()) << "it was asked a moment ago";
  world_.clock.advance(std::chrono::seconds(21));
  session->try_again();
  EXPECT_TRUE(session->is_open());
  EXPECT_FALSE(session->must_stop());
}

// A sandbox shows the devices that were there when the process began.
TEST_F(ASessionWithATpm, EndsForANewProcessToLookWhereTheDeviceIsNotThere) {
  using daemon::StoreSession;
  four_assets(world_);
  lifecycle::StoreSettings settings = world_.settings();
  for (const std::string tcti : {"device:/dev/nowhere", "swtpm:path=/nowhere"}) {
    for (const auto keeper :
         {StoreSession::Keeper::service_manager, StoreSession::Keeper::nobody}) {
      SCOPED_TRACE(tcti);
      settings.tpm.tcti = tcti;
      StoreSession session(settings, daemon::Config(), keeper);
      ASSERT_TRUE(done(session.start()));
      EXPECT_EQ(session.status().at("state"), "locked");
      session.try_again();
      EXPECT_TRUE(session.waits_for_tpm());
      EXPECT_FALSE(session.must_stop()) << "who asks is answered first";
      session.give_way();
      EXPECT_EQ(session.must_stop(),
                tcti.rfind("device:", 0) == 0 && keeper == StoreSession::Keeper::service_manager);
    }
  }
}

TEST_F(ASessionWithATpm, EndsWhereTheTpmFailsInsideRecovery) {
  approved(world_, {"model-1"});
  world_.hook = [&](lifecycle::EraseStep step) {
    if (step == lifecycle::EraseStep::zero_slot) tpm_.kill_at(1, SoftwareTpm::When::before);
  };
  ASSERT_TRUE(done(world_.open()));
  EXPECT_FALSE(world_.execute().ok());
  world_.hook = nullptr;
  world_.crash({});
  // Both slots, the dying one once more, and then what was written into it.
  tpm_.refuse(Tpm::nv_read, kLockout, 3);
  {
    const auto session = begun();
    EXPECT_FALSE(session->is_open());
    EXPECT_TRUE(session->must_stop());
    ASSERT_TRUE(session->fault().has_value());
    EXPECT_EQ(session->fault()->code, Errc::io) << session->fault()->message;
  }
  tpm_.forget();
  const auto next = begun();
  EXPECT_TRUE(next->is_open());
  EXPECT_FALSE(next->must_stop());
}

}  // namespace
}  // namespace aierase::test
