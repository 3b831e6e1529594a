// Runs the `test` blocks of a policy set, and every assert on each request of
// theirs. `sgl test`, the server (a version whose tests fail can't be
// activated) and the language's own tests run the same code.
//
//   const TestRun run = RunTests(*compilation.program, compilation.tests);
//   std::cout << RenderTestRun(run, {});    // tools/sgl/test_report.h

#ifndef ENGINE_POLICY_TEST_RUN_H_
#define ENGINE_POLICY_TEST_RUN_H_

#include <functional>
#include <string>
#include <vector>

#include "policy/policy.h"

namespace sgl::engine {

// A step that got another decision than it expects, or an assert that the
// decision on a step's request does not keep.
struct TestFailure {
  int step = 0;  // from 1
  // Of the step's `given`; of the assert's name.
  std::string at;
  // The assert's name; empty for a step that got something else.
  std::string assert_name;
  std::string expected;  // `REVIEW [A, B]`, `decision != allow`
  std::string got;       // `BLOCK [C]`
  // The reasons that differ: codes that were expected and did not come, and
  // reasons that came and were not expected.
  std::vector<std::string> missing;
  std::vector<Reason> unexpected;
  std::string given;     // the request, as written, on one line
  std::string given_at;  // `path:line:column`
};

struct TestResult {
  std::string name;
  std::string at;
  int step_count = 0;
  std::vector<TestFailure> failures;
};

// What the tests made of one rule.
struct RuleCoverage {
  RuleInfo rule;
  int applied_count = 0;
  // Requests on which its layer was asked and it did not apply.
  int not_applied_count = 0;

  // A rule is covered by a request to which it applies and one to which it
  // does not; one without `on` and `when` by the former.
  bool is_covered() const {
    return applied_count > 0 &&
           (not_applied_count > 0 || rule.is_unconditional);
  }
};

struct TestRun {
  // Those that ran.
  std::vector<TestResult> tests;
  std::vector<RuleCoverage> rules;
  // It was told to stop before the last test had run.
  bool is_stopped = false;

  int failed_count() const;
  int covered_count() const;
};

// Runs each test for itself: limits start empty, and count what its steps were
// allowed. Asks `must_stop`, where there is one, before each step: large sets
// of tests run for as long as they take.
TestRun RunTests(const Program& program, const std::vector<PolicyTest>& tests,
                 const std::function<bool()>& must_stop = nullptr);

}  // namespace sgl::engine

#endif  // ENGINE_POLICY_TEST_RUN_H_
