// Proves that limits are exact for what is decided together: a worker's batch,
// a group of submissions, and four engines that race for the last places; and
// that what is past its window is pruned.

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "engine/engine.h"
#include "engine/server.h"
#include "intent/v1/intent_service.grpc.pb.h"
#include "tests/engine/limited.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using intent::v1::BatchSubmitIntentsRequest;

TEST(LimitBatchTest, EarlierOnesOfABatchCountForLaterOnes) {
  Limited test("limit FEW 3 per tenant per 1d on POST else block");
  test.Insert(10);
  EXPECT_EQ(test.served.SettleDrafts(), 10);
  EXPECT_EQ(test.served.Value("SELECT count(DISTINCT xact_id) FROM intents"),
            "1");
  EXPECT_EQ(test.served.Value("SELECT string_agg(payload ->> 'text', ' ' ORDER "
                              "BY created_at) FROM intents "
                              "WHERE status = 'EXECUTED'"),
            "1 2 3");
  EXPECT_EQ(test.CountOf("BLOCKED_SGL"), "7");
  EXPECT_EQ(test.Counted(), "3");
}

TEST(LimitBatchTest, ABatchThatIsSettledMemberByMemberCountsThoseThatPassed) {
  Limited test("limit FEW 3 per tenant per 1d on POST else block");
  test.served.Value(
      "ALTER TABLE intents ADD CONSTRAINT no_bad_end CHECK (status <> "
      "'EXECUTED' OR payload ->> 'text' <> '2'); SELECT 1");
  test.Insert(4);
  test.served.SettleDrafts();
  // The place that one of them had goes to the last.
  EXPECT_EQ(test.CountOf("EXECUTED"), "3");
  EXPECT_EQ(test.CountOf("FAILED"), "1");
  EXPECT_EQ(test.Counted(), "3");
  EXPECT_EQ(test.Post(), "BLOCKED_SGL");
}

TEST(LimitBatchTest, EarlierOnesOfAGroupCountForLaterOnes) {
  Limited test("limit FEW 3 per tenant per 1d on POST else block",
               {.runs = true});
  const auto answer =
      SubmitBatch(test.served.channel(), test.served.agent_token(), Posts(10));
  ASSERT_EQ(answer.results_size(), 10);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(answer.results(i).intent().status(),
              i < 3 ? intent::v1::INTENT_STATUS_EXECUTED
                    : intent::v1::INTENT_STATUS_BLOCKED_SGL)
        << i;
  }
  EXPECT_EQ(test.Counted(), "3");
}

