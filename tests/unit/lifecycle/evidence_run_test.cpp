// What a store hands out for an audit: the part of its log around a period, and what is in it.
#include "lifecycle/evidence_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/limits.h"
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
    steps_ = largest_step_ = 0;
    for (bool more = true; more; ++steps_) {
      const auto step = run.step();
      EXPECT_TRUE(done(step));
      if (!step.ok()) return {};
      more = step->more;
      std::size_t bytes = 0;
      for (const lifecycle::EvidenceFile& file : step->files) {
        members[file.member] = file.content;
        bytes += file.content.size();
      }
      for (const lifecycle::EvidenceRecord& one : step->records) {
        members[one.member] =
            std::visit([&](const auto& row) { return bundle_around(row, one.proof); }, one.record);
      }
      largest_step_ = std::max(largest_step_, bytes);
    }
    name_ = run.section();
    return members;
  }
  Members gather_matching(const std::string& selector) {
    const auto match = domain::parse_selectors({selector});
    EXPECT_TRUE(done(match));
    return gather({std::nullopt, std::nullopt, *match});
  }
  // It holds and is whole, for whoever trusts the store.
  certificate::SectionReport verified_report(const Members& members) {
    certificate::SectionReport report = report_of(members);
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

  certificate::SectionReport report_of(const Members& members) {
    const certificate::TrustStore trust = trust_in(world);
    certificate::SectionCheck check(name_, {&trust, 1, nullptr});
    for (const auto& [member, content] : members) check.add(member, content);
    return check.finish();
  }
  static certificate::Check completeness(const certificate::SectionReport& report,
                                         const std::string& name) {
    for (const certificate::Check& one : report.completeness) {
      if (one.name == name) return one;
    }
    return {name, certificate::CheckResult::not_checked, "there is no such check"};
  }
  static std::ptrdiff_t records_in(const certificate::SectionReport& report,
                                   const std::string& type) {
    return std::count_if(report.records.begin(), report.records.end(),
                         [&](const auto& record) { return record.type == type; });
  }
  void restart_after_moving(const std::string& from, const std::string& to) {
    world.close();
    ASSERT_TRUE(done(world.disk.rename(from, to)));
    ASSERT_TRUE(done(world.open()));
  }

  UtcTime first_{}, between_{};
  std::size_t steps_ = 0, largest_step_ = 0;  // of what was gathered last; bytes of files
  certificate::SectionName name_;
};

TEST_F(AnAuditOfAStore, WithoutAPeriodGetsEverythingFromTheFirstLeafOn) {
  EXPECT_EQ(erased_in(gather({})), "model:1 model:2");
  EXPECT_EQ(name_.first, 0U);
  EXPECT_EQ(name_.size, log_size());
}

TEST_F(AnAuditOfAStore, HasWhatWasSaidOfCertificatesInThePeriod) {
  lifecycle::ValidateRequest verdict;
  verdict.actor = bob();
  verdict.certificate = certificate_of(world, "model:1").id;
  ASSERT_TRUE(done(world.store->validate(verdict)));
  world.clock.advance(kDay);
  verdict.verdict = domain::Validation::rejected;
  verdict.reason = "a copy was seen";
  ASSERT_TRUE(done(world.store->validate(verdict)));
  const auto all = verified_report(gather({}));
  ASSERT_EQ(all.amendments.size(), 2U);
  EXPECT_EQ(all.amendments[1].summary.validation, domain::Validation::rejected);
  EXPECT_EQ(records_in(all, "validation"), 2);
  const auto later = verified_report(gather({world.clock.now(), std::nullopt, {}}));
  ASSERT_EQ(later.amendments.size(), 1U) << "without the certificate, which is from before";
  EXPECT_EQ(later.amendments[0].summary.number, 2U);
  EXPECT_EQ(records_in(later, "validation"), 1);
  const auto other = verified_report(gather_matching("name=model:2"));
  EXPECT_EQ(other.amendments.size(), 0U);
  EXPECT_EQ(other.left_out, 3U) << "a certificate and what was said of it";
}

