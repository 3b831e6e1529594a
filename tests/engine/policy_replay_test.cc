// Proves that a version tried on recorded decisions finds exactly the changes
// that were planted, puts them down to their rules with the right intents, uses
// the payload of the revision that was decided, stays in its tenant, reads any
// number of pages, follows what is decided meanwhile, and gives its place back
// when its caller goes away.

#include "engine/policy_replay.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_replace.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "google/protobuf/util/time_util.h"
#include "intent/v1/policy_service.pb.h"
#include "tests/engine/awaiting.h"
#include "tests/engine/policy_caller.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using google::protobuf::util::TimeUtil;
using intent::v1::Intent;
using intent::v1::ReplayPolicyRequest;
using intent::v1::ReplayPolicyResponse;

using Lines = std::vector<std::string>;

std::string With(const std::string& rules) {
  return absl::StrCat(kPolicy, rules, "\n");
}

ReplayPolicyRequest Of(const std::string& digest) {
  ReplayPolicyRequest request;
  request.set_digest(digest);
  return request;
}

// `3 ALLOW>BLOCK` a change.
Lines ChangesOf(const ReplayPolicyResponse& response) {
  Lines lines;
  for (const auto& change : response.changes()) {
    lines.push_back(absl::StrCat(
        change.count(), " ", intent::v1::DecisionKind_Name(change.from()), ">",
        intent::v1::DecisionKind_Name(change.to())));
    absl::StrReplaceAll({{"DECISION_KIND_", ""}}, &lines.back());
  }
  return lines;
}

// `3 CODE APPLIES` a rule.
Lines RulesOf(const ReplayPolicyResponse& response) {
  Lines lines;
  for (const auto& rule : response.rules()) {
    lines.push_back(absl::StrCat(rule.count(), " ", rule.code(), " ",
                                 intent::v1::RuleEffect_Name(rule.effect())));
    absl::StrReplaceAll({{"RULE_EFFECT_", ""}}, &lines.back());
  }
  return lines;
}

struct Replayed {
  explicit Replayed(const ServedEngine::Options& options = {})
      : served(options),
        agent(served.As(served.agent_token())),
        ann(served, served.AddMember(kSystem, "ann", "policy")) {}

  ReplayPolicyResponse Try(const ReplayPolicyRequest& request) {
    const auto answer = ann.ReplayAll(request);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    EXPECT_TRUE(answer.response.done());
    return answer.response;
  }
  ReplayPolicyResponse Try(const std::string& text) {
    return Try(Of(ann.MustPropose(text)));
  }
  Intent Post(const std::string& text) {
    return agent.MustSubmit("POST", absl::StrCat(R"({"text": ")", text, "\"}"));
  }

  ServedEngine served;
  Caller agent;
  PolicyCaller ann;
};

