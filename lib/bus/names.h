// Every name that we have on a bus, in one place: moving the project to another domain is an edit
// here, in the interface XML and in base/errc.cpp, and the tests say if one was forgotten.
//
// Contract: constants. Specified in: org.aierase1(5).
#pragma once

#include <string>
#include <string_view>

namespace aierase::bus {

inline constexpr const char* kService = "org.aierase1";
inline constexpr const char* kObject = "/org/aierase1";
inline constexpr const char* kJobPrefix = "/org/aierase1/job";

inline constexpr const char* kManagerInterface = "org.aierase1.Manager";
inline constexpr const char* kAssetInterface = "org.aierase1.Asset";
inline constexpr const char* kPlanInterface = "org.aierase1.Plan";
inline constexpr const char* kHoldInterface = "org.aierase1.Hold";
inline constexpr const char* kPolicyInterface = "org.aierase1.Policy";
inline constexpr const char* kCertificateInterface = "org.aierase1.Certificate";
inline constexpr const char* kLogInterface = "org.aierase1.Log";
inline constexpr const char* kJobInterface = "org.aierase1.Job";

inline constexpr const char* kErrorPrefix = "org.aierase1.Error.";
inline constexpr const char* kActionPrefix = "org.aierase1.";  // of polkit actions

// Options that carry a descriptor stand beside the JSON, under their own names.
inline constexpr std::string_view kPassphraseOption = "passphrase";

}  // namespace aierase::bus
