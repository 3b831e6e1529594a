// Proves that dollars are read and shown exactly, that demands read as
// sentences, and that nothing that an agent writes drives an approver's
// terminal.

#include "tools/intentctl/print.h"

#include <gtest/gtest.h>

namespace sgl::tools {
namespace {

TEST(ParseUsdTest, ReadsExactMicros) {
  EXPECT_EQ(ParseUsd("250").value(), 250'000'000);
  EXPECT_EQ(ParseUsd("0.05").value(), 50'000);
  EXPECT_EQ(ParseUsd("249.999999").value(), 249'999'999);
  EXPECT_EQ(ParseUsd("9223372036854.775807").value(),
            9'223'372'036'854'775'807);
}

TEST(ParseUsdTest, RefusesWhatIsNoAmount) {
  for (const char* text : {"", "-1", "$5", "1e3", "1.", ".5", "1.0000001",
                           "9223372036854.775808", "1.2.3", " 1"}) {
    EXPECT_FALSE(ParseUsd(text).ok()) << "`" << text << "`";
  }
}

TEST(FormatUsdTest, ShowsCentsAndMore) {
  EXPECT_EQ(FormatUsd(250'000'000), "$250");
  EXPECT_EQ(FormatUsd(50'000), "$0.05");
  EXPECT_EQ(FormatUsd(500'000), "$0.50");
  EXPECT_EQ(FormatUsd(1), "$0.000001");
}

TEST(FormatDemandsTest, NamesCountAndRoles) {
  intent::v1::Decision decision;
  auto* demand = decision.add_demands();
  demand->set_count(2);
  demand->add_roles("compliance");
  demand->add_roles("owner");
  decision.add_demands()->set_count(1);
  EXPECT_EQ(FormatDemands(decision.demands()),
            "2 from compliance or owner; 1 from anybody who may approve");
}

TEST(PrintableTest, SpellsOutWhatDrivesATerminal) {
  EXPECT_EQ(Printable("plain caf\u00E9 \u65E5\u672C"),
            "plain caf\u00E9 \u65E5\u672C");
  EXPECT_EQ(Printable("a\nb\r\t\x1b[31m\x7f"), "a\\nb\\r\\t\\x1b[31m\\x7f");
  EXPECT_EQ(Printable("\u009b2J"), "\\xc2\\x9b2J");
  EXPECT_EQ(Printable("pay \u202e01$ \u2066x"),
            "pay \\xe2\\x80\\xae01$ \\xe2\\x81\\xa6x");
  EXPECT_EQ(Printable("\xe2"), "\xe2");
}

TEST(PrintTest, NoFieldDrivesTheTerminal) {
  const std::string evil = "\x1b]0;x\x07\u202e\u009b1A";
  intent::v1::DecisionMemo memo;
  memo.set_title(evil);
  memo.set_agent(evil);
  memo.set_rationale(evil);
  memo.set_payload(evil);
  memo.set_intent_type(evil);
  memo.add_demands()->add_roles(evil);
  memo.add_reasons()->set_message(evil);
  memo.add_votes()->set_comment(evil);
  intent::v1::Intent intent;
  intent.set_intent_type(evil);
  intent.set_title(evil);
  intent.set_payload(evil);
  intent.set_failure_reason("X");
  intent.set_failure_message(evil);
  ::testing::internal::CaptureStdout();
  PrintMemo(memo);
  PrintMemoRow(memo);
  PrintIntent(intent);
  PrintIntentRow(intent);
  const std::string shown = ::testing::internal::GetCapturedStdout();
  for (const char* driver : {"\x1b", "\x07", "\u202e", "\u009b"}) {
    EXPECT_EQ(shown.find(driver), std::string::npos);
  }
}

TEST(PrintTest, AnIntentThatIsAJobNamesIt) {
  intent::v1::Intent intent;
  intent.set_job_id("0190d3f6-0000-4000-8000-000000000001");
  ::testing::internal::CaptureStdout();
  PrintIntent(intent);
  EXPECT_NE(::testing::internal::GetCapturedStdout().find(
                "  job          0190d3f6-0000-4000-8000-000000000001\n"),
            std::string::npos);
  intent.clear_job_id();
  ::testing::internal::CaptureStdout();
  PrintIntent(intent);
  EXPECT_EQ(::testing::internal::GetCapturedStdout().find("  job"),
            std::string::npos);
}

TEST(PrintEvaluationTest, ShowsRulesPartsAndTheMilderChange) {
  intent::v1::EvaluateIntentResponse response;
  response.mutable_decision()->set_kind(intent::v1::DECISION_KIND_REVIEW);
  auto* reason = response.mutable_decision()->add_reasons();
  reason->set_code("BIG");
  reason->set_message("a spend of $900");
  reason->set_at("a.sgl:3:8");
  auto* big = response.mutable_explanation()->add_rules();
  big->set_code("BIG");
  big->set_at("a.sgl:3:8");
  big->set_outcome(intent::v1::RULE_OUTCOME_APPLIED);
  big->set_is_decisive(true);
  auto* part = big->add_parts();
  part->set_text("intent.spend > $250");
  part->set_value("true");
  auto* seen = part->add_seen();
  seen->set_text("intent.spend");
  seen->set_value("$900");
  auto* posts = response.mutable_explanation()->add_rules();
  posts->set_code("POSTS");
  posts->set_at("a.sgl:9:7");
  posts->set_is_limit(true);
  posts->set_outcome(intent::v1::RULE_OUTCOME_NOT_APPLIED);
  auto* change = response.mutable_explanation()->mutable_milder_change();
  change->set_field("intent.spend");
  change->set_from("$900");
  change->set_to("$250");
  change->set_decision(intent::v1::DECISION_KIND_ALLOW);
  testing::internal::CaptureStdout();
  PrintEvaluation(response);
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            "REVIEW (not stored)\n"
            "  reason       BIG: a spend of $900  a.sgl:3:8\n"
            "* rule BIG applied (a.sgl:3:8)\n"
            "    intent.spend > $250 is true; intent.spend = $900\n"
            "  limit POSTS did not apply (a.sgl:9:7)\n"
            "it would be ALLOW with intent.spend = $250 instead of $900\n");
}

}  // namespace
}  // namespace sgl::tools
