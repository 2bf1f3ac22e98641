#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "certificate/tpm_evidence.h"
#include "crypto/p256.h"
#include "crypto/primitives.h"
#include "fault/fake_disk.h"
#include "fault/support/software_tpm.h"
#include "rootslot/root_slot.h"
#include "rootslot/tpm2_slot.h"
#include "unit/support/fake_clock.h"

namespace aierase::test {
namespace {

using rootslot::Dying;
using rootslot::RootSlot;
using rootslot::SlotContent;

constexpr const char* kPath = "/slot-dir/slot";
constexpr std::uint32_t kRetry = 0x922;
constexpr std::uint32_t kNvRate = 0x920;
constexpr std::uint32_t kLockout = 0x921;
constexpr std::uint32_t kNvSpace = 0x14B;
constexpr std::uint32_t kFailure = 0x101;
constexpr std::uint32_t kObjectMemory = 0x902;
constexpr std::uint32_t kSessionMemory = 0x903;

template <typename Outcome>
testing::AssertionResult done(const Outcome& outcome) {
  if (outcome.ok()) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << outcome.error().message << " [" << outcome.error().hint << "]";
}

// This thread may lock memory within the limit of the process alone, even as root.
class MemoryThatCanBeLocked {
 public:
  MemoryThatCanBeLocked() {
    getrlimit(RLIMIT_MEMLOCK, &before_);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    EXPECT_EQ(syscall(SYS_capget, &header, rights_.data()), 0);
    auto less = rights_;
    less[0].effective &= ~(1U << CAP_IPC_LOCK);
    EXPECT_EQ(syscall(SYS_capset, &header, less.data()), 0);
    rlimit much = before_;
    much.rlim_cur = much.rlim_max;
    setrlimit(RLIMIT_MEMLOCK, &much);
  }
  ~MemoryThatCanBeLocked() {
    setrlimit(RLIMIT_MEMLOCK, &before_);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    EXPECT_EQ(syscall(SYS_capset, &header, rights_.data()), 0);
  }
  MemoryThatCanBeLocked(const MemoryThatCanBeLocked&) = delete;
  MemoryThatCanBeLocked& operator=(const MemoryThatCanBeLocked&) = delete;
  void end() const {
    rlimit none = before_;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_MEMLOCK, &none);
  }
  void begin() const { setrlimit(RLIMIT_MEMLOCK, &before_); }

 private:
  rlimit before_{};
  std::array<__user_cap_data_struct, 2> rights_{};
};

class ASlotInATpm : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(done(disk_.make_directory("/slot-dir", 0700)));
    const auto facts = rootslot::find_tpm2(tpm_.settings());
    ASSERT_TRUE(done(facts));
    key_name_ = facts->key_name;
    auto file = rootslot::create_file_slot(disk_, {kPath}, store_);
    ASSERT_TRUE(done(file));
    auto made = rootslot::create_tpm2_slot(disk_, std::move(*file), options());
    ASSERT_TRUE(done(made));
    slot_ = std::move(*made);
  }

  rootslot::Tpm2SlotOptions options() const {
    return {{kPath}, tpm_.settings(), key_name_, auth_.clone().value()};
  }
  Result<std::shared_ptr<RootSlot>> opened() { return opened(options()); }
  Result<std::shared_ptr<RootSlot>> opened(rootslot::Tpm2SlotOptions how) {
    slot_.reset();
    ASSIGN_OR_RETURN(std::shared_ptr<RootSlot> file, rootslot::open_file_slot(disk_, {kPath}));
    return rootslot::open_tpm2_slot(disk_, std::move(file), std::move(how));
  }
  void reopen() {
    auto again = opened();
    ASSERT_TRUE(done(again));
    slot_ = std::move(*again);
  }
  crypto::SlotSecret written(std::uint64_t epoch) {
    crypto::SlotSecret secret = crypto::SlotSecret::random().value();
    EXPECT_TRUE(done(slot_->write(store_, epoch, secret)));
    return secret;
  }
  SlotContent content(unsigned parity) {
    const auto reading = slot_->read(parity);
    EXPECT_TRUE(done(reading));
    return reading.ok() ? reading->content : SlotContent::foreign;
  }
  std::string index(unsigned parity) const {
    return rootslot::nv_text(rootslot::indexes_of(store_).slot[parity]);
  }
  static bool holds(const Bytes& where, const SecretBytes& secret) {
    return secret.reveal([&](ByteView needle) {
      return std::search(where.begin(), where.end(), needle.begin(), needle.end()) != where.end();
    });
  }

  SoftwareTpm tpm_;
  FakeDisk disk_;
  FakeClock clock_;
  Uuid store_ = Uuid::random();
  Bytes key_name_;
  SecretBytes auth_ = SecretBytes::random(rootslot::kNvAuthBytes).value();
  std::shared_ptr<RootSlot> slot_;
};

