// Proves what lent roles are worth: votes by them count while the delegation
// holds and the lender has the role, never further than to whom they were lent,
// never where the lender is barred, and never make two people out of one.

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "intent/v1/decision_service.pb.h"
#include "tests/engine/awaiting.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using intent::v1::CreateDelegationRequest;

// Lends all roles from now on for eight hours.
CreateDelegationRequest To(const std::string& email) {
  CreateDelegationRequest request;
  request.set_to_email(absl::StrCat(email, "@acme.example"));
  request.set_reason("on holiday");
  request.mutable_end_time()->set_seconds(
      absl::ToUnixSeconds(absl::Now() + absl::Hours(8)));
  return request;
}

// A WIRE that waits for two of compliance and owner; erin and frank are plain
// members, cora has compliance, olga owner.
struct Lending : Awaiting {
  Lending()
      : Awaiting("WIRE", R"({"to": "x"})"),
        erin(User("erin", "member")),
        frank(User("frank", "member")),
        cora(User("cora", "compliance")),
        olga(User("olga", "owner")) {}

  intent::v1::Delegation MustDelegate(Caller& from,
                                      const CreateDelegationRequest& request) {
    const auto answer = from.Delegate(request);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer.response.delegation();
  }
  bool IsExecuted() {
    Read();
    return intent.status() == intent::v1::INTENT_STATUS_EXECUTED;
  }

  Caller erin, frank, cora, olga;
};

// Removes a member and takes them back, with that role.
void LeaveAndReturn(Lending& test, const std::string& name,
                    const std::string& role) {
  const std::string tenant = test.served.tenant().id;
  const std::string set =
      absl::StrCat("SET intent.tenants = '{", tenant, "}'; SELECT ");
  EXPECT_EQ(
      test.served.Value(absl::StrCat(set, "remove_member('", tenant, "', '",
                                     test.IdOf(name), "', NULL, 'x')")),
      "t");
  EXPECT_EQ(
      test.served.Value(absl::StrCat(set, "create_member('", tenant, "', '",
                                     name, "@acme.example', '", name, "', '",
                                     role, "', 'pro', '{}', NULL, 'x')")),
      test.IdOf(name));
}

TEST(DelegationTest, WhatWasLentEndsWhereEitherSideLeaves) {
  for (const char* leaver : {"cora", "erin"}) {
    SCOPED_TRACE(leaver);
    Lending test;
    test.MustDelegate(test.cora, To("erin"));
    const bool is_lender = leaver == std::string("cora");
    LeaveAndReturn(test, leaver, is_lender ? "compliance" : "member");
    Caller erin = test.Seeded(test.IdOf("erin"));
    EXPECT_EQ(ReasonOf(erin.Approve(test.memo).status), "ROLE_MISSING");
  }
}

TEST(DelegationTest, WhatOneVotedBeforeTheyLeftStaysVoid) {
  Lending test;
  ASSERT_TRUE(test.cora.Approve(test.memo).ok());
  LeaveAndReturn(test, "cora", "compliance");
  ASSERT_TRUE(test.olga.Approve(test.memo).ok());
  EXPECT_FALSE(test.IsExecuted());
  ASSERT_TRUE(test.User("otto", "owner").Approve(test.memo).ok());
  EXPECT_TRUE(test.IsExecuted());
}

TEST(DelegationTest, ALentRoleVotes) {
  Lending test;
  EXPECT_EQ(ReasonOf(test.erin.Approve(test.memo).status), "ROLE_MISSING");
  const auto lent = test.MustDelegate(test.cora, To("erin"));
  EXPECT_TRUE(lent.in_force());
  EXPECT_EQ(lent.from_user_id(), test.IdOf("cora"));
  EXPECT_EQ(lent.to_user_id(), test.IdOf("erin"));
  const auto vote = test.erin.Approve(test.memo);
  ASSERT_TRUE(vote.ok()) << vote.status.error_message();
  ASSERT_EQ(vote.response.decision_memo().votes_size(), 1);
  ASSERT_EQ(vote.response.decision_memo().votes(0).delegation_ids_size(), 1);
  EXPECT_EQ(vote.response.decision_memo().votes(0).delegation_ids(0),
            lent.id());
  EXPECT_EQ(test.served.Value("SELECT meta->'delegations'->0->>'id' FROM "
                              "audit_log WHERE action = 'VOTE_COUNTED'"),
            lent.id());
  ASSERT_TRUE(test.olga.Approve(test.memo).ok());
  EXPECT_TRUE(test.IsExecuted());
  EXPECT_EQ(test.served.Value(
                "SELECT string_agg(action, ' ') FROM audit_log "
                "WHERE entity_type = 'delegation' AND level = 'security'"),
            "DELEGATION_CREATED");
}

