// An engine whose policy has limits, and whose clock stands still until a test
// moves it.
//
//   Limited test("limit TWO 2 per tenant per 60s on POST else block");
//   EXPECT_EQ(test.Post(), "EXECUTED");
//   test.SetClock("1 second");

#ifndef TESTS_ENGINE_LIMITED_H_
#define TESTS_ENGINE_LIMITED_H_

#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "intent/v1/intent.pb.h"
#include "intent/v1/intent_service.grpc.pb.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {

inline constexpr char kLimitBase[] = R"sgl(
policy test.limits version 1
layer platform
default allow
intent POST { text: string }
intent CALL { text: string }
intent KB_DOCUMENT_CREATE { title: string, slug: string, body: string }
)sgl";

inline constexpr char kPost[] = R"({"text": "hi"})";

inline std::string With(const std::string& rules) {
  return absl::StrCat(kLimitBase, rules, "\n");
}

// Long before any partition of the audit log ends, and after none began.
inline constexpr char kStart[] = "date_trunc('day', now())";

// An engine whose policy has these limits.
class Limited {
 public:
  explicit Limited(const std::string& rules, ServedEngine::Options options = {})
      : runs(options.runs),
        served(Filled(rules, std::move(options))),
        agent(served.As(served.agent_token())) {
    SetClock("0");
  }

  // Stops the database's clock this long after its start.
  void SetClock(const std::string& interval) {
    const auto set = served.database().Super().Run(absl::StrCat(
        "CREATE OR REPLACE FUNCTION engine_now() RETURNS timestamptz LANGUAGE "
        "sql VOLATILE PARALLEL SAFE AS $$ SELECT ",
        kStart, " + interval '", interval, "' $$"));
    ASSERT_TRUE(set.ok()) << set.error;
  }

  // Inserts DRAFTs by SQL, in their order.
  void Insert(int count, const std::string& tenant_id,
              const std::string& agent_id, const std::string& spend = "0") {
    const auto inserted = served.database().Owner().Run(absl::StrCat(
        "INSERT INTO intents (tenant_id, agent_id, intent_type, payload, "
        "spend_micros_usd, created_at) SELECT '",
        tenant_id, "', ",
        agent_id.empty() ? "NULL" : absl::StrCat("'", agent_id, "'"),
        ", 'POST', jsonb_build_object('text', n::text), ", spend,
        ", engine_now() + n * interval '1 microsecond' "
        "FROM generate_series(1, ",
        count, ") AS n"));
    ASSERT_TRUE(inserted.ok()) << inserted.error;
  }
  void Insert(int count) {
    Insert(count, served.tenant().id, served.tenant().agent);
  }

  // Submits one, whoever decides it, and returns how it ended.
  std::string Post(int64_t spend_micros_usd = 0) {
    last = agent.MustSubmit("POST", kPost, spend_micros_usd);
    Settle();
    last = agent.MustGet(last.id());
    return absl::StrReplaceAll(intent::v1::IntentStatus_Name(last.status()),
                               {{"INTENT_STATUS_", ""}});
  }

  // Where nobody decided it when it came in.
  void Settle() {
    if (!runs) served.SettleDrafts();
  }

  std::string CountOf(const std::string& status) {
    return served.Value(absl::StrCat(
        "SELECT count(*) FROM intents WHERE status = '", status, "'"));
  }
  // What the only counter that counted anything has counted.
  std::string Counted() {
    return served.Value("SELECT coalesce(sum(total), 0) FROM limit_counters");
  }

  // Intents are decided where they come in, and by a worker of its own.
  const bool runs;
  ServedEngine served;
  Caller agent;
  intent::v1::Intent last;

 private:
  static ServedEngine::Options Filled(const std::string& rules,
                                      ServedEngine::Options options) {
    options.policy = With(rules);
    return options;
  }
};

inline intent::v1::BatchSubmitIntentsResponse SubmitBatch(
    const std::shared_ptr<grpc::Channel>& channel, const std::string& token,
    const intent::v1::BatchSubmitIntentsRequest& request) {
  grpc::ClientContext context;
  context.AddMetadata("authorization", absl::StrCat("Bearer ", token));
  intent::v1::BatchSubmitIntentsResponse response;
  const grpc::Status status =
      intent::v1::IntentService::NewStub(channel)->BatchSubmitIntents(
          &context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

// So many of them, with request ids of their own.
inline intent::v1::BatchSubmitIntentsRequest Posts(int count) {
  intent::v1::BatchSubmitIntentsRequest request;
  for (int i = 0; i < count; ++i) {
    *request.add_requests() = Caller::Request("POST", kPost);
  }
  return request;
}

}  // namespace sgl::testing

#endif  // TESTS_ENGINE_LIMITED_H_