TEST_F(ASlotInATpm, KeepsItsSecretOverAPowerCutAndLosesItInDestroy) {
  const crypto::SlotSecret secret = written(4);
  tpm_.kill();
  tpm_.start();
  reopen();
  const auto reading = slot_->read(0);
  ASSERT_TRUE(done(reading));
  EXPECT_EQ(reading->content, SlotContent::whole);
  EXPECT_EQ(reading->epoch, 4U);
  EXPECT_TRUE(reading->secret->bytes().equals(secret.bytes()));
  EXPECT_EQ(content(1), SlotContent::zero);

  const auto proof = slot_->destroy(0, 4, clock_);
  ASSERT_TRUE(done(proof));
  EXPECT_EQ(proof->evidence().kind, "tpm2");
  EXPECT_EQ(proof->evidence().checks.size(), 2U);
  EXPECT_EQ(content(0), SlotContent::zero);
}

TEST_F(ASlotInATpm, LeavesTheSecretInNoFile) {
  const crypto::SlotSecret secret = written(0);
  EXPECT_FALSE(holds(disk_.content(kPath), secret.bytes()));
  EXPECT_TRUE(done(slot_->destroy(0, 0, clock_)));
  EXPECT_FALSE(holds(tpm_.memory(), secret.bytes()));
}

TEST_F(ASlotInATpm, ShowsNothingToSomebodyOnItsBus) {
  const crypto::SlotSecret secret = written(0);
  EXPECT_EQ(content(0), SlotContent::whole);
  const Bytes heard = tpm_.overheard();
  EXPECT_GT(heard.size(), 1000U);
  EXPECT_FALSE(holds(heard, secret.bytes()));
  EXPECT_FALSE(holds(heard, auth_));
}

TEST_F(ASlotInATpm, CountsEachSecretThatItDestroys) {
  std::vector<std::string> counts;
  for (std::uint64_t epoch = 0; epoch < 2; ++epoch) {
    written(epoch);
    const auto proof = slot_->destroy(static_cast<unsigned>(epoch), epoch, clock_);
    ASSERT_TRUE(done(proof));
    counts.push_back(proof->evidence().checks.back());
  }
  EXPECT_NE(counts[0], counts[1]);
}

TEST_F(ASlotInATpm, OverwritesNoLivingSecret) {
  written(0);
  const crypto::SlotSecret other = crypto::SlotSecret::random().value();
  EXPECT_EQ(slot_->write(store_, 2, other).error().code, Errc::wrong_state);
  EXPECT_EQ(slot_->write(Uuid::random(), 2, other).error().code, Errc::foreign);
  EXPECT_EQ(slot_->destroy(0, 2, clock_).error().code, Errc::wrong_state);
  EXPECT_EQ(content(0), SlotContent::whole);
}

TEST_F(ASlotInATpm, LeavesRoomForOthersBetweenItsCalls) {
  written(0);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(content(0), SlotContent::whole);
  EXPECT_TRUE(tpm_.tool("tpm2_getcap handles-transient | grep -q 0x && exit 1 || exit 0"));
  EXPECT_TRUE(tpm_.tool("tpm2_getcap handles-loaded-session | grep -q 0x && exit 1 || exit 0"));
  EXPECT_TRUE(tpm_.tool("tpm2_createprimary -Q"));
}

