// Proves what docs/security.md says of callers who mean harm, by being one, on
// a served engine with two tenants. Attacks on every method go through all
// methods that the server lists.

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>
#include <string>
#include <vector>

#include "storage/uuid.h"
#include "tests/engine/any_method.h"
#include "tests/engine/two_tenants.h"

namespace sgl::testing {
namespace {

using storage::PrincipalKind;

// Ours to be ashamed of, whatever the request holds.
bool IsOurFault(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::INTERNAL ||
         status.error_code() == grpc::StatusCode::UNKNOWN ||
         status.error_code() == grpc::StatusCode::UNAVAILABLE ||
         status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
}

// Calls every unary method, as each kind that is let in, with `text` in one
// string field after the other.
void TryEverywhere(TwoTenants& tenants, const std::string& text) {
  for (const MethodDescriptor* method : ServedMethods(tenants.channel())) {
    if (method->server_streaming()) continue;
    ForEachTextField(*method, [&](const std::string& name, const SetText& set) {
      for (const CallerKind& caller : tenants.callers()) {
        SCOPED_TRACE(absl::StrCat(method->full_name(), ".", name, " as ",
                                  caller.name, ": ", text));
        const auto request = EmptyRequest(*method);
        ForEachTextField(
            *method, [&](const std::string& other, const SetText& set_other) {
              if (other == "request_id" && name != other) {
                set_other(request.get(), storage::NewUuid());
              } else if (other == "intent_type" && name != other) {
                set_other(request.get(), "POST");
              } else if (other == "payload" && name != other) {
                set_other(request.get(), R"({"text": "hi"})");
              }
            });
        set(request.get(), text);
        const AnyAnswer answer =
            CallAny(tenants.channel(), *method, caller.token, *request);
        EXPECT_FALSE(IsOurFault(answer.status)) << answer.Text();
        EXPECT_FALSE(absl::StrContains(answer.Text(), TwoTenants::kSecret));
        EXPECT_FALSE(absl::StrContains(answer.Text(), "syntax error"));
        EXPECT_FALSE(absl::StrContains(answer.Text(), "SELECT"))
            << answer.Text();
        // Who isn't let in is told so before any field is looked at.
        if (ReasonOf(answer.status) == "WRONG_PRINCIPAL_KIND") continue;
      }
    });
  }
}

TEST(AttacksTest, SqlInEveryStringFieldIsText) {
  TwoTenants tenants;
  const std::string tables =
      "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p', 'v')";
  const std::string before = tenants.served().Value(tables);
  const std::string state = tenants.ForeignState();
  for (const char* text : {
           "'; DROP TABLE intents CASCADE; --",
           "' OR tenant_id IS NOT NULL OR '1'='1",
           "\\'; SET intent.tenants = '{}'; --",
           "{\"x\"} $1 $$ %s %n \" ; COMMIT; BEGIN",
       }) {
    TryEverywhere(tenants, text);
  }
  EXPECT_EQ(tenants.served().Value(tables), before);
  EXPECT_EQ(tenants.ForeignState(), state);
}

TEST(AttacksTest, OddTextIsRefusedOrKeptAsItIs) {
  TwoTenants tenants;
  for (const std::string& text : {
           std::string("nul \0 byte", 10),
           std::string("\x1b]0;title\x07\r\nforged line \u202e"),
           std::string(300, 'x'),
           std::string("\u00e9\u00e9\U0001F600"),
       }) {
    TryEverywhere(tenants, text);
  }
}

TEST(AttacksTest, LargeTextIsRefusedByItsField) {
  TwoTenants tenants;
  TryEverywhere(tenants, std::string(1 << 20, 'x'));
}

TEST(AttacksTest, AForgedTenantInARequestChangesNothing) {
  TwoTenants tenants;
  const std::string before = tenants.ForeignState();
  for (const MethodDescriptor* method : ServedMethods(tenants.channel())) {
    if (method->server_streaming()) continue;
    ForEachTextField(*method, [&](const std::string& name, const SetText& set) {
      if (!absl::StrContains(name, "tenant")) return;
      // The platform's operators name tenants; nobody else may.
      for (const CallerKind& caller : tenants.callers()) {
        if (caller.name == "system operator") continue;
        for (const std::string& tenant :
             {tenants.other().id, tenants.other().slug}) {
          SCOPED_TRACE(absl::StrCat(method->full_name(), ".", name, " as ",
                                    caller.name));
          const auto request = EmptyRequest(*method);
          set(request.get(), tenant);
          const AnyAnswer answer =
              CallAny(tenants.channel(), *method, caller.token, *request);
          EXPECT_FALSE(absl::StrContains(answer.Text(), TwoTenants::kSecret));
          EXPECT_FALSE(IsOurFault(answer.status)) << answer.Text();
        }
      }
    });
  }
  // Nor do headers that look like one.
  grpc::ClientContext context;
  context.AddMetadata("authorization",
                      absl::StrCat("Bearer ", tenants.served().agent_token()));
  for (const char* header : {"tenant", "x-tenant-id", "intent.tenants"}) {
    context.AddMetadata(header, tenants.other().id);
  }
  intent::v1::ListIntentsResponse response;
  const auto stub = intent::v1::IntentService::NewStub(tenants.channel());
  EXPECT_TRUE(stub->ListIntents(&context, {}, &response).ok());
  EXPECT_EQ(response.intents_size(), 0);
  EXPECT_EQ(tenants.ForeignState(), before);
}

// What it leases itself is its own; what others leased it can't even name.
TEST(AttacksTest, AStolenWorkerTokenOpensNothingButLeases) {
  TwoTenants tenants;
  const std::string& token = tenants.callers()[2].token;
  const std::set<std::string> open = {"LeaseJobs", "HeartbeatJob",
                                      "CompleteJob", "FailJob"};
  for (const MethodDescriptor* method : ServedMethods(tenants.channel())) {
    const AnyAnswer answer =
        CallAny(tenants.channel(), *method, token, *EmptyRequest(*method));
    EXPECT_EQ(answer.status.error_code() == grpc::StatusCode::PERMISSION_DENIED,
              open.count(method->name()) == 0)
        << method->full_name();
    EXPECT_FALSE(answer.status.ok()) << method->full_name();
  }
}

TEST(AttacksTest, TwoAuthorizationHeadersAreNone) {
  TwoTenants tenants;
  const auto stub = intent::v1::IntentService::NewStub(tenants.channel());
  for (const bool good_first : {true, false}) {
    grpc::ClientContext context;
    const std::string good =
        absl::StrCat("Bearer ", tenants.served().agent_token());
    context.AddMetadata("authorization", good_first ? good : "Bearer x");
    context.AddMetadata("authorization", good_first ? "Bearer x" : good);
    intent::v1::ListIntentsResponse response;
    EXPECT_EQ(stub->ListIntents(&context, {}, &response).error_code(),
              grpc::StatusCode::UNAUTHENTICATED);
  }
}

TEST(AttacksTest, RefusalsOfCredentialsTellNothingApart) {
  TwoTenants tenants;
  std::vector<std::string> told;
  const auto& methods = ServedMethods(tenants.channel());
  for (const CallerKind& caller : tenants.refused()) {
    if (caller.token.empty()) continue;
    told.push_back(CallAny(tenants.channel(), *methods[0], caller.token,
                           *EmptyRequest(*methods[0]))
                       .Text());
    // Of a wrong kind, or right but unknown, expired, revoked: one answer.
    EXPECT_EQ(told.back(), told.front()) << caller.name;
  }
}

TEST(AttacksTest, RequestIdsOfOthersAreNotMet) {
  TwoTenants tenants;
  Caller first = tenants.served().As(tenants.served().agent_token());
  Caller other = tenants.served().As(tenants.served().AddToken(
      PrincipalKind::kAgent, tenants.other().agent, tenants.other().id));
  const auto request = Caller::Request("POST", R"({"text": "mine"})");
  const auto mine = first.Submit(request);
  ASSERT_TRUE(mine.ok()) << mine.status.error_message();
  auto same_id = request;
  same_id.set_payload(R"({"text": "another"})");
  const auto theirs = other.Submit(same_id);
  ASSERT_TRUE(theirs.ok()) << theirs.status.error_message();
  EXPECT_NE(theirs.response.intent().id(), mine.response.intent().id());
  EXPECT_EQ(theirs.response.intent().payload(), same_id.payload());
  EXPECT_EQ(other.Get(mine.response.intent().id()).status.error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST(AttacksTest, MemoIdsAreNotToBeGuessed) {
  TwoTenants tenants;
  // Version 4: 122 random bits, none of them a counter or a time.
  EXPECT_EQ(tenants.served().Value("SELECT count(*) FROM decision_memos "
                                   "WHERE substr(id::text, 15, 1) <> '4'"),
            "0");
  EXPECT_EQ(tenants.served().Value("SELECT count(*) FROM intents "
                                   "WHERE substr(id::text, 15, 1) <> '4'"),
            "0");
}

// A WIRE of the first tenant that waits for two of compliance and owner, for a
// day.
class WaitingWire {
 public:
  WaitingWire() : agent_(served_.As(served_.agent_token())) {
    intent_ = agent_.MustSubmit("WIRE", R"({"to": "x"})");
    served_.SettleDrafts();
    intent_ = agent_.MustGet(intent_.id());
    memo_ = agent_.MustGetMemo(intent_.decision_memo_id());
  }

  ServedEngine& served() { return served_; }
  const intent::v1::DecisionMemo& memo() const { return memo_; }
  const intent::v1::Intent& intent() const { return intent_; }
  // Votes by `user` of the first tenant; returns the reason of a refusal.
  std::string Vote(const std::string& user) {
    Caller caller = served_.As(
        served_.AddToken(PrincipalKind::kUser, user, served_.tenant().id));
    return ReasonOf(caller.Approve(memo_).status);
  }
  std::string Status() {
    return served_.Value(absl::StrCat("SELECT status FROM intents WHERE id = '",
                                      intent_.id(), "'"));
  }

 private:
  ServedEngine served_{{}};
  Caller agent_;
  intent::v1::Intent intent_;
  intent::v1::DecisionMemo memo_;
};

TEST(AttacksTest, AVotePastTheExpiryIsRefusedBeforeAnySweep) {
  WaitingWire wire;
  ASSERT_TRUE(wire.served()
                  .database()
                  .Super()
                  .Run("CREATE OR REPLACE FUNCTION engine_now() "
                       "RETURNS timestamptz LANGUAGE sql VOLATILE AS "
                       "$$ SELECT clock_timestamp() + interval '25 hours' $$")
                  .ok());
  EXPECT_EQ(wire.Vote(wire.served().tenant().carol), "MEMO_EXPIRED");
  EXPECT_EQ(wire.served().Value("SELECT count(*) FROM approvals"), "0");
  EXPECT_NE(wire.Status(), "EXECUTED");
}

TEST(AttacksTest, TwoClicksAreOneVoteAndAReplayIsNone) {
  WaitingWire wire;
  Caller carol = wire.served().As(
      wire.served().AddToken(PrincipalKind::kUser, wire.served().tenant().carol,
                             wire.served().tenant().id));
  EXPECT_TRUE(carol.Approve(wire.memo()).ok());
  // With another token of the same person, too.
  EXPECT_EQ(ReasonOf(carol.Approve(wire.memo()).status), "ALREADY_VOTED");
  EXPECT_EQ(wire.Vote(wire.served().tenant().carol), "ALREADY_VOTED");
  EXPECT_EQ(wire.Status(), "AWAITING_HUMAN");
  Caller erin = wire.served().As(wire.served().AddUser("erin", "compliance"));
  EXPECT_TRUE(erin.Approve(wire.memo()).ok());
  EXPECT_EQ(wire.Status(), "EXECUTED");
  const std::string entries = wire.served().Value(
      "SELECT count(*) FROM audit_log WHERE "
      "action = 'ENGINE_EXECUTED_INTENT'");
  EXPECT_EQ(entries, "1");
  EXPECT_EQ(ReasonOf(erin.Approve(wire.memo()).status), "MEMO_CLOSED");
  EXPECT_EQ(ReasonOf(erin.Reject(wire.memo(), "no").status), "MEMO_CLOSED");
  EXPECT_EQ(wire.Status(), "EXECUTED");
}

TEST(AttacksTest, AnApprovalOfOneMemoIsNoneOfAnother) {
  WaitingWire wire;
  Caller agent = wire.served().As(wire.served().agent_token());
  const auto second = agent.MustSubmit("WIRE", R"({"to": "mallory"})");
  wire.served().SettleDrafts();
  intent::v1::DecisionMemo forged = wire.memo();
  forged.set_id(agent.MustGet(second.id()).decision_memo_id());
  Caller carol = wire.served().As(
      wire.served().AddToken(PrincipalKind::kUser, wire.served().tenant().carol,
                             wire.served().tenant().id));
  EXPECT_EQ(ReasonOf(carol.Approve(forged).status), "STALE_PAYLOAD");
  EXPECT_EQ(wire.served().Value("SELECT count(*) FROM approvals"), "0");
}

TEST(AttacksTest, ThePayloadCannotBeSwappedUnderAnApproval) {
  WaitingWire wire;
  for (const char* change : {
           "payload = '{\"to\": \"mallory\"}'",
           "payload_raw = '{\"to\": \"mallory\"}'",
           "intent_type = 'POST'",
           "spend_micros_usd = 1",
           "data_class = 'PII'",
           "agent_id = NULL",
           // Nor as a revision that nobody made.
           "revision = 2, spend_micros_usd = 1",
           "revision = 2, payload_raw = '{\"to\": \"mallory\"}', "
           "payload_sha256 = repeat('0', 64)",
       }) {
    // As a writer that may write any row.
    const SqlResult swapped = wire.served().database().Owner().Run(
        absl::StrCat("UPDATE intents SET ", change, " WHERE id = '",
                     wire.intent().id(), "'"));
    EXPECT_EQ(swapped.sqlstate, "23514") << change << swapped.error;
  }
}

TEST(AttacksTest, AWriterCannotPassARowOffAsTheEngines) {
  ServedEngine served({});
  Caller agent = served.As(served.agent_token());
  // Deeper than what the engine reads, and already accounted for.
  const std::string deep =
      absl::StrCat("repeat('{\"a\":', 200) || '1' || repeat('}', 200)");
  const auto inserted = [&](const std::string& raw) {
    return served.database().Owner().Value(absl::StrCat(
        "INSERT INTO intents (tenant_id, agent_id, intent_type, payload, "
        "payload_raw, payload_sha256, transition_number) VALUES ('",
        served.tenant().id, "', '", served.tenant().agent,
        "', 'POST', '{\"text\": \"hi\"}', ", raw,
        ", repeat('0', 64), 1) RETURNING id"));
  };
  const std::string hidden = inserted(deep);
  const std::string later = served.InsertBySql("POST", R"({"text": "hi"})");
  const auto updated = served.database().Owner().Run(
      absl::StrCat("UPDATE intents SET payload_raw = ", deep,
                   ", payload_sha256 = repeat('0', 64), transition_number = 1 "
                   "WHERE id = '",
                   later, "'"));
  ASSERT_TRUE(updated.ok()) << updated.error;
  EXPECT_EQ(served.SettleDrafts(), 2);
  for (const std::string& id : {hidden, later}) {
    EXPECT_EQ(agent.MustGet(id).status(), intent::v1::INTENT_STATUS_EXECUTED);
    EXPECT_EQ(agent.MustGet(id).payload(), R"({"text": "hi"})");
    EXPECT_EQ(served.Actions(id),
              "INTENT_SUBMITTED SGL_EVALUATED ENGINE_EXECUTED_INTENT");
  }
}

TEST(AttacksTest, ARevisionMadePastTheEngineIsAskedAboutAgain) {
  WaitingWire wire;
  const SeededTenant& acme = wire.served().tenant();
  const std::string swap = absl::StrCat(
      "UPDATE intents SET revision = revision + 1, "
      "payload = '{\"to\": \"mallory\"}', "
      "payload_raw = '{\"to\": \"mallory\"}', payload_sha256 = encode("
      "sha256('{\"to\": \"mallory\"}'), 'hex') WHERE id = '",
      wire.intent().id(), "'");
  EXPECT_EQ(wire.served().database().Owner().Run(swap).sqlstate, "23514");
  // By whoever got past that.
  const SqlResult swapped = wire.served().database().Super().Run(swap);
  ASSERT_TRUE(swapped.ok()) << swapped.error;
  Caller erin = wire.served().As(wire.served().AddUser("erin", "owner"));
  EXPECT_EQ(wire.Vote(acme.carol), "INTENT_CHANGED");
  EXPECT_EQ(wire.served().Value("SELECT count(*) FROM approvals"), "0");
  EXPECT_EQ(wire.served().Actions(wire.intent().id()),
            "INTENT_SUBMITTED SGL_EVALUATED DECISION_MEMO_OPENED VOTE_REFUSED "
            "SGL_EVALUATED DECISION_MEMO_REOPENED");
  // What was seen is stale by now; who reads again votes on what is there.
  EXPECT_EQ(wire.Vote(acme.carol), "STALE_REVISION");
  const intent::v1::DecisionMemo memo = erin.MustGetMemo(wire.memo().id());
  EXPECT_EQ(memo.revision(), 2);
  EXPECT_NE(memo.payload_sha256(), wire.memo().payload_sha256());
  EXPECT_TRUE(erin.Approve(memo).ok());
  EXPECT_EQ(wire.Status(), "AWAITING_HUMAN");
}

TEST(AttacksTest, AnEditOfWhatWasMadePastTheEngineIsRefused) {
  WaitingWire wire;
  ASSERT_TRUE(wire.served()
                  .database()
                  .Super()
                  .Run("UPDATE intents SET revision = 2, spend_micros_usd = 7")
                  .ok());
  Caller erin = wire.served().As(wire.served().AddUser("erin", "owner"));
  intent::v1::EditDecisionMemoRequest edit = Caller::EditOf(wire.memo());
  edit.set_spend_micros_usd(1);
  EXPECT_EQ(ReasonOf(erin.Edit(edit).status), "INTENT_CHANGED");
  EXPECT_EQ(wire.served().Value("SELECT revision FROM decision_memos"), "2");
}

TEST(AttacksTest, AMemoBesideTheIntentsOwnIsNotVotedOn) {
  ServedEngine served({});
  const std::string id = served.InsertBySql("POST", R"({"text": "hi"})");
  const std::string memo = served.Value(absl::StrCat(
      "INSERT INTO decision_memos (tenant_id, intent_id, payload_sha256) "
      "VALUES ('",
      served.tenant().id, "', '", id, "', repeat('0', 64)) RETURNING id"));
  Caller erin = served.As(served.AddUser("erin", "member"));
  EXPECT_EQ(ReasonOf(erin.Approve(erin.MustGetMemo(memo)).status),
            "MEMO_CLOSED");
  EXPECT_EQ(served.Value("SELECT status FROM intents"), "DRAFT");
}

TEST(AttacksTest, WhoOwnsOrIssuedCannotVote) {
  WaitingWire wire;
  const SeededTenant& acme = wire.served().tenant();
  EXPECT_EQ(wire.Vote(acme.owner), "SELF_APPROVAL");
  // Who issued the agent's token answers for what it does with it.
  ASSERT_TRUE(wire.served()
                  .database()
                  .Super()
                  .Run(absl::StrCat(
                      "UPDATE api_tokens SET issued_by = '", acme.carol,
                      "' WHERE id = (SELECT submitted_by_token FROM intents "
                      "WHERE id = '",
                      wire.intent().id(), "')"))
                  .ok());
  EXPECT_EQ(wire.Vote(acme.carol), "SELF_APPROVAL");
  EXPECT_EQ(wire.served().Value("SELECT count(*) FROM approvals"), "0");
}

TEST(AttacksTest, ARoleInAnotherTenantIsNone) {
  WaitingWire wire;
  const SeededTenant bolt = wire.served().database().Seed("bolt");
  // Bolt's compliance officer is a plain member here.
  ASSERT_TRUE(wire.served()
                  .database()
                  .Super()
                  .Run(absl::StrCat("INSERT INTO tenant_members VALUES ('",
                                    wire.served().tenant().id, "', '",
                                    bolt.carol, "', 'member')"))
                  .ok());
  EXPECT_EQ(wire.Vote(bolt.carol), "ROLE_MISSING");
  // And with a token of their own tenant, nobody at all.
  Caller outside = wire.served().As(
      wire.served().AddToken(PrincipalKind::kUser, bolt.carol, bolt.id));
  EXPECT_EQ(outside.Approve(wire.memo()).status.error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST(AttacksTest, MalformedMessagesAreRefused) {
  TwoTenants tenants;
  // What parses as no request of any method: a field that runs past its end.
  for (const MethodDescriptor* method : ServedMethods(tenants.channel())) {
    const auto request = EmptyRequest(*method);
    request->GetReflection()
        ->MutableUnknownFields(request.get())
        ->AddLengthDelimited(1, "\xff\xfe not utf-8");
    const AnyAnswer answer =
        CallAny(tenants.channel(), *method, tenants.callers()[0].token,
                *request, absl::Seconds(method->server_streaming() ? 2 : 30));
    EXPECT_FALSE(answer.status.error_code() == grpc::StatusCode::UNAVAILABLE)
        << method->full_name();
  }
  Caller agent = tenants.served().As(tenants.served().agent_token());
  EXPECT_TRUE(agent.List({}).ok());
}

TEST(AttacksTest, OversizedMessagesAreRefusedAndTheServerServesOn) {
  TwoTenants tenants;
  Caller agent = tenants.served().As(tenants.served().agent_token());
  // Over the transport's own limit, and below it but over the field's.
  for (const size_t size : {size_t{25} << 20, size_t{1} << 20}) {
    auto request = Caller::Request("POST", std::string(size, ' '));
    const auto answer = agent.Submit(request);
    EXPECT_TRUE(
        answer.status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED ||
        answer.status.error_code() == grpc::StatusCode::INVALID_ARGUMENT)
        << answer.status.error_message();
  }
  EXPECT_TRUE(agent.List({}).ok());
}

TEST(AttacksTest, JsonBombsAreRefusedAtTheEdge) {
  TwoTenants tenants;
  Caller agent = tenants.served().As(tenants.served().agent_token());
  const std::string deep = absl::StrCat("{\"text\":", std::string(100'000, '['),
                                        std::string(100'000, ']'), "}");
  const std::string long_number =
      absl::StrCat("{\"text\":", std::string(200'000, '9'), "}");
  for (const std::string& payload :
       {deep, long_number, std::string(R"({"text": 1e131071})"),
        std::string(R"({"text": "\u0000"})"),
        absl::StrCat(R"({"text": ")", std::string(300'000, 'x'), "\"}")}) {
    const absl::Time start = absl::Now();
    const auto answer = agent.Submit(Caller::Request("POST", payload));
    EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
        << payload.substr(0, 40);
    EXPECT_LT(absl::Now() - start, absl::Seconds(5));
  }
  EXPECT_EQ(tenants.served().Value(
                absl::StrCat("SELECT count(*) FROM intents WHERE tenant_id = '",
                             tenants.served().tenant().id, "'")),
            "0");
}

// A connection that speaks no gRPC library's gRPC.
class RawConnection {
 public:
  explicit RawConnection(const std::string& address)
      : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(
        std::stoi(address.substr(address.rfind(':') + 1))));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
  }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;
  ~RawConnection() { close(fd_); }

  void Send(const std::string& bytes) {
    EXPECT_EQ(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

 private:
  const int fd_;
};

TEST(AttacksTest, SlowClientsHoldNobodyUp) {
  TwoTenants tenants;
  const std::string& address = tenants.served().server().address();
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  // An empty SETTINGS frame, and the head of a HEADERS frame that never ends.
  const std::string settings("\0\0\0\4\0\0\0\0\0", 9);
  const std::string half_headers("\0\1\0\1\4\0\0\0\1\x83\x86", 11);
  std::vector<std::unique_ptr<RawConnection>> slow;
  for (int i = 0; i < 200; ++i) {
    slow.push_back(std::make_unique<RawConnection>(address));
    if (i % 4 >= 1) slow.back()->Send(preface.substr(0, i % 4 == 1 ? 9 : 24));
    if (i % 4 >= 2) slow.back()->Send(settings);
    if (i % 4 >= 3) slow.back()->Send(half_headers);
  }
  // More calls than there are threads, each of which would wait for a slot.
  Caller agent = tenants.served().As(tenants.served().agent_token());
  for (int i = 0; i < 50; ++i) {
    const absl::Time start = absl::Now();
    EXPECT_TRUE(agent.List({}).ok());
    EXPECT_LT(absl::Now() - start, absl::Seconds(10));
  }
}

TEST(AttacksTest, ReflectionTellsOfMethodsAndNothingElse) {
  TwoTenants tenants;
  // Without a token, on purpose: what it lists is in this repository. That it
  // lists our services, health and itself alone, ServedMethods checks.
  EXPECT_GE(ServedMethods(tenants.channel()).size(), 9u);
}

TEST(AttacksTest, AForgedNotificationOnlyWakes) {
  TwoTenants tenants;
  // Whoever may connect may notify: engines take it as a hint to look.
  SqlConnection runtime(tenants.served().database().runtime_url());
  const std::string before = tenants.ForeignState();
  for (const char* channel :
       {"intent_draft", "intent_settled", "policy_activated"}) {
    for (const char* payload : {"", "x", "'; DROP TABLE intents; --",
                                "00000000-0000-0000-0000-000000000000"}) {
      SqlResult sent = runtime.Run(
          absl::StrCat("SELECT pg_notify('", channel, "', $$", payload, "$$)"));
      EXPECT_TRUE(sent.ok()) << sent.error;
    }
  }
  EXPECT_EQ(tenants.ForeignState(), before);
  Caller agent = tenants.served().As(tenants.served().agent_token());
  EXPECT_TRUE(agent.List({}).ok());
}

}  // namespace
}  // namespace sgl::testing
