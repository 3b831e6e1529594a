// Proves the watches as a client sees them: what changes comes, once resumed
// nothing is missing, other tenants' rows never come, and each way a stream
// ends is told apart. Waits are for messages, never for time.

#include <absl/strings/str_cat.h>
#include <absl/time/time.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "intent/v1/decision_service.pb.h"
#include "intent/v1/intent_service.pb.h"
#include "storage/identity.h"
#include "tests/engine/served_engine.h"
#include "tests/support/database.h"

namespace sgl::testing {
namespace {

using intent::v1::WatchDecisionMemosRequest;
using intent::v1::WatchDecisionMemosResponse;
using intent::v1::WatchIntentsRequest;
using intent::v1::WatchIntentsResponse;

constexpr char kPost[] = R"({"text": "hi"})";
constexpr char kWire[] = R"({"to": "x"})";

class WatchTest : public ::testing::Test {
 protected:
  // Starts a watch that stands at the present.
  std::unique_ptr<IntentStream> Watch(Caller& caller,
                                      const WatchIntentsRequest& request = {},
                                      std::string* cursor = nullptr) {
    std::unique_ptr<IntentStream> stream = caller.Watch(request);
    WatchIntentsResponse first;
    EXPECT_TRUE(stream->Next(&first));
    EXPECT_FALSE(first.has_intent());
    EXPECT_FALSE(first.cursor().empty());
    if (cursor != nullptr) *cursor = first.cursor();
    return stream;
  }

  // Starts a watch that is refused; returns how.
  static grpc::Status RefusalOf(Caller& caller,
                                const WatchIntentsRequest& request) {
    const std::unique_ptr<IntentStream> stream = caller.Watch(request);
    WatchIntentsResponse response;
    EXPECT_FALSE(stream->Next(&response)) << response.ShortDebugString();
    return stream->Finish();
  }

