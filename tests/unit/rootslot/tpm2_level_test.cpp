#include "rootslot/tpm2_level.h"

#include <gtest/gtest.h>

namespace aierase::rootslot {
namespace {

using domain::Level;

Tpm2Sight chip_on_a_board() {
  return {{"IFX", "SLB9670", "7.85.4555.0", {}}, "device:/dev/tpmrm0", "", "0x01800000"};
}

struct Tpm2LevelCase {
  const char* what;
  void (*change)(Tpm2Sight&);
  Level level;
  const char* in_reason;
};

const Tpm2LevelCase kTpm2LevelCases[] = {
    {"a chip of its own", [](Tpm2Sight&) {}, Level::ea4, "IFX"},
    {"firmware of AMD", [](Tpm2Sight& s) { s.facts.manufacturer = "AMD"; }, Level::ea3, "firmware"},
    {"firmware of Intel", [](Tpm2Sight& s) { s.facts.manufacturer = "INTC"; }, Level::ea3, "INTC"},
    {"swtpm", [](Tpm2Sight& s) { s.facts.manufacturer = "IBM"; }, Level::ea2, "software"},
    {"Hyper-V", [](Tpm2Sight& s) { s.facts.manufacturer = "MSFT"; }, Level::ea2, "software"},
    {"a manufacturer of tomorrow", [](Tpm2Sight& s) { s.facts.manufacturer = "XYZ"; }, Level::ea2,
     "XYZ"},
    {"none told", [](Tpm2Sight& s) { s.facts.manufacturer = ""; }, Level::ea2, "none told"},
    {"what a virtual machine calls a chip", [](Tpm2Sight& s) { s.virtual_machine = "kvm"; },
     Level::ea2, "kvm"},
    {"firmware in a container",
     [](Tpm2Sight& s) {
       s.facts.manufacturer = "AMD";
       s.virtual_machine = "docker";
     },
     Level::ea2, "docker"},
    {"a chip at the end of a socket", [](Tpm2Sight& s) { s.tcti = "swtpm:host=tpm.example"; },
     Level::ea2, "not as a device"},
    {"a path that leads away", [](Tpm2Sight& s) { s.tcti = "device:/dev/tpm/../../tmp/fake"; },
     Level::ea2, "not as a device"},
    {"a file that is called device", [](Tpm2Sight& s) { s.tcti = "device:/tmp/tpm0"; }, Level::ea2,
     "not as a device"},
};

TEST(TheLevelOfATpmSlot, FollowsWhatIsKnownOfTheTpm) {
  for (const Tpm2LevelCase& one : kTpm2LevelCases) {
    Tpm2Sight sight = chip_on_a_board();
    one.change(sight);
    const domain::SlotAssurance found = judge_tpm2_slot(sight);
    EXPECT_EQ(found.level, one.level) << one.what;
    EXPECT_NE(found.reason.find(one.in_reason), std::string::npos) << one.what << found.reason;
    EXPECT_EQ(found.may_have_copied.empty(), one.level == Level::ea4) << one.what;
    EXPECT_EQ(found.next_level.empty(), one.level == Level::ea4) << one.what;
  }
}

}  // namespace
}  // namespace aierase::rootslot
