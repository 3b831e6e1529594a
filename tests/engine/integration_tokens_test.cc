// Proves how tokens of integrations are kept and handed out: sealed wherever
// the database has them, with a lease alone, only where the executor of the
// intent's type names the provider and the tenant has it connected, never to
// another tenant; and that keys can be changed.

#include "engine/integration_tokens.h"

#include <absl/strings/escaping.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/secret_keys.h"
#include "intent/v1/job_service.pb.h"
#include "storage/database.h"
#include "storage/identity.h"
#include "storage/integration_secrets.h"
#include "tests/engine/job_caller.h"
#include "tests/engine/served_engine.h"
#include "tests/support/database.h"

namespace sgl::testing {
namespace {

using engine::SecretKeys;

constexpr char kToken[] = "xoxb-11-22-very-secret";
constexpr char kRefresh[] = "xoxr-33-44-very-secret";
constexpr char kOther[] = "ghp-of-somebody-else";

// Two intent types share a job type; one of them acts through slack.
constexpr char kExecutors[] = R"(
executors { intent_type: "CHAT" job { job_type: "SEND" provider: "slack" } }
executors { intent_type: "LETTER" job { job_type: "SEND" } }
executors { intent_type: "POSTER" job { job_type: "PRINT" provider: "press" } }
)";
constexpr char kPolicyText[] = R"(policy test.tokens version 1
layer platform
default allow
intent CHAT { text: string? }
intent LETTER {}
intent POSTER {}
intent INTEGRATION_CONNECT {}
intent INTEGRATION_DISCONNECT {}
)";

class IntegrationTokensTest : public ::testing::Test {
 protected:
  explicit IntegrationTokensTest(bool has_key = true)
      : line_(SecretKeys::GenerateLine()),
        keys_(*SecretKeys::FromText(line_)),
        served_({.policy = kPolicyText,
                 .executors = kExecutors,
                 .secrets_key = has_key ? line_ : ""}),
        owner_(*storage::Database::Create(served_.database().direct_url(),
                                          {.connections_max = 1})) {}

  JobCaller WorkerOf(const std::string& tenant_id) {
    return JobCaller(served_, served_.AddToken(storage::PrincipalKind::kWorker,
                                               "", tenant_id));
  }

  void Execute(const SeededTenant& tenant, const std::string& type,
               const std::string& payload) {
    Caller agent = served_.As(served_.AddToken(storage::PrincipalKind::kAgent,
                                               tenant.agent, tenant.id));
    const auto intent = agent.MustSubmit(type, payload);
    served_.SettleDrafts();
    const auto status = agent.MustGet(intent.id()).status();
    EXPECT_TRUE(status == intent::v1::INTENT_STATUS_EXECUTED ||
                status == intent::v1::INTENT_STATUS_VALIDATING)
        << agent.MustGet(intent.id()).ShortDebugString();
  }

  void Connect(const SeededTenant& tenant) {
    Execute(tenant, "INTEGRATION_CONNECT",
            R"({"provider": "slack", "scopes": ["chat:write"]})");
  }

  absl::Status Set(const SeededTenant& tenant, const SecretKeys& keys,
                   const std::string& token,
                   const std::string& refresh_token = "",
                   std::optional<absl::Time> expires_at = {}) {
    absl::StatusOr<storage::Transaction> tx =
        owner_->Begin({.tenants = {tenant.id}});
    if (!tx.ok()) return tx.status();
    const absl::Status set =
        engine::SetIntegrationToken(*tx, keys,
                                    {.provider = "slack",
                                     .access_token = token,
                                     .refresh_token = refresh_token,
                                     .expires_at = expires_at,
                                     .actor = {.external_id = "intentctl"}});
    return set.ok() ? tx->Commit() : set;
  }

  absl::StatusOr<int> Reseal(const SeededTenant& tenant,
                             const SecretKeys& keys) {
    absl::StatusOr<storage::Transaction> tx =
        owner_->Begin({.tenants = {tenant.id}});
    if (!tx.ok()) return tx.status();
    const absl::StatusOr<int> count =
        engine::ResealIntegrationTokens(*tx, keys);
    if (!count.ok()) return count;
    const absl::Status committed = tx->Commit();
    if (!committed.ok()) return committed;
    return count;
  }

