// What `sgl test` says of a run: for people, as JSON, and as JUnit XML.
//
//   acme.sgl:12:9: FAILED "a transfer is reviewed", step 1
//     expected REVIEW [BIG]
//     got      BLOCK [SANCTIONED]
//     missing  BIG
//     came     SANCTIONED at acme.sgl:7:7: IR0001 is sanctioned
//     given    { intent: { type: PAY } }
//   4 tests: 3 passed, 1 failed
//
// An assert that fails stands at its own place, and says which request broke
// it.

#ifndef TOOLS_SGL_TEST_REPORT_H_
#define TOOLS_SGL_TEST_REPORT_H_

#include <absl/time/time.h>

#include <optional>
#include <string>

#include "engine/policy_test_run.h"

namespace sgl::tools {

using engine::RuleCoverage;
using engine::TestFailure;
using engine::TestResult;
using engine::TestRun;

// Returns the failures, the coverage if asked for, and a summary line, which
// ends in how long the run took if that is given.
std::string RenderTestRun(const TestRun& run, bool with_coverage,
                          std::optional<absl::Duration> took = std::nullopt);

// Returns one JSON object, indented: counts, every test with its failures, and
// the coverage by rule.
std::string TestRunToJson(const TestRun& run);

// Returns a JUnit XML file: a suite a policy file, a case a test.
std::string TestRunToJunit(const TestRun& run);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_TEST_REPORT_H_
