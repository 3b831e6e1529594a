#include "engine/policy_test_run.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <set>
#include <utility>

namespace sgl::engine {
namespace {

// Returns `REVIEW [A, B]`, `ALLOW []`; only the decision where no codes are
// given.
template <typename Codes>
std::string Describe(DecisionKind kind, const Codes* codes) {
  std::string text(DecisionKindName(kind));
  if (codes != nullptr) {
    absl::StrAppend(&text, " [", absl::StrJoin(*codes, ", "), "]");
  }
  return text;
}

std::set<std::string> CodesOf(const Decision& decision) {
  std::set<std::string> codes;
  for (const Reason& reason : decision.reasons) codes.insert(reason.code);
  return codes;
}

// Begins a failure with what all of them say.
TestFailure Begin(const TestStep& step, int number, const Decision& decision) {
  const std::set<std::string> codes = CodesOf(decision);
  TestFailure failure;
  failure.step = number;
  failure.at = step.at;
  failure.got = Describe(decision.kind, &codes);
  failure.given = step.text;
  failure.given_at = step.at;
  return failure;
}

// Adds a failure if the decision is not what the step expects.
void Compare(const TestStep& step, int number, const Decision& decision,
             std::vector<TestFailure>* failures) {
  const std::set<std::string> got = CodesOf(decision);
  std::set<std::string> expected = got;
  if (step.codes.has_value())
    expected = {step.codes->begin(), step.codes->end()};
  if (decision.kind == step.decision && got == expected) return;
  TestFailure failure = Begin(step, number, decision);
  failure.expected =
      Describe(step.decision, step.codes.has_value() ? &*step.codes : nullptr);
  std::set_difference(expected.begin(), expected.end(), got.begin(), got.end(),
                      std::back_inserter(failure.missing));
  // Where any reasons would do, all those of the other decision are news.
  for (const Reason& reason : decision.reasons) {
    if (!step.codes.has_value() || !expected.contains(reason.code)) {
      failure.unexpected.push_back(reason);
    }
  }
  failures->push_back(std::move(failure));
}

}  // namespace

int TestRun::failed_count() const {
  return static_cast<int>(std::count_if(
      tests.begin(), tests.end(),
      [](const TestResult& test) { return !test.failures.empty(); }));
}

int TestRun::covered_count() const {
  return static_cast<int>(std::count_if(
      rules.begin(), rules.end(),
      [](const RuleCoverage& rule) { return rule.is_covered(); }));
}

TestRun RunTests(const Program& program, const std::vector<PolicyTest>& tests,
                 const std::function<bool()>& must_stop) {
  TestRun run;
  std::vector<int> asked_count;  // by layer
  for (RuleInfo& rule : program.rules()) {
    run.rules.emplace_back().rule = std::move(rule);
  }
  for (const PolicyTest& test : tests) {
    TestResult result;
    result.name = test.name;
    result.at = test.at;
    LimitLedger ledger;
    for (const TestStep& step : test.steps) {
      if (must_stop != nullptr && must_stop()) {
        run.is_stopped = true;
        return run;
      }
      const int number = ++result.step_count;
      Request request = step.given.View();
      request.limit_totals = &ledger;
      const Examination examined = Examine(program, request);
      if (examined.decision.kind == DecisionKind::kAllow) {
        ledger.Count(examined.decision.limit_draws, request.now);
      }
      Compare(step, number, examined.decision, &result.failures);
      for (const BrokenAssert& broken : examined.broken_asserts) {
        TestFailure failure = Begin(step, number, examined.decision);
        failure.at = broken.at;
        failure.assert_name = broken.name;
        failure.expected = broken.demand;
        failure.unexpected = examined.decision.reasons;
        result.failures.push_back(std::move(failure));
      }
      for (const int32_t layer : examined.layers) {
        const size_t number_of_layer = static_cast<size_t>(layer);
        if (asked_count.size() <= number_of_layer) {
          asked_count.resize(number_of_layer + 1);
        }
        ++asked_count[number_of_layer];
      }
      for (const int32_t rule : examined.applied) {
        ++run.rules[static_cast<size_t>(rule)].applied_count;
      }
    }
    run.tests.push_back(std::move(result));
  }
  for (RuleCoverage& rule : run.rules) {
    const size_t layer = static_cast<size_t>(rule.rule.layer);
    const int asked = layer < asked_count.size() ? asked_count[layer] : 0;
    rule.not_applied_count = asked - rule.applied_count;
  }
  return run;
}

}  // namespace sgl::engine