  // Every row of every table as text, and the bytes of what is sealed.
  std::string WholeDatabase() {
    std::string all;
    SqlConnection& super = served_.database().Super();
    const SqlResult tables = super.Run(
        "SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS "
        "n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND "
        "n.nspname NOT IN ('pg_catalog', 'information_schema')");
    EXPECT_GT(tables.rows.size(), 20u);
    for (const auto& table : tables.rows) {
      const SqlResult rows =
          super.Run(absl::StrCat("SELECT t::text FROM ", table[0], " AS t"));
      EXPECT_TRUE(rows.ok()) << rows.error;
      for (const auto& row : rows.rows) absl::StrAppend(&all, row[0], "\n");
    }
    return all;
  }

  const std::string line_;
  const SecretKeys keys_;
  ServedEngine served_;
  std::unique_ptr<storage::Database> owner_;
};

TEST_F(IntegrationTokensTest, AWorkerGetsTheTokenOfTheProviderThatIsDeclared) {
  Connect(served_.tenant());
  ASSERT_TRUE(Set(served_.tenant(), keys_, kToken, kRefresh).ok());
  JobCaller worker = WorkerOf(served_.tenant().id);
  Execute(served_.tenant(), "CHAT", "{}");
  const auto chat = worker.MustLease("SEND");
  EXPECT_EQ(chat.integration_token().provider(), "slack");
  EXPECT_EQ(chat.integration_token().access_token(), kToken);
  EXPECT_FALSE(chat.integration_token().has_expire_time());
  // No refresh token leaves.
  EXPECT_EQ(chat.SerializeAsString().find(kRefresh), std::string::npos);
  // Of the same job type, but not allowed to use slack.
  Execute(served_.tenant(), "LETTER", "{}");
  const auto letter = worker.MustLease("SEND");
  EXPECT_FALSE(letter.has_integration_token());
}

TEST_F(IntegrationTokensTest, AJobOfAnIntentThatNobodyDecidedGetsNone) {
  Connect(served_.tenant());
  ASSERT_TRUE(Set(served_.tenant(), keys_, kToken).ok());
  const auto draft = served_.As(served_.agent_token()).MustSubmit("CHAT", "{}");
  ASSERT_EQ(draft.status(), intent::v1::INTENT_STATUS_DRAFT);
  // By hand: neither the engine nor other writers can.
  const SqlResult made = served_.database().Super().Run(absl::StrCat(
      "INSERT INTO jobs (tenant_id, intent_id, job_type) VALUES ('",
      served_.tenant().id, "', '", draft.id(), "', 'SEND')"));
  ASSERT_TRUE(made.ok()) << made.error;
  const auto lease = WorkerOf(served_.tenant().id).MustLease("SEND");
  EXPECT_EQ(lease.intent_id(), draft.id());
  EXPECT_FALSE(lease.has_integration_token());
}

TEST_F(IntegrationTokensTest, AJobOfAnotherTypeThanItsExecutorsGetsNone) {
  Connect(served_.tenant());
  ASSERT_TRUE(Set(served_.tenant(), keys_, kToken).ok());
  Execute(served_.tenant(), "CHAT", "{}");
  // Queued under another file of executors, for workers of other work.
  const SqlResult moved =
      served_.database().Super().Run("UPDATE jobs SET job_type = 'PRINT'");
  ASSERT_TRUE(moved.ok()) << moved.error;
  EXPECT_FALSE(
      WorkerOf(served_.tenant().id).MustLease("PRINT").has_integration_token());
}

TEST_F(IntegrationTokensTest, WhatIsLeasedWithTokensFitsAnAnswer) {
  Connect(served_.tenant());
  const std::string token(engine::kTokenBytesMax, 'x');
  ASSERT_TRUE(Set(served_.tenant(), keys_, token).ok());
  Caller agent = served_.As(served_.agent_token());
  const std::string payload =
      absl::StrCat(R"({"text": ")", std::string(30'000, 'y'), "\"}");
  for (int i = 0; i < 100; ++i) agent.MustSubmit("CHAT", payload);
  while (served_.Value("SELECT count(*) FROM jobs") != "100") {
    served_.SettleDrafts();
  }
  // 4.6 MB; a client takes 4 MiB.
  const auto answer = WorkerOf(served_.tenant().id).Lease({"SEND"}, 100);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_GT(answer.response.leases_size(), 10);
  EXPECT_EQ(answer.response.leases(0).integration_token().access_token(),
            token);
}