TEST(LimitBatchTest, AnEffectThatIsRefusedTurnsNobodyAway) {
  const std::string policy =
      "intent TICKET_COMMENT { ticket_id: string, body: string }\n"
      "limit FEW 1 per tenant per 1d on POST, TICKET_COMMENT else block";
  BatchSubmitIntentsRequest group = Posts(2);
  group.mutable_requests(0)->set_intent_type("TICKET_COMMENT");
  group.mutable_requests(0)->set_payload(
      R"({"ticket_id": "00000000-0000-4000-8000-000000000000", "body": "x"})");
  {
    Limited test(policy, {.runs = true});
    // The group leaves both to its engine's worker, in any order: they came at
    // one time.
    for (auto& request : *group.mutable_requests()) {
      request.mutable_wait()->set_seconds(30);
    }
    const auto answer =
        SubmitBatch(test.served.channel(), test.served.agent_token(), group);
    ASSERT_EQ(answer.results_size(), 2);
    EXPECT_NE(answer.results(0).intent().status(),
              intent::v1::INTENT_STATUS_EXECUTED);
    EXPECT_EQ(answer.results(1).intent().status(),
              intent::v1::INTENT_STATUS_EXECUTED);
    EXPECT_EQ(test.Counted(), "1");
  }
  Limited test(policy);
  const std::string refused =
      test.agent.MustSubmit("TICKET_COMMENT", group.requests(0).payload()).id();
  test.SetClock("1 second");
  const std::string other = test.agent.MustSubmit("POST", kPost).id();
  test.served.SettleDrafts();
  EXPECT_EQ(test.agent.MustGet(refused).failure_reason(), "EFFECT_REFUSED");
  EXPECT_EQ(test.agent.MustGet(other).status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(test.Counted(), "1");
}

TEST(LimitBatchTest, ARepeatTakesNoPlace) {
  Limited test("limit FEW 2 per tenant per 1d on POST else block",
               {.runs = true});
  BatchSubmitIntentsRequest request = Posts(4);
  request.mutable_requests(1)->set_request_id(request.requests(0).request_id());
  const auto answer =
      SubmitBatch(test.served.channel(), test.served.agent_token(), request);
  ASSERT_EQ(answer.results_size(), 4);
  EXPECT_EQ(answer.results(0).intent().id(), answer.results(1).intent().id());
  EXPECT_EQ(answer.results(2).intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(answer.results(3).intent().status(),
            intent::v1::INTENT_STATUS_BLOCKED_SGL);
  EXPECT_EQ(test.Counted(), "2");
}

TEST(LimitBatchTest, WhatIsDrawnOnOnlyByTheLaterTimeIsLockedToo) {
  // The rules ask what time it is, and it is another once the first counter is
  // locked.
  Limited test(absl::StrCat(
      "limit EARLY 9 per tenant per 1d on POST when now < 2100-01-01T00:00:00Z "
      "else block\n"
      "limit LATE 1 per tenant per 1d on POST when now >= "
      "2100-01-01T00:00:00Z else block"));
  const auto set = test.served.database().Super().Run(absl::StrCat(
      "CREATE OR REPLACE FUNCTION engine_now() RETURNS timestamptz LANGUAGE "
      "sql VOLATILE SECURITY DEFINER AS $$ SELECT CASE WHEN EXISTS (SELECT "
      "FROM public.limit_counters) THEN timestamptz '2100-01-01 00:00:00Z' "
      "ELSE ",
      kStart, " END $$"));
  ASSERT_TRUE(set.ok()) << set.error;
  test.Insert(2);
  EXPECT_EQ(test.served.SettleDrafts(), 2);
  EXPECT_EQ(test.CountOf("EXECUTED"), "1");
  EXPECT_EQ(test.CountOf("BLOCKED_SGL"), "1");
  EXPECT_EQ(test.served.Value("SELECT key LIKE '%LATE%' FROM limit_counters "
                              "WHERE total = 1"),
            "t");
}

TEST(LimitPruningTest, TheTickRemovesWhatIsPastItsWindow) {
  Limited test("limit FEW 50 per tenant per 60s on POST else block",
               {.runs = true});
  EXPECT_EQ(test.Post(), "EXECUTED");
  test.SetClock("59.999999 seconds");
  EXPECT_EQ(test.Post(), "EXECUTED");
  EXPECT_EQ(test.served.Value("SELECT count(*) FROM limit_entries"), "2");
  test.SetClock("60 seconds");
  // The tick comes within a second or two.
  const absl::Time deadline = absl::Now() + absl::Minutes(2);
  while (test.Counted() != "1" && absl::Now() < deadline) {
  }
  EXPECT_EQ(test.Counted(), "1");
  EXPECT_EQ(test.served.Value("SELECT count(*) FROM limit_entries"), "1");
}

// One more engine on the database of another.
class Neighbour {
 public:
  explicit Neighbour(ServedEngine& served) {
    auto engine =
        engine::Engine::Create({.database_url = served.database().runtime_url(),
                                .direct_url = served.database().direct_url()});
    SGL_CHECK(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
    engine_->Load();
    engine_->Start();
    engine::ServerOptions options;
    options.listen = "127.0.0.1:0";
    auto server = engine::Server::Start(engine_.get(), options);
    SGL_CHECK(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel(server_->address(),
                                   grpc::InsecureChannelCredentials());
  }
  ~Neighbour() { server_->Drain(absl::Seconds(10)); }

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST(LimitRaceTest, FourEnginesFillOneHundredPlacesExactly) {
  ServedEngine served(
      {.policy = With("limit CAP 100 per platform per 1d on POST else block"),
       .runs = true});
  Neighbour second(served);
  Neighbour third(served);
  Neighbour fourth(served);
  // Nobody is to be first by much: 8,000 rows by SQL, 2,000 submissions.
  constexpr int kWriters = 4;
  constexpr int kInserts = 20;
  constexpr int kRows = 100;
  constexpr int kBatches = 10;
  constexpr int kBatch = 50;
  const std::shared_ptr<grpc::Channel> channels[] = {
      served.channel(), second.channel(), third.channel(), fourth.channel()};
  served.database().Owner();  // Adopts it as a writer.
  std::vector<std::thread> threads;
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([&] {
      SqlConnection writer(served.database().direct_url());
      for (int insert = 0; insert < kInserts; ++insert) {
        const auto inserted = writer.Run(absl::StrCat(
            "INSERT INTO intents (tenant_id, agent_id, intent_type, payload) "
            "SELECT '",
            served.tenant().id, "', '", served.tenant().agent,
            "', 'POST', '{\"text\": \"sql\"}' FROM generate_series(1, ", kRows,
            ")"));
        EXPECT_TRUE(inserted.ok()) << inserted.error;
      }
    });
    threads.emplace_back([&, i] {
      for (int batch = 0; batch < kBatches; ++batch) {
        const auto answer =
            SubmitBatch(channels[i], served.agent_token(), Posts(kBatch));
        EXPECT_EQ(answer.results_size(), kBatch);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string undecided =
      "SELECT count(*) FROM intents WHERE status = 'DRAFT'";
  const absl::Time deadline = absl::Now() + absl::Minutes(5);
  while (served.Value(undecided) != "0" && absl::Now() < deadline) {
  }
  EXPECT_EQ(served.Value("SELECT string_agg(concat(status, ' ', n), ', ' ORDER "
                         "BY status::text) FROM (SELECT status, count(*) AS n "
                         "FROM intents GROUP BY status) AS s"),
            "BLOCKED_SGL 9900, EXECUTED 100");
  EXPECT_EQ(served.Value("SELECT total FROM limit_counters"), "100");
  EXPECT_EQ(served.Value("SELECT sum(amount) FROM limit_entries"), "100");
}

}  // namespace
}  // namespace sgl::testing