// ---- evidence ---------------------------------------------------------------------------------

TEST_F(ASlotInATpm, IsSignedForByTheTpmAsZeroAndForThisErasureAlone) {
  const Digest intent = crypto::sha256(as_bytes("why"));
  written(1);
  const auto proof = slot_->destroy(1, {1, intent}, clock_);
  ASSERT_TRUE(done(proof));
  ASSERT_TRUE(proof->evidence().tpm.has_value());
  const domain::TpmEvidence& evidence = *proof->evidence().tpm;
  const auto key = crypto::parse_p256_public_key_der(evidence.key);
  ASSERT_TRUE(key.has_value());
  for (const domain::TpmStatement& one : {evidence.slot, evidence.counter}) {
    const auto signature = crypto::parse_p256_signature_der(one.signature);
    ASSERT_TRUE(signature.has_value());
    EXPECT_TRUE(crypto::verify_p256(*key, one.statement, *signature));
    const auto parsed = certificate::parse_nv_statement(one.statement);
    ASSERT_TRUE(done(parsed));
    EXPECT_EQ(parsed->bound_to, copy_of(intent));
  }
  const auto of_slot = certificate::parse_nv_statement(evidence.slot.statement);
  const certificate::NvNames names = certificate::nv_names(store_, 1);
  EXPECT_EQ(of_slot->contents, Bytes(96));
  EXPECT_EQ(of_slot->name, names.slot);
  EXPECT_EQ(certificate::parse_nv_statement(evidence.counter.statement)->name, names.counter);
  EXPECT_TRUE(evidence.endorsement_certificate.empty()) << "this swtpm was given none";
}

// As a manufacturer puts it there; longer than what a TPM gives at once.
TEST_F(ASlotInATpm, CarriesTheCertificateOfItsManufacturer) {
  ASSERT_TRUE(
      tpm_.tool("tpm2_nvdefine -Q -C p -s 1300 "
                "-a 'ppwrite|ppread|ownerread|authread|no_da|platformcreate' 0x01c0000a && "
                "seq 400 | head -c 1300 | tpm2_nvwrite -Q -C p -i- 0x01c0000a"));
  written(0);
  const auto proof = slot_->destroy(0, {0, Digest{}}, clock_);
  ASSERT_TRUE(done(proof));
  const Bytes& found = proof->evidence().tpm->endorsement_certificate;
  ASSERT_EQ(found.size(), 1300U);
  EXPECT_EQ(as_text(ByteView(found).first(6)), "1\n2\n3\n");
  EXPECT_EQ(as_text(ByteView(found).subspan(1092, 8)), "301\n302\n");
}

TEST_F(ASlotInATpm, KeepsItsSigningKeyOverAPowerCut) {
  std::vector<Bytes> keys;
  for (std::uint64_t epoch = 0; epoch < 2; ++epoch) {
    written(epoch);
    const auto proof = slot_->destroy(static_cast<unsigned>(epoch), {epoch, Digest{}}, clock_);
    ASSERT_TRUE(done(proof));
    keys.push_back(proof->evidence().tpm->key);
    tpm_.kill();
    tpm_.start();
  }
  EXPECT_EQ(keys[0], keys[1]);
}

// Nobody between us and the chip puts a key of his own on a certificate.
TEST_F(ASlotInATpm, SignsWithNoKeyThatWasExchangedOnTheBus) {
  written(0);
  tpm_.exchange_attestation_key();
  const auto proof = slot_->destroy(0, {0, Digest{}}, clock_);
  ASSERT_FALSE(proof.ok());
  EXPECT_NE(proof.error().message.find("attestation key cannot be made"), std::string::npos)
      << proof.error().message;
  tpm_.forget();
  // The key that the TPM did make stays in it: there is no resource manager here.
  ASSERT_TRUE(tpm_.tool("tpm2_flushcontext -t"));
  EXPECT_TRUE(done(slot_->destroy(0, {0, Digest{}}, clock_)));
}

