// Proves what stands before every call: tokens are random, kept as a hash,
// bound to one tenant and principal, and end within a second when they expire
// or are revoked; callers are held to their rate; bad credentials are counted,
// not written one by one. The clock is the test's.

#include "engine/rpc/admission.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "engine/api_token.h"
#include "engine/error.h"
#include "tests/support/database.h"
#include "tests/support/status_matchers.h"

namespace sgl::testing {
namespace {

using engine::Admission;
using engine::Authenticator;
using engine::Method;
using engine::ReasonOf;
using storage::PrincipalKind;

constexpr char kPeer[] = "ipv4:10.0.0.7:4711";

class AdmissionTest : public ::testing::Test {
 protected:
  Admission::Options Options(double per_second = 0, double burst = 1) {
    return {.calls_per_second = per_second,
            .calls_burst = burst,
            .now = [this] { return now_; }};
  }

  // The id of the last token made is token_id_.
  std::string AddToken(storage::NewToken token) {
    const std::string text = engine::NewApiToken();
    token.tenant_id = acme_.id;
    token.name = "test";
    token.token_sha256 = engine::HashApiToken(text);
    auto tx = database_->direct().Begin({});
    EXPECT_THAT(tx, IsOk());
    const auto id = storage::CreateToken(*tx, token);
    EXPECT_THAT(id, IsOk());
    EXPECT_THAT(tx->Commit(), IsOk());
    token_id_ = id.value_or("");
    return text;
  }
  std::string AgentToken() {
    return AddToken(
        {.kind = PrincipalKind::kAgent, .principal_id = acme_.agent});
  }
  void Revoke(const std::string& id) {
    auto tx = database_->direct().Begin({});
    ASSERT_THAT(tx, IsOk());
    ASSERT_THAT(storage::RevokeToken(*tx, acme_.id, id), IsOk());
    ASSERT_THAT(tx->Commit(), IsOk());
  }
  absl::StatusOr<storage::Principal> Admit(Admission& admission,
                                           const std::string& token,
                                           const std::string& peer = kPeer) {
    return admission.Admit({.authorization = absl::StrCat("Bearer ", token),
                            .peer = peer,
                            .method = Method::kGetIntent});
  }