TEST_F(AnAuditOfAStore, IsRefusedWhereAnAmendmentIsMissingOrAnother) {
  lifecycle::ValidateRequest verdict;
  verdict.actor = bob();
  verdict.certificate = certificate_of(world, "model:1").id;
  ASSERT_TRUE(done(world.store->validate(verdict)));
  const Members whole = gather({});
  const auto place = std::find_if(whole.begin(), whole.end(), [](const auto& entry) {
    return entry.first.part == certificate::Part::amendment;
  });
  ASSERT_NE(place, whole.end());
  Members less = whole;
  less.erase(place->first);
  EXPECT_FALSE(certificate::holds(report_of(less).completeness));
  Members moved = whole;
  certificate::Member other = place->first;
  other.part = certificate::Part::certificate;
  moved.erase(place->first);
  moved[other] = place->second;
  EXPECT_FALSE(certificate::holds(report_of(moved).integrity)) << "in the folder of certificates";
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

TEST_F(AnAuditOfAStore, OfThePastGetsTheSameAfterAChangeOfKeys) {
  const Members members = gather({std::nullopt, between_, {}});
  ASSERT_TRUE(done(world.store->rotate_keys(alice())));
  ASSERT_TRUE(done(publish(world)));
  EXPECT_EQ(gather({std::nullopt, between_, {}}), members);
  EXPECT_EQ(erased_in(members), "model:1") << "also for whoever trusts the keys of today";
  EXPECT_EQ(erased_in(gather({})), "model:1 model:2");
}

TEST_F(AnAuditOfAStore, GetsARefusalThatWasSignedLateInThePeriodOfItsSignature) {
  ASSERT_TRUE(done(world.import(small_asset("model:3", 3))));
  const auto plan = world.request({"model:3"});
  ASSERT_TRUE(done(plan));
  restart_after_moving("/slot-dir/signer.key", "/elsewhere");
  ASSERT_TRUE(done(world.store->cancel(alice(), plan->plan.id)));
  world.clock.advance(kDay);
  const UtcTime end = world.clock.now();
  world.clock.advance(kDay);
  restart_after_moving("/elsewhere", "/slot-dir/signer.key");

  const auto before = verified_report(gather({std::nullopt, end, {}}));
  EXPECT_EQ(before.refusals.size(), 0U);
  EXPECT_EQ(records_in(before, "refusal-unsigned"), 1) << "that it waits is told";
  const auto after = verified_report(gather({end, std::nullopt, {}}));
  EXPECT_EQ(after.refusals.size(), 1U);
  EXPECT_EQ(after.left_out, 0U);
  EXPECT_EQ(records_in(verified_report(gather_matching("name=model:3")), "refusal-unsigned"), 1);
  const auto other = verified_report(gather_matching("name=model:1"));
  EXPECT_EQ(records_in(other, "refusal-unsigned"), 0);
  EXPECT_EQ(completeness(other, "unsigned").result, certificate::CheckResult::not_checked);
  EXPECT_EQ(completeness(before, "unsigned").detail,
            "1 ends of plans that nobody could sign at once are all named.");

  Members less = gather({std::nullopt, end, {}});
  const auto removed = std::erase_if(less, [](const auto& entry) {
    return entry.second.find("refusal-unsigned") != std::string::npos &&
           entry.first.part == certificate::Part::record;
  });
  ASSERT_EQ(removed, 1U);
  EXPECT_EQ(completeness(report_of(less), "unsigned").result, certificate::CheckResult::failed);
}

TEST_F(AnAuditOfAStore, GetsWhatTheLogTookInTooLateForThePeriodBefore) {
  world.close();
  ASSERT_TRUE(done(sql(world.disk,
                       "UPDATE log_leaf SET time = (SELECT min(time) FROM log_leaf) "
                       "WHERE type = 'certificate'")));
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(erased_in(gather({between_, std::nullopt, {}})), "model:2");
  EXPECT_EQ(erased_in(gather({std::nullopt, between_ - std::chrono::seconds(1), {}})),
            "model:1 model:2")
      << "asked for later it has both, since its section goes on to a leaf behind the period";
}

TEST_F(AnAuditOfAStore, LooksAtAPlanOfManyItemsInSeveralSteps) {
  std::vector<std::string> names;
  for (unsigned i = 0; i < 520; ++i) {
    names.push_back("many:" + std::to_string(i));
    ASSERT_TRUE(done(world.import(small_asset(names.back(), i))));
  }
  const auto plan = world.request(names);
  ASSERT_TRUE(done(plan));
  ASSERT_TRUE(done(world.store->cancel(alice(), plan->plan.id)));
  const auto [least, greatest] = std::minmax_element(
      names.begin(), names.end(), [&](const std::string& one, const std::string& other) {
        return world.asset(one).id < world.asset(other).id;
      });
  EXPECT_EQ(verified_report(gather_matching("name=" + *least)).refusals.size(), 1U);
  const std::size_t steps = steps_;
  EXPECT_EQ(verified_report(gather_matching("name=" + *greatest)).refusals.size(), 1U);
  EXPECT_EQ(steps_, steps + 2) << "256 items each";
  EXPECT_EQ(verified_report(gather_matching("name=model:1")).refusals.size(), 0U);
}

TEST_F(AnAuditOfAStore, GetsHoldsOfMoreThanOnePage) {
  ASSERT_TRUE(done(world.import(small_asset("model:3", 3))));
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(done(world.hold({"name=model:3"})));
  EXPECT_EQ(records_in(verified_report(gather({})), "hold-placed"), 300);
}

TEST_F(AnAuditOfAStore, GetsNoTwoLargePoliciesInOneStep) {
  for (const char* grace : {"2 days", "3 days"}) {
    lifecycle::PolicyRequest request{alice(), {}, "agreed"};
    for (int i = 0; i < 64; ++i) {
      std::string text = "[class.c" + std::to_string(i) + "]\nmatch = [\"name=x" +
                         std::to_string(i) + "\"]\ngrace = \"" + grace + "\"\n";
      while (text.size() < limits::kPolicyBytes) text += "# a long story\n";
      text.resize(limits::kPolicyBytes - 1);
      request.files.push_back({"c" + std::to_string(i) + ".toml", text + "\n"});
    }
    ASSERT_TRUE(done(world.store->load_policy(request)));
  }
  EXPECT_EQ(records_in(verified_report(gather({})), "policy-loaded"), 2);
  EXPECT_LT(largest_step_, 2 * 64 * limits::kPolicyBytes);
}

TEST_F(AnAuditOfAStore, NamesWhatIsLeftOutInOneRange) {
  const Members members = gather_matching("name=model:9");
  EXPECT_EQ(verified_report(members).left_out, 2U);
  const auto facts = certificate::parse_section(members.at({certificate::Part::section, 0, 0, {}}));
  ASSERT_TRUE(done(facts));
  EXPECT_EQ(facts->left_out.size(), 1U) << "whatever leaves stand between";
  const auto with_one = gather_matching("name=model:1");
  EXPECT_EQ(verified_report(with_one).left_out, 1U);
}

TEST_F(AnAuditOfAStore, IsToldWhichFileWouldBeTooLarge) {
  const domain::Selector endless{domain::SelectorKey::name, "",
                                 std::string(limits::kArchiveIndexBytes, 'x')};
  lifecycle::EvidenceRun run(*world.store, {std::nullopt, std::nullopt, {endless}});
  for (;;) {
    const auto step = run.step();
    if (step.ok()) {
      ASSERT_TRUE(step->more) << "it was handed out";
      continue;
    }
    EXPECT_EQ(step.error().code, Errc::resource_limit);
    EXPECT_NE(step.error().message.find("section.json"), std::string::npos);
    EXPECT_NE(step.error().message.find(std::to_string(limits::kArchiveIndexBytes)),
              std::string::npos);
    EXPECT_FALSE(step.error().hint.empty());
    return;
  }
}

TEST_F(AnAuditOfAStore, GetsTheApprovalsOfWhatItGetsAndOfNothingElse) {
  EXPECT_EQ(records_in(verified_report(gather({})), "approval"), 2);
  EXPECT_EQ(records_in(verified_report(gather({between_, std::nullopt, {}})), "approval"), 1);
}

TEST_F(AnAuditOfAStore, OfWhatMatchesNamesTheOthersByTheirLeafAlone) {
  const Members members = gather_matching("name=model:2");
  EXPECT_EQ(erased_in(members), "model:2");
  EXPECT_EQ(verified_report(members).left_out, 1U);
  for (const auto& [member, content] : members) {
    EXPECT_EQ(content.find("model:1"), std::string::npos) << certificate::member_name(member);
  }
}

TEST_F(AnAuditOfAStore, OfWhatMatchesGetsTheRecordOfAPolicyButNotItsTextThatNamesPeople) {
  const std::string text = "[class.drafts]\nerase-after = \"30 days\"  # as mallory wants it\n";
  ASSERT_TRUE(done(world.store->load_policy({alice(), {{"rules.toml", text}}, "as agreed"})));
  const auto of_mallory = [](const Members& members) {
    return std::count_if(members.begin(), members.end(), [](const auto& entry) {
      return entry.second.find("mallory") != std::string::npos;
    });
  };
  EXPECT_EQ(of_mallory(gather({})), 1);
  const auto match = domain::parse_selectors({"name=model:2"});
  ASSERT_TRUE(done(match));
  const Members members = gather({std::nullopt, std::nullopt, *match});
  EXPECT_EQ(of_mallory(members), 0);
  const certificate::SectionReport report = verified_report(members);
  EXPECT_TRUE(std::any_of(report.records.begin(), report.records.end(),
                          [](const auto& record) { return record.type == "policy-loaded"; }));
}

}  // namespace
}  // namespace aierase::test