TEST_F(ASlotInATpm, IsNotCertifiedWhileItHoldsASecret) {
  written(0);
  const rootslot::Tpm2Indexes indexes = rootslot::indexes_of(store_);
  auto tpm = rootslot::Tpm2::connect(tpm_.settings());
  ASSERT_TRUE(done(tpm));
  using rootslot::NvKind;
  const auto living = tpm->certify(indexes.slot[0], NvKind::slot, auth_, Digest{});
  ASSERT_FALSE(living.ok());
  EXPECT_NE(living.error().message.find("not zero"), std::string::npos) << living.error().message;
  EXPECT_TRUE(done(tpm->certify(indexes.slot[1], NvKind::slot, auth_, Digest{})));
}

TEST_F(ASlotInATpm, IsCertifiedByNoStatementAboutAnythingElse) {
  using rootslot::check_nv_statement;
  using rootslot::NvKind;
  const rootslot::NvIndex index = rootslot::indexes_of(store_).slot[0];
  const Digest end = crypto::sha256(as_bytes("why"));
  auto tpm = rootslot::Tpm2::connect(tpm_.settings());
  ASSERT_TRUE(done(tpm));
  const auto said = tpm->certify(index, NvKind::slot, auth_, end);
  ASSERT_TRUE(done(said));
  const Bytes key = tpm->attestation_key().value();
  EXPECT_TRUE(done(check_nv_statement(*said, key, index, NvKind::slot, end)));
  EXPECT_FALSE(check_nv_statement(*said, key, index, NvKind::slot, Digest{}).ok());
  EXPECT_FALSE(check_nv_statement(*said, key, index + 1, NvKind::slot, end).ok());
  EXPECT_FALSE(check_nv_statement(*said, key, index, NvKind::counter, end).ok());
  domain::TpmStatement changed = *said;
  changed.statement.back() ^= std::byte{1};
  EXPECT_FALSE(check_nv_statement(changed, key, index, NvKind::slot, end).ok());
}

TEST_F(ASlotInATpm, GivesNoProofWithoutTheSignatureOfTheTpm) {
  written(0);
  tpm_.refuse(Tpm::nv_certify, kLockout, 1);  // it was tried while there was a way back
  const auto proof = slot_->destroy(0, {0, Digest{}}, clock_);
  ASSERT_FALSE(proof.ok());
  EXPECT_EQ(proof.error().code, Errc::io) << proof.error().message;
  tpm_.forget();
  EXPECT_TRUE(done(slot_->destroy(0, {0, Digest{}}, clock_)));
}

TEST_F(ASlotInATpm, IsLeftAloneByATpmThatWillNotSign) {
  written(0);
  tpm_.refuse(Tpm::nv_certify, kLockout);
  const auto proof = slot_->destroy(0, {0, Digest{}}, clock_);
  ASSERT_FALSE(proof.ok());
  EXPECT_EQ(proof.error().code, Errc::busy) << proof.error().message;
  tpm_.forget();
  EXPECT_EQ(content(0), SlotContent::whole);
}

TEST_F(ASlotInATpm, CountsAnewWhenSomebodyRemovedItsCounter) {
  written(0);
  ASSERT_TRUE(tpm_.tool("tpm2_nvundefine -Q -C o " +
                        rootslot::nv_text(rootslot::indexes_of(store_).counter)));
  const auto proof = slot_->destroy(0, {0, Digest{}}, clock_);
  ASSERT_TRUE(done(proof));
  EXPECT_TRUE(proof->evidence().tpm.has_value());
}

