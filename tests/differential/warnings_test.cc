// Proves that what `sgl check` warns of is so: on random policies and requests
// a rule that "never applies" or "never matters" gives no reason.

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/zone_loader.h"
#include "policy/policy.h"
#include "tests/differential/policy_generator.h"
#include "tests/differential/random.h"
#include "tests/differential/request_generator.h"

namespace sgl::tests {
namespace {

// A rule: its file and its code.
using Rule = std::pair<std::string, std::string>;

// Returns the first text in backticks.
std::string Quoted(const std::string& message) {
  const std::vector<std::string> parts = absl::StrSplit(message, '`');
  return parts.size() > 1 ? parts[1] : "";
}

TEST(WarningsTest, WhatIsSaidOfARuleHoldsInEveryDecision) {
  int idle = 0;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Random random(seed);
    const GeneratedPolicy policy = GeneratePolicy(random);
    const std::vector<SourceFile> sources = policy.Sources();
    const Compilation compilation =
        Compile(sources, LoadZones(ZonesNamed(sources)));
    if (compilation.program == nullptr) continue;
    std::set<Rule> never;
    for (const Finding& finding : compilation.findings) {
      const Rule rule = {finding.place.file, Quoted(finding.message)};
      if (absl::StrContains(finding.message, "` never ")) never.insert(rule);
    }
    for (int i = 0; i < 60; ++i) {
      const std::string line = GenerateRequestLine(random, policy.schema);
      const auto read = RequestLine::Read(line);
      if (!read.ok()) continue;
      const Decision decision = Evaluate(*compilation.program, read->request());
      for (const Reason& reason : decision.reasons) {
        const std::string file = reason.at.substr(0, reason.at.find(':'));
        EXPECT_FALSE(never.contains({file, reason.code}))
            << reason.code << "\n"
            << compilation.Render() << line;
      }
      idle += static_cast<int>(never.size());
    }
  }
  EXPECT_GT(idle, 1'000);
}

}  // namespace
}  // namespace sgl::tests
