// Proves submissions, claims and lists against a real server: what is stored is
// what was given, a request id counts once, two engines never claim the same
// row, and rows that others insert by SQL are served like ours.

#include "storage/intents.h"

#include <absl/container/flat_hash_set.h>
#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/sha256.h"
#include "storage/audit.h"
#include "storage/requests.h"
#include "storage/submissions.h"
#include "tests/support/database.h"
#include "tests/support/status_matchers.h"

namespace sgl::storage {
namespace {

using ::sgl::testing::IsOk;
using ::sgl::testing::SeededTenant;
using ::sgl::testing::StatusIs;
using ::sgl::testing::TestDatabase;
using ::testing::HasSubstr;

NewIntent Submission(const SeededTenant& tenant, const std::string& request_id,
                     const std::string& payload = R"({"a": 1e2, "a": 2})") {
  return {
      .tenant_id = tenant.id,
      .agent_id = tenant.agent,
      .principal_id = tenant.agent,
      .request_id = request_id,
      .body_sha256 = Sha256Hex(payload),
      .intent_type = "CHAT_CALL",
      .payload = payload,
      .payload_sha256 = Sha256Hex(payload),
      .spend_micros_usd = 1234567,
      .data_class = "PII",
      .requested_by = "bob",
      .title = "Call \"Bob\" \\ now",
      .rationale = "he's waiting, {really}",
      .submitted_by_token = tenant.agent_token,
      .audit = {.action = "INTENT_SUBMITTED",
                .actor = {.external_id = absl::StrCat("agent:", tenant.agent)},
                .meta = R"({"k": "v"})"}};
}

class IntentsTest : public ::testing::Test {
 protected:
  Transaction Begin(std::vector<std::string> tenants = {}) {
    absl::StatusOr<Transaction> tx =
        database_->runtime().Begin({.tenants = std::move(tenants)});
    EXPECT_THAT(tx, IsOk());
    return *std::move(tx);
  }

  // Submits and commits; returns the id.
  std::string Submit(const SeededTenant& tenant,
                     const std::string& request_id) {
    Transaction tx = Begin({tenant.id});
    const auto outcome = InsertIntent(tx, Submission(tenant, request_id));
    EXPECT_THAT(outcome, IsOk());
    EXPECT_THAT(tx.Commit(), IsOk());
    return outcome.ok() ? outcome->row.id : "";
  }

  // Inserts rows as an existing writer does.
  void InsertBySql(const SeededTenant& tenant, int count) {
    const auto inserted = database_->Owner().Run(absl::StrCat(
        "INSERT INTO intents (tenant_id, agent_id, intent_type, payload) "
        "SELECT '",
        tenant.id, "', '", tenant.agent,
        "', 'ENGINE_RUN', '{\"n\": 1}' FROM generate_series(1, ", count, ")"));
    ASSERT_TRUE(inserted.ok()) << inserted.error;
  }