TEST_F(ASlotInATpm, IsDestroyedAlthoughTheCertificateOfItsManufacturerCannotBeRead) {
  ASSERT_TRUE(
      tpm_.tool("tpm2_nvdefine -Q -C p -s 300 -a 'ppwrite|ppread|platformcreate' "
                "0x01c0000a"));
  written(0);
  const auto proof = slot_->destroy(0, {0, Digest{}}, clock_);
  ASSERT_TRUE(done(proof));
  EXPECT_TRUE(proof->evidence().tpm->endorsement_certificate.empty());
}

// ---- faults ------------------------------------------------------------------------------------

TEST_F(ASlotInATpm, IsAskedAgainWhileTheTpmIsBusy) {
  for (const std::uint32_t code : {kRetry, kNvRate}) {
    tpm_.forget();
    tpm_.refuse(Tpm::nv_write, code);
    const Status refused = slot_->write(store_, 0, crypto::SlotSecret::random().value());
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::busy) << refused.error().message;
    EXPECT_GT(tpm_.count(Tpm::nv_write), 3U);
    EXPECT_EQ(content(0), SlotContent::zero);
  }
}

struct RefusalCase {
  const char* what;
  Tpm command;
  std::uint32_t code;
  Errc expected;
  const char* in_hint;
};

class ARefusalOfTheTpm : public ASlotInATpm, public testing::WithParamInterface<RefusalCase> {};

TEST_P(ARefusalOfTheTpm, ChangesNothingAndSaysWhatToDo) {
  const crypto::SlotSecret secret = written(0);
  tpm_.refuse(GetParam().command, GetParam().code);
  const auto proof = slot_->destroy(0, 0, clock_);
  ASSERT_FALSE(proof.ok());
  EXPECT_EQ(proof.error().code, GetParam().expected) << proof.error().message;
  EXPECT_NE(proof.error().hint.find(GetParam().in_hint), std::string::npos) << proof.error().hint;
  tpm_.forget();
  const auto reading = slot_->read(0);
  ASSERT_TRUE(done(reading));
  ASSERT_TRUE(reading->secret.has_value());
  EXPECT_TRUE(reading->secret->bytes().equals(secret.bytes()));
}

INSTANTIATE_TEST_SUITE_P(
    OfEachKind, ARefusalOfTheTpm,
    testing::Values(RefusalCase{"lockout", Tpm::nv_write, kLockout, Errc::busy,
                                "tpm2_dictionarylockout"},
                    RefusalCase{"busy", Tpm::nv_write, kRetry, Errc::busy, "tried again"},
                    RefusalCase{"objects of others", Tpm::create_primary, kObjectMemory, Errc::busy,
                                "resource manager"},
                    RefusalCase{"sessions of others", Tpm::start_session, kSessionMemory,
                                Errc::busy, "resource manager"}));

TEST_F(ASlotInATpm, SaysThatTheMemoryIsFull) {
  ASSERT_TRUE(tpm_.tool("tpm2_nvundefine -Q -C o " + index(1)));
  tpm_.refuse(Tpm::nv_define, kNvSpace);
  const Status refused = slot_->write(store_, 1, crypto::SlotSecret::random().value());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::resource_limit);
  EXPECT_NE(refused.error().hint.find("tpm2_nvundefine"), std::string::npos);
}

// Zeros may be there, and nobody knows it: only a new look decides.
TEST_F(ASlotInATpm, DoesNotSayThatNothingHappenedOnceTheZerosAreOnTheirWay) {
  for (const Tpm command : {Tpm::nv_read, Tpm::nv_increment}) {
    reopen();
    written(0);
    tpm_.forget();
    // The secret is looked at once before it is overwritten, and the counter not at all.
    tpm_.refuse(command, kLockout, command == Tpm::nv_read ? 1 : 0);
    const auto proof = slot_->destroy(0, 0, clock_);
    ASSERT_FALSE(proof.ok());
    EXPECT_EQ(proof.error().code, Errc::io) << proof.error().message;
    tpm_.forget();
    ASSERT_TRUE(done(slot_->destroy(0, 0, clock_)));
  }
}