  ServedEngine served_{{.runs = true, .claims = false}};
  Caller agent_ = served_.As(served_.agent_token());
};

TEST_F(WatchTest, SendsEachChange) {
  const auto stream = Watch(agent_);
  const std::string id = agent_.MustSubmit("POST", kPost).id();
  const WatchIntentsResponse draft = stream->MustNext();
  EXPECT_EQ(draft.intent().id(), id);
  EXPECT_EQ(draft.intent().status(), intent::v1::INTENT_STATUS_DRAFT);
  EXPECT_EQ(served_.SettleDrafts(), 1);
  const WatchIntentsResponse executed = stream->MustNext();
  EXPECT_EQ(executed.intent().id(), id);
  EXPECT_EQ(executed.intent().status(), intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(executed.intent().decision().kind(),
            intent::v1::DECISION_KIND_ALLOW);
}

TEST_F(WatchTest, ResumesWithoutAGap) {
  std::string cursor;
  { const auto stream = Watch(agent_, {}, &cursor); }
  std::set<std::string> submitted;
  // More than a page holds.
  for (int i = 0; i < 40; ++i) {
    submitted.insert(agent_.MustSubmit("POST", kPost).id());
  }
  std::set<std::string> seen;
  WatchIntentsRequest request;
  while (seen.size() < submitted.size()) {
    // A new stream for every few: each goes on where the last one stood.
    request.set_cursor(cursor);
    const auto stream = agent_.Watch(request);
    for (int i = 0; i < 7 && seen.size() < submitted.size(); ++i) {
      const WatchIntentsResponse next = stream->MustNext();
      ASSERT_TRUE(seen.insert(next.intent().id()).second);
      cursor = next.cursor();
    }
  }
  EXPECT_EQ(seen, submitted);
}

TEST_F(WatchTest, ALateCommitComesToo) {
  SqlConnection slow(served_.database().superuser_url());
  slow.Run("BEGIN");
  const std::string late = slow.Value(
      absl::StrCat("INSERT INTO intents (tenant_id, intent_type) VALUES ('",
                   served_.tenant().id, "', 'POST') RETURNING id"));
  const auto stream = Watch(agent_);
  const std::string early = agent_.MustSubmit("POST", kPost).id();
  EXPECT_EQ(stream->MustNext().intent().id(), early);
  slow.Run("COMMIT");
  EXPECT_EQ(stream->MustNext().intent().id(), late);
}

TEST_F(WatchTest, SendsWhatIsThereWhereAsked) {
  const std::string first = agent_.MustSubmit("POST", kPost).id();
  const std::string second = agent_.MustSubmit("LAUNCH", "{}").id();
  WatchIntentsRequest request;
  request.set_include_existing(true);
  const auto all = agent_.Watch(request);
  EXPECT_EQ(all->MustNext().intent().id(), first);
  EXPECT_EQ(all->MustNext().intent().id(), second);
  request.mutable_filter()->set_intent_type("LAUNCH");
  EXPECT_EQ(agent_.Watch(request)->MustNext().intent().id(), second);
}

TEST_F(WatchTest, SendsMemosAndTheirVotes) {
  Caller ann = served_.As(served_.AddUser("ann", "compliance"));
  const std::unique_ptr<MemoStream> stream =
      ann.Watch(WatchDecisionMemosRequest());
  WatchDecisionMemosResponse first;
  ASSERT_TRUE(stream->Next(&first));
  agent_.MustSubmit("WIRE", kWire);
  ASSERT_EQ(served_.SettleDrafts(), 1);
  const intent::v1::DecisionMemo opened = stream->MustNext().decision_memo();
  EXPECT_EQ(opened.status(), intent::v1::MEMO_STATUS_PROPOSED);
  EXPECT_TRUE(ann.Approve(opened).ok());
  const intent::v1::DecisionMemo voted = stream->MustNext().decision_memo();
  EXPECT_EQ(voted.id(), opened.id());
  EXPECT_EQ(voted.votes_size(), 1);
  Caller bob = served_.As(served_.AddUser("bob", "owner"));
  EXPECT_TRUE(bob.Approve(voted).ok());
  EXPECT_EQ(stream->MustNext().decision_memo().status(),
            intent::v1::MEMO_STATUS_APPROVED);
}

TEST_F(WatchTest, OtherTenantsRowsNeverCome) {
  const SeededTenant bolt = served_.database().Seed("bolt");
  Caller other = served_.As(
      served_.AddToken(storage::PrincipalKind::kAgent, bolt.agent, bolt.id));
  const auto stream = Watch(other);
  agent_.MustSubmit("POST", kPost);
  const std::string own = other.MustSubmit("POST", kPost).id();
  EXPECT_EQ(stream->MustNext().intent().id(), own);
  WatchIntentsRequest request;
  request.set_include_existing(true);
  EXPECT_EQ(other.Watch(request)->MustNext().intent().id(), own);
}

TEST_F(WatchTest, RefusesCursorsOfOtherWatches) {
  std::string cursor;
  { const auto stream = Watch(agent_, {}, &cursor); }
  WatchIntentsRequest request;
  request.set_cursor(cursor);
  request.mutable_filter()->set_intent_type("POST");
  grpc::Status status = RefusalOf(agent_, request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(BadFieldsOf(status), std::vector<std::string>{"cursor"});

  request.clear_filter();
  request.set_include_existing(true);
  EXPECT_EQ(BadFieldsOf(RefusalOf(agent_, request)),
            std::vector<std::string>{"include_existing"});

  const SeededTenant bolt = served_.database().Seed("bolt");
  Caller other = served_.As(
      served_.AddToken(storage::PrincipalKind::kAgent, bolt.agent, bolt.id));
  request.set_include_existing(false);
  EXPECT_EQ(BadFieldsOf(RefusalOf(other, request)),
            std::vector<std::string>{"cursor"});
  for (const char* bad : {"x", "AAAA", "MXwxfDF8MXwxfDE="}) {
    request.set_cursor(bad);
    EXPECT_EQ(BadFieldsOf(RefusalOf(agent_, request)),
              std::vector<std::string>{"cursor"});
  }
}

TEST_F(WatchTest, RefusesWhoMayNotWatch) {
  EXPECT_EQ(RefusalOf(*std::make_unique<Caller>(served_.As("no token")), {})
                .error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  Caller worker = served_.As(served_.AddToken(storage::PrincipalKind::kWorker,
                                              "", served_.tenant().id));
  EXPECT_EQ(RefusalOf(worker, {}).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(WatchTest, EndsWithItsToken) {
  const auto stream = Watch(agent_);
  served_.database().Super().Run(
      "UPDATE api_tokens SET revoked_at = engine_now()");
  // The token is good for a second more; each change makes the watch look.
  WatchIntentsResponse response;
  do {
    served_.InsertBySql("POST", kPost);
  } while (stream->Next(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(WatchTest, ADrainSaysSo) {
  const auto stream = Watch(agent_);
  served_.server().Drain(absl::Seconds(10));
  WatchIntentsResponse response;
  while (stream->Next(&response)) continue;
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(status), "DRAINING");
}

TEST_F(WatchTest, ATenantHasABoundedNumber) {
  std::vector<std::unique_ptr<IntentStream>> streams;
  for (size_t i = 0; i < engine::Watches::kTenantWatchesMax; ++i) {
    streams.push_back(Watch(agent_));
  }
  const grpc::Status status = RefusalOf(agent_, {});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(status), "TOO_MANY_WATCHES");
}

}  // namespace
}  // namespace sgl::testing
