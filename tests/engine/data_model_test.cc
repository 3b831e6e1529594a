// Proves that each table of the data model that existing users have is changed
// by an intent that a test does and a rule of the library governs. A new table
// without either fails.

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/zone_loader.h"
#include "engine/effects/registry.h"
#include "engine/files.h"
#include "policy/policy.h"
#include "tests/engine/effect_cases.h"
#include "tests/engine/served_engine.h"
#include "tests/support/database.h"

namespace sgl::testing {
namespace {

using ::testing::ElementsAreArray;

// The tables of the data model, sorted, and how an intent changes each.
enum class By {
  // An effect, with its case in effect_cases.h.
  kEffect,
  // What every intent goes through: the test below does it.
  kLifecycle,
};
struct ModelTable {
  const char* name;
  By by;
};

constexpr ModelTable kModel[] = {
    {"agent_registry", By::kEffect},
    {"app_users", By::kEffect},
    {"approvals", By::kLifecycle},
    {"assets", By::kEffect},
    {"audit_log", By::kLifecycle},
    {"budgets", By::kEffect},
    {"crm_companies", By::kEffect},
    {"crm_contacts", By::kEffect},
    {"crm_segments", By::kEffect},
    {"decision_memos", By::kLifecycle},
    {"integrations", By::kEffect},
    {"intents", By::kLifecycle},
    {"jobs", By::kLifecycle},
    {"kb_documents", By::kEffect},
    {"kb_tag_on_document", By::kEffect},
    {"kb_tags", By::kEffect},
    {"ledger_entries", By::kEffect},
    {"system_state", By::kEffect},
    {"tenant_members", By::kEffect},
    {"tenants", By::kEffect},
    {"ticket_comments", By::kEffect},
    {"tickets", By::kEffect},
};

// The library's rules for effects, compiled.
std::shared_ptr<const Program> EffectsLibrary() {
  std::vector<SourceFile> sources;
  for (const char* path : {"policy/library/effects/effects.sgl",
                           "policy/library/effects/default.sgl"}) {
    const auto text = engine::ReadFile(path);
    EXPECT_TRUE(text.ok()) << text.status();
    sources.push_back({path, text.value_or("")});
  }
  const Compilation compilation =
      Compile(sources, LoadZones(ZonesNamed(sources)));
  EXPECT_NE(compilation.program, nullptr) << compilation.Render();
  return compilation.program;
}

const EffectCase* CaseOf(absl::string_view intent_type) {
  for (const EffectCase& one : kEffectCases) {
    if (intent_type == one.intent_type) return &one;
  }
  return nullptr;
}

TEST(DataModelTest, EachTableIsThereAndNamedOnce) {
  std::set<std::string> named;
  for (const ModelTable& table : kModel) {
    EXPECT_TRUE(named.insert(table.name).second) << table.name;
  }
  const auto database = TestDatabase::Make();
  for (const std::string& name : named) {
    EXPECT_EQ(database->Super().Value(
                  absl::StrCat("SELECT to_regclass('", name, "') IS NULL")),
              "f")
        << name;
  }
}

TEST(DataModelTest, EachTableOfAnEffectHasACaseAndARuleOfTheLibrary) {
  const engine::EffectRegistry effects;
  const auto library = EffectsLibrary();
  ASSERT_NE(library, nullptr);
  std::set<std::string> governed;
  for (const engine::EffectDecl& decl : effects.decls()) {
    SCOPED_TRACE(std::string(decl.intent_type));
    const EffectCase* const one = CaseOf(decl.intent_type);
    ASSERT_NE(one, nullptr);
    Request request;
    request.intent.type = one->intent_type;
    request.intent.payload = one->payload;
    const Decision decision = Evaluate(*library, request);
    // A rule of the library says so, and not the default.
    ASSERT_FALSE(decision.reasons.empty());
    for (const auto& reason : decision.reasons) {
      EXPECT_NE(reason.code, "DEFAULT");
      EXPECT_FALSE(reason.at.empty()) << reason.code;
    }
    for (const absl::string_view table : decl.tables) {
      governed.insert(std::string(table));
    }
  }
  std::vector<std::string> by_effect;
  for (const ModelTable& table : kModel) {
    if (table.by == By::kEffect) by_effect.push_back(table.name);
  }
  // Of the engine's own, not of the model.
  EXPECT_EQ(governed.erase("switch_orders"), 1u);
  EXPECT_THAT(governed, ElementsAreArray(by_effect));
}

// One intent that a rule of the library has reviewed, that is approved, and
// whose executor is a job, leaves a row in each of the tables that are the
// engine's own.
TEST(DataModelTest, AnIntentLeavesARowInEachTableOfItsLifecycle) {
  const auto policy = engine::ReadFile("policy/library/atlas.sgl");
  ASSERT_TRUE(policy.ok()) << policy.status();
  ServedEngine served(
      {.policy = *policy,
       .executors = "executors { intent_type: \"BROWSER_TASK\" job {} }"});
  const std::string atlas = served.Value(
      absl::StrCat("INSERT INTO agent_registry (tenant_id, name) VALUES ('",
                   served.tenant().id, "', 'Atlas') RETURNING id"));
  std::map<std::string, std::string> before;
  const auto counts = [&] {
    std::map<std::string, std::string> all;
    for (const ModelTable& table : kModel) {
      if (table.by != By::kLifecycle) continue;
      all[table.name] =
          served.Value(absl::StrCat("SELECT count(*) FROM ", table.name));
    }
    return all;
  };
  before = counts();
  Caller agent = served.As(served.AddToken(storage::PrincipalKind::kAgent,
                                           atlas, served.tenant().id));
  const std::string id =
      agent
          .MustSubmit("BROWSER_TASK",
                      R"({"url": "https://example.com/", "actions": []})")
          .id();
  served.SettleDrafts();
  const auto memo = agent.MustGetMemo(agent.MustGet(id).decision_memo_id());
  ASSERT_EQ(memo.reasons_size(), 1);
  EXPECT_EQ(memo.reasons(0).code(), "BROWSER_AUTOMATION");
  Caller erin = served.As(served.AddUser("erin", "member"));
  ASSERT_TRUE(erin.Approve(memo).ok());
  const auto intent = agent.MustGet(id);
  EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_VALIDATING);
  EXPECT_FALSE(intent.job_id().empty());
  const auto after = counts();
  for (const auto& [table, count] : before) {
    EXPECT_NE(after.at(table), count) << table;
  }
}

}  // namespace
}  // namespace sgl::testing