TEST_F(IntegrationTokensTest, NoTextOfATokenIsInTheDatabase) {
  Connect(served_.tenant());
  ASSERT_TRUE(Set(served_.tenant(), keys_, kToken, kRefresh).ok());
  Execute(served_.tenant(), "CHAT", "{}");
  JobCaller worker = WorkerOf(served_.tenant().id);
  const auto lease = worker.MustLease("SEND");
  ASSERT_EQ(lease.integration_token().access_token(), kToken);
  ASSERT_TRUE(worker.Complete(lease).ok());
  const std::string all = WholeDatabase();
  // What is looked at holds rows of the kind, sealed ones among them.
  EXPECT_TRUE(absl::StrContains(all, "INTEGRATION_TOKEN_SET"));
  EXPECT_TRUE(absl::StrContains(all, keys_.current_id()));
  for (const std::string text : {kToken, kRefresh}) {
    EXPECT_FALSE(absl::StrContains(all, text));
    EXPECT_FALSE(absl::StrContains(all, absl::BytesToHexString(text)));
    EXPECT_FALSE(absl::StrContains(all, absl::Base64Escape(text)));
  }
  EXPECT_FALSE(absl::StrContains(all, line_));
}

TEST_F(IntegrationTokensTest, NoOtherTenantsTokenIsHandedOut) {
  const SeededTenant other = served_.database().Seed("bolt");
  Connect(served_.tenant());
  Connect(other);
  ASSERT_TRUE(Set(other, keys_, kOther).ok());
  Execute(served_.tenant(), "CHAT", "{}");
  Execute(other, "CHAT", "{}");
  EXPECT_FALSE(
      WorkerOf(served_.tenant().id).MustLease("SEND").has_integration_token());
  EXPECT_EQ(
      WorkerOf(other.id).MustLease("SEND").integration_token().access_token(),
      kOther);
}

TEST_F(IntegrationTokensTest, ARowThatWasMovedIsRefusedAndNothingIsLeased) {
  const SeededTenant other = served_.database().Seed("bolt");
  Connect(served_.tenant());
  Connect(other);
  ASSERT_TRUE(Set(served_.tenant(), keys_, kToken).ok());
  ASSERT_TRUE(Set(other, keys_, kOther).ok());
  // Somebody with the database in hand gives the one tenant the other's.
  const SqlResult moved = served_.database().Super().Run(absl::StrCat(
      "UPDATE integration_secrets AS s SET access_token = o.access_token "
      "FROM integration_secrets AS o WHERE s.tenant_id = '",
      served_.tenant().id, "' AND o.tenant_id = '", other.id, "'"));
  ASSERT_TRUE(moved.ok()) << moved.error;
  Execute(served_.tenant(), "CHAT", "{}");
  const auto answer = WorkerOf(served_.tenant().id).Lease({"SEND"});
  EXPECT_EQ(ReasonOf(answer.status), "TOKEN_SEALED");
  EXPECT_EQ(served_.Value("SELECT status FROM jobs"), "queued");
  EXPECT_FALSE(
      Reseal(served_.tenant(), *SecretKeys::FromText(absl::StrCat(
                                   SecretKeys::GenerateLine(), "\n", line_)))
          .ok());
}

TEST_F(IntegrationTokensTest, WhatIsDisconnectedHasNoToken) {
  Connect(served_.tenant());
  ASSERT_TRUE(Set(served_.tenant(), keys_, kToken).ok());
  JobCaller worker = WorkerOf(served_.tenant().id);
  // By another writer, who knows nothing of sealed tokens.
  ASSERT_TRUE(served_.database()
                  .Super()
                  .Run("UPDATE integrations SET connected = false")
                  .ok());
  Execute(served_.tenant(), "CHAT", "{}");
  EXPECT_FALSE(worker.MustLease("SEND").has_integration_token());
  EXPECT_EQ(Set(served_.tenant(), keys_, kToken).code(),
            absl::StatusCode::kFailedPrecondition);
  // By an intent: what was held for it is gone, and stays so.
  Connect(served_.tenant());
  Execute(served_.tenant(), "INTEGRATION_DISCONNECT",
          R"({"provider": "slack"})");
  EXPECT_EQ(served_.Value("SELECT count(*) FROM integration_secrets"), "0");
  Connect(served_.tenant());
  Execute(served_.tenant(), "CHAT", "{}");
  EXPECT_FALSE(worker.MustLease("SEND").has_integration_token());
}