TEST(DelegationTest, LenderAndBorrowerAreOne) {
  Lending test;
  test.MustDelegate(test.cora, To("erin"));
  test.MustDelegate(test.cora, To("frank"));
  ASSERT_TRUE(test.cora.Approve(test.memo).ok());
  ASSERT_TRUE(test.erin.Approve(test.memo).ok());
  ASSERT_TRUE(test.frank.Approve(test.memo).ok());
  EXPECT_FALSE(test.IsExecuted());
  ASSERT_TRUE(test.olga.Approve(test.memo).ok());
  EXPECT_TRUE(test.IsExecuted());
}

TEST(DelegationTest, ItHoldsForItsTimeOnly) {
  Lending test;
  CreateDelegationRequest later = To("erin");
  later.mutable_start_time()->set_seconds(
      absl::ToUnixSeconds(absl::Now() + absl::Hours(2)));
  EXPECT_FALSE(test.MustDelegate(test.cora, later).in_force());
  EXPECT_EQ(ReasonOf(test.erin.Approve(test.memo).status), "ROLE_MISSING");
  test.served.SetClockAhead("9 hours");
  EXPECT_EQ(ReasonOf(test.erin.Approve(test.memo).status), "ROLE_MISSING");
  test.served.SetClockAhead("3 hours");
  EXPECT_TRUE(test.erin.Approve(test.memo).ok());
  // When the quorum completes it is over.
  test.served.SetClockAhead("9 hours");
  EXPECT_TRUE(test.olga.Approve(test.memo).ok());
  EXPECT_FALSE(test.IsExecuted());
}

TEST(DelegationTest, WhatIsRevokedOrLostNoLongerCounts) {
  {
    Lending test;
    const auto lent = test.MustDelegate(test.cora, To("erin"));
    ASSERT_TRUE(test.erin.Approve(test.memo).ok());
    const auto revoked = test.cora.Revoke(lent.id());
    ASSERT_TRUE(revoked.ok()) << revoked.status.error_message();
    EXPECT_FALSE(revoked.response.delegation().in_force());
    EXPECT_TRUE(revoked.response.delegation().has_revoke_time());
    ASSERT_TRUE(test.olga.Approve(test.memo).ok());
    EXPECT_FALSE(test.IsExecuted());
    EXPECT_EQ(ReasonOf(test.cora.Revoke(lent.id()).status), "DELEGATION_OVER");
    // A new one is not what erin voted by.
    test.MustDelegate(test.cora, To("erin"));
    ASSERT_TRUE(test.User("pete", "owner").Approve(test.memo).ok());
    EXPECT_TRUE(test.IsExecuted());
  }
  for (const char* lost : {"role = 'member'", "removed_at = engine_now()"}) {
    SCOPED_TRACE(lost);
    Lending test;
    test.MustDelegate(test.cora, To("erin"));
    ASSERT_TRUE(test.erin.Approve(test.memo).ok());
    const SqlResult changed = test.served.database().Super().Run(
        absl::StrCat("UPDATE tenant_members SET ", lost, " WHERE user_id = '",
                     test.IdOf("cora"), "'"));
    ASSERT_TRUE(changed.ok()) << changed.error;
    ASSERT_TRUE(test.olga.Approve(test.memo).ok());
    EXPECT_FALSE(test.IsExecuted());
  }
}

TEST(DelegationTest, WhatIsLentIsNotLentOn) {
  Lending test;
  test.MustDelegate(test.cora, To("erin"));
  CreateDelegationRequest on = To("frank");
  on.add_roles("compliance");
  EXPECT_EQ(ReasonOf(test.erin.Delegate(on).status), "ROLE_NOT_HELD");
  test.MustDelegate(test.erin, To("frank"));
  EXPECT_EQ(ReasonOf(test.frank.Approve(test.memo).status), "ROLE_MISSING");
}

