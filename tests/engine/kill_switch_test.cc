// Proves that off means off through the whole engine: at each level nothing is
// claimed and no vote counts, submissions queue and waits end with the DRAFT,
// expiry and cancels go on, other tenants don't notice, and what an operator
// threw is in force when the call returns.

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "intent/v1/admin_service.pb.h"
#include "intent/v1/intent.pb.h"
#include "storage/identity.h"
#include "tests/engine/admin_caller.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using intent::v1::SWITCH_LEVEL_AGENT;
using intent::v1::SWITCH_LEVEL_PLATFORM;
using intent::v1::SWITCH_LEVEL_TENANT;
using storage::PrincipalKind;

constexpr char kHi[] = R"({"text": "hi"})";
constexpr int64_t kBigSpend = 300'000'000;

struct Fixture {
  explicit Fixture(const ServedEngine::Options& options = {})
      : served(options),
        agent(served.As(served.agent_token())),
        platform(served, served.AddToken(PrincipalKind::kOperator, "",
                                         storage::kSystemTenantId)),
        operator_(served, served.AddToken(PrincipalKind::kOperator, "",
                                          served.tenant().id)) {}

  ServedEngine served;
  Caller agent;
  AdminCaller platform;
  AdminCaller operator_;
};

TEST(KillSwitchTest, EachLevelHoldsDraftsAndNamesItselfToVoters) {
  Fixture test;
  const std::string waiting =
      test.agent.MustSubmit("POST", kHi, kBigSpend).id();
  test.served.SettleDrafts();
  const std::string memo_id = test.agent.MustGet(waiting).decision_memo_id();
  Caller erin = test.served.As(test.served.AddUser("erin", "member"));
  const struct {
    intent::v1::SwitchLevel level;
    const char* tenant;
    std::string agent;
    const char* name;
  } kCases[] = {{SWITCH_LEVEL_PLATFORM, "", "", "platform"},
                {SWITCH_LEVEL_TENANT, "acme", "", "tenant"},
                {SWITCH_LEVEL_AGENT, "acme", "ATLAS", "agent"}};
  for (const auto& level : kCases) {
    SCOPED_TRACE(level.name);
    const auto off =
        test.platform.Switch(level.level, false, level.tenant, level.agent);
    ASSERT_TRUE(off.ok()) << off.status.error_message();
    EXPECT_TRUE(off.response.settlements_ended());
    EXPECT_FALSE(off.response.kill_switch().engine_enabled());
    const std::string draft = test.agent.MustSubmit("POST", kHi).id();
    EXPECT_EQ(test.served.SettleDrafts(), 0);
    EXPECT_EQ(test.agent.MustGet(draft).status(),
              intent::v1::INTENT_STATUS_DRAFT);
    const auto memo = test.agent.MustGetMemo(memo_id);
    for (const grpc::Status& refused :
         {erin.Approve(memo).status, erin.Reject(memo, "no").status}) {
      EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
      EXPECT_EQ(ReasonOf(refused), "KILL_SWITCH");
      EXPECT_NE(refused.error_message().find(
                    absl::StrCat("switch of the ", level.name)),
                std::string::npos)
          << refused.error_message();
    }
    ASSERT_TRUE(
        test.platform.Switch(level.level, true, level.tenant, level.agent)
            .ok());
    EXPECT_EQ(test.served.SettleDrafts(), 1);
    EXPECT_EQ(test.agent.MustGet(draft).status(),
              intent::v1::INTENT_STATUS_EXECUTED);
  }
  // No refused vote was kept.
  EXPECT_TRUE(erin.Approve(test.agent.MustGetMemo(memo_id)).ok());
}

