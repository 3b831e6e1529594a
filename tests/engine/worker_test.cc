// Proves what the worker does with a batch, against a real server and without
// a network in between: how a large one is settled, that one broken member
// fails alone whatever the batch's size, and what is written.

#include "engine/worker.h"

#include <absl/strings/str_cat.h>
#include <absl/time/time.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/executors.h"
#include "engine/policies.h"
#include "engine/waiters.h"
#include "tests/support/database.h"
#include "tests/support/status_matchers.h"

namespace sgl::engine {
namespace {

using ::sgl::testing::IsOk;
using ::sgl::testing::SeededTenant;
using ::sgl::testing::TestDatabase;

constexpr char kPolicy[] = R"sgl(
policy test.worker version 1
default allow
intent POST { text: string }
block TOO_DEAR on POST when intent.spend > $900
review DEAR "${intent.spend} is dear" on POST when intent.spend > $100
  risk 2 approvals 1 from owner within 2h
)sgl";

class WorkerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(InstallPolicy(database_->direct(), {{"worker.sgl", kPolicy}},
                              OnOtherPolicy::kRefuse),
                IsOk());
    ASSERT_THAT(policies_.Reload(), IsOk());
  }

  // Inserts `count` DRAFTs in their order, `text` the number of each.
  void Insert(int count, const std::string& spend = "0") {
    const auto inserted = database_->Owner().Run(absl::StrCat(
        "INSERT INTO intents (tenant_id, agent_id, intent_type, payload, "
        "spend_micros_usd, created_at) SELECT '",
        acme_.id, "', '", acme_.agent,
        "', 'POST', jsonb_build_object('text', n::text), ", spend,
        ", engine_now() + n * interval '1 microsecond' "
        "FROM generate_series(1, ",
        count, ") AS n"));
    ASSERT_TRUE(inserted.ok()) << inserted.error;
  }

  // However slow the machine is, batches are as large as the queue has them.
  int SettleDrafts() {
    Worker worker(&database_->runtime(), &policies_, &executors_, &waiters_,
                  {.batch = {.time_max = absl::InfiniteDuration()}});
    const absl::StatusOr<int> settled = worker.SettleDrafts();
    EXPECT_THAT(settled, IsOk());
    return settled.value_or(-1);
  }

  std::string Value(const std::string& sql) {
    return database_->Super().Value(sql);
  }

  const std::unique_ptr<TestDatabase> database_ = TestDatabase::Make();
  const SeededTenant acme_ = database_->Seed("acme");
  Policies policies_{&database_->runtime()};
  const ExecutorRegistry executors_ = ExecutorRegistry::RecordAllBut({});
  Waiters waiters_{
      [](const auto&) { return std::vector<storage::IntentRow>(); }};
};

TEST_F(WorkerTest, BatchesGrowWithTheQueue) {
  Insert(1500);
  EXPECT_EQ(SettleDrafts(), 1500);
  EXPECT_EQ(Value("SELECT count(*) FROM intents WHERE status = 'EXECUTED'"),
            "1500");
  // One transaction a batch: the first had 256, and a later one more.
  const std::string batches =
      "FROM (SELECT count(*) FROM intents GROUP BY "
      "xact_id) AS batch (size)";
  EXPECT_EQ(Value("SELECT count(*) " + batches + " WHERE size = 256"), "1");
  EXPECT_EQ(Value("SELECT max(size) > 256 " + batches), "t");
}

TEST_F(WorkerTest, OneThatBreaksALargeBatchFailsAlone) {
  database_->Super().Run(
      "ALTER TABLE intents ADD CONSTRAINT no_bad_end "
      "CHECK (status <> 'EXECUTED' OR payload ->> 'text' <> '900')");
  Insert(1200);
  EXPECT_EQ(SettleDrafts(), 1200);
  EXPECT_EQ(Value("SELECT count(*) FROM intents WHERE status = 'EXECUTED'"),
            "1199");
  EXPECT_EQ(Value("SELECT payload ->> 'text' FROM intents "
                  "WHERE failure_reason = 'SETTLEMENT_REFUSED'"),
            "900");
  // Nobody was accounted for twice.
  EXPECT_EQ(Value("SELECT count(*) FROM audit_log "
                  "WHERE action = 'SGL_EVALUATED'"),
            "1199");
}

TEST_F(WorkerTest, OutcomesMemosAndEntriesAreWritten) {
  Insert(3, "CASE n WHEN 1 THEN 0 WHEN 2 THEN 300000000 ELSE 1000000000 END");
  EXPECT_EQ(SettleDrafts(), 3);
  EXPECT_EQ(Value("SELECT string_agg(status || ' ' || sgl_result, ', ' "
                  "ORDER BY created_at) FROM intents"),
            "EXECUTED ALLOW, AWAITING_HUMAN REVIEW, BLOCKED_SGL BLOCK");
  EXPECT_EQ(Value("SELECT concat_ws('; ', m.agent, m.title, m.rationale, "
                  "m.estimated_cost_micros_usd, m.risk_tier, m.demands::jsonb, "
                  "m.reasons -> 0 ->> 'code', m.expires_at - m.created_at > "
                  "interval '1 hour') FROM decision_memos AS m "
                  "JOIN intents AS i ON i.decision_memo_id = m.id"),
            "ATLAS; POST; DEAR: $300 is dear; 300000000; 2; "
            "[{\"count\": 1, \"roles\": [\"owner\"]}]; DEAR; t");
  EXPECT_EQ(Value("SELECT string_agg(a.action, ' ' ORDER BY i.created_at, "
                  "a.transition_number) FROM audit_log AS a "
                  "JOIN intents AS i ON i.id = a.entity_id"),
            "INTENT_SUBMITTED SGL_EVALUATED ENGINE_EXECUTED_INTENT "
            "INTENT_SUBMITTED SGL_EVALUATED DECISION_MEMO_OPENED "
            "INTENT_SUBMITTED SGL_EVALUATED");
}

TEST_F(WorkerTest, FactsThatTheRulesReadAreOnRecord) {
  database_->Super().Run(
      "UPDATE agent_registry SET name = 'Zo\u00eb \"A\\B\"'");
  Insert(1);
  EXPECT_EQ(SettleDrafts(), 1);
  const auto facts = [&](const std::string& path) {
    return Value("SELECT meta -> 'facts' #>> '" + path +
                 "' FROM audit_log WHERE action = 'SGL_EVALUATED'");
  };
  EXPECT_EQ(facts("{agent,name}"), "Zo\u00eb \"A\\B\"");
  EXPECT_EQ(facts("{agent,labels}"), R"(["trusted", "a,b \"c\""])");
  EXPECT_EQ(facts("{agent,known}"), "true");
  EXPECT_EQ(facts("{tenant,slug}"), "acme");
  EXPECT_EQ(facts("{budget}"), R"({"exists": false})");
  EXPECT_EQ(facts("{limits}"), "[]");
  EXPECT_EQ(facts("{integrations}"), "[]");
}

}  // namespace
}  // namespace sgl::engine
