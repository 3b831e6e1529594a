// Proves the kill switches in the database itself: what is off is neither
// claimed nor settled nor voted on, at each level, whoever wrote the switch and
// however malformed; that a switch once set and waited for lets nothing more
// through; that what is off costs others nothing; and that each change is on
// record.

#include "storage/switches.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "storage/identity.h"
#include "storage/intents.h"
#include "storage/memos.h"
#include "storage/policies.h"
#include "storage/settlement.h"
#include "tests/support/database.h"
#include "tests/support/status_matchers.h"

namespace sgl::storage {
namespace {

using ::sgl::testing::IsOk;
using ::sgl::testing::SeededTenant;
using ::sgl::testing::SqlConnection;
using ::sgl::testing::SqlResult;
using ::sgl::testing::StatusIs;
using ::sgl::testing::TestDatabase;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kDigest[] =
    "sha256:1111111111111111111111111111111111111111111111111111111111111111";

class SwitchesTest : public ::testing::Test {
 protected:
  SwitchesTest() {
    Transaction tx = Begin();
    EXPECT_THAT(StorePolicy(tx, {.digest = kDigest}, "test"), IsOk());
    EXPECT_THAT(ActivatePolicy(tx, kDigest, Activation::kFirstOnly, {}),
                IsOk());
    EXPECT_THAT(tx.Commit(), IsOk());
  }

  Transaction Begin(std::vector<std::string> tenants = {}) {
    auto tx = database_->runtime().Begin({.tenants = std::move(tenants)});
    EXPECT_THAT(tx, IsOk());
    return *std::move(tx);
  }

  // Inserts DRAFTs as an existing system does; an empty agent is none.
  void Insert(const SeededTenant& tenant, const std::string& agent,
              int count = 1) {
    const SqlResult inserted = database_->Owner().Run(absl::StrCat(
        "INSERT INTO intents (tenant_id, agent_id, intent_type) SELECT '",
        tenant.id, "', NULLIF('", agent,
        "', '')::uuid, 'T' FROM generate_series(1, ", count, ")"));
    ASSERT_TRUE(inserted.ok()) << inserted.error;
  }

  // Returns how many of up to 100 a claim gives now.
  size_t Claimable() {
    Transaction tx = Begin();
    const auto rows = ClaimDraftIntents(tx, 100);
    EXPECT_THAT(rows, IsOk());
    return rows.ok() ? rows->size() : 0;
  }

  absl::Status Set(const SwitchTarget& target, bool engine_enabled,
                   const std::string& reason = "drill") {
    Transaction tx = Begin();
    const absl::Status set =
        SetKillSwitch(tx, target,
                      {.engine_enabled = engine_enabled,
                       .reason = reason,
                       .actor = {.external_id = "operator:x"}});
    return set.ok() ? tx.Commit() : set;
  }

  SqlResult Write(const std::string& key, const std::string& value) {
    return database_->Owner().Run(absl::StrCat(
        "INSERT INTO system_state (key, value) VALUES ('", key, "', '", value,
        "') ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value"));
  }

  // Returns the entries' meta, oldest first, a line each.
  std::string Entries() {
    return database_->Super().Value(
        "SELECT coalesce(string_agg(concat_ws(' ', meta ->> 'level', meta ->> "
        "'engine_enabled', coalesce(actor_external_id, 'user'), meta ->> "
        "'reason'), E'\\n' ORDER BY created_at), '') "
        "FROM audit_log WHERE action = 'KILL_SWITCH_SET'");
  }

  std::string SecondAgent() {
    return database_->Super().Value(
        absl::StrCat("INSERT INTO agent_registry (tenant_id, name) VALUES ('",
                     acme_.id, "', 'BEE') RETURNING id"));
  }