  std::unique_ptr<TestDatabase> database_ = TestDatabase::Make();
  SeededTenant acme_ = database_->Seed("acme");
  SeededTenant bolt_ = database_->Seed("bolt");
};

TEST_F(IntentsTest, StoresWhatWasSubmittedToTheByte) {
  const std::string id = Submit(acme_, "r1");
  Transaction tx = Begin({acme_.id});
  const auto row = GetIntent(tx, id);
  ASSERT_THAT(row, IsOk());
  EXPECT_EQ(row->status, IntentStatus::kDraft);
  EXPECT_EQ(row->payload, R"({"a": 1e2, "a": 2})");
  EXPECT_EQ(row->payload_sha256, Sha256Hex(row->payload));
  EXPECT_TRUE(row->adopted);
  EXPECT_EQ(row->spend_micros_usd, 1234567);
  EXPECT_EQ(row->data_class, "PII");
  EXPECT_EQ(row->title, "Call \"Bob\" \\ now");
  EXPECT_EQ(row->rationale, "he's waiting, {really}");
  EXPECT_EQ(row->request_id, "r1");
  EXPECT_EQ(row->agent_id, acme_.agent);
  EXPECT_EQ(row->submitted_by_token, acme_.agent_token);
  const auto entries = ListAudit(tx, "intent", id);
  ASSERT_THAT(entries, IsOk());
  ASSERT_EQ(entries->size(), 1u);
  EXPECT_EQ((*entries)[0].entry.action, "INTENT_SUBMITTED");
  EXPECT_EQ((*entries)[0].transition_number, 1);
  EXPECT_EQ((*entries)[0].entry.actor.external_id,
            absl::StrCat("agent:", acme_.agent));
}

TEST_F(IntentsTest, TheOutcomeIsTheRow) {
  Transaction tx = Begin({acme_.id});
  const auto outcome = InsertIntent(tx, Submission(acme_, "r1"));
  ASSERT_THAT(outcome, IsOk());
  const auto row = GetIntent(tx, outcome->row.id);
  ASSERT_THAT(row, IsOk());
  EXPECT_EQ(row->created_at, outcome->row.created_at);
  EXPECT_EQ(row->updated_at, outcome->row.updated_at);
  EXPECT_EQ(row->transition_number, outcome->row.transition_number);
  EXPECT_EQ(row->requested_by, outcome->row.requested_by);
  EXPECT_EQ(row->tenant_id, outcome->row.tenant_id);
}

TEST_F(IntentsTest, ARepeatAnswersTheFirstAndWritesNothing) {
  const std::string id = Submit(acme_, "r1");
  Transaction tx = Begin({acme_.id});
  const auto repeat = InsertIntent(tx, Submission(acme_, "r1"));
  ASSERT_THAT(repeat, IsOk());
  EXPECT_TRUE(repeat->repeated);
  EXPECT_EQ(repeat->row.id, id);
  EXPECT_EQ(database_->Super().Value("SELECT count(*) FROM intents"), "1");
  const auto other_body =
      InsertIntent(tx, Submission(acme_, "r1", R"({"a": 3})"));
  EXPECT_THAT(other_body, StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(IntentsTest, ARequestIdIsThePrincipalsOwn) {
  const std::string id = Submit(acme_, "r1");
  EXPECT_NE(Submit(bolt_, "r1"), id);
  Transaction tx = Begin({acme_.id});
  NewIntent other = Submission(acme_, "r1");
  other.principal_id = acme_.carol;
  const auto outcome = InsertIntent(tx, other);
  ASSERT_THAT(outcome, IsOk());
  EXPECT_FALSE(outcome->repeated);
}

TEST_F(IntentsTest, OfTwoAtOnceTheSecondWaitsAndAnswersTheFirst) {
  Transaction first = Begin({acme_.id});
  const auto inserted = InsertIntent(first, Submission(acme_, "r1"));
  ASSERT_THAT(inserted, IsOk());
  absl::StatusOr<InsertOutcome> repeated = absl::UnknownError("not run");
  std::thread second([&] {
    Transaction tx = Begin({acme_.id});
    repeated = InsertIntent(tx, Submission(acme_, "r1"));
  });
  // The second is seen waiting for the first before that commits.
  while (database_->Super().Value("SELECT count(*) FROM pg_stat_activity "
                                  "WHERE wait_event_type = 'Lock'") == "0") {
  }
  EXPECT_THAT(first.Commit(), IsOk());
  second.join();
  ASSERT_THAT(repeated, IsOk());
  EXPECT_TRUE(repeated->repeated);
  EXPECT_EQ(repeated->row.id, inserted->row.id);
}

TEST_F(IntentsTest, PayloadsThatCannotBeStoredAreRefused) {
  for (const std::string& payload :
       {std::string(R"({"a": )"), std::string("{\"a\": \"\\u0000\"}"),
        std::string("{\"a\": \"\xff\"}"), std::string("{}\0{}", 5)}) {
    Transaction tx = Begin({acme_.id});
    EXPECT_THAT(InsertIntent(tx, Submission(acme_, "r1", payload)),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
  EXPECT_EQ(database_->Super().Value("SELECT count(*) FROM intent_requests"),
            "0");
}

TEST_F(IntentsTest, ClaimsAcrossTenantsAndTakesTheirRights) {
  InsertBySql(acme_, 2);
  Submit(bolt_, "r1");
  Transaction tx = Begin();
  const auto claimed = ClaimDraftIntents(tx, 10);
  ASSERT_THAT(claimed, IsOk());
  ASSERT_EQ(claimed->size(), 3u);
  for (const IntentRow& row : *claimed) {
    EXPECT_THAT(GetIntent(tx, row.id), IsOk());
    EXPECT_EQ(row.adopted, row.tenant_id == bolt_.id);
    EXPECT_FALSE(row.payload.empty());
  }
}

TEST_F(IntentsTest, TwoEnginesClaimDisjointSets) {
  InsertBySql(acme_, 30);
  InsertBySql(bolt_, 30);
  Transaction one = Begin();
  Transaction two = Begin();
  const auto first = ClaimDraftIntents(one, 40);
  const auto second = ClaimDraftIntents(two, 40);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(first->size(), 40u);
  EXPECT_EQ(second->size(), 20u);
  absl::flat_hash_set<std::string> seen;
  for (const auto* claimed : {&*first, &*second}) {
    for (const IntentRow& row : *claimed) {
      EXPECT_TRUE(seen.insert(row.id).second) << row.id;
    }
  }
  one.Rollback();
  Transaction three = Begin();
  EXPECT_EQ(ClaimDraftIntents(three, 100)->size(), 40u);
}

TEST_F(IntentsTest, ABacklogDoesNotStarveAnotherTenant) {
  InsertBySql(acme_, 500);
  InsertBySql(bolt_, 1);
  for (int round = 0; round < 5; ++round) {
    Transaction tx = Begin();
    const auto claimed = ClaimDraftIntents(tx, 10);
    ASSERT_THAT(claimed, IsOk());
    EXPECT_EQ(claimed->size(), 10u);
    int bolts = 0;
    for (const IntentRow& row : *claimed) bolts += row.tenant_id == bolt_.id;
    EXPECT_EQ(bolts, 1);
  }
}

TEST_F(IntentsTest, EachTenantsOldestComeFirst) {
  for (const char* minutes : {"3", "1", "2"}) {
    database_->Owner().Run(absl::StrCat(
        "INSERT INTO intents (tenant_id, intent_type, payload, created_at) "
        "VALUES ('",
        acme_.id, "', 'T", minutes, "', '{}', '2026-01-01 00:0", minutes,
        "')"));
  }
  Transaction tx = Begin();
  const auto claimed = ClaimDraftIntents(tx, 2);
  ASSERT_THAT(claimed, IsOk());
  ASSERT_EQ(claimed->size(), 2u);
  EXPECT_EQ((*claimed)[0].intent_type, "T1");
  EXPECT_EQ((*claimed)[1].intent_type, "T2");
}

TEST_F(IntentsTest, TheKillSwitchStopsClaims) {
  const std::string id = Submit(acme_, "r1");
  const auto claims = [&]() -> size_t {
    Transaction tx = Begin();
    const auto batch = ClaimDraftIntents(tx, 10);
    EXPECT_THAT(batch, IsOk());
    Transaction alone = Begin({acme_.id});
    // Not at once with the batch: that one holds the row.
    tx.Rollback();
    const auto one = ClaimOneDraft(alone, id);
    EXPECT_THAT(one, IsOk());
    const auto enabled = EngineEnabled(alone);
    EXPECT_THAT(enabled, IsOk());
    EXPECT_EQ(*enabled, one->has_value());
    EXPECT_EQ(batch->size(), one->has_value() ? 1u : 0u);
    return batch->size();
  };
  const auto set = [&](const std::string& value) {
    const auto result = database_->Owner().Run(absl::StrCat(
        "INSERT INTO system_state (key, value) VALUES ('atlas_online', '",
        value, "') ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value"));
    ASSERT_TRUE(result.ok()) << result.error;
  };
  EXPECT_EQ(claims(), 1u);
  set(R"({"engine_enabled": false})");
  EXPECT_EQ(claims(), 0u);
  for (const char* malformed : {R"({"engine_enabled": "true"})", "{}", "null",
                                "[]", "1", R"({"engine_enabled": null})"}) {
    SCOPED_TRACE(malformed);
    set(malformed);
    EXPECT_EQ(claims(), 0u);
  }
  set(R"({"engine_enabled": true, "note": 1})");
  EXPECT_EQ(claims(), 1u);
}

TEST_F(IntentsTest, UnreadablePayloadsDoNotHurtTheirBatch) {
  const std::string many_numbers =
      "(SELECT jsonb_build_object('a', jsonb_agg('1e131071'::jsonb)) "
      "FROM generate_series(1, 8000))";
  const std::string insert = absl::StrCat(
      "INSERT INTO intents (tenant_id, intent_type, payload) "
      "SELECT '",
      acme_.id, "', ");
  auto& owner = database_->Owner();
  EXPECT_TRUE(owner.Run(insert + "'NUMBERS', " + many_numbers).ok());
  EXPECT_TRUE(owner
                  .Run(insert +
                       "'DEEP', (repeat('[', 3000) || repeat(']', 3000))"
                       "::jsonb")
                  .ok());
  EXPECT_TRUE(
      owner.Run(insert + "'LARGE', to_jsonb(repeat('x', 300000))").ok());
  EXPECT_TRUE(owner.Run(insert + "'SCALE', '{\"n\": 1e-16000}'").ok());
  EXPECT_TRUE(owner.Run(insert + "'FINE', '{\"n\": 1e60, \"s\": \"x\"}'").ok());
  EXPECT_TRUE(owner
                  .Run(insert + "'DEEP_ENOUGH', (repeat('[', 64) || '1' || "
                                "repeat(']', 64))::jsonb")
                  .ok());
  Transaction tx = Begin();
  const auto claimed = ClaimDraftIntents(tx, 10);
  ASSERT_THAT(claimed, IsOk());
  ASSERT_EQ(claimed->size(), 6u);
  for (const IntentRow& row : *claimed) {
    SCOPED_TRACE(row.intent_type);
    const bool readable =
        row.intent_type == "FINE" || row.intent_type == "DEEP_ENOUGH";
    EXPECT_EQ(row.payload_unreadable, !readable);
    EXPECT_EQ(row.payload.empty(), !readable);
    EXPECT_FALSE(row.adopted);
  }
}

TEST_F(IntentsTest, PagesStayPutUnderInserts) {
  for (int i = 0; i < 7; ++i) Submit(acme_, absl::StrCat("r", i));
  std::vector<std::string> seen;
  std::optional<PageCursor> cursor;
  for (int page = 0; page < 4; ++page) {
    Transaction tx = Begin({acme_.id});
    const auto rows = ListIntents(tx, {}, cursor, 2);
    ASSERT_THAT(rows, IsOk());
    for (const IntentRow& row : *rows) {
      seen.push_back(row.id);
    }
    if (!rows->empty()) {
      cursor = {.created_at = rows->back().created_at, .id = rows->back().id};
    }
    tx.Rollback();
    Submit(acme_, absl::StrCat("later", page));
  }
  EXPECT_EQ(seen.size(), 7u);
  EXPECT_EQ(absl::flat_hash_set<std::string>(seen.begin(), seen.end()).size(),
            7u);
}

TEST_F(IntentsTest, RowsOfOneMicrosecondPageByTheirIds) {
  database_->Owner().Run(absl::StrCat(
      "INSERT INTO intents (tenant_id, intent_type, payload, created_at) "
      "SELECT '",
      acme_.id,
      "', 'T', '{}', '2026-01-01 00:00:00.123457+00' "
      "FROM generate_series(1, 5)"));
  absl::flat_hash_set<std::string> seen;
  std::optional<PageCursor> cursor;
  Transaction tx = Begin({acme_.id});
  for (int page = 0; page < 5; ++page) {
    const auto rows = ListIntents(tx, {}, cursor, 1);
    ASSERT_THAT(rows, IsOk());
    ASSERT_EQ(rows->size(), 1u);
    EXPECT_TRUE(seen.insert((*rows)[0].id).second);
    cursor = {.created_at = (*rows)[0].created_at, .id = (*rows)[0].id};
  }
  EXPECT_TRUE(ListIntents(tx, {}, cursor, 1)->empty());
}

TEST_F(IntentsTest, FiltersNarrowTheList) {
  const std::string id = Submit(acme_, "r1");
  InsertBySql(acme_, 3);
  Transaction tx = Begin({acme_.id});
  const auto count = [&](const IntentFilter& filter) {
    const auto rows = ListIntents(tx, filter, std::nullopt, 100);
    EXPECT_THAT(rows, IsOk());
    return rows->size();
  };
  const absl::Time submitted = GetIntent(tx, id)->created_at;
  EXPECT_EQ(count({}), 4u);
  EXPECT_EQ(count({.intent_type = "CHAT_CALL"}), 1u);
  EXPECT_EQ(count({.status = IntentStatus::kDraft}), 4u);
  EXPECT_EQ(count({.status = IntentStatus::kFailed}), 0u);
  EXPECT_EQ(count({.agent_id = acme_.agent}), 4u);
  EXPECT_EQ(count({.agent_id = bolt_.agent}), 0u);
  EXPECT_EQ(count({.agent_id = "nobody"}), 0u);
  EXPECT_EQ(count({.created_to = submitted}), 0u);
  EXPECT_EQ(count({.created_to = submitted + absl::Microseconds(1)}), 1u);
  EXPECT_EQ(count({.created_from = submitted}), 4u);
  EXPECT_THAT(ListIntents(tx, {}, std::nullopt, 201),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(IntentsTest, RequestIdsAreForgottenAfterThirtyDays) {
  const std::string old = Submit(acme_, "old");
  Submit(bolt_, "old");
  const std::string young = Submit(acme_, "young");
  const auto forget = [&](int limit) {
    Transaction tx = Begin();
    const auto count = ForgetRequests(tx, limit);
    EXPECT_THAT(count, IsOk());
    EXPECT_THAT(tx.Commit(), IsOk());
    return count.value_or(-1);
  };
  EXPECT_EQ(forget(10), 0);
  ASSERT_TRUE(database_->Super()
                  .Run("UPDATE intent_requests SET created_at = engine_now() "
                       "- interval '30 days 1 second' "
                       "WHERE request_id = 'old'")
                  .ok());
  EXPECT_EQ(forget(1), 1);
  EXPECT_EQ(forget(10), 1);
  EXPECT_EQ(forget(10), 0);
  // It is another submission now; the young one is repeated as before.
  EXPECT_NE(Submit(acme_, "old"), old);
  EXPECT_EQ(Submit(acme_, "young"), young);
}

TEST_F(IntentsTest, DraftsWithAPastAreRefused) {
  const std::pair<const char*, const char*> columns[] = {
      {"transition_number", "9223372036854775807"},
      {"transition_number", "-1"},
      {"revision", "2"},
      {"output", "{}"},
  };
  for (const auto& [column, value] : columns) {
    SCOPED_TRACE(column);
    EXPECT_THAT(database_->Owner()
                    .Run(absl::StrCat(
                        "INSERT INTO intents (tenant_id, intent_type, ", column,
                        ") VALUES ('", acme_.id, "', 'T', '", value, "')"))
                    .error,
                HasSubstr("intents_draft_is_fresh"));
  }
}

TEST_F(IntentsTest, TimesThatNoEngineCanReadAreRefused) {
  const auto insert = [&](const std::string& column, const std::string& time) {
    return database_->Owner()
        .Run(absl::StrCat("INSERT INTO intents (tenant_id, intent_type, ",
                          column, ") VALUES ('", acme_.id, "', 'T', '", time,
                          "')"))
        .error;
  };
  for (const std::string& column :
       {std::string("created_at"), std::string("updated_at")}) {
    for (const char* time : {"infinity", "-infinity", "10000-01-01 00:00:00Z",
                             "0001-12-31 23:59:59Z BC"}) {
      SCOPED_TRACE(absl::StrCat(column, " ", time));
      EXPECT_THAT(insert(column, time),
                  HasSubstr(absl::StrCat("intents_", column, "_range")));
    }
    EXPECT_EQ(insert(column, "9999-12-31 23:59:59Z"), "");
    EXPECT_EQ(insert(column, "0001-01-01 00:00:00Z"), "");
  }
  Transaction tx = Begin();
  const auto claimed = ClaimDraftIntents(tx, 100);
  ASSERT_THAT(claimed, IsOk());
  EXPECT_EQ(claimed->size(), 4u);
}

TEST_F(IntentsTest, WhatIsNotThereIsNotFound) {
  const std::string id = Submit(bolt_, "r1");
  Transaction tx = Begin({acme_.id});
  for (const std::string& other :
       {id, std::string("00000000-0000-4000-8000-000000000000"),
        std::string("no id"), std::string()}) {
    SCOPED_TRACE(other);
    EXPECT_THAT(GetIntent(tx, other), StatusIs(absl::StatusCode::kNotFound));
    EXPECT_THAT(LockIntent(tx, other), StatusIs(absl::StatusCode::kNotFound));
  }
  EXPECT_TRUE(GetIntents(tx, {id, "no id"})->empty());
}

}  // namespace
}  // namespace sgl::storage
