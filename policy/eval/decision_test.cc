// Proves that a decision line reads as it must and comes back as it was.

#include "policy/eval/decision.h"

#include <gtest/gtest.h>

namespace sgl {
namespace {

Decision Review() {
  Decision decision;
  decision.kind = DecisionKind::kReview;
  decision.reasons = {
      {"REGULATED", "a \"named\"\nhuman", "platform", "atlas.sgl:25:8", {}},
      {"ODD", "ODD", "tenant:acme", "acme.sgl:1:1", {}}};
  decision.risk = 3;
  decision.demands = {{2, {"compliance", "owner"}}, {1, {}}};
  decision.within = absl::Hours(24);
  decision.policy_digest = "sha256:00";
  decision.tzdata_version = "2026f";
  return decision;
}

TEST(DecisionTest, LineHasTheMembersOfAReview) {
  EXPECT_EQ(DecisionToJson(Review()),
            R"({"decision": "REVIEW", "reasons": [)"
            R"({"code": "REGULATED", "message": "a \"named\"\nhuman", )"
            R"("layer": "platform", "at": "atlas.sgl:25:8"}, )"
            R"({"code": "ODD", "message": "ODD", "layer": "tenant:acme", )"
            R"("at": "acme.sgl:1:1"}], "risk": 3, "approvals": [)"
            R"({"count": 2, "roles": ["compliance", "owner"]}, )"
            R"({"count": 1, "roles": []}], "within": "24h", )"
            R"("policy": "sha256:00", "tzdata": "2026f"})");
}

TEST(DecisionTest, ComesBackAsItWas) {
  Decision block;
  block.reasons = {{"INVALID_PAYLOAD",
                    "m",
                    "platform",
                    "",
                    {{"payload.a[1]", "is missing"}, {"intent", "x"}}}};
  Decision allow;
  allow.kind = DecisionKind::kAllow;
  Decision unhurried = Review();
  unhurried.within.reset();
  for (const Decision& decision : {Review(), block, allow, unhurried}) {
    const std::string json = DecisionToJson(decision);
    SCOPED_TRACE(json);
    const absl::StatusOr<Decision> read = DecisionFromJson(json);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, decision);
  }
}

TEST(DecisionTest, SkipsMembersOfLaterVersions) {
  EXPECT_TRUE(DecisionFromJson(R"({"decision": "ALLOW", "reasons": [],
      "policy": "", "tzdata": "", "limits": [1]})")
                  .ok());
}

TEST(DecisionTest, RefusesWhatIsNoDecision) {
  for (const char* json :
       {"", "{}", "[]", R"({"decision": "MAYBE", "reasons": [], "policy": "",
        "tzdata": ""})",
        R"({"decision": "REVIEW", "reasons": [], "policy": "",
        "tzdata": ""})",
        R"({"decision": "ALLOW", "reasons": [1], "policy": "",
        "tzdata": ""})"}) {
    SCOPED_TRACE(json);
    EXPECT_FALSE(DecisionFromJson(json).ok());
  }
}

}  // namespace
}  // namespace sgl
