// Every limit in one table, each with its reason; beyond one: exit 16 or 6, with the number.
// The same table stands in aierase(1) LIMITS; lint.limits compares the two.
#pragma once

#include <cstddef>
#include <cstdint>

namespace aierase::limits {

// name -- value -- reason
inline constexpr std::size_t kAssetNameBytes = 200;      // fits a table row and a file name
inline constexpr std::size_t kPathBytes = 4096;          // PATH_MAX, as the kernel has it
inline constexpr std::size_t kPathComponentBytes = 255;  // NAME_MAX
inline constexpr std::size_t kFilesPerAsset = 100'000;   // manifest stays below 32 MiB
inline constexpr std::size_t kManifestBytes = 32 << 20;  // its names fit on a certificate
inline constexpr std::size_t kLabelsPerAsset = 64;       // labels are for selecting, not storage
inline constexpr std::size_t kLabelKeyBytes = 63;        // the field's habit
inline constexpr std::size_t kLabelValueBytes = 255;
inline constexpr std::size_t kCustodiansPerAsset = 16;
inline constexpr std::size_t kLineagePerAsset = 256;    // edges named at one import
inline constexpr std::size_t kSourcesPerAsset = 1'000;  // named on the certificate
inline constexpr std::size_t kReasonBytes = 1'000;      // reasons, tickets, titles: one paragraph
inline constexpr std::size_t kItemsPerPlan = 10'000;    // one plan stays readable and below 2 s
inline constexpr std::size_t kItemsPerEraseRound = 1'024;  // a hold never waits behind a sweep
inline constexpr std::size_t kPageRows = 2'000;            // keyset page of a sweep or a list
inline constexpr std::size_t kListPageRows = 200;          // rows in one bus reply
inline constexpr std::size_t kDescriptorsPerCall = 16;     // a system bus disconnects at the 17th
inline constexpr std::size_t kJobs = 16;                   // each holds buffers and threads
inline constexpr std::size_t kJobsPerUid = 8;
inline constexpr std::size_t kMounts = 64;        // views; each has threads, and buffers while read
inline constexpr std::size_t kMountsPerUid = 32;  // one user may be the server of all models
inline constexpr std::size_t kLanesPerJob = 4;    // files at once; 16 MiB of buffers each
inline constexpr std::size_t kOpenCallsPerUid = 64;      // calls waiting for an answer
inline constexpr std::size_t kOpenQuestions = 64;        // to polkit, over all callers
inline constexpr std::size_t kOpenQuestionsPerUid = 16;  // nobody keeps the others from asking
inline constexpr std::size_t kStoreQueue = 256;          // acts waiting for the store thread
inline constexpr std::size_t kDatasetKeyBytes = 4'096;   // keys, not data
inline constexpr std::uint64_t kFileBytes = 1ULL << 44;  // 16 TiB: FLOE's segment counter has room
inline constexpr std::size_t kPackFileBytes = 8 << 20;   // smaller files share a pack blob
inline constexpr std::uint64_t kPackBytes = 256 << 20;   // a pack is closed beyond this
inline constexpr std::size_t kModelHeaderBytes = 32 << 20;  // of one file: a large vocabulary
inline constexpr std::size_t kTensorsPerAsset = 100'000;    // a mixture of hundreds of experts
inline constexpr std::size_t kTensorNameBytes = 255;        // a path in a network
inline constexpr std::size_t kTensorTypeBytes = 32;         // one word
inline constexpr std::size_t kTensorDimensions = 8;         // nobody has more
inline constexpr std::size_t kMetadataBytes = 8 << 20;      // sealed in for a client: its tensors
inline constexpr std::size_t kCertificateBytes = 64 << 20;  // a bundle with 100,000 subjects
inline constexpr std::size_t kAmendmentsPerCertificate = 200;  // a page of what was said of it
inline constexpr std::size_t kMediaTypeBytes = 127;            // of a file of evidence
inline constexpr std::size_t kNoteBytes = 64 << 10;            // a checkpoint and its witnesses
inline constexpr std::size_t kKeyringBytes = 1 << 20;          // hundreds of rotations
inline constexpr std::size_t kArchiveFiles = 100'000;        // of one archive: make it of less time
inline constexpr std::size_t kArchiveIndexBytes = 32 << 20;  // what its sections say of themselves
inline constexpr std::uint64_t kArchiveLeaves = 4'000'000;   // of all sections; 32 bytes are kept
inline constexpr std::uint64_t kArchiveBytes = 1ULL << 36;   // of one archive, unpacked: 64 GiB
inline constexpr std::size_t kArchiveRecordBytes = 4 << 20;  // a leaf with its record
inline constexpr std::size_t kArchiveStores = 1'000;         // sections of a fleet, for some years
inline constexpr std::size_t kTimeStampBytes = 64 << 10;     // with the authority's certificates
inline constexpr std::size_t kTimeStampsPerBundle = 8;       // of several authorities
inline constexpr std::size_t kConfigBytes = 1 << 20;         // aierased.toml
inline constexpr std::size_t kPeopleBytes = 4 << 20;         // people.toml
inline constexpr std::size_t kPeople = 2'000;                // those who decide, not a directory
inline constexpr std::size_t kPersonFieldBytes = 200;        // a line on a certificate
inline constexpr std::size_t kKeysPerPerson = 8;             // a key in use and its spares
inline constexpr std::size_t kSshKeyLineBytes = 4'096;       // an RSA key is refused by its name
inline constexpr std::size_t kSshSignatureBytes = 4'096;     // those we take have below 700
inline constexpr std::size_t kSignedActBytes = 1 << 20;      // a text that a person reads
inline constexpr std::size_t kPlansPerSignedAct = 200;       // a long morning of a custodian
inline constexpr std::size_t kNamesPerSignedPlan = 20;       // the digest covers the others
inline constexpr std::size_t kNotesPerSignedPlan = 8;        // what is out of the ordinary
inline constexpr std::size_t kStandingApprovalDays = 366;    // then the person is asked anew
inline constexpr std::size_t kStandingApprovals = 1'000;     // in force; each is looked at
inline constexpr std::size_t kStandingApprovalsOfOne = 4;  // person and class: one in use, one next
inline constexpr std::size_t kPolicyBytes = 256 << 10;  // one file of a policy, or of its fixtures
inline constexpr std::size_t kPolicyFiles = 64;         // that make one set
inline constexpr std::size_t kPolicyRowsShown = 100;    // of what a load weakens; all are counted
inline constexpr std::size_t kEnforceItemsShown = 1'000;  // of a run; all are counted
inline constexpr std::size_t kPolicyClasses = 256;        // a schedule that people can read
inline constexpr std::size_t kClassNameBytes = 63;        // fits a column
inline constexpr std::size_t kSelectorsPerHold = 16;      // of one matter; another is another hold
inline constexpr std::size_t kSelectorsPerClass = 16;  // all must hold; more is a class of its own
inline constexpr std::size_t kVersionsRanked = 1'000;  // of one name, for keep-last
inline constexpr std::size_t kRetentionYears = 1'000;  // the calendar of times ends with 9999
inline constexpr std::size_t kPolicyCases = 10'000;    // fixtures of one file
inline constexpr std::size_t kAuditRefusalsPerUid = 16;  // rows a minute; further ones are counted
inline constexpr std::size_t kAuditRefusals = 256;       // the same over all callers
inline constexpr std::size_t kAuditWaitingRows = 1'024;  // in memory while the disk is full
inline constexpr std::size_t kAuditSubjects = 8;         // named in one row of the audit
inline constexpr std::size_t kAuditTextBytes = 255;      // of each text in such a row

}  // namespace aierase::limits
