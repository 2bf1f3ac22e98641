// What a store hands out for an audit: the part of its log around a period, and what is in it.
#include "lifecycle/evidence_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "certificate/section_check.h"
#include "unit/lifecycle/published_log.h"

namespace aierase::test {
namespace {

using Members = std::map<certificate::Member, std::string>;

// One model is erased on the first day, another on the third.
class AnAuditOfAStore : public APublishedLog {
 protected:
  AnAuditOfAStore() {
    gather({});  // has a head signed that is earlier than the first erasure
    EXPECT_TRUE(done(world.erase({"model:1"})));
    first_ = world.clock.now();
    world.clock.advance(kDay);
    between_ = world.clock.now();
    world.clock.advance(kDay);
    EXPECT_TRUE(done(world.erase({"model:2"})));
    world.clock.advance(kDay);
  }
  static constexpr std::chrono::hours kDay{24};

  Members gather(lifecycle::EvidenceWish wish) {
    lifecycle::EvidenceRun run(*world.store, std::move(wish));
    Members members;
    for (bool more = true; more;) {
      const auto step = run.step();
      EXPECT_TRUE(done(step));
      if (!step.ok()) return {};
      more = step->more;
      for (const lifecycle::EvidenceFile& file : step->files) members[file.member] = file.content;
      for (const lifecycle::EvidenceRecord& one : step->records) {
        members[one.member] =
            bundle_around(std::get<catalog::CertificateRow>(one.record), one.proof);
      }
    }
    name_ = run.section();
    return members;
  }
  // It holds and is whole, for whoever trusts the store.
  certificate::SectionReport verified_report(const Members& members) {
    const certificate::TrustStore trust = trust_in(world);
    certificate::SectionCheck check(name_, {&trust, 1, nullptr});
    for (const auto& [member, content] : members) check.add(member, content);
    certificate::SectionReport report = check.finish();
    for (const auto* checks : {&report.integrity, &report.completeness}) {
      for (const certificate::Check& one : *checks) {
        EXPECT_NE(one.result, certificate::CheckResult::failed) << one.name << ": " << one.detail;
      }
    }
    return report;
  }
  // The names of what the certificates in it are of, with blanks between.
  std::string erased_in(const Members& members) {
    std::string names;
    for (const auto& one : verified_report(members).certificates) {
      names += (names.empty() ? "" : " ") + one.summary.name;
    }
    return names;
  }

  UtcTime first_{}, between_{};
  certificate::SectionName name_;
};

TEST_F(AnAuditOfAStore, WithoutAPeriodGetsEverythingFromTheFirstLeafOn) {
  EXPECT_EQ(erased_in(gather({})), "model:1 model:2");
  EXPECT_EQ(name_.first, 0U);
  EXPECT_EQ(name_.size, log_size());
}

TEST_F(AnAuditOfAStore, OfAPeriodBeginsWithTheLastHeadBeforeIt) {
  EXPECT_EQ(erased_in(gather({between_, std::nullopt, {}})), "model:2");
  EXPECT_GT(name_.first, 0U);
  EXPECT_EQ(erased_in(gather({std::nullopt, between_, {}})), "model:1");
  EXPECT_EQ(erased_in(gather({between_, between_, {}})), "");
}

// By the leaves, of whom nobody can claim another time.
TEST_F(AnAuditOfAStore, OfAPeriodIsShownToBeginBeforeItAndToEndBehindIt) {
  const auto period = [this](UtcTime from, UtcTime until) {
    const certificate::SectionReport report = verified_report(gather({from, until, {}}));
    for (const certificate::Check& check : report.completeness) {
      if (check.name == "period") return check.result;
    }
    return certificate::CheckResult::failed;
  };
  EXPECT_EQ(period(between_, between_), certificate::CheckResult::passed);
  EXPECT_EQ(period(first_, between_), certificate::CheckResult::passed);
  EXPECT_EQ(period(between_, world.clock.now()), certificate::CheckResult::not_checked)
      << "the log has not gone on";
}

TEST_F(AnAuditOfAStore, IncludesWhatWasSignedInTheFirstAndInTheLastSecond) {
  EXPECT_EQ(erased_in(gather({first_, first_, {}})), "model:1");
  EXPECT_EQ(erased_in(gather({first_ + std::chrono::seconds(1), std::nullopt, {}})), "model:2");
}

TEST_F(AnAuditOfAStore, OfThePastGetsTheSameForEver) {
  const Members members = gather({std::nullopt, between_, {}});
  ASSERT_TRUE(done(world.import(small_asset("model:3", 3))));
  ASSERT_TRUE(done(world.erase({"model:3"})));
  EXPECT_EQ(gather({std::nullopt, between_, {}}), members);
}

TEST_F(AnAuditOfAStore, GetsTheApprovalsOfWhatItGetsAndOfNothingElse) {
  const auto approvals = [](const certificate::SectionReport& report) {
    return std::count_if(report.records.begin(), report.records.end(),
                         [](const auto& record) { return record.type == "approval"; });
  };
  EXPECT_EQ(approvals(verified_report(gather({}))), 2);
  EXPECT_EQ(approvals(verified_report(gather({between_, std::nullopt, {}}))), 1);
}

TEST_F(AnAuditOfAStore, OfWhatMatchesNamesTheOthersByTheirLeafAlone) {
  const auto match = domain::parse_selectors({"name=model:2"});
  ASSERT_TRUE(done(match));
  const Members members = gather({std::nullopt, std::nullopt, *match});
  EXPECT_EQ(erased_in(members), "model:2");
  EXPECT_EQ(verified_report(members).left_out, 1U);
  for (const auto& [member, content] : members) {
    EXPECT_EQ(content.find("model:1"), std::string::npos) << certificate::member_name(member);
  }
}

}  // namespace
}  // namespace aierase::test