TEST(DelegationTest, WhoIsBarredLendsNothing) {
  Lending test;
  Caller owner = test.Seeded(test.served.tenant().owner);
  test.MustDelegate(owner, To("erin"));
  EXPECT_EQ(ReasonOf(test.erin.Approve(test.memo).status), "ROLE_MISSING");
  // Nor does who edited the revision; before the edit they did.
  test.MustDelegate(test.cora, To("frank"));
  auto edit = Caller::EditOf(test.memo);
  edit.set_payload(R"({"to": "y"})");
  ASSERT_TRUE(test.cora.Edit(edit).ok());
  test.Read();
  EXPECT_EQ(ReasonOf(test.frank.Approve(test.memo).status), "ROLE_MISSING");
}

TEST(DelegationTest, OnlyTheNamedRolesAreLent) {
  Lending test;
  // carol has compliance and privacy.
  Caller carol = test.Seeded(test.served.tenant().carol);
  CreateDelegationRequest privacy = To("erin");
  privacy.add_roles("privacy");
  test.MustDelegate(carol, privacy);
  EXPECT_EQ(ReasonOf(test.erin.Approve(test.memo).status), "ROLE_MISSING");
  CreateDelegationRequest compliance = To("frank");
  compliance.add_roles("compliance");
  test.MustDelegate(carol, compliance);
  EXPECT_TRUE(test.frank.Approve(test.memo).ok());
  // An edit takes a lent role as a vote does.
  test.MustDelegate(carol, To("erin"));
  auto edit = Caller::EditOf(test.memo);
  edit.set_payload(R"({"to": "y"})");
  EXPECT_TRUE(test.erin.Edit(edit).ok());
}

TEST(DelegationTest, RequestsAreBounded) {
  Lending test;
  CreateDelegationRequest request = To("erin");
  request.mutable_end_time()->set_seconds(
      absl::ToUnixSeconds(absl::Now() + absl::Hours(24 * 90 + 1)));
  EXPECT_EQ(BadFieldsOf(test.cora.Delegate(request).status),
            std::vector<std::string>{"end_time"});
  request.mutable_end_time()->set_seconds(absl::ToUnixSeconds(absl::Now()) - 9);
  EXPECT_EQ(BadFieldsOf(test.cora.Delegate(request).status),
            std::vector<std::string>{"end_time"});
  CreateDelegationRequest empty;
  EXPECT_EQ(BadFieldsOf(test.cora.Delegate(empty).status),
            (std::vector<std::string>{"to_user_id", "end_time", "reason"}));
  request = To("erin");
  request.set_to_user_id(test.IdOf("erin"));
  EXPECT_EQ(BadFieldsOf(test.cora.Delegate(request).status),
            std::vector<std::string>{"to_user_id"});
  EXPECT_EQ(BadFieldsOf(test.cora.Delegate(To("cora")).status),
            std::vector<std::string>{"to_user_id"});
  // Nor by another spelling of one's own id.
  request.clear_to_email();
  request.mutable_end_time()->set_seconds(absl::ToUnixSeconds(absl::Now()) +
                                          999);
  request.set_to_user_id(absl::AsciiStrToUpper(test.IdOf("cora")));
  EXPECT_EQ(BadFieldsOf(test.cora.Delegate(request).status),
            std::vector<std::string>{"to_user_id"});
  EXPECT_EQ(ReasonOf(test.cora.Delegate(To("nobody")).status),
            "MEMBER_NOT_FOUND");
  const SeededTenant other = test.served.database().Seed("other");
  request = To("erin");
  request.clear_to_email();
  request.set_to_user_id(other.carol);
  EXPECT_EQ(ReasonOf(test.cora.Delegate(request).status), "MEMBER_NOT_FOUND");
  // However many fields are wrong, the answer says so.
  request = To("erin");
  for (int i = 0; i < 5000; ++i) request.add_roles(std::string(101, 'r'));
  EXPECT_EQ(BadFieldsOf(test.cora.Delegate(request).status).size(), 10u);
  request = To("erin");
  for (int i = 0; i < 21; ++i) request.add_roles("compliance");
  EXPECT_EQ(BadFieldsOf(test.cora.Delegate(request).status),
            std::vector<std::string>{"roles"});
  EXPECT_EQ(ReasonOf(test.agent.Delegate(To("erin")).status),
            "WRONG_PRINCIPAL_KIND");
}