TEST(PolicyReplayTest, FindsExactlyThePlantedChanges) {
  Replayed test;
  Lines bad;
  for (int i = 0; i < 12; ++i) {
    const Intent intent = test.Post(i % 3 == 0 ? "bad" : "good");
    if (i % 3 == 0) bad.push_back(intent.id());
  }
  const Intent wire = test.agent.MustSubmit("WIRE", R"({"to": "x"})");
  for (int i = 0; i < 3; ++i) test.agent.MustSubmit("LAUNCH", "{}");
  test.served.SettleDrafts();
  const std::string before = test.served.Value(
      "SELECT string_agg(status || xact_id, ' ' ORDER BY id) "
      "FROM intents");

  const std::string candidate =
      With("block BAD_POSTS on POST when payload.text == \"bad\"");
  const std::string text = absl::StrReplaceAll(
      candidate,
      {{"block NO_LAUNCH \"nothing is launched\" on LAUNCH", ""},
       {"approvals 2 from compliance, owner", "approvals 1 from compliance"}});
  const std::string digest = test.ann.MustPropose(text);
  const ReplayPolicyResponse all = test.Try(Of(digest));
  EXPECT_EQ(all.digest(), digest);
  EXPECT_EQ(all.decision_count(), 16);
  EXPECT_EQ(all.same_count(), 8);
  EXPECT_EQ(all.skipped_count(), 0);
  EXPECT_EQ(ChangesOf(all),
            (Lines{"4 ALLOW>BLOCK", "3 BLOCK>ALLOW", "1 REVIEW>REVIEW"}));
  EXPECT_EQ(RulesOf(all), (Lines{"4 BAD_POSTS APPLIES", "3 NO_LAUNCH NO_LONGER",
                                 "1 WIRES DEMANDS_OTHER"}));
  Lines named;
  for (const auto& example : all.rules(0).examples()) {
    EXPECT_EQ(example.tenant_id(), test.served.tenant().id);
    named.push_back(example.intent_id());
  }
  EXPECT_EQ(named, bad);
  EXPECT_EQ(all.rules(2).examples(0).intent_id(), wire.id());

  ReplayPolicyRequest one = Of(digest);
  one.set_intent_type("LAUNCH");
  one.set_max_examples(2);
  const ReplayPolicyResponse launches = test.Try(one);
  EXPECT_EQ(launches.decision_count(), 3);
  EXPECT_EQ(RulesOf(launches), (Lines{"3 NO_LAUNCH NO_LONGER"}));
  EXPECT_EQ(launches.rules(0).examples_size(), 2);
  // Trying changes nothing.
  EXPECT_EQ(test.served.Value("SELECT string_agg(status || xact_id, ' ' ORDER "
                              "BY id) FROM intents"),
            before);
}

TEST(PolicyReplayTest, APeriodIsFromAndTo) {
  Replayed test;
  const std::string digest = test.ann.MustPropose(With("block NONE on POST"));
  test.Post("first");
  test.served.SettleDrafts();
  test.served.SetClockAhead("1 hour");
  test.Post("second");
  test.Post("third");
  test.served.SettleDrafts();
  const auto middle = TimeUtil::MicrosecondsToTimestamp(std::stoll(
      test.served.Value("SELECT (extract(epoch FROM min(created_at) + interval "
                        "'30 min') * 1000000)::bigint FROM intents")));
  ReplayPolicyRequest from = Of(digest);
  *from.mutable_start_time() = middle;
  EXPECT_EQ(test.Try(from).decision_count(), 2);
  ReplayPolicyRequest to = Of(digest);
  *to.mutable_end_time() = middle;
  EXPECT_EQ(test.Try(to).decision_count(), 1);
  EXPECT_EQ(test.Try(Of(digest)).decision_count(), 3);
}

TEST(PolicyReplayTest, EachRevisionWithItsOwnPayload) {
  Awaiting test("POST", R"({"text": "first"})");
  auto edit = Caller::EditOf(test.memo);
  edit.set_payload(R"({"text": "second"})");
  ASSERT_TRUE(test.User("erin", "member").Edit(edit).ok());
  PolicyCaller ann(test.served,
                   test.served.AddMember(kSystem, "ann", "policy"));
  for (const char* text : {"first", "second"}) {
    SCOPED_TRACE(text);
    const auto answer = ann.ReplayAll(Of(ann.MustPropose(With(absl::StrCat(
        "block HIT on POST when payload.text == \"", text, "\"")))));
    ASSERT_TRUE(answer.ok()) << answer.status.error_message();
    EXPECT_EQ(answer.response.decision_count(), 2);
    EXPECT_EQ(ChangesOf(answer.response), (Lines{"1 REVIEW>BLOCK"}));
  }
}