// An error answer bears no HMAC: whoever says it may have passed the command on.
TEST_F(ASlotInATpm, BelievesNoRefusalThatItDoesNotSee) {
  for (const std::uint32_t code : {kLockout, kRetry, kNvRate, kFailure, kNvSpace}) {
    SCOPED_TRACE(code);
    written(0);
    tpm_.belie(Tpm::nv_write, code);
    const auto proof = slot_->destroy(0, {0, Digest{}}, clock_);
    ASSERT_FALSE(proof.ok());
    EXPECT_EQ(proof.error().code, Errc::io) << proof.error().message;
    tpm_.forget();
    EXPECT_EQ(content(0), SlotContent::zero);
  }
}

TEST_F(ASlotInATpm, HasNothingToFearFromACommandThatComesLate) {
  written(0);
  tpm_.keep_back(Tpm::nv_write, kLockout);
  const auto proof = slot_->destroy(0, {0, Digest{}}, clock_);
  ASSERT_FALSE(proof.ok());
  EXPECT_EQ(proof.error().code, Errc::busy) << proof.error().message;
  EXPECT_NE(tpm_.deliver(), 0U) << "the TPM carried it out";
  tpm_.forget();
  EXPECT_EQ(content(0), SlotContent::whole);
}

// Nobody has seen that the secret is there to go back to.
TEST_F(ASlotInATpm, PromisesNoWayBackToASecretThatItDidNotSee) {
  const Dying dying{0, Digest{}};
  written(0);
  for (const Tpm command : {Tpm::create_primary, Tpm::start_session, Tpm::nv_read}) {
    tpm_.forget();
    tpm_.refuse(command, kLockout);
    const auto proof = slot_->destroy(0, dying, clock_);
    ASSERT_FALSE(proof.ok());
    EXPECT_EQ(proof.error().code, Errc::io) << proof.error().message;
  }
  tpm_.forget();
  EXPECT_EQ(content(0), SlotContent::whole);
  EXPECT_EQ(slot_->destroy(0, {2, Digest{}}, clock_).error().code, Errc::io);
  tpm_.refuse(Tpm::nv_write, kLockout);
  EXPECT_EQ(slot_->destroy(0, dying, clock_).error().code, Errc::busy) << "it was seen";
}

// From the moment of the write on no memory can be locked.
TEST_F(ASlotInATpm, DoesNotSayThatNothingHappenedWhenMemoryRunsOut) {
  written(0);
  const MemoryThatCanBeLocked memory;
  tpm_.when_done(Tpm::nv_write, [&] { memory.end(); });
  const auto proof = slot_->destroy(0, {0, Digest{}}, clock_);
  memory.begin();
  ASSERT_FALSE(proof.ok());
  EXPECT_EQ(proof.error().code, Errc::io) << proof.error().message;
  tpm_.forget();
  EXPECT_EQ(content(0), SlotContent::zero);
}

TEST_F(ASlotInATpm, SurvivesADeathOfTheTpmAtEachOfItsCommands) {
  const crypto::SlotSecret secret = written(1);
  const Bytes before = tpm_.memory();
  for (const SoftwareTpm::When when : {SoftwareTpm::When::before, SoftwareTpm::When::after}) {
    for (std::size_t n = 1;; ++n) {
      SCOPED_TRACE("killed at command " + std::to_string(n));
      tpm_.put_back(before);
      tpm_.kill_at(n, when);
      const auto proof = slot_->destroy(1, 1, clock_);
      if (!tpm_.was_killed()) {
        EXPECT_TRUE(done(proof));
        EXPECT_GT(n, 5U);
        break;
      }
      ASSERT_FALSE(proof.ok());
      const bool unknown = proof.error().code == Errc::io;
      EXPECT_TRUE(unknown || proof.error().code == Errc::busy) << proof.error().message;
      tpm_.forget();
      tpm_.start();
      const auto reading = slot_->read(1);
      ASSERT_TRUE(done(reading));
      if (!unknown) {
        ASSERT_TRUE(reading->secret.has_value()) << "nothing was said to have changed";
        EXPECT_TRUE(reading->secret->bytes().equals(secret.bytes()));
      }
      EXPECT_TRUE(done(slot_->destroy(1, 1, clock_)));
      EXPECT_EQ(content(1), SlotContent::zero);
    }
  }
}

