// Logs as files, and heads that have to be of one history: dropped, duplicated, reordered,
// truncated and forked logs are named.
#include "certificate/evidence.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "unit/certificate/sample_log.h"

namespace aierase::certificate {
namespace {

class ALog : public testing::Test {
 protected:
  ALog() : log_(sample::record().store), trust_(sample::trust_of(sample::keyring())) {
    log_.fill(300);
  }
  VerifyReport verify(const std::map<std::string, Bytes>& files, Continuity* from = nullptr) {
    const ReadLogFile reader = [&](const std::string& path, std::size_t) -> Result<Bytes> {
      const auto found = files.find(path);
      if (found == files.end()) return make_error(Errc::not_found, "no " + path);
      return found->second;
    };
    return verify_log(reader, trust_, from);
  }
  // What is said of a log whose keeper changed its leaves, kept its key, and signed no new head.
  std::string complaint(const sample::Log& changed) {
    std::map<std::string, Bytes> files = changed.files(key_);
    files["checkpoint"] = log_.files(key_)["checkpoint"];
    return complaint(verify(files));
  }
  static std::string complaint(const VerifyReport& report) {
    EXPECT_FALSE(report.verified);
    for (const Check& check : report.checks) {
      if (check.result == CheckResult::failed) return check.detail;
    }
    return {};
  }
  static bool says(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  }
  const crypto::SigningKey key_ = sample::log_signer();
  sample::Log log_;
  TrustStore trust_;
};

TEST_F(ALog, ThatIsWholeIsVerified) {
  EXPECT_TRUE(verify(log_.files(key_)).verified);
}

TEST_F(ALog, OfAnUnknownKeeperIsUnknown) {
  trust_ = TrustStore();
  const VerifyReport report = verify(log_.files(key_));
  EXPECT_FALSE(report.verified);
  EXPECT_EQ(report.outcome, Errc::signer_unknown);
}

TEST_F(ALog, ThatIsTruncatedIsNamed) {
  std::map<std::string, Bytes> files = log_.files(key_);
  files.erase("tile/entries/001.p/44");
  EXPECT_TRUE(says(complaint(verify(files)), "truncated"));
  sample::Log shorter = log_;
  shorter.bodies.resize(290);
  EXPECT_TRUE(says(complaint(shorter), "truncated"));
}

TEST_F(ALog, WithADroppedLeafIsNamed) {
  sample::Log dropped = log_;
  dropped.bodies.erase(dropped.bodies.begin() + 7);
  dropped.bodies.push_back("one more");
  EXPECT_TRUE(says(complaint(dropped), "dropped"));
}

TEST_F(ALog, WithLeavesInAnotherOrderIsNamed) {
  sample::Log reordered = log_;
  std::swap(reordered.bodies[3], reordered.bodies[280]);
  EXPECT_TRUE(says(complaint(reordered), "order"));
}

TEST_F(ALog, WithALeafSaidTwiceIsNamed) {
  sample::Log repeated = log_;
  repeated.bodies[9] = repeated.bodies[4];
  EXPECT_TRUE(says(complaint(repeated), "leaf 9 repeats leaf 4"));
}

TEST_F(ALog, WithALeafThatIsNotTheOneInTheTreeIsNamed) {
  sample::Log changed = log_;
  changed.bodies[260] = "something else";
  std::map<std::string, Bytes> files = log_.files(key_);
  files["tile/entries/001.p/44"] = changed.files(key_)["tile/entries/001.p/44"];
  EXPECT_TRUE(says(complaint(verify(files)), "leaf 260 is not the one"));
}

TEST_F(ALog, WithATileThatIsNotOfItsLeavesIsNamed) {
  std::map<std::string, Bytes> files = log_.files(key_);
  files["tile/1/000.p/1"][0] ^= std::byte{1};
  EXPECT_TRUE(says(complaint(verify(files)), "tile/1/000.p/1"));
}

TEST_F(ALog, WithAnyByteOfItsFilesChangedIsNotVerified) {
  sample::Log small(sample::record().store);
  small.fill(3);
  for (const auto& [path, content] : small.files(key_)) {
    for (std::size_t at = 0; at < content.size(); ++at) {
      std::map<std::string, Bytes> files = small.files(key_);
      files[path][at] ^= std::byte{1};
      EXPECT_FALSE(verify(files).verified) << path << " byte " << at;
    }
  }
}

TEST_F(ALog, IsOfOneHistoryWithEachHeadItHad) {
  for (const std::uint64_t size : {1U, 255U, 256U, 299U, 300U}) {
    Continuity kept(log_.head(size));
    EXPECT_TRUE(verify(log_.files(key_), &kept).verified) << size;
  }
}

TEST_F(ALog, TellsWhatTheOtherFilesAtHandHadAsHeads) {
  Continuity kept(log_.head(255));
  learn(log_.checkpoint(31, key_), kept);
  EXPECT_TRUE(verify(log_.files(key_), &kept).verified);
  EXPECT_TRUE(verify_evidence(log_.checkpoint(31, key_), trust_, &kept).verified);
  EXPECT_FALSE(verify_evidence(log_.checkpoint(32, key_), trust_, &kept).verified);
}

TEST_F(ALog, ThatWasRewrittenAndSignedAnewIsAFork) {
  sample::Log rewritten = log_;
  rewritten.bodies[7] = "rewritten";
  for (const std::uint64_t size : {100U, 300U}) {
    Continuity kept(log_.head(size), HeadOf::the_log);
    EXPECT_TRUE(says(complaint(verify(rewritten.files(key_), &kept)), "FORKED")) << size;
  }
  rewritten = log_;
  rewritten.bodies.resize(200);
  Continuity kept(log_.head(300));
  EXPECT_TRUE(says(complaint(verify(rewritten.files(key_), &kept)), "Not shown"));
}

TEST_F(ALog, OfAnotherStoreIsNoContinuation) {
  sample::Log other(Uuid::random());
  other.fill(4);
  Continuity kept(other.head(4));
  EXPECT_TRUE(says(complaint(verify(log_.files(key_), &kept)), "of the log"));
}

TEST_F(ALog, ProvesByAFileThatItContinuesAnEarlierHead) {
  const std::string file = log_.consistency(100, 300, key_);
  Continuity kept(log_.head(100));
  learn(file, kept);
  EXPECT_TRUE(verify_evidence(file, trust_, &kept).verified);
  EXPECT_TRUE(verify_evidence(log_.checkpoint(300, key_), trust_, &kept).verified);
  EXPECT_FALSE(verify_evidence(log_.checkpoint(299, key_), trust_, &kept).verified);
  Continuity nothing(log_.head(100));
  EXPECT_TRUE(
      says(complaint(verify_evidence(log_.checkpoint(300, key_), trust_, &nothing)), "Not shown"));
  Continuity forked({log_.head(100).origin, 100, Digest{}});
  learn(file, forked);
  EXPECT_TRUE(says(complaint(verify_evidence(file, trust_, &forked)), "does not lead from"));
}

TEST_F(ALog, IsForkedOnlyByWhatItSigned) {
  sample::Log other = log_;
  other.bodies[7] = "rewritten";
  const std::string rewritten = other.checkpoint(300, key_);
  const Continuity kept(log_.head(300), HeadOf::the_log);
  EXPECT_TRUE(says(complaint(verify_evidence(rewritten, trust_, &kept)), "FORKED"));
  const Continuity anybodys(log_.head(300));
  EXPECT_TRUE(says(complaint(verify_evidence(rewritten, trust_, &anybodys)), "Not shown"));
  const TrustStore nobody;
  EXPECT_TRUE(says(complaint(verify_evidence(rewritten, nobody, &kept)), "Not shown"));
  const VerifyReport forged =
      verify_evidence(other.checkpoint(300, sample::signer(0x63)), trust_, &kept);
  EXPECT_FALSE(forged.verified);
  EXPECT_TRUE(says(forged.checks.back().detail, "Not compared"));
  EXPECT_EQ(report_json(forged).dump().find("FORKED"), std::string::npos);
}

TEST_F(ALog, IsNotForkedByLeavesOfAStranger) {
  sample::Log other = log_;
  other.bodies[7] = "rewritten";
  Continuity kept(log_.head(100), HeadOf::the_log);
  EXPECT_FALSE(verify(other.files(sample::signer(0x63)), &kept).verified);
  EXPECT_TRUE(
      says(complaint(verify_evidence(log_.checkpoint(300, key_), trust_, &kept)), "Not shown"));
}

TEST_F(ALog, IsNotForkedByAProofThatLeadsNowhere) {
  translog::ConsistencyFile broken =
      translog::parse_consistency(log_.consistency(100, 300, key_)).value();
  broken.proof[0][0] ^= std::byte{1};
  const std::string file = translog::format_consistency(broken);
  Continuity kept(log_.head(100), HeadOf::the_log);
  learn(file, kept);
  EXPECT_TRUE(says(complaint(verify_evidence(file, trust_, &kept)), "does not lead from"));
  learn(log_.consistency(100, 300, key_), kept);
  EXPECT_TRUE(verify_evidence(log_.checkpoint(300, key_), trust_, &kept).verified)
      << "another proof of it holds";
}

TEST_F(ALog, ProvesNothingByAFileThatIsComparedWithNoEarlierHead) {
  const VerifyReport alone = verify_evidence(log_.consistency(100, 300, key_), trust_, nullptr);
  EXPECT_FALSE(alone.verified);
  EXPECT_EQ(alone.outcome, Errc::verification_failed) << "its log is known";
  EXPECT_EQ(alone.checks.back().result, CheckResult::not_checked);
  EXPECT_TRUE(says(alone.checks.back().detail, "--from"));
}

TEST_F(ALog, ProvesNothingByAFileThatCanBeNoProofOfItsSizes) {
  const auto answer = [&](const std::function<void(translog::ConsistencyFile&)>& change) {
    translog::ConsistencyFile file =
        translog::parse_consistency(log_.consistency(100, 300, key_)).value();
    change(file);
    return complaint(verify_evidence(translog::format_consistency(file), trust_, nullptr));
  };
  EXPECT_TRUE(says(answer([](auto& file) { file.old_size = 301; }), "to the head of fewer"));
  EXPECT_TRUE(says(answer([](auto& file) { file.proof.pop_back(); }), "hashes, and this one"));
  EXPECT_TRUE(says(answer([](auto& file) { file.proof.emplace_back(); }), "hashes, and this one"));
}

TEST_F(ALog, ProvesALeafByAFileOfItsOwn) {
  translog::InclusionFile proof{17, log_.inclusion(17, 300), log_.checkpoint(300, key_),
                                copy_of(as_bytes(log_.bodies[17]))};
  EXPECT_TRUE(verify_evidence(translog::format_inclusion(proof), trust_, nullptr).verified);
  EXPECT_EQ(checkpoint_in(translog::format_inclusion(proof)), log_.checkpoint(300, key_));
  proof.extra.push_back(std::byte{0});
  EXPECT_FALSE(verify_evidence(translog::format_inclusion(proof), trust_, nullptr).verified);
}

TEST_F(ALog, WhoseHeadWasSignedByNobodyHereIsUnknown) {
  const VerifyReport report = verify_evidence(log_.checkpoint(5, key_), TrustStore(), nullptr);
  EXPECT_FALSE(report.verified);
  EXPECT_EQ(report.outcome, Errc::signer_unknown);
  EXPECT_FALSE(verify_evidence(log_.checkpoint(5, sample::signer(0x63)), trust_, nullptr).verified);
}

TEST_F(ALog, HasTheFirstBytesByWhichItsFilesAreTold) {
  for (const std::string& text :
       {std::string("old x"), std::string("c2sp.org/tlog-proof@v1\n"), std::string(),
        std::string("{}"), std::string("text\n\n\xe2\x80\x94 a AAAAAAAA\n")}) {
    EXPECT_FALSE(verify_evidence(text, trust_, nullptr).verified) << text;
    EXPECT_FALSE(report_json(verify_evidence(text, trust_, nullptr)).empty());
  }
}

}  // namespace
}  // namespace aierase::certificate