  std::unique_ptr<TestDatabase> database_ = TestDatabase::Make();
  SeededTenant acme_ = database_->Seed("acme");
  SeededTenant bolt_ = database_->Seed("bolt");
};

Settlement Executed(const IntentRow& row) {
  return {.intent_id = row.id,
          .tenant_id = row.tenant_id,
          .status = IntentStatus::kExecuted,
          .decision = R"({"decision":"ALLOW"})",
          .sgl_result = "ALLOW",
          .policy_digest = kDigest,
          .adoption =
              Adoption{.payload = "{}", .payload_sha256 = std::string(64, 'a')},
          .audit = {{.action = "ENGINE_EXECUTED_INTENT"}}};
}

TEST_F(SwitchesTest, EachLevelStopsItsOwnAndNothingElse) {
  const std::string bee = SecondAgent();
  Insert(acme_, acme_.agent, 2);
  Insert(acme_, bee, 3);
  Insert(acme_, "", 4);
  Insert(bolt_, bolt_.agent, 8);
  EXPECT_EQ(Claimable(), 17u);
  const SwitchTarget agent = {.tenant_id = acme_.id, .agent_id = acme_.agent};
  ASSERT_THAT(Set(agent, false), IsOk());
  EXPECT_EQ(Claimable(), 15u);
  ASSERT_THAT(Set({.tenant_id = acme_.id}, false), IsOk());
  EXPECT_EQ(Claimable(), 8u);
  ASSERT_THAT(Set({}, false), IsOk());
  EXPECT_EQ(Claimable(), 0u);
  // On again from the top: what is below stays off.
  ASSERT_THAT(Set({}, true), IsOk());
  EXPECT_EQ(Claimable(), 8u);
  ASSERT_THAT(Set({.tenant_id = acme_.id}, true), IsOk());
  EXPECT_EQ(Claimable(), 15u);
  ASSERT_THAT(Set(agent, true), IsOk());
  EXPECT_EQ(Claimable(), 17u);
}

TEST_F(SwitchesTest, AgentsThatAreOnShareTheirTenantsPart) {
  const std::string bee = SecondAgent();
  Insert(acme_, acme_.agent, 150);
  Insert(acme_, bee, 150);
  Insert(acme_, "", 5);
  ASSERT_THAT(Set({.tenant_id = acme_.id, .agent_id = acme_.owner}, false),
              StatusIs(absl::StatusCode::kNotFound));
  const std::string off = database_->Super().Value(
      absl::StrCat("INSERT INTO agent_registry (tenant_id, name) VALUES ('",
                   acme_.id, "', 'OFF') RETURNING id"));
  ASSERT_THAT(Set({.tenant_id = acme_.id, .agent_id = off}, false), IsOk());
  Transaction tx = Begin();
  const auto rows = ClaimDraftIntents(tx, 100);
  ASSERT_THAT(rows, IsOk());
  ASSERT_EQ(rows->size(), 100u);
  int of_bee = 0;
  int of_nobody = 0;
  for (const IntentRow& row : *rows) {
    of_bee += row.agent_id == bee ? 1 : 0;
    of_nobody += row.agent_id.empty() ? 1 : 0;
  }
  EXPECT_EQ(of_nobody, 5);
  EXPECT_GE(of_bee, 30);
  EXPECT_LE(of_bee, 65);
  // Another engine gets others of them.
  Transaction other = Begin();
  const auto further = ClaimDraftIntents(other, 500);
  ASSERT_THAT(further, IsOk());
  EXPECT_EQ(further->size(), 205u);
}

TEST_F(SwitchesTest, SqlIsHonouredHoweverItIsWritten) {
  Insert(acme_, acme_.agent);
  std::string capitals = acme_.id;
  for (char& c : capitals) c = static_cast<char>(std::toupper(c));
  for (const std::string& key :
       {std::string("atlas_online"),
        absl::StrCat("tenant:", acme_.id, ":atlas_online"),
        absl::StrCat("tenant:", capitals, ":atlas_online"),
        absl::StrCat("tenant:", acme_.id, ":agent:", acme_.agent,
                     ":atlas_online")}) {
    SCOPED_TRACE(key);
    for (const char* off : {R"({"engine_enabled": false})", "{}", "null", "1",
                            R"({"engine_enabled": "true"})", "[]"}) {
      ASSERT_TRUE(Write(key, off).ok());
      EXPECT_EQ(Claimable(), 0u) << off;
    }
    ASSERT_TRUE(Write(key, R"({"engine_enabled": true, "x": 1})").ok());
    EXPECT_EQ(Claimable(), 1u);
  }
  // Other keys switch nothing.
  ASSERT_TRUE(Write("atlas_offline", "{}").ok());
  ASSERT_TRUE(Write(absl::StrCat("tenant:", acme_.id, ":x"), "{}").ok());
  EXPECT_EQ(Claimable(), 1u);
  // A row that is deleted is a missing one.
  ASSERT_TRUE(Write("atlas_online", "{}").ok());
  ASSERT_TRUE(database_->Owner().Run("DELETE FROM system_state").ok());
  EXPECT_EQ(Claimable(), 1u);
}

TEST_F(SwitchesTest, EachChangeIsOnRecordWithWhoAndWhy) {
  ASSERT_THAT(Set({}, false, "smoke in the rack"), IsOk());
  ASSERT_TRUE(Write("atlas_online", R"({"engine_enabled": true})").ok());
  // Nothing changed, so nothing happened.
  ASSERT_TRUE(
      Write("atlas_online", R"({"engine_enabled": true, "a": 1})").ok());
  ASSERT_TRUE(Write(absl::StrCat("tenant:", acme_.id, ":atlas_online"),
                    R"({"engine_enabled": false, "reason": "odd"})")
                  .ok());
  ASSERT_TRUE(database_->Owner().Run("DELETE FROM system_state").ok());
  EXPECT_EQ(Entries(),
            "platform false operator:x smoke in the rack\n"
            "platform true sql:intent_owner\n"
            "tenant false sql:intent_owner odd\n"
            "tenant true sql:intent_owner");
  EXPECT_EQ(database_->Super().Value(
                absl::StrCat("SELECT count(*) FROM audit_log WHERE action = "
                             "'KILL_SWITCH_SET' AND tenant_id = '",
                             acme_.id, "'")),
            "2");
  EXPECT_THAT(Set({}, false, ""),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Set({}, false, std::string(1001, 'x')),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(SwitchesTest, WhoWritesTheTableCannotSayThatSomebodyElseDid) {
  ASSERT_THAT(Set({.tenant_id = acme_.id}, false, "real"), IsOk());
  ASSERT_TRUE(database_->Owner()
                  .Run("UPDATE system_state SET switched_by = 'user:x', "
                       "switch_reason = 'forged', switched_at = now()")
                  .ok());
  Transaction tx = Begin({acme_.id});
  const auto switches = ListKillSwitches(tx, {}, std::nullopt, 10);
  ASSERT_THAT(switches, IsOk());
  ASSERT_THAT(*switches, SizeIs(1));
  EXPECT_EQ((*switches)[0].set_by, "operator:x");
  EXPECT_EQ((*switches)[0].reason, "real");
  EXPECT_EQ((*switches)[0].tenant_slug, "acme");
  EXPECT_FALSE((*switches)[0].engine_enabled);
}

TEST_F(SwitchesTest, ListsShowOnesOwnAndThePlatforms) {
  ASSERT_THAT(Set({}, true), IsOk());
  ASSERT_THAT(Set({.tenant_id = acme_.id}, false), IsOk());
  ASSERT_THAT(Set({.tenant_id = bolt_.id, .agent_id = bolt_.agent}, false),
              IsOk());
  const auto count = [&](const std::string& tenant,
                         const SwitchFilter& filter) -> size_t {
    Transaction tx = Begin({tenant});
    const auto switches = ListKillSwitches(tx, filter, std::nullopt, 10);
    EXPECT_THAT(switches, IsOk());
    return switches->size();
  };
  EXPECT_EQ(count(acme_.id, {}), 2u);
  EXPECT_EQ(count(acme_.id, {.only_off = true}), 1u);
  EXPECT_EQ(count(acme_.id, {.tenant_id = bolt_.id}), 0u);
  EXPECT_EQ(count(kSystemTenantId, {}), 3u);
  EXPECT_EQ(count(kSystemTenantId, {.tenant_id = bolt_.id}), 1u);
  // In pages, each once.
  Transaction tx = Begin({kSystemTenantId});
  std::vector<std::string> ids;
  std::optional<PageCursor> after;
  for (int page = 0; page < 3; ++page) {
    const auto one = ListKillSwitches(tx, {}, after, 1);
    ASSERT_THAT(one, IsOk());
    ASSERT_THAT(*one, SizeIs(1));
    ids.push_back((*one)[0].id);
    after = PageCursor{*(*one)[0].set_at, (*one)[0].id};
  }
  EXPECT_THAT(ListKillSwitches(tx, {}, after, 1).value(), SizeIs(0));
  EXPECT_NE(ids[0], ids[1]);
  EXPECT_NE(ids[1], ids[2]);
}

TEST_F(SwitchesTest, SubmissionsSeeTheSwitchesOfTheirOwnTenant) {
  SqlConnection runtime(database_->runtime_url());
  for (const SeededTenant* tenant : {&acme_, &bolt_}) {
    ASSERT_THAT(Set({.tenant_id = tenant->id}, false), IsOk());
  }
  ASSERT_TRUE(
      runtime.Run(absl::StrCat("SET intent.tenants = '{", acme_.id, "}'"))
          .ok());
  EXPECT_EQ(
      runtime.Value(absl::StrCat("SELECT string_agg(tenant_id::text, ' ') FROM "
                                 "submission_switches('{",
                                 bolt_.agent, "}')")),
      acme_.id);
}

TEST_F(SwitchesTest, NobodySetsAnotherTenantsSwitch) {
  SqlConnection runtime(database_->runtime_url());
  const auto set = [&](const std::string& target) {
    return runtime.Run(absl::StrCat("SELECT set_kill_switch(", target,
                                    ", NULL, true, 'x', NULL, 'x')"));
  };
  const std::string bolt = absl::StrCat("'", bolt_.id, "'");
  EXPECT_EQ(set("NULL").sqlstate, "42501");
  EXPECT_EQ(set(bolt).sqlstate, "42501");
  ASSERT_TRUE(
      runtime.Run(absl::StrCat("SET intent.tenants = '{", acme_.id, "}'"))
          .ok());
  EXPECT_EQ(set("NULL").sqlstate, "42501");
  EXPECT_EQ(set(bolt).sqlstate, "42501");
  // Nor does it see whether another is off, nor reach the table.
  ASSERT_THAT(Set({.tenant_id = bolt_.id}, false), IsOk());
  EXPECT_EQ(runtime.Value(
                absl::StrCat("SELECT switched_off(", bolt, ", NULL) IS NULL")),
            "t");
  EXPECT_EQ(runtime.Run("SELECT * FROM system_state").sqlstate, "42501");
  EXPECT_EQ(runtime.Run("UPDATE system_state SET value = '{}'").sqlstate,
            "42501");
}

TEST_F(SwitchesTest, ASwitchDuringAClaimStopsItsSettlement) {
  Insert(acme_, acme_.agent);
  Insert(bolt_, bolt_.agent);
  Transaction tx = Begin();
  const auto rows = ClaimDraftIntents(tx, 10);
  ASSERT_THAT(rows, IsOk());
  ASSERT_EQ(rows->size(), 2u);
  ASSERT_THAT(Set({.tenant_id = acme_.id}, false), IsOk());
  // Nothing holds the lock yet: the answer is at once, and true.
  ASSERT_THAT(AwaitSettlements(database_->runtime()), IsOk());
  std::vector<Settlement> settlements;
  for (const IntentRow& row : *rows) settlements.push_back(Executed(row));
  const absl::Status refused = SettleIntents(tx, kDigest, settlements);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(refused.message(), HasSubstr("level of its tenant"));
  tx.Rollback();
  EXPECT_EQ(Claimable(), 1u);
}

TEST_F(SwitchesTest, WaitingEndsWithTheSettlementsUnderWay) {
  Insert(acme_, acme_.agent);
  Transaction tx = Begin();
  const auto rows = ClaimDraftIntents(tx, 10);
  ASSERT_THAT(rows, IsOk());
  const Settlement settlement = Executed((*rows)[0]);
  ASSERT_THAT(SettleIntents(tx, kDigest, {&settlement, 1}), IsOk());
  // Off now, but this one was let through before.
  ASSERT_THAT(Set({}, false), IsOk());
  std::atomic<bool> is_over = false;
  std::thread waiter([&] {
    EXPECT_THAT(AwaitSettlements(database_->runtime()), IsOk());
    is_over = true;
    EXPECT_EQ(database_->Super().Value("SELECT status FROM intents"),
              "EXECUTED");
  });
  // Once it stands in line it is known to wait.
  while (database_->Owner().Value("SELECT count(*) FROM pg_locks WHERE "
                                  "locktype = 'advisory' AND NOT granted") !=
         "1") {
  }
  EXPECT_FALSE(is_over);
  EXPECT_THAT(tx.Commit(), IsOk());
  waiter.join();
  EXPECT_TRUE(is_over);
}

// Engines settle as fast as they can while one throws the switch: what is
// EXECUTED when the wait is over stays the last.
TEST_F(SwitchesTest, NothingIsSettledAfterTheWait) {
  for (int round = 0; round < 10; ++round) {
    Insert(acme_, acme_.agent, 400);
    std::atomic<bool> stops = false;
    std::atomic<int> settled = 0;
    std::vector<std::thread> engines;
    for (int i = 0; i < 3; ++i) {
      engines.emplace_back([&] {
        while (!stops) {
          Transaction tx = Begin();
          const auto rows = ClaimDraftIntents(tx, 5);
          if (!rows.ok() || rows->empty()) continue;
          std::vector<Settlement> batch;
          for (const IntentRow& row : *rows) batch.push_back(Executed(row));
          if (!SettleIntents(tx, kDigest, batch).ok()) continue;
          if (tx.Commit().ok()) settled += static_cast<int>(batch.size());
        }
      });
    }
    while (settled < 20) std::this_thread::yield();
    const SwitchTarget target = {
        .tenant_id = acme_.id,
        .agent_id = round % 2 == 0 ? acme_.agent : std::string()};
    ASSERT_THAT(Set(target, false), IsOk());
    ASSERT_THAT(AwaitSettlements(database_->runtime()), IsOk());
    const std::string executed = database_->Super().Value(
        "SELECT count(*) FROM intents WHERE status = 'EXECUTED'");
    // The engines get their turns.
    for (int i = 0; i < 20; ++i) EXPECT_EQ(Claimable(), 0u);
    EXPECT_EQ(database_->Super().Value(
                  "SELECT count(*) FROM intents WHERE status = 'EXECUTED'"),
              executed);
    stops = true;
    for (std::thread& engine : engines) engine.join();
    ASSERT_THAT(Set(target, true), IsOk());
    database_->Super().Run(
        "UPDATE intents SET status = 'FAILED', failure_reason = 'X' "
        "WHERE status = 'DRAFT'");
  }
}

TEST_F(SwitchesTest, WhatIsOffIsNotWalked) {
  // Old DRAFTs by the ten thousand, of an agent that is off; one new one of
  // another. A claim that walked them would read their rows.
  const std::string bee = SecondAgent();
  Insert(acme_, acme_.agent, 50'000);
  Insert(acme_, bee);
  database_->Super().Run("ANALYZE intents");
  ASSERT_THAT(Set({.tenant_id = acme_.id, .agent_id = acme_.agent}, false),
              IsOk());
  const auto rows_read = [&] {
    auto& super = database_->Super();
    EXPECT_TRUE(super.Run("BEGIN").ok());
    EXPECT_EQ(super.Value("SELECT count(*) FROM claim_draft_intents(100)"),
              "1");
    const std::string rows = super.Value(
        "SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0) "
        "FROM pg_stat_xact_user_tables WHERE relname = 'intents'");
    EXPECT_TRUE(super.Run("ROLLBACK").ok());
    return std::stol(rows);
  };
  EXPECT_LT(rows_read(), 100);
  ASSERT_THAT(Set({.tenant_id = acme_.id}, false), IsOk());
  Insert(bolt_, bolt_.agent);
  EXPECT_LT(rows_read(), 100);
}

TEST_F(SwitchesTest, AVoteSeesWhichLevelIsOff) {
  Insert(acme_, acme_.agent);
  Transaction tx = Begin();
  const auto rows = ClaimDraftIntents(tx, 1);
  ASSERT_THAT(rows, IsOk());
  Settlement review = Executed((*rows)[0]);
  review.status = IntentStatus::kAwaitingHuman;
  review.sgl_result = "REVIEW";
  review.memo = MemoDraft{.id = "11111111-1111-4111-8111-111111111111"};
  ASSERT_THAT(SettleIntents(tx, kDigest, {&review, 1}), IsOk());
  ASSERT_THAT(tx.Commit(), IsOk());
  const auto level = [&]() -> std::string {
    Transaction vote = Begin({acme_.id});
    const auto locked = LockMemo(vote, review.memo->id);
    EXPECT_THAT(locked, IsOk());
    if (!locked->switched_off.has_value()) return "";
    return std::string(SwitchLevelName(*locked->switched_off));
  };
  EXPECT_EQ(level(), "");
  ASSERT_THAT(Set({.tenant_id = bolt_.id}, false), IsOk());
  EXPECT_EQ(level(), "");
  ASSERT_THAT(Set({.tenant_id = acme_.id, .agent_id = acme_.agent}, false),
              IsOk());
  EXPECT_EQ(level(), "agent");
  ASSERT_THAT(Set({.tenant_id = acme_.id}, false), IsOk());
  EXPECT_EQ(level(), "tenant");
  ASSERT_THAT(Set({}, false), IsOk());
  EXPECT_EQ(level(), "platform");
}

}  // namespace
}  // namespace sgl::storage