TEST(DelegationTest, NobodyHasMoreThanAVoteCanName) {
  Lending test;
  ASSERT_TRUE(
      test.served.database()
          .Super()
          .Run(absl::StrCat(
              "INSERT INTO approval_delegations (tenant_id, from_user_id, "
              "to_user_id, starts_at, ends_at, reason, created_by) SELECT '",
              test.served.tenant().id, "', '", test.IdOf("cora"), "', '",
              test.IdOf("erin"),
              "', engine_now(), engine_now() + interval '1 day', 'r', '",
              test.IdOf("cora"), "' FROM generate_series(1, 100)"))
          .ok());
  EXPECT_EQ(ReasonOf(test.cora.Delegate(To("frank")).status),
            "TOO_MANY_DELEGATIONS");
  EXPECT_EQ(ReasonOf(test.olga.Delegate(To("erin")).status),
            "TOO_MANY_DELEGATIONS");
  const auto vote = test.erin.Approve(test.memo);
  ASSERT_TRUE(vote.ok()) << vote.status.error_message();
  EXPECT_EQ(vote.response.decision_memo().votes(0).delegation_ids_size(), 100);
}

TEST(DelegationTest, WhoGaveItOrAnOperatorRevokes) {
  Lending test;
  const auto lent = test.MustDelegate(test.cora, To("erin"));
  EXPECT_EQ(ReasonOf(test.erin.Revoke(lent.id()).status),
            "NOT_YOUR_DELEGATION");
  EXPECT_EQ(ReasonOf(test.olga.Revoke(lent.id()).status),
            "NOT_YOUR_DELEGATION");
  const SeededTenant other = test.served.database().Seed("other");
  Caller stranger = test.served.As(
      test.served.AddToken(storage::PrincipalKind::kOperator, "", other.id));
  EXPECT_EQ(ReasonOf(stranger.Revoke(lent.id()).status),
            "DELEGATION_NOT_FOUND");
  EXPECT_EQ(stranger.ListDelegations({}).response.delegations_size(), 0);
  Caller operator_caller = test.served.As(test.served.AddToken(
      storage::PrincipalKind::kOperator, "", test.served.tenant().id));
  EXPECT_TRUE(operator_caller.Revoke(lent.id()).ok());
  EXPECT_EQ(test.served.Value("SELECT actor_external_id LIKE 'operator:%' FROM "
                              "audit_log WHERE action = "
                              "'DELEGATION_REVOKED'"),
            "t");
}

TEST(DelegationTest, TheyAreListed) {
  Lending test;
  const auto first = test.MustDelegate(test.cora, To("erin"));
  const auto second = test.MustDelegate(test.olga, To("erin"));
  const auto third = test.MustDelegate(test.olga, To("frank"));
  ASSERT_TRUE(test.olga.Revoke(second.id()).ok());
  intent::v1::ListDelegationsRequest request;
  request.set_page_size(2);
  auto page = test.frank.ListDelegations(request);
  ASSERT_EQ(page.response.delegations_size(), 2);
  EXPECT_EQ(page.response.delegations(0).id(), third.id());
  request.set_page_token(page.response.next_page_token());
  page = test.frank.ListDelegations(request);
  ASSERT_EQ(page.response.delegations_size(), 1);
  EXPECT_EQ(page.response.delegations(0).id(), first.id());
  EXPECT_EQ(page.response.delegations(0).reason(), "on holiday");
  request.Clear();
  request.mutable_filter()->set_user_id(test.IdOf("erin"));
  EXPECT_EQ(test.frank.ListDelegations(request).response.delegations_size(), 2);
  request.mutable_filter()->set_in_force(true);
  page = test.frank.ListDelegations(request);
  ASSERT_EQ(page.response.delegations_size(), 1);
  EXPECT_EQ(page.response.delegations(0).id(), first.id());
}

}  // namespace
}  // namespace sgl::testing
