#include "rootslot/tpm2_level.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace aierase::rootslot {
namespace {

// The vendor ids of the TCG registry. Software: simulators, and what hypervisors give to guests.
constexpr std::array<std::string_view, 5> kSoftware{"IBM", "MSFT", "GOOG", "VMW", "AMZN"};
constexpr std::array<std::string_view, 4> kFirmware{"AMD", "INTC", "QCOM", "ROCC"};
constexpr std::array<std::string_view, 9> kDiscrete{"IFX",  "STM", "NTC", "ATML", "NTZ",
                                                    "BRCM", "SNS", "WEC", "TXN"};

template <std::size_t N>
bool names(const std::array<std::string_view, N>& list, const std::string& manufacturer) {
  return std::find(list.begin(), list.end(), manufacturer) != list.end();
}

// /dev/tpm0, /dev/tpmrm0 and their like, and no path that leads away from there.
bool reached_through_the_kernel(const std::string& tcti) {
  constexpr std::string_view kDevice = "device:/dev/tpm";
  return tcti.rfind(kDevice, 0) == 0 && tcti.find('/', kDevice.size()) == std::string::npos;
}

std::string model_of(const Tpm2Facts& facts) {
  std::string text = facts.manufacturer.empty() ? "unknown manufacturer" : facts.manufacturer;
  if (!facts.vendor.empty()) text += " " + facts.vendor;
  return text + ", firmware " + facts.firmware;
}

struct Judgement {
  domain::Level level = domain::Level::ea2;
  std::string reason;
};

Judgement judge(const Tpm2Sight& sight) {
  using domain::Level;
  const std::string& maker = sight.facts.manufacturer;
  if (names(kSoftware, maker)) {
    return {Level::ea2, "The TPM is software (manufacturer " + maker +
                            "): whoever runs it can copy its memory."};
  }
  if (!sight.virtual_machine.empty()) {
    return {Level::ea2, "This machine is virtual (" + sight.virtual_machine +
                            "): whether its TPM is a chip, only the host knows."};
  }
  if (!reached_through_the_kernel(sight.tcti)) {
    return {Level::ea2, "The TPM is reached by " + sight.tcti +
                            " and not as a device of the kernel: anything may answer there."};
  }
  if (names(kDiscrete, maker)) {
    return {Level::ea4,
            "The slot lies in the NV memory of a TPM that is a chip of its own "
            "(manufacturer " +
                maker + ")."};
  }
  if (names(kFirmware, maker)) {
    return {Level::ea3, "The TPM is firmware of the processor (manufacturer " + maker +
                            "), which keeps its memory, encrypted, in flash."};
  }
  return {Level::ea2, "The manufacturer of the TPM (" + (maker.empty() ? "none told" : maker) +
                          ") is not known to this version."};
}

std::vector<std::string> holders_of_copies(const Tpm2Sight& sight, domain::Level level) {
  if (level == domain::Level::ea4) return {};
  if (level == domain::Level::ea3) {
    return {"flash memory of the firmware, where older states of the TPM may lie, encrypted"};
  }
  std::vector<std::string> holders{"whoever keeps copies of the TPM's state (" +
                                   model_of(sight.facts) + ")"};
  if (!sight.virtual_machine.empty()) {
    holders.push_back("the host of this machine (" + sight.virtual_machine +
                      "), with snapshots of its TPM");
  }
  return holders;
}

}  // namespace

domain::SlotAssurance judge_tpm2_slot(const Tpm2Sight& sight) {
  Judgement found = judge(sight);
  domain::SlotAssurance assurance;
  assurance.kind = "tpm2";
  assurance.level = found.level;
  assurance.reason = std::move(found.reason);
  assurance.device = "TPM 2.0 at " + sight.tcti + ", NV indexes " + sight.indexes;
  assurance.device_model = model_of(sight.facts);
  assurance.may_have_copied = holders_of_copies(sight, assurance.level);
  if (assurance.level == domain::Level::ea2) {
    assurance.next_level =
        "EA3 needs a TPM in the firmware of a physical machine, EA4 one that is "
        "a chip of its own, each as /dev/tpmrm0.";
  } else if (assurance.level == domain::Level::ea3) {
    assurance.next_level = "EA4 needs a TPM that is a chip of its own.";
  }
  return assurance;
}

}  // namespace aierase::rootslot
