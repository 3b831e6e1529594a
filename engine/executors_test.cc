// Proves what an executor file may say, and that each mistake in it is named
// with its place.

#include "engine/executors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sgl::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

std::string ErrorOf(absl::string_view text) {
  const absl::StatusOr<ExecutorRegistry> registry =
      ExecutorRegistry::FromText("executors.textproto", text);
  EXPECT_FALSE(registry.ok());
  EXPECT_EQ(registry.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(registry.status().message());
}

TEST(ExecutorRegistryTest, FileStatesEachTypesKind) {
  const absl::StatusOr<ExecutorRegistry> registry =
      ExecutorRegistry::FromText("executors.textproto",
                                 "# posts\n"
                                 "executors { intent_type: 'POST' record {} }");
  ASSERT_TRUE(registry.ok()) << registry.status();
  EXPECT_EQ(registry->Find("POST"), ExecutorKind::kRecord);
  EXPECT_EQ(registry->Find("post"), ExecutorKind::kNone);
  EXPECT_THAT(registry->Missing({"POST", "WIRE"}), ElementsAre("WIRE"));
}

TEST(ExecutorRegistryTest, ProvidersAreThoseOfAJobType) {
  const absl::StatusOr<ExecutorRegistry> registry = ExecutorRegistry::FromText(
      "executors.textproto",
      "executors { intent_type: 'CHAT' job { job_type: 'SEND' provider: 'a' } }"
      "executors { intent_type: 'MAIL' job { job_type: 'SEND' } }"
      "executors { intent_type: 'POST' job { provider: 'b' } }");
  ASSERT_TRUE(registry.ok()) << registry.status();
  EXPECT_THAT(registry->ProvidersOf("SEND"), ElementsAre(Pair("CHAT", "a")));
  EXPECT_THAT(registry->ProvidersOf("POST"), ElementsAre(Pair("POST", "b")));
  EXPECT_THAT(registry->ProvidersOf("MAIL"), ElementsAre());
  EXPECT_EQ(
      ErrorOf("executors { intent_type: 'POST' job { provider: '" +
              std::string(101, 'x') + "' } }"),
      "executors.textproto: the job of `POST`: a provider has at most 100 "
      "characters, none of them NUL");
}

TEST(ExecutorRegistryTest, TwoExecutorsOfOneTypeAreAnError) {
  EXPECT_EQ(ErrorOf("executors { intent_type: 'POST' record {} }\n"
                    "executors { intent_type: 'POST' record {} }"),
            "executors.textproto: intent type `POST` has two executors");
}

TEST(ExecutorRegistryTest, AnEffectIsThereByItselfAndHasNoSecondExecutor) {
  const absl::StatusOr<ExecutorRegistry> registry =
      ExecutorRegistry::FromText("executors.textproto", "");
  ASSERT_TRUE(registry.ok()) << registry.status();
  EXPECT_EQ(registry->Find("TICKET_OPEN"), ExecutorKind::kEffect);
  EXPECT_EQ(ErrorOf("executors { intent_type: 'TICKET_OPEN' record {} }"),
            "executors.textproto: intent type `TICKET_OPEN` has two executors: "
            "its effect is built in; take it out of the file");
}

TEST(ExecutorRegistryTest, ExecutorWithoutKindIsAnError) {
  EXPECT_EQ(ErrorOf("executors { intent_type: 'POST' }"),
            "executors.textproto: the executor of `POST` has no kind; write "
            "`record {}` or `job {}`");
}

TEST(ExecutorRegistryTest, ExecutorWithoutTypeIsAnError) {
  EXPECT_EQ(ErrorOf("executors { record {} }"),
            "executors.textproto: an executor names no intent_type");
}

TEST(ExecutorRegistryTest, SyntaxErrorIsNamedWithItsPlace) {
  EXPECT_EQ(ErrorOf("executors {\n  intent_tpye: 'POST' }"),
            "executors.textproto:2:14: Message type \"intent.v1.Executor\" "
            "has no field named \"intent_tpye\".");
}

TEST(ExecutorRegistryTest, AJobHasItsSettings) {
  const absl::StatusOr<ExecutorRegistry> registry = ExecutorRegistry::FromText(
      "executors.textproto",
      "executors { intent_type: 'SMS' job { job_type: 'SEND' priority: 5 "
      "max_retries: 0 concurrency_max: 2 } }"
      "executors { intent_type: 'FAX' job { job_type: 'SEND' "
      "concurrency_max: 2 } }"
      "executors { intent_type: 'CALL' job {} }");
  ASSERT_TRUE(registry.ok()) << registry.status();
  EXPECT_EQ(registry->Find("SMS"), ExecutorKind::kJob);
  EXPECT_EQ(registry->JobOf("SMS").job_type, "SEND");
  EXPECT_EQ(registry->JobOf("SMS").priority, 5);
  EXPECT_EQ(registry->JobOf("SMS").max_retries, 0);
  EXPECT_EQ(registry->JobOf("FAX").max_retries, 3);
  EXPECT_EQ(registry->JobOf("CALL").job_type, "CALL");
  EXPECT_EQ(registry->RunningMax("SEND"), 2);
  EXPECT_EQ(registry->RunningMax("CALL"), 0);
  EXPECT_EQ(registry->RunningMax("SMS"), std::nullopt);
}

TEST(ExecutorRegistryTest, AJobOutOfBoundsIsAnError) {
  const std::string place = "executors.textproto: the job of `A`: ";
  const struct {
    const char* job;
    const char* want;
  } kCases[] = {
      {"max_retries: 11", "max_retries is 0 to 10, not 11"},
      {"max_retries: -1", "max_retries is 0 to 10, not -1"},
      {"concurrency_max: -1",
       "concurrency_max is negative; leave it out for no limit"},
      {"job_type: 'B\\0'",
       "a job_type has at most 200 characters, none of them NUL"},
      {"job_type: 'B' concurrency_max: 1",
       "job_type `B` has two values of concurrency_max, 2 and 1; state the "
       "same one everywhere"},
  };
  for (const auto& one : kCases) {
    SCOPED_TRACE(one.job);
    EXPECT_EQ(ErrorOf(std::string("executors { intent_type: 'B' job { "
                                  "concurrency_max: 2 } } executors { "
                                  "intent_type: 'A' job { ") +
                      one.job + " } }"),
              place + one.want);
  }
}

TEST(ExecutorRegistryTest, SpendsHaveTheirCategories) {
  const auto registry = ExecutorRegistry::FromText(
      "executors.textproto",
      "executors { intent_type: 'PAY' record {} }"
      "spends { intent_type: 'PAY' category: 'payout' }"
      "spends { intent_type: 'TICKET_OPEN' category: 'misc' }");
  ASSERT_TRUE(registry.ok()) << registry.status();
  EXPECT_EQ(registry->SpendCategory("PAY"), "payout");
  EXPECT_EQ(registry->SpendCategory("TICKET_OPEN"), "misc");
  EXPECT_EQ(registry->SpendCategory("OTHER"), "");
  EXPECT_EQ(ErrorOf("spends { category: 'misc' }"),
            "executors.textproto: a spend names no intent_type");
  EXPECT_EQ(ErrorOf("spends { intent_type: 'A' category: 'pay' }"),
            "executors.textproto: the spend of `A` has the category `pay`; the "
            "ledger has subscription, token_spend, api_spend, refund, "
            "chargeback, payout, misc");
  EXPECT_EQ(ErrorOf("spends { intent_type: 'A' category: 'misc' }"
                    "spends { intent_type: 'A' category: 'refund' }"),
            "executors.textproto: the spend of `A` is stated twice");
}

TEST(ExecutorRegistryTest, DevRecordsAllTypesButThoseNamed) {
  const ExecutorRegistry registry =
      ExecutorRegistry::RecordAllBut({"WIRE", "TICKET_COMMENT"});
  EXPECT_EQ(registry.Find("ANYTHING"), ExecutorKind::kRecord);
  EXPECT_EQ(registry.Find("WIRE"), ExecutorKind::kNone);
  EXPECT_EQ(registry.Find("TICKET_OPEN"), ExecutorKind::kEffect);
  EXPECT_EQ(registry.Find("TICKET_COMMENT"), ExecutorKind::kNone);
  const ExecutorRegistry rest =
      ExecutorRegistry::FromText("executors.textproto",
                                 "executors { intent_type: 'WIRE' job {} }")
          .value()
          .RecordingOthers();
  EXPECT_EQ(rest.Find("ANYTHING"), ExecutorKind::kRecord);
  EXPECT_EQ(rest.Find("WIRE"), ExecutorKind::kJob);
}

}  // namespace
}  // namespace sgl::engine