// What a power cut in the middle of a write may leave.
TEST_F(ASlotInATpm, ReadsAHalfWrittenSlotAsTornAndCanDestroyIt) {
  written(0);
  const rootslot::NvIndex index = rootslot::indexes_of(store_).slot[0];
  {
    auto tpm = rootslot::Tpm2::connect(tpm_.settings());
    ASSERT_TRUE(done(tpm));
    Bytes half(rootslot::kNvSlotBytes);
    ASSERT_TRUE(done(tpm->read(index, auth_, half)));
    std::fill(half.begin() + 48, half.end(), std::byte{0});
    ASSERT_TRUE(done(tpm->write(index, auth_, half)));
  }
  EXPECT_EQ(content(0), SlotContent::torn);
  EXPECT_TRUE(done(slot_->destroy(0, 0, clock_)));
  EXPECT_EQ(content(0), SlotContent::zero);
}

TEST_F(ASlotInATpm, ThatNobodyAnswersIsNoDamage) {
  written(0);
  tpm_.kill();
  EXPECT_EQ(slot_->destroy(0, 0, clock_).error().code, Errc::busy);
  EXPECT_EQ(opened().error().code, Errc::busy);
  tpm_.start();
  reopen();
  EXPECT_EQ(content(0), SlotContent::whole);
}

TEST_F(ASlotInATpm, RecognisesATpmThatWasCleared) {
  written(0);
  ASSERT_TRUE(tpm_.tool("tpm2_clear -Q -c p"));
  const auto again = opened();
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Errc::foreign);
  EXPECT_NE(again.error().message.find("cleared"), std::string::npos);
}

TEST_F(ASlotInATpm, RecognisesAnotherTpm) {
  SoftwareTpm another;
  auto elsewhere = options();
  elsewhere.tpm = another.settings();
  slot_.reset();
  const auto again = opened(std::move(elsewhere));
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Errc::foreign);
}

TEST_F(ASlotInATpm, ServesWithOneIndexAndDefinesTheOtherAnew) {
  written(0);
  ASSERT_TRUE(tpm_.tool("tpm2_nvundefine -Q -C o " + index(1)));
  reopen();
  EXPECT_EQ(content(0), SlotContent::whole);
  EXPECT_EQ(content(1), SlotContent::torn);
  EXPECT_TRUE(done(slot_->destroy(1, 1, clock_)));
  EXPECT_EQ(content(1), SlotContent::zero);
  EXPECT_EQ(content(0), SlotContent::whole);
}

// Read back as zeros it is; overwritten was nothing.
TEST_F(ASlotInATpm, SaysOnTheEvidenceThatSomebodyRemovedItsIndex) {
  const auto says_so = [&] {
    const auto proof = slot_->destroy(1, 1, clock_);
    EXPECT_TRUE(done(proof));
    const auto& checks = proof->evidence().checks;
    return std::any_of(checks.begin(), checks.end(), [](const std::string& check) {
      return check.find("removed by somebody") != std::string::npos;
    });
  };
  written(1);
  EXPECT_FALSE(says_so());
  written(1);
  ASSERT_TRUE(tpm_.tool("tpm2_nvundefine -Q -C o " + index(1)));
  EXPECT_TRUE(says_so());
  // Defined anew, and the daemon died before the zeros.
  written(1);
  ASSERT_TRUE(tpm_.tool("tpm2_nvundefine -Q -C o " + index(1)));
  {
    auto tpm = rootslot::Tpm2::connect(tpm_.settings());
    ASSERT_TRUE(done(tpm));
    ASSERT_TRUE(
        done(tpm->define(rootslot::indexes_of(store_).slot[1], rootslot::NvKind::slot, auth_)));
  }
  EXPECT_TRUE(says_so());
  EXPECT_FALSE(says_so()) << "zeros on zeros: nobody can tell any more";
}