TEST(KillSwitchTest, ATenantsSwitchIsItsOwnAlone) {
  Fixture test;
  const SeededTenant bolt = test.served.database().Seed("bolt");
  Caller other = test.served.As(
      test.served.AddToken(PrincipalKind::kAgent, bolt.agent, bolt.id));
  ASSERT_TRUE(test.operator_.Switch(SWITCH_LEVEL_TENANT, false).ok());
  test.agent.MustSubmit("POST", kHi);
  const std::string id = other.MustSubmit("POST", kHi).id();
  EXPECT_EQ(test.served.SettleDrafts(), 1);
  EXPECT_EQ(other.MustGet(id).status(), intent::v1::INTENT_STATUS_EXECUTED);
  // Nor does anybody set another's, or the platform's.
  const auto foreign =
      test.operator_.Switch(SWITCH_LEVEL_TENANT, false, "bolt");
  EXPECT_EQ(foreign.status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(ReasonOf(foreign.status), "TENANT_NOT_FOUND");
  const auto everybodys = test.operator_.Switch(SWITCH_LEVEL_PLATFORM, false);
  EXPECT_EQ(everybodys.status.error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ReasonOf(everybodys.status), "PLATFORM_OPERATORS_ONLY");
  const auto agents =
      test.operator_.Switch(SWITCH_LEVEL_AGENT, false, "", bolt.agent);
  EXPECT_EQ(agents.status.error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST(KillSwitchTest, AWaitEndsWithTheDraftAndOnWakesTheEngine) {
  Fixture test({.runs = true});
  ASSERT_TRUE(test.operator_.Switch(SWITCH_LEVEL_TENANT, false).ok());
  auto request = Caller::Request("POST", kHi);
  request.mutable_wait()->set_nanos(50'000'000);
  const auto answer = test.agent.Submit(request);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.intent().status(), intent::v1::INTENT_STATUS_DRAFT);
  ASSERT_TRUE(test.operator_.Switch(SWITCH_LEVEL_TENANT, true).ok());
  request.mutable_wait()->set_seconds(20);
  const auto settled = test.agent.Submit(request);
  ASSERT_TRUE(settled.ok()) << settled.status.error_message();
  EXPECT_EQ(settled.response.intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);
}

TEST(KillSwitchTest, ExpiryAndCancelsGoOn) {
  Fixture test;
  const std::string wire = test.agent.MustSubmit("WIRE", R"({"to": "x"})").id();
  const std::string other = test.agent.MustSubmit("POST", kHi, kBigSpend).id();
  test.served.SettleDrafts();
  ASSERT_TRUE(test.platform.Switch(SWITCH_LEVEL_PLATFORM, false).ok());
  EXPECT_TRUE(test.agent.Cancel(other).ok());
  test.served.Value(
      "WITH u AS (UPDATE decision_memos SET expires_at = now() - interval "
      "'1 second' RETURNING 1) SELECT count(*) FROM u");
  const auto expired = test.served.engine().worker().ExpireMemos();
  ASSERT_TRUE(expired.ok()) << expired.status();
  EXPECT_EQ(*expired, 1);
  EXPECT_EQ(test.agent.MustGet(wire).failure_reason(), "APPROVAL_EXPIRED");
}

TEST(KillSwitchTest, WhoSetItAndWhyIsOnRecord) {
  Fixture test;
  intent::v1::SetKillSwitchRequest request;
  request.set_level(SWITCH_LEVEL_AGENT);
  request.set_agent("ATLAS");
  const auto silent = test.operator_.Call(&AdminStub::SetKillSwitch, request);
  EXPECT_EQ(BadFieldsOf(silent.status), std::vector<std::string>{"reason"});
  request.set_reason("it buys lamps");
  ASSERT_TRUE(test.operator_.Call(&AdminStub::SetKillSwitch, request).ok());
  EXPECT_EQ(test.served.Value(absl::StrCat(
                "SELECT concat_ws(' ', level, entity_type, entity_id = '",
                test.served.tenant().agent,
                "', meta ->> 'reason', actor_external_id LIKE 'operator:%') "
                "FROM audit_log WHERE action = 'KILL_SWITCH_SET'")),
            "security kill_switch t it buys lamps t");
  intent::v1::ListKillSwitchesRequest list;
  const auto listed = test.operator_.Call(&AdminStub::ListKillSwitches, list);
  ASSERT_TRUE(listed.ok());
  ASSERT_EQ(listed.response.kill_switches_size(), 1);
  const auto& one = listed.response.kill_switches(0);
  EXPECT_EQ(one.level(), SWITCH_LEVEL_AGENT);
  EXPECT_EQ(one.tenant(), "acme");
  EXPECT_EQ(one.agent(), "ATLAS");
  EXPECT_EQ(one.reason(), "it buys lamps");
  EXPECT_TRUE(one.has_set_time());
  // One that nobody set is on.
  intent::v1::GetKillSwitchRequest get;
  get.set_level(SWITCH_LEVEL_TENANT);
  const auto found = test.operator_.Call(&AdminStub::GetKillSwitch, get);
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found.response.kill_switch().engine_enabled());
  EXPECT_FALSE(found.response.kill_switch().has_set_time());
}

// The worker settles for all it is worth while the switch is thrown again and
// again: what is EXECUTED when the call returns stays the last.
TEST(KillSwitchTest, NothingIsSettledOnceTheCallReturned) {
  Fixture test({.runs = true});
  const auto executed = [&] {
    return test.served.Value(
        "SELECT count(*) FROM intents WHERE status = 'EXECUTED'");
  };
  for (int round = 0; round < 5; ++round) {
    test.served.Value(absl::StrCat(
        "WITH i AS (INSERT INTO intents (tenant_id, agent_id, intent_type, "
        "payload) SELECT '",
        test.served.tenant().id, "', '", test.served.tenant().agent,
        "', 'POST', '", kHi,
        "' FROM generate_series(1, 2000) RETURNING 1) "
        "SELECT count(*) FROM i"));
    const std::string before = executed();
    while (executed() == before) std::this_thread::yield();
    ASSERT_TRUE(test.operator_.Switch(SWITCH_LEVEL_TENANT, false).ok());
    const std::string at_return = executed();
    // The worker turns in vain meanwhile.
    for (int i = 0; i < 5; ++i) EXPECT_EQ(test.served.SettleDrafts(), 0);
    EXPECT_EQ(executed(), at_return);
    ASSERT_TRUE(test.operator_.Switch(SWITCH_LEVEL_TENANT, true).ok());
  }
}

}  // namespace
}  // namespace sgl::testing