  std::unique_ptr<TestDatabase> database_ = TestDatabase::Make();
  SeededTenant acme_ = database_->Seed("acme");
  std::string token_id_;
  // The database's clock runs on by itself; this one only where told.
  absl::Time now_ = absl::Now();
};

TEST_F(AdmissionTest, TokensAreRandomAndOnlyTheirHashIsKept) {
  std::set<std::string> tokens;
  for (int i = 0; i < 1000; ++i) tokens.insert(engine::NewApiToken());
  EXPECT_EQ(tokens.size(), 1000u);
  for (const std::string& token : tokens) EXPECT_EQ(token.size(), 47u);
  const std::string token = AgentToken();
  // Anywhere: in the token's row, in its audit entry.
  auto& super = database_->Super();
  EXPECT_EQ(super.Value(absl::StrCat(
                "SELECT (SELECT count(*) FROM api_tokens AS t WHERE t::text "
                "LIKE '%",
                token,
                "%') + (SELECT count(*) FROM audit_log AS l "
                "WHERE l::text LIKE '%",
                token, "%')")),
            "0");
  EXPECT_EQ(super.Value(absl::StrCat(
                "SELECT count(*) FROM api_tokens WHERE token_sha256 = '",
                engine::HashApiToken(token), "'")),
            "1");
}

TEST_F(AdmissionTest, ATokenIsItsTenantsAndItsPrincipals) {
  Admission admission(&database_->runtime(), Options());
  const auto agent = Admit(admission, AgentToken());
  ASSERT_THAT(agent, IsOk());
  EXPECT_EQ(agent->tenant_id, acme_.id);
  EXPECT_EQ(agent->agent_id, acme_.agent);
  EXPECT_EQ(agent->user_id, "");
  const auto carol = Admit(admission, AddToken({.kind = PrincipalKind::kUser,
                                                .principal_id = acme_.carol}));
  ASSERT_THAT(carol, IsOk());
  EXPECT_EQ(carol->user_id, acme_.carol);
  EXPECT_EQ(carol->roles, (std::vector<std::string>{"compliance", "privacy"}));
}

TEST_F(AdmissionTest, ARevokedTokenEndsWithinASecond) {
  Admission admission(&database_->runtime(), Options());
  const std::string token = AgentToken();
  const std::string id = token_id_;
  EXPECT_THAT(Admit(admission, token), IsOk());
  Revoke(id);
  now_ += absl::Milliseconds(999);
  EXPECT_THAT(Admit(admission, token), IsOk());
  now_ += absl::Milliseconds(1);
  const auto refused = Admit(admission, token);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(refused.status().message(),
            "the token is unknown, expired or revoked");
}

TEST_F(AdmissionTest, ALostRoleEndsWithinASecond) {
  Admission admission(&database_->runtime(), Options());
  const std::string token =
      AddToken({.kind = PrincipalKind::kUser, .principal_id = acme_.carol});
  EXPECT_THAT(Admit(admission, token), IsOk());
  ASSERT_TRUE(database_->Super().Run("DELETE FROM member_roles").ok());
  now_ += absl::Seconds(1);
  const auto carol = Admit(admission, token);
  ASSERT_THAT(carol, IsOk());
  EXPECT_EQ(carol->roles, std::vector<std::string>{"compliance"});
}

TEST_F(AdmissionTest, AnExpiredTokenEndsAtOnceEvenWhereItIsRemembered) {
  Admission admission(&database_->runtime(), Options());
  const std::string token = AddToken({.kind = PrincipalKind::kAgent,
                                      .principal_id = acme_.agent,
                                      .lifetime = absl::Hours(1)});
  EXPECT_THAT(Admit(admission, token), IsOk());
  ASSERT_TRUE(database_->Super()
                  .Run("CREATE OR REPLACE FUNCTION engine_now() "
                       "RETURNS timestamptz LANGUAGE sql VOLATILE AS "
                       "$$ SELECT clock_timestamp() + interval '1 hour' $$")
                  .ok());
  // Both clocks are past the expiry; the remembered look-up is fresh.
  const absl::Time start = now_;
  now_ = start + absl::Hours(1) - absl::Milliseconds(500);
  EXPECT_THAT(Admit(admission, token),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(AdmissionTest, ARememberedTokenEndsWithItsExpiryByTheEnginesClock) {
  Admission admission(&database_->runtime(), Options());
  const std::string token = AddToken({.kind = PrincipalKind::kAgent,
                                      .principal_id = acme_.agent,
                                      .lifetime = absl::Seconds(3600)});
  now_ += absl::Minutes(59) + absl::Seconds(59) + absl::Milliseconds(500);
  EXPECT_THAT(Admit(admission, token), IsOk());
  // Less than a second later it isn't taken from memory any more: the
  // database, whose clock is an hour behind, is asked again.
  database_->Super().Run("UPDATE api_tokens SET revoked_at = engine_now()");
  now_ += absl::Milliseconds(900);
  EXPECT_THAT(Admit(admission, token),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(AdmissionTest, ANewTokenWorksAtOnce) {
  Admission admission(&database_->runtime(), Options());
  const std::string token = engine::NewApiToken();
  EXPECT_THAT(Admit(admission, token),
              StatusIs(absl::StatusCode::kUnauthenticated));
  ASSERT_TRUE(database_->Super()
                  .Run(absl::StrCat("UPDATE api_tokens SET token_sha256 = '",
                                    engine::HashApiToken(token),
                                    "' WHERE tenant_id = '", acme_.id, "'"))
                  .ok());
  EXPECT_THAT(Admit(admission, token), IsOk());
}

TEST_F(AdmissionTest, APrincipalIsHeldToItsRateWhateverItsTokens) {
  Admission admission(&database_->runtime(), Options(10, 2));
  const std::string first = AgentToken();
  const std::string second = AgentToken();
  const std::string other =
      AddToken({.kind = PrincipalKind::kUser, .principal_id = acme_.carol});
  EXPECT_THAT(Admit(admission, first), IsOk());
  EXPECT_THAT(Admit(admission, second), IsOk());
  const auto refused = Admit(admission, first);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(ReasonOf(refused.status()), "RATE_LIMITED");
  EXPECT_THAT(Admit(admission, other), IsOk());
  now_ += absl::Milliseconds(101);
  EXPECT_THAT(Admit(admission, second), IsOk());
  EXPECT_THAT(Admit(admission, first),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(AdmissionTest, GuessingIsHeldBeforeTheDatabaseIsAsked) {
  Admission admission(&database_->runtime(), Options());
  const std::string good = AgentToken();
  EXPECT_THAT(Admit(admission, good), IsOk());
  const std::string fresh = AgentToken();
  for (int i = 0; i < Authenticator::kFailuresBurst; ++i) {
    ASSERT_THAT(Admit(admission, absl::StrCat("guess", i)),
                StatusIs(absl::StatusCode::kUnauthenticated));
  }
  const auto held = Admit(admission, "one more");
  EXPECT_THAT(held, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(ReasonOf(held.status()), "RATE_LIMITED");
  // Not even a good one that nobody saw before: the database isn't asked.
  EXPECT_THAT(Admit(admission, fresh),
              StatusIs(absl::StatusCode::kResourceExhausted));
  // Another port is the same source; another address isn't.
  EXPECT_THAT(Admit(admission, fresh, "ipv4:10.0.0.7:1"),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(Admit(admission, fresh, "ipv4:10.0.0.8:1"), IsOk());
  // Who was good a moment ago goes on, past the second that is remembered.
  now_ += absl::Milliseconds(1);
  EXPECT_THAT(Admit(admission, good), IsOk());
  now_ += absl::Milliseconds(99);
  EXPECT_THAT(Admit(admission, "one more"),
              StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(AdmissionTest, ATokenThatWasGoodGoesOnBesideAFlood) {
  Admission admission(&database_->runtime(), Options());
  const std::string good = AgentToken();
  EXPECT_THAT(Admit(admission, good), IsOk());
  for (int second = 0; second < 3; ++second) {
    now_ += absl::Seconds(1);
    for (int i = 0; i < Authenticator::kFailuresBurst + 1; ++i) {
      static_cast<void>(Admit(admission, absl::StrCat("guess", i)));
    }
    EXPECT_THAT(Admit(admission, "guess"),
                StatusIs(absl::StatusCode::kResourceExhausted));
    EXPECT_THAT(Admit(admission, good), IsOk());
  }
}

TEST_F(AdmissionTest, RefusedCredentialsAreOneEntryASourceAndMinute) {
  Admission admission(&database_->runtime(), Options());
  const auto entries = [&] {
    return database_->Super().Value(
        "SELECT coalesce(string_agg(concat_ws(' ', meta ->> 'source', "
        "meta ->> 'calls'), ', ' ORDER BY meta ->> 'source', (meta ->> "
        "'calls')::int), '') "
        "FROM audit_log WHERE action = 'CREDENTIALS_REFUSED' "
        "AND tenant_id IS NULL AND level = 'security'");
  };
  // On a minute's first second, so that the calls below share a minute.
  now_ = absl::FromUnixSeconds(absl::ToUnixSeconds(now_) / 60 * 60);
  for (int i = 0; i < 500; ++i) {
    static_cast<void>(Admit(admission, absl::StrCat("guess", i)));
  }
  static_cast<void>(admission.Admit({.authorization = "",
                                     .peer = "ipv4:\nspoofed:1",
                                     .method = Method::kGetIntent}));
  EXPECT_EQ(entries(), "");
  now_ += absl::Minutes(1);
  EXPECT_THAT(Admit(admission, AgentToken()), IsOk());
  EXPECT_EQ(entries(), "10.0.0.7 500, unknown 1");
  static_cast<void>(Admit(admission, "guess"));
  admission.Flush();
  EXPECT_EQ(entries(), "10.0.0.7 1, 10.0.0.7 500, unknown 1");
}

}  // namespace
}  // namespace sgl::testing