TEST(PolicyReplayTest, TenantsAreTriedWithTheirOwnLayers) {
  Replayed test;
  const SeededTenant other = test.served.database().Seed("other");
  PolicyCaller pat(test.served, test.served.AddUser("pat", "policy"));
  PolicyCaller olga(test.served,
                    test.served.AddMember(other.id, "olga", "policy"));
  const std::string layer =
      "policy acme.own version 1\nlayer tenant \"acme\"\n"
      "review OWN on POST when payload.text == \"b\"\n";
  ASSERT_TRUE(pat.Activate(pat.MustPropose(layer)).ok());
  test.Post("a");
  test.Post("b");
  Caller theirs = test.served.As(test.served.AddToken(
      storage::PrincipalKind::kAgent, other.agent, other.id));
  theirs.MustSubmit("POST", R"({"text": "b"})");
  test.served.SettleDrafts();

  const ReplayPolicyResponse platform = test.Try(With("block ALL on POST"));
  EXPECT_EQ(platform.decision_count(), 3);
  EXPECT_GE(platform.tenant_count(), 3);
  EXPECT_EQ(ChangesOf(platform), (Lines{"2 ALLOW>BLOCK", "1 REVIEW>BLOCK"}));
  // The layer still asks for a review where the platform changes nothing.
  EXPECT_EQ(test.Try(With("// nothing new")).same_count(), 3);

  const auto own = pat.ReplayAll(Of(pat.MustPropose(absl::StrReplaceAll(
      layer, {{"review OWN on POST when payload.text == \"b\"",
               "block OWN on POST"}}))));
  ASSERT_TRUE(own.ok()) << own.status.error_message();
  EXPECT_EQ(own.response.decision_count(), 2);
  EXPECT_EQ(ChangesOf(own.response),
            (Lines{"1 ALLOW>BLOCK", "1 REVIEW>BLOCK"}));
  EXPECT_EQ(own.response.rules(0).layer(), "tenant:acme");
  // Neither another tenant's version, nor another tenant's decisions.
  EXPECT_EQ(ReasonOf(olga.ReplayAll(Of(own.response.digest())).status),
            "POLICY_NOT_FOUND");
}

TEST(PolicyReplayTest, WhoMayTryWhat) {
  Replayed test;
  const std::string digest = test.ann.MustPropose(With("block ALL on POST"));
  PolicyCaller pat(test.served, test.served.AddUser("pat", "policy"));
  PolicyCaller mia(test.served, test.served.AddUser("mia", "member"));
  PolicyCaller max(test.served,
                   test.served.AddMember(kSystem, "max", "member"));
  PolicyCaller agent(test.served, test.served.agent_token());
  ReplayPolicyRequest platform = Of(digest);
  platform.set_scope(intent::v1::POLICY_SCOPE_PLATFORM);
  EXPECT_EQ(ReasonOf(pat.ReplayAll(platform).status), "NOT_SYSTEM_TENANT");
  EXPECT_EQ(ReasonOf(mia.ReplayAll(Of(digest)).status), "ROLE_MISSING");
  EXPECT_EQ(ReasonOf(max.ReplayAll(Of(digest)).status), "ROLE_MISSING");
  EXPECT_EQ(ReasonOf(agent.ReplayAll(Of(digest)).status),
            "WRONG_PRINCIPAL_KIND");
  EXPECT_EQ(ReasonOf(pat.ReplayAll(Of(digest)).status), "POLICY_NOT_FOUND");

  ReplayPolicyRequest bad = Of(digest);
  bad.set_max_examples(21);
  EXPECT_EQ(BadFieldsOf(test.ann.ReplayAll(bad).status), Lines{"max_examples"});
  bad = Of(digest);
  bad.mutable_end_time()->set_seconds(-1);
  EXPECT_EQ(BadFieldsOf(test.ann.ReplayAll(bad).status), Lines{"end_time"});
  bad = Of("");
  EXPECT_EQ(BadFieldsOf(test.ann.ReplayAll(bad).status), Lines{"digest"});
}

TEST(PolicyReplayTest, WhatCannotBeComparedIsSkippedAndCounted) {
  Replayed test;
  const Intent old = test.Post("old");
  test.Post("new");
  test.served.SettleDrafts();
  const auto done = test.served.database().Super().Run(
      absl::StrCat("SET session_replication_role = replica; UPDATE audit_log "
                   "SET meta = meta - 'platform_digest' WHERE entity_id = '",
                   old.id(), "'; SET session_replication_role = origin"));
  ASSERT_TRUE(done.ok()) << done.error;
  // What is built in is no policy's business.
  test.ann.MustActivate(test.ann.MustPropose(With("block OTHER on LAUNCH")));
  const ReplayPolicyResponse response = test.Try(With("block ALL on POST"));
  EXPECT_EQ(response.decision_count(), 1);
  EXPECT_EQ(response.skipped_count(), 2);
  EXPECT_EQ(ChangesOf(response), (Lines{"1 ALLOW>BLOCK"}));
}