TEST_F(ASlotInATpm, SaysThatItIsGoneWhenBothIndexesAre) {
  for (const unsigned parity : {0U, 1U}) {
    ASSERT_TRUE(tpm_.tool("tpm2_nvundefine -Q -C o " + index(parity)));
  }
  const auto again = opened();
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Errc::damaged);
}

TEST_F(ASlotInATpm, LeavesAnIndexAloneThatSomebodyElseDefined) {
  written(0);
  ASSERT_TRUE(tpm_.tool("tpm2_nvundefine -Q -C o " + index(1)));
  ASSERT_TRUE(tpm_.tool("tpm2_nvdefine -Q -C o -s 8 -a 'ownerread|ownerwrite' " + index(1)));
  const auto again = opened();
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Errc::foreign);
  EXPECT_NE(again.error().hint.find("tpm2_nvundefine " + index(1)), std::string::npos);
}

TEST_F(ASlotInATpm, LeavesAnIndexAloneWhoseAuthorizationIsAnother) {
  ASSERT_TRUE(tpm_.tool("tpm2_nvundefine -Q -C o " + index(1)));
  ASSERT_TRUE(tpm_.tool("tpm2_nvdefine -Q -C o -s 96 -a 'authread|authwrite|no_da' -p other " +
                        index(1) + " && head -c 96 /dev/zero | tpm2_nvwrite -P other -C " +
                        index(1) + " -i- " + index(1)));
  reopen();
  const auto reading = slot_->read(1);
  ASSERT_FALSE(reading.ok());
  EXPECT_EQ(reading.error().code, Errc::foreign) << reading.error().message;
  EXPECT_EQ(slot_->write(store_, 1, crypto::SlotSecret::random().value()).error().code,
            Errc::foreign);
}

TEST_F(ASlotInATpm, LocksNobodyOutByAWrongAuthorization) {
  auto wrong = options();
  wrong.auth = SecretBytes::random(rootslot::kNvAuthBytes).value();
  slot_.reset();
  auto stranger = opened(std::move(wrong));
  ASSERT_TRUE(done(stranger));
  for (int i = 0; i < 40; ++i) EXPECT_FALSE((*stranger)->read(0).ok());
  EXPECT_TRUE(tpm_.tool("tpm2_getcap properties-variable | grep -q 'inLockout: *0'"));
  EXPECT_TRUE(
      tpm_.tool("tpm2_getcap properties-variable | grep -A1 LOCKOUT_COUNTER: | grep -q 0x0"));
}

TEST_F(ASlotInATpm, RemovesWhatItDefinedWhenItCannotBeMade) {
  const Uuid another = Uuid::random();
  tpm_.refuse(Tpm::nv_define, kNvSpace, 2);
  auto file = rootslot::create_file_slot(disk_, {"/slot-dir/another"}, another);
  ASSERT_TRUE(done(file));
  const auto made = rootslot::create_tpm2_slot(disk_, std::move(*file), options());
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, Errc::resource_limit);
  tpm_.forget();
  EXPECT_TRUE(done(rootslot::check_free_in_tpm2(tpm_.settings(), another)));
  EXPECT_EQ(rootslot::check_free_in_tpm2(tpm_.settings(), store_).error().code,
            Errc::already_exists);
}

TEST_F(ASlotInATpm, IsOfASoftwareTpmAndSaysSo) {
  const auto assurance = slot_->assess();
  ASSERT_TRUE(done(assurance));
  EXPECT_EQ(assurance->level, domain::Level::ea2);
  EXPECT_EQ(assurance->kind, "tpm2");
  EXPECT_NE(assurance->reason.find("software"), std::string::npos);
  EXPECT_FALSE(assurance->may_have_copied.empty());
}

}  // namespace
}  // namespace aierase::test
