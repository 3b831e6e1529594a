// Proves the facade: what a compilation hands over, what a program tells about
// itself, that facts given as structs decide, and that one program serves many
// threads. What rules mean is proved by the language's golden files.

#include "policy/policy.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace sgl {
namespace {

constexpr char kPlatform[] = R"(policy platform version 1
default allow
intent PAY { to: string }
intent BUY {}
review SPEND "over ${intent.spend}" when intent.spend > $10
review LABELED when agent.labels contains "new"
review NIGHT when hour(now, "America/Chicago") < 6
)";

constexpr char kTenant[] = R"(policy acme version 1
layer tenant "acme"
block NO_BUYING on BUY
)";

std::shared_ptr<const Program> CompileBoth(bool swapped) {
  std::vector<SourceFile> sources = {{"platform.sgl", kPlatform},
                                     {"acme.sgl", kTenant}};
  if (swapped) sources = {{"a.sgl", kTenant}, {"b.sgl", kPlatform}};
  Zones zones;
  zones.tzdata_version = "2026f";
  zones.by_name["America/Chicago"] = absl::FixedTimeZone(-6 * 3600);
  const Compilation compilation = Compile(sources, zones);
  EXPECT_EQ(compilation.error_count, 0) << compilation.Render();
  return compilation.program;
}

Request Pay() {
  Request request;
  request.intent.type = "PAY";
  request.intent.payload = R"({"to": "x"})";
  request.now = absl::FromUnixSeconds(20 * 3600);
  return request;
}

TEST(PolicyTest, ErrorsGiveNoProgram) {
  const std::vector<SourceFile> sources = {{"a.sgl",
                                            "policy a version 1\n"
                                            "default sometimes\n"}};
  const Compilation compilation = Compile(sources, Zones());
  EXPECT_EQ(compilation.program, nullptr);
  EXPECT_EQ(compilation.error_count, 1);
  EXPECT_NE(compilation.Render().find("a.sgl:2:9: error: "), std::string::npos);
  ASSERT_EQ(compilation.findings.size(), 1u);
  EXPECT_EQ(compilation.findings[0].rendered, compilation.Render());
}

TEST(PolicyTest, NamesTheZonesAndMissesUnknownOnes) {
  const std::vector<SourceFile> sources = {{"a.sgl", kPlatform}};
  EXPECT_EQ(ZonesNamed(sources), std::vector<std::string>{"America/Chicago"});
  EXPECT_EQ(Compile(sources, Zones()).error_count, 1);
}

TEST(PolicyTest, ProgramTellsAboutItself) {
  const auto program = CompileBoth(false);
  EXPECT_EQ(program->intent_types(), (std::vector<std::string>{"BUY", "PAY"}));
  EXPECT_EQ(program->tenant_slugs(), std::vector<std::string>{"acme"});
  EXPECT_FALSE(program->has_star());
  EXPECT_EQ(program->tzdata_version(), "2026f");
}

TEST(PolicyTest, DigestsGoByContentsAndTenant) {
  const auto program = CompileBoth(false);
  EXPECT_EQ(program->set_digest(), CompileBoth(true)->set_digest());
  EXPECT_EQ(program->digest("acme"), program->set_digest());
  EXPECT_NE(program->digest("other"), program->set_digest());
  EXPECT_EQ(program->digest("").size(), 7u + 64u);
  Request request = Pay();
  EXPECT_EQ(Evaluate(*program, request).policy_digest, program->digest(""));
  request.tenant.slug = "acme";
  EXPECT_EQ(Evaluate(*program, request).policy_digest, program->digest("acme"));
}

TEST(PolicyTest, DigestAndLayersTakeNoCompiling) {
  const std::vector<SourceFile> sources = {{"acme.sgl", kTenant},
                                           {"platform.sgl", kPlatform}};
  EXPECT_EQ(SetDigest(sources), CompileBoth(false)->set_digest());
  EXPECT_EQ(LayersNamed(sources), (std::vector<std::string>{"acme", ""}));
  const std::vector<SourceFile> broken = {
      {"a.sgl", "policy a version 1\nlayer tenant\n"}, {"b.sgl", ""}};
  EXPECT_EQ(LayersNamed(broken), (std::vector<std::string>{"", ""}));
}

TEST(PolicyTest, FactsGivenAsStructsDecide) {
  const auto program = CompileBoth(false);
  Request request = Pay();
  EXPECT_EQ(Evaluate(*program, request).kind, DecisionKind::kAllow);
  request.intent.spend_micros_usd = 12'500'000;
  request.agent.labels = {"old", "new"};
  const Decision decision = Evaluate(*program, request);
  ASSERT_EQ(decision.reasons.size(), 2u);
  EXPECT_EQ(decision.reasons[0].message, "over $12.50");
  EXPECT_EQ(decision.reasons[0].at, "platform.sgl:5:8");
  EXPECT_EQ(decision.demands, std::vector<ApprovalDemand>{ApprovalDemand()});
  request.intent.type = "BUY";
  request.tenant.slug = "acme";
  EXPECT_EQ(Evaluate(*program, request).reasons[0].layer, "tenant:acme");
}

TEST(PolicyTest, ViolationsOfTheCallerAndItsOwnAreInvalidPayload) {
  const auto program = CompileBoth(false);
  Request request = Pay();
  request.violations = {{"intent.spend_usd", "is a string"}};
  request.intent.spend_micros_usd = -1;
  request.intent.payload = "{}";
  const Decision decision = Evaluate(*program, request);
  EXPECT_EQ(decision.kind, DecisionKind::kBlock);
  ASSERT_EQ(decision.reasons.size(), 1u);
  EXPECT_EQ(decision.reasons[0].code, "INVALID_PAYLOAD");
  EXPECT_EQ(decision.reasons[0].field_violations,
            (std::vector<FieldViolation>{
                {"intent.spend_usd", "is a string"},
                {"intent.spend_usd", "is negative"},
                {"payload.to", "is missing; it is declared `string`"}}));
}

TEST(PolicyTest, PayloadsThatAreNoObjectAreDecidedToo) {
  const auto program = CompileBoth(false);
  for (const char* payload : {"[]", "{", "12", "nul", "{\"to\": \"\xff\"}"}) {
    SCOPED_TRACE(payload);
    Request request = Pay();
    request.intent.payload = payload;
    EXPECT_EQ(Evaluate(*program, request).reasons[0].code, "INVALID_PAYLOAD");
  }
}

TEST(PolicyTest, LongListsOfViolationsAreCut) {
  const auto program = CompileBoth(false);
  Request request = Pay();
  std::string payload = "{";
  for (int i = 0; i < 5'000; ++i) payload += "\"a\": NaN, ";
  payload += "\"to\": \"x\"}";
  request.intent.payload = payload;
  EXPECT_EQ(Evaluate(*program, request).reasons[0].field_violations.size(),
            100u);
}

TEST(PolicyTest, OneProgramServesManyThreads) {
  const auto program = CompileBoth(false);
  Request request = Pay();
  request.intent.spend_micros_usd = 12'500'000;
  const Decision expected = Evaluate(*program, request);
  std::vector<std::thread> threads;
  std::vector<int> agreed(4);
  for (int& count : agreed) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        count += Evaluate(*program, request) == expected;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : agreed) EXPECT_EQ(count, 500);
}

}  // namespace
}  // namespace sgl