TEST_F(IntegrationTokensTest, KeysAreChangedWithoutASecondWithoutTokens) {
  Connect(served_.tenant());
  const std::string old_line = SecretKeys::GenerateLine();
  const auto old_keys = SecretKeys::FromText(old_line);
  // The served engine has the new key alone; rotation has both.
  const auto both = SecretKeys::FromText(absl::StrCat(line_, "\n", old_line));
  ASSERT_TRUE(old_keys.ok() && both.ok());
  ASSERT_TRUE(Set(served_.tenant(), *old_keys, kToken, kRefresh).ok());
  Execute(served_.tenant(), "CHAT", "{}");
  JobCaller worker = WorkerOf(served_.tenant().id);
  EXPECT_EQ(ReasonOf(worker.Lease({"SEND"}).status), "TOKEN_SEALED");
  const auto without_old = Reseal(served_.tenant(), keys_);
  EXPECT_TRUE(absl::StrContains(without_old.status().message(),
                                "sealed by the key " + old_keys->current_id()))
      << without_old.status();
  EXPECT_EQ(Reseal(served_.tenant(), *both).value_or(-1), 1);
  EXPECT_EQ(Reseal(served_.tenant(), *both).value_or(-1), 0);
  EXPECT_EQ(served_.Value("SELECT key_id FROM integration_secrets"),
            keys_.current_id());
  EXPECT_EQ(worker.MustLease("SEND").integration_token().access_token(),
            kToken);
}

TEST_F(IntegrationTokensTest, ATokenNeedsAConnectionAndFitsItsBounds) {
  EXPECT_EQ(Set(served_.tenant(), keys_, kToken).code(),
            absl::StatusCode::kNotFound);
  Connect(served_.tenant());
  EXPECT_EQ(Set(served_.tenant(), keys_, "").code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(
      Set(served_.tenant(), keys_, std::string(engine::kTokenBytesMax + 1, 'x'))
          .code(),
      absl::StatusCode::kInvalidArgument);
  for (const std::string& text :
       {std::string("\xff"), std::string("a\0b", 3)}) {
    EXPECT_EQ(Set(served_.tenant(), keys_, text).code(),
              absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(Set(served_.tenant(), keys_, kToken, text).code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(
      Set(served_.tenant(), keys_, kToken, "", absl::InfiniteFuture()).code(),
      absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(
      Set(served_.tenant(), keys_, std::string(engine::kTokenBytesMax, 'x'))
          .ok());
  EXPECT_TRUE(Set(served_.tenant(), keys_, kToken).ok());
  EXPECT_EQ(served_.Value("SELECT count(*) FROM integration_secrets"), "1");
}

TEST_F(IntegrationTokensTest, APayloadThatBringsATokenIsRefused) {
  Caller agent = served_.As(served_.agent_token());
  const auto answer = agent.Submit(Caller::Request(
      "INTEGRATION_CONNECT",
      R"({"provider": "slack", "scopes": [], "access_token": "t"})"));
  EXPECT_EQ(BadFieldsOf(answer.status), std::vector<std::string>{"payload"});
  EXPECT_TRUE(absl::StrContains(answer.status.error_message(),
                                "integrations set-token"))
      << answer.status.error_message();
  EXPECT_EQ(served_.Value("SELECT count(*) FROM intents"), "0");
}

class WithoutKeyTest : public IntegrationTokensTest {
 protected:
  WithoutKeyTest() : IntegrationTokensTest(false) {}
};

TEST_F(WithoutKeyTest, AnEngineWithoutAKeyLeasesWhatNeedsNoToken) {
  Connect(served_.tenant());
  JobCaller worker = WorkerOf(served_.tenant().id);
  Execute(served_.tenant(), "CHAT", "{}");
  EXPECT_FALSE(worker.MustLease("SEND").has_integration_token());
  ASSERT_TRUE(Set(served_.tenant(), keys_, kToken).ok());
  Execute(served_.tenant(), "LETTER", "{}");
  EXPECT_FALSE(worker.MustLease("SEND").has_integration_token());
  Execute(served_.tenant(), "CHAT", "{}");
  EXPECT_EQ(ReasonOf(worker.Lease({"SEND"}).status), "TOKEN_SEALED");
}

}  // namespace
}  // namespace sgl::testing