// Copies one decided intent, so that there are several pages of them.
void Multiply(ServedEngine& served, int count) {
  const auto done = served.database().Super().Run(absl::StrCat(
      "SET session_replication_role = replica;"
      "CREATE TEMP TABLE made AS SELECT gen_random_uuid() AS id, n "
      "FROM generate_series(1, ",
      count,
      ") AS n;"
      "INSERT INTO intents (id, tenant_id, agent_id, intent_type, payload_raw, "
      "payload_sha256) SELECT m.id, i.tenant_id, i.agent_id, i.intent_type, "
      "i.payload_raw, i.payload_sha256 FROM made AS m, intents AS i;"
      // Several share each time.
      "INSERT INTO audit_log (tenant_id, action, entity_type, entity_id, meta, "
      "transition_number, created_at) SELECT a.tenant_id, a.action, 'intent', "
      "m.id, a.meta, 2, a.created_at - (m.n / 3) * interval '1 ms' "
      "FROM made AS m, audit_log AS a WHERE a.action = 'SGL_EVALUATED';"
      "SET session_replication_role = origin"));
  ASSERT_TRUE(done.ok()) << done.error;
}

TEST(PolicyReplayTest, AnyNumberOfPagesAndNoneTwice) {
  Replayed test;
  test.Post("a");
  test.served.SettleDrafts();
  const int count = 2 * engine::PolicyReplay::kPageRows + 17;
  Multiply(test.served, count);
  const ReplayPolicyResponse response = test.Try(With("block ALL on POST"));
  EXPECT_EQ(response.decision_count(), count + 1);
  EXPECT_EQ(ChangesOf(response),
            Lines{absl::StrCat(count + 1, " ALLOW>BLOCK")});
}

TEST(PolicyReplayTest, FollowsWhatIsDecidedMeanwhile) {
  Replayed test({.runs = true, .claims = false});
  test.Post("a");
  test.served.SettleDrafts();
  test.served.SetClockAhead("1 minute");
  ReplayPolicyRequest request = Of(test.ann.MustPropose(
      With("block BAD on POST when payload.text == \"bad\"")));
  request.set_follow(true);
  const auto stream = test.ann.ReplayPolicy(request);
  ReplayPolicyResponse response;
  do {
    ASSERT_TRUE(stream->Next(&response));
  } while (!response.done());
  EXPECT_EQ(response.decision_count(), 1);
  EXPECT_EQ(response.changes_size(), 0);
  test.Post("bad");
  test.served.SettleDrafts();
  test.served.SetClockAhead("2 minutes");
  // News of the caller's own tenant make it look.
  test.ann.MustActivate(test.ann.MustPropose(With("block OTHER on LAUNCH")));
  while (response.decision_count() < 2) {
    ASSERT_TRUE(stream->Next(&response));
  }
  EXPECT_EQ(ChangesOf(response), (Lines{"1 ALLOW>BLOCK"}));
}

TEST(PolicyReplayTest, WhoGoesAwayGivesThePlaceBack) {
  Replayed test({.runs = true, .claims = false});
  const std::string digest = test.ann.MustPropose(With("block ALL on POST"));
  ReplayPolicyRequest follow = Of(digest);
  follow.set_follow(true);
  std::vector<std::unique_ptr<Stream<ReplayPolicyResponse>>> streams;
  ReplayPolicyResponse response;
  for (int i = 0; i < engine::PolicyReplays::kReplaysMax; ++i) {
    streams.push_back(test.ann.ReplayPolicy(follow));
    ASSERT_TRUE(streams.back()->Next(&response));
  }
  EXPECT_EQ(ReasonOf(test.ann.ReplayAll(Of(digest)).status), "OVERLOADED");
  streams.clear();
  // The server hears of it a moment later.
  grpc::Status status;
  do {
    status = test.ann.ReplayAll(Of(digest)).status;
  } while (ReasonOf(status) == "OVERLOADED");
  EXPECT_TRUE(status.ok()) << status.error_message();
}

}  // namespace
}  // namespace sgl::testing
