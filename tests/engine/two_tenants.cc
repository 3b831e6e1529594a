#include "tests/engine/two_tenants.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <gtest/gtest.h>

#include "engine/api_token.h"

namespace sgl::testing {
namespace {

using storage::PrincipalKind;

constexpr char kSystemTenant[] = "00000000-0000-0000-0000-000000000001";

}  // namespace

TwoTenants::TwoTenants()
    : served_({}),
      channel_(grpc::CreateChannel(served_.server().address(),
                                   grpc::InsecureChannelCredentials())),
      other_(served_.database().Seed("bolt")) {
  const SeededTenant& acme = served_.tenant();
  const auto token = [&](PrincipalKind kind, const std::string& principal,
                         const std::string& tenant) {
    return served_.AddToken(kind, principal, tenant);
  };
  callers_ = {
      {"agent", served_.agent_token(), PrincipalKind::kAgent},
      {"user", token(PrincipalKind::kUser, acme.carol, acme.id),
       PrincipalKind::kUser},
      {"worker", token(PrincipalKind::kWorker, "", acme.id),
       PrincipalKind::kWorker},
      {"operator", token(PrincipalKind::kOperator, "", acme.id),
       PrincipalKind::kOperator},
      {"system operator", token(PrincipalKind::kOperator, "", kSystemTenant),
       PrincipalKind::kOperator},
  };
  refused_ = {
      {"no token", "", PrincipalKind::kAgent},
      {"garbage", "garbage", PrincipalKind::kAgent},
      {"never issued", engine::NewApiToken(), PrincipalKind::kAgent},
  };
  for (const char* column : {"expires_at", "revoked_at"}) {
    const std::string ended =
        token(PrincipalKind::kOperator, "", kSystemTenant);
    refused_.push_back({column, ended, PrincipalKind::kOperator});
    const SqlResult set = served_.database().Super().Run(
        absl::StrCat("UPDATE api_tokens SET ", column,
                     " = engine_now() - interval '1 s' "
                     "WHERE token_sha256 = '",
                     engine::HashApiToken(ended), "'"));
    EXPECT_TRUE(set.ok()) << set.error;
  }
  FillOther();
}

// Intents in several states, memos, a vote, a delegation, a leased job.
void TwoTenants::FillOther() {
  Caller agent = served_.As(
      served_.AddToken(PrincipalKind::kAgent, other_.agent, other_.id));
  std::vector<intent::v1::Intent> intents;
  for (int i = 0; i < 3; ++i) {
    auto request =
        Caller::Request("WIRE", absl::StrCat(R"({"to": ")", kSecret, R"("})"));
    request.set_title(kSecret);
    const auto answer = agent.Submit(request);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    intents.push_back(answer.response.intent());
    if (i == 0) served_.SettleDrafts();
  }
  const auto memo =
      agent.MustGetMemo(agent.MustGet(intents[0].id()).decision_memo_id());
  Caller carol = served_.As(
      served_.AddToken(PrincipalKind::kUser, other_.carol, other_.id));
  const auto vote = carol.Approve(memo);
  EXPECT_TRUE(vote.ok()) << vote.status.error_message();
  intent::v1::CreateDelegationRequest lending;
  lending.set_to_user_id(other_.dave);
  lending.set_reason(kSecret);
  lending.mutable_end_time()->set_seconds(
      absl::ToUnixSeconds(absl::Now() + absl::Hours(1)));
  const auto lent = carol.Delegate(lending);
  EXPECT_TRUE(lent.ok()) << lent.status.error_message();
  const SqlResult leased = served_.database().Super().Run(absl::StrCat(
      "INSERT INTO jobs (tenant_id, intent_id, job_type, status, lease_token, "
      "lease_expires_at) VALUES ('",
      other_.id, "', '", intents[2].id(),
      "', 'SEND', 'running', '00000000-0000-4000-8000-000000000000', "
      "engine_now() + interval '1 day')"));
  EXPECT_TRUE(leased.ok()) << leased.error;
}

std::string TwoTenants::OverTables(const std::string& select) {
  const SqlResult tables = served_.database().Super().Run(
      "SELECT c.relname FROM pg_class AS c JOIN pg_attribute AS a "
      "ON a.attrelid = c.oid AND a.attname = 'tenant_id' "
      "WHERE c.relnamespace = 'public'::regnamespace "
      "AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1");
  EXPECT_GE(tables.rows.size(), 10u) << tables.error;
  std::string sql;
  for (const auto& row : tables.rows) {
    absl::StrAppend(&sql, sql.empty() ? "" : " UNION ALL ",
                    absl::StrReplaceAll(
                        select, {{"TABLE", row[0]}, {"TENANT", other_.id}}));
  }
  return sql;
}

std::vector<std::string> TwoTenants::ForeignIds() {
  // Whatever looks like an id in any column of any row.
  const SqlResult found = served_.database().Super().Run(absl::StrCat(
      "SELECT DISTINCT match[1] FROM (",
      OverTables("SELECT to_jsonb(t)::text AS line FROM TABLE AS t "
                 "WHERE t.tenant_id = 'TENANT'"),
      ") AS lines, regexp_matches(line, "
      "'\"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\"', "
      "'g') AS match"));
  EXPECT_TRUE(found.ok()) << found.error;
  std::vector<std::string> ids;
  for (const auto& row : found.rows) ids.push_back(row[0]);
  EXPECT_GE(ids.size(), 10u);
  return ids;
}

std::string TwoTenants::ForeignState() {
  return served_.Value(absl::StrCat(
      "SELECT md5(string_agg(line, '' ORDER BY line)) FROM (",
      OverTables("SELECT 'TABLE' || t::text AS line FROM TABLE AS t "
                 "WHERE t.tenant_id = 'TENANT'"),
      ") AS lines"));
}

}  // namespace sgl::testing
