// Proves what an executor file may say, and that each mistake in it is named
// with its place.

#include "engine/executors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sgl::engine {
namespace {

using ::testing::ElementsAre;

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
            "`record {}`");
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

TEST(ExecutorRegistryTest, DevRecordsAllTypesButThoseNamed) {
  const ExecutorRegistry registry =
      ExecutorRegistry::RecordAllBut({"WIRE", "TICKET_COMMENT"});
  EXPECT_EQ(registry.Find("ANYTHING"), ExecutorKind::kRecord);
  EXPECT_EQ(registry.Find("WIRE"), ExecutorKind::kNone);
  EXPECT_EQ(registry.Find("TICKET_OPEN"), ExecutorKind::kEffect);
  EXPECT_EQ(registry.Find("TICKET_COMMENT"), ExecutorKind::kNone);
}

}  // namespace
}  // namespace sgl::engine
