// Rows of the audit go in and come out as they were, and what is not one is damage.
#include "unit/catalog/catalog_fixture.h"

namespace aierase::catalog::test {
namespace {

class TheAuditTable : public CatalogTest {
 protected:
  static domain::AuditRow sample() {
    domain::AuditRow row;
    row.time = at(1);
    row.last = at(9);
    row.calls = 3;
    row.actor.uid = 1000;
    row.actor.login = "alice";
    row.actor.audit_login_uid = 1001;
    row.action = "read";
    row.method = "Asset.Show";
    row.subjects = {{"a-abcdefghijklmnopqrstuvwx23", "acme/llama:1"}, {"", "it's \"typed\""}};
    row.outcome = "not_found";
    row.detail = "there is none";
    return row;
  }
  void add(const std::vector<domain::AuditRow>& rows) {
    ASSERT_TRUE(commit([&](Transaction& t) -> Status {
                  for (const domain::AuditRow& row : rows) RETURN_IF_ERROR(add_one(t, row));
                  return {};
                }).ok());
  }
  static Status add_one(Transaction& t, const domain::AuditRow& row) {
    const Result<std::int64_t> number = t.add_audit(row);
    return number.ok() ? Status() : Status(number.error());
  }
};

TEST_F(TheAuditTable, GivesBackWhatWasPutIn) {
  create();
  EXPECT_EQ(*view().last_audit(), 0);
  add({sample()});
  reopen();
  EXPECT_EQ(*view().last_audit(), 1);
  const auto rows = view().audit_rows({}, 0, 100);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  ASSERT_EQ(rows->size(), 1U);
  const domain::AuditRow& row = rows->front();
  EXPECT_EQ(row.number, 1);
  EXPECT_FALSE(row.begun);
  EXPECT_EQ(row.time, at(1));
  EXPECT_EQ(row.last, at(9));
  EXPECT_EQ(row.calls, 3U);
  EXPECT_EQ(row.actor.uid, 1000U);
  EXPECT_EQ(row.actor.login, "alice");
  EXPECT_EQ(row.actor.audit_login_uid, 1001U);
  EXPECT_EQ(row.action, "read");
  EXPECT_EQ(row.method, "Asset.Show");
  EXPECT_EQ(row.subjects, sample().subjects);
  EXPECT_EQ(row.outcome, "not_found");
  EXPECT_EQ(row.detail, "there is none");
}

TEST_F(TheAuditTable, TellsACallThatHasEndedByItsLastRow) {
  create();
  domain::AuditRow begun = sample();
  begun.outcome = domain::kAuditBegun;
  domain::AuditRow ended = sample();
  ended.begun = 1;
  add({begun, begun, ended});
  const auto rows = view().audit_rows({}, 0, 100);
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ((*rows)[0].number, 2);
  EXPECT_EQ((*rows)[1].begun, 1);
  EXPECT_TRUE(view().audit_rows({}, 0, 1)->empty());
  EXPECT_EQ(view().audit_rows({}, 2, 100)->size(), 1U);
}

TEST_F(TheAuditTable, TakesNoEndOfWhatNeverBegan) {
  create();
  domain::AuditRow row = sample();
  row.begun = 7;
  EXPECT_FALSE(commit([&](Transaction& t) { return add_one(t, row); }).ok());
  EXPECT_EQ(*view().last_audit(), 0);
}

TEST_F(TheAuditTable, IsDamagedWhereASubjectIsNone) {
  create();
  add({sample()});
  for (const char* subjects : {"[", "{}", "[1]", "[{\"id\":1,\"name\":\"\"}]", "[{\"id\":\"\"}]"}) {
    tamper(std::string("UPDATE audit SET subjects = '") + subjects + "'");
    reopen();
    const auto rows = view().audit_rows({}, 0, 100);
    ASSERT_FALSE(rows.ok()) << subjects;
    EXPECT_EQ(rows.error().code, Errc::damaged) << subjects;
  }
}

}  // namespace
}  // namespace aierase::catalog::test
