// Proves AuditService as callers meet it: entries are listed and paged, a proof
// of one checks out under the head that was signed, a log is verified page by
// page, and nobody sees another tenant's log or the platform's.

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/audit_head.h"
#include "engine/merkle.h"
#include "intent/v1/audit_service.grpc.pb.h"
#include "storage/identity.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using intent::v1::AuditService;

class AuditServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Caller agent = served_.As(served_.agent_token());
    for (int i = 0; i < 5; ++i) agent.MustSubmit("POST", R"({"text": "x"})");
    served_.SettleDrafts();
    ASSERT_TRUE(served_.engine().sealer().SealAll().ok());
  }

  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (AuditService::Stub::*method)(
                        grpc::ClientContext*, const Request&, Response*),
                    const std::string& token, const Request& request,
                    Response* response) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", absl::StrCat("Bearer ", token));
    return (stub_.get()->*method)(&context, request, response);
  }

  ServedEngine served_{{}};
  std::unique_ptr<AuditService::Stub> stub_ =
      AuditService::NewStub(grpc::CreateChannel(
          served_.server().address(), grpc::InsecureChannelCredentials()));
  const std::string operator_ = served_.AddToken(
      storage::PrincipalKind::kOperator, "", served_.tenant().id);
};

TEST_F(AuditServiceTest, EntriesAreListedPageByPage) {
  intent::v1::ListAuditEntriesRequest request;
  request.set_page_size(2);
  request.mutable_filter()->set_action("ENGINE_EXECUTED_INTENT");
  std::set<std::string> ids;
  do {
    intent::v1::ListAuditEntriesResponse page;
    ASSERT_TRUE(
        Call(&AuditService::Stub::ListAuditEntries, operator_, request, &page)
            .ok());
    for (const auto& entry : page.audit_entries()) {
      EXPECT_TRUE(ids.insert(entry.id()).second);
      EXPECT_EQ(entry.entity_type(), "intent");
      EXPECT_EQ(entry.tenant_id(), served_.tenant().id);
      EXPECT_GT(entry.transition_number(), 0);
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(ids.size(), 5u);
  request.set_page_token("nonsense");
  intent::v1::ListAuditEntriesResponse page;
  EXPECT_EQ(
      Call(&AuditService::Stub::ListAuditEntries, operator_, request, &page)
          .error_code(),
      grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(AuditServiceTest, AnEntryIsProvedUnderTheHead) {
  intent::v1::GetInclusionProofRequest request;
  request.set_id(served_.Value(absl::StrCat(
      "SELECT id FROM audit_log WHERE action = 'SGL_EVALUATED' AND tenant_id = "
      "'",
      served_.tenant().id, "' LIMIT 1")));
  intent::v1::GetInclusionProofResponse proof;
  ASSERT_TRUE(
      Call(&AuditService::Stub::GetInclusionProof, operator_, request, &proof)
          .ok());
  EXPECT_EQ(proof.audit_entry().id(), request.id());
  const std::vector<std::string> path(proof.path().begin(), proof.path().end());
  EXPECT_TRUE(
      engine::VerifyInclusion({.leaf_hash = proof.leaf_hash(),
                               .index = proof.leaf_index(),
                               .tree_size = proof.tree_head().tree_size(),
                               .root = proof.tree_head().root_hash()},
                              path));
  // An id is the same in capitals.
  intent::v1::GetInclusionProofResponse again;
  request.set_id(absl::AsciiStrToUpper(request.id()));
  ASSERT_NE(request.id(), proof.audit_entry().id());
  const grpc::Status answered =
      Call(&AuditService::Stub::GetInclusionProof, operator_, request, &again);
  ASSERT_TRUE(answered.ok()) << answered.error_message();
  EXPECT_EQ(again.SerializeAsString(), proof.SerializeAsString());
  intent::v1::GetTreeHeadRequest head_request;
  head_request.set_known_tree_size(3);
  intent::v1::GetTreeHeadResponse head;
  ASSERT_TRUE(
      Call(&AuditService::Stub::GetTreeHead, operator_, head_request, &head)
          .ok());
  EXPECT_EQ(head.tree_head().json(), proof.tree_head().json());
  const auto parsed = engine::ParseHeadJson(head.tree_head().json());
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(engine::HeadNote(*parsed), head.tree_head().note());
  head_request.set_known_tree_size(1'000'000);
  EXPECT_EQ(
      Call(&AuditService::Stub::GetTreeHead, operator_, head_request, &head)
          .error_code(),
      grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(AuditServiceTest, AForgedPageTokenIsRefusedAndNotTried) {
  for (const char* time :
       {"0:0", "2026-02-31 10:00:00+00", "999999-01-01 00:00:00+00",
        "4800-01-01 00:00:00+00 BC", "now", "-"}) {
    SCOPED_TRACE(time);
    intent::v1::VerifyAuditLogRequest request;
    request.set_page_token(absl::WebSafeBase64Escape(absl::StrCat(
        "1|0|1|", time, "|00000000-0000-4000-8000-000000000000|")));
    intent::v1::VerifyAuditLogResponse page;
    EXPECT_EQ(
        Call(&AuditService::Stub::VerifyAuditLog, operator_, request, &page)
            .error_code(),
        grpc::StatusCode::INVALID_ARGUMENT);
  }
}

TEST_F(AuditServiceTest, ALogIsVerifiedPageByPage) {
  // A second seal, and an entry that has none.
  Caller agent = served_.As(served_.agent_token());
  agent.MustSubmit("POST", R"({"text": "y"})");
  ASSERT_TRUE(served_.engine().sealer().SealAll().ok());
  agent.MustSubmit("POST", R"({"text": "z"})");
  const auto verify = [&](std::vector<std::string>* kinds) {
    intent::v1::VerifyAuditLogRequest request;
    request.set_max_entries(3);
    int64_t sealed = 0;
    int64_t unsealed = 0;
    do {
      intent::v1::VerifyAuditLogResponse page;
      const grpc::Status status =
          Call(&AuditService::Stub::VerifyAuditLog, operator_, request, &page);
      EXPECT_TRUE(status.ok()) << status.error_message();
      if (!status.ok()) break;
      for (const auto& finding : page.findings()) {
        kinds->push_back(finding.kind());
      }
      sealed += page.sealed_count();
      unsealed += page.unsealed_count();
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    EXPECT_EQ(unsealed, 1);
    return sealed;
  };
  std::vector<std::string> kinds;
  EXPECT_EQ(absl::StrCat(verify(&kinds)),
            served_.Value(absl::StrCat(
                "SELECT count(*) - 1 FROM audit_log WHERE tenant_id = '",
                served_.tenant().id, "'")));
  EXPECT_THAT(kinds, ::testing::IsEmpty());
  ASSERT_TRUE(served_.database()
                  .Super()
                  .Run("SET session_replication_role = replica; "
                       "UPDATE audit_log SET meta = '{}' WHERE action = "
                       "'SGL_EVALUATED' AND entity_id = (SELECT id FROM "
                       "intents ORDER BY created_at LIMIT 1); "
                       "SET session_replication_role = DEFAULT")
                  .ok());
  verify(&kinds);
  EXPECT_THAT(kinds, ::testing::ElementsAre("CHANGED"));
}

TEST_F(AuditServiceTest, AForgedTimeIsShownAsTheNearestOneThatCanBe) {
  ASSERT_TRUE(served_.database()
                  .Super()
                  .Run("SET session_replication_role = replica; "
                       "UPDATE audit_log SET created_at = '20000-01-01' WHERE "
                       "action = 'SGL_EVALUATED'; "
                       "UPDATE audit_seals SET sealed_at = '20000-01-01'; "
                       "SET session_replication_role = DEFAULT")
                  .ok());
  intent::v1::ListAuditEntriesRequest request;
  request.mutable_filter()->set_action("SGL_EVALUATED");
  intent::v1::ListAuditEntriesResponse page;
  const grpc::Status listed =
      Call(&AuditService::Stub::ListAuditEntries, operator_, request, &page);
  ASSERT_TRUE(listed.ok()) << listed.error_message();
  ASSERT_EQ(page.audit_entries_size(), 5);
  constexpr int64_t kLastSecond = 253'402'300'799;
  EXPECT_EQ(page.audit_entries(0).create_time().seconds(), kLastSecond);
  intent::v1::GetTreeHeadResponse head;
  ASSERT_TRUE(Call(&AuditService::Stub::GetTreeHead, operator_,
                   intent::v1::GetTreeHeadRequest(), &head)
                  .ok());
  EXPECT_EQ(head.tree_head().seal_time().seconds(), kLastSecond);
}

TEST_F(AuditServiceTest, LogsAreTheirReadersOwn) {
  const SeededTenant bolt = served_.database().Seed("bolt");
  const std::string stranger =
      served_.AddToken(storage::PrincipalKind::kOperator, "", bolt.id);
  const std::string platform = served_.AddToken(
      storage::PrincipalKind::kOperator, "", storage::kSystemTenantId);
  const std::string entry =
      served_.Value(absl::StrCat("SELECT id FROM audit_log WHERE tenant_id = '",
                                 served_.tenant().id, "' LIMIT 1"));
  intent::v1::GetInclusionProofRequest proof_request;
  proof_request.set_id(entry);
  intent::v1::GetInclusionProofResponse proof;
  EXPECT_EQ(Call(&AuditService::Stub::GetInclusionProof, stranger,
                 proof_request, &proof)
                .error_code(),
            grpc::StatusCode::NOT_FOUND);
  intent::v1::ListAuditEntriesRequest request;
  intent::v1::ListAuditEntriesResponse page;
  ASSERT_TRUE(
      Call(&AuditService::Stub::ListAuditEntries, stranger, request, &page)
          .ok());
  for (const auto& seen : page.audit_entries()) {
    EXPECT_EQ(seen.tenant_id(), bolt.id);
  }
  // The activation of the policy is the platform's.
  request.set_platform(true);
  const grpc::Status refused =
      Call(&AuditService::Stub::ListAuditEntries, operator_, request, &page);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ReasonOf(refused), "PLATFORM_ONLY");
  page.Clear();
  ASSERT_TRUE(
      Call(&AuditService::Stub::ListAuditEntries, platform, request, &page)
          .ok());
  ASSERT_GT(page.audit_entries_size(), 0);
  for (const auto& seen : page.audit_entries()) {
    EXPECT_FALSE(seen.has_tenant_id());
  }
  intent::v1::VerifyAuditLogRequest verify_request;
  verify_request.set_platform(true);
  intent::v1::VerifyAuditLogResponse verified;
  ASSERT_TRUE(Call(&AuditService::Stub::VerifyAuditLog, platform,
                   verify_request, &verified)
                  .ok());
  EXPECT_GT(verified.sealed_count(), 0);
  EXPECT_EQ(verified.findings_size(), 0);
}

}  // namespace
}  // namespace sgl::testing
