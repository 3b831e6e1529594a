#include "tools/sgl/test_report.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>

#include <map>
#include <nlohmann/json.hpp>
#include <vector>

namespace sgl::tools {
namespace {

using Json = nlohmann::ordered_json;

std::string Count(size_t count, absl::string_view what) {
  return absl::StrCat(count, " ", what, count == 1 ? "" : "s");
}

std::string RenderFailure(const TestResult& test, const TestFailure& failure) {
  const bool is_assert = !failure.assert_name.empty();
  const std::string step =
      test.step_count > 1 ? absl::StrCat(", step ", failure.step) : "";
  std::string out = absl::StrCat(failure.at, ": FAILED ");
  if (is_assert) {
    absl::StrAppend(&out, "assert \"", failure.assert_name, "\"\n  by       \"",
                    test.name, "\"", step, " at ", failure.given_at, "\n");
  } else {
    absl::StrAppend(&out, "\"", test.name, "\"", step, "\n");
  }
  absl::StrAppend(&out, "  expected ", failure.expected, "\n  got      ",
                  failure.got, "\n");
  if (!failure.missing.empty()) {
    absl::StrAppend(&out, "  missing  ", absl::StrJoin(failure.missing, ", "),
                    "\n");
  }
  for (const Reason& reason : failure.unexpected) {
    absl::StrAppend(&out, "  came     ", reason.code);
    if (!reason.at.empty()) absl::StrAppend(&out, " at ", reason.at);
    if (reason.message != reason.code) {
      absl::StrAppend(&out, ": ", reason.message);
    }
    absl::StrAppend(&out, "\n");
  }
  absl::StrAppend(&out, "  given    ", failure.given, "\n");
  return out;
}

void AppendRules(const TestRun& run, absl::string_view title,
                 bool (*is_listed)(const RuleCoverage&), std::string* out) {
  bool is_first = true;
  for (const RuleCoverage& rule : run.rules) {
    if (!is_listed(rule)) continue;
    if (is_first) absl::StrAppend(out, title, ":\n");
    is_first = false;
    absl::StrAppend(out, "  ", rule.rule.at, ": ", rule.rule.code, "\n");
  }
}

std::string RenderCoverage(const TestRun& run) {
  std::string out;
  AppendRules(
      run, "never applied",
      [](const RuleCoverage& rule) { return rule.applied_count == 0; }, &out);
  AppendRules(
      run, "never not applied",
      [](const RuleCoverage& rule) {
        return rule.applied_count > 0 && !rule.is_covered();
      },
      &out);
  const size_t total = run.rules.size();
  const int covered = run.covered_count();
  // In tenths, rounded down: 100.0 % means all.
  const int tenths =
      total == 0 ? 1000 : static_cast<int>(1000LL * covered / total);
  absl::StrAppend(&out, covered, " of ", Count(total, "rule"),
                  " covered: ", tenths / 10, ".", tenths % 10, " %\n");
  return out;
}

Json FailureToJson(const TestFailure& failure) {
  Json json;
  json["step"] = failure.step;
  json["at"] = failure.at;
  if (!failure.assert_name.empty()) json["assert"] = failure.assert_name;
  json["expected"] = failure.expected;
  json["got"] = failure.got;
  json["missing"] = failure.missing;
  json["unexpected"] = Json::array();
  for (const Reason& reason : failure.unexpected) {
    json["unexpected"].push_back({{"code", reason.code},
                                  {"message", reason.message},
                                  {"layer", reason.layer},
                                  {"at", reason.at}});
  }
  json["given"] = failure.given;
  json["given_at"] = failure.given_at;
  return json;
}

// Returns the text with what XML can't hold escaped or, for control
// characters, replaced.
std::string Xml(absl::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
        out += "&#10;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  return out;
}

// Returns the path of `path:line:column`.
std::string PathOf(const std::string& at) {
  const size_t column = at.rfind(':');
  return at.substr(0, at.rfind(':', column - 1));
}

}  // namespace

std::string RenderTestRun(const TestRun& run, bool with_coverage,
                          std::optional<absl::Duration> took) {
  std::string out;
  for (const TestResult& test : run.tests) {
    for (const TestFailure& failure : test.failures) {
      absl::StrAppend(&out, RenderFailure(test, failure));
    }
  }
  if (with_coverage) absl::StrAppend(&out, RenderCoverage(run));
  const size_t failed = static_cast<size_t>(run.failed_count());
  absl::StrAppend(&out, Count(run.tests.size(), "test"), ": ",
                  run.tests.size() - failed, " passed, ", failed, " failed");
  if (took.has_value()) {
    // Rounded up: nothing takes no time.
    const absl::Duration shown = absl::Ceil(*took, absl::Milliseconds(1));
    absl::StrAppend(&out, " in ", absl::ToInt64Milliseconds(shown), " ms");
  }
  absl::StrAppend(&out, "\n");
  return out;
}

std::string TestRunToJson(const TestRun& run) {
  Json json;
  json["tests"] = run.tests.size();
  json["failed"] = run.failed_count();
  json["results"] = Json::array();
  for (const TestResult& test : run.tests) {
    Json result;
    result["name"] = test.name;
    result["at"] = test.at;
    result["steps"] = test.step_count;
    result["failures"] = Json::array();
    for (const TestFailure& failure : test.failures) {
      result["failures"].push_back(FailureToJson(failure));
    }
    json["results"].push_back(std::move(result));
  }
  json["rules"] = run.rules.size();
  json["covered"] = run.covered_count();
  json["coverage"] = Json::array();
  for (const RuleCoverage& rule : run.rules) {
    json["coverage"].push_back({{"code", rule.rule.code},
                                {"at", rule.rule.at},
                                {"applied", rule.applied_count},
                                {"not_applied", rule.not_applied_count},
                                {"covered", rule.is_covered()}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string TestRunToJunit(const TestRun& run) {
  std::map<std::string, std::vector<const TestResult*>> suites;
  for (const TestResult& test : run.tests) {
    suites[PathOf(test.at)].push_back(&test);
  }
  std::string out = absl::StrCat(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"",
      run.tests.size(), "\" failures=\"", run.failed_count(), "\">\n");
  for (const auto& [path, tests] : suites) {
    int failed = 0;
    std::string cases;
    for (const TestResult* test : tests) {
      absl::StrAppend(&cases, "    <testcase classname=\"", Xml(path),
                      "\" name=\"", Xml(test->name), "\"");
      if (test->failures.empty()) {
        absl::StrAppend(&cases, "/>\n");
        continue;
      }
      ++failed;
      absl::StrAppend(&cases, ">\n");
      for (const TestFailure& failure : test->failures) {
        absl::StrAppend(&cases, "      <failure message=\"expected ",
                        Xml(failure.expected), ", got ", Xml(failure.got),
                        "\">", Xml(RenderFailure(*test, failure)),
                        "</failure>\n");
      }
      absl::StrAppend(&cases, "    </testcase>\n");
    }
    absl::StrAppend(&out, "  <testsuite name=\"", Xml(path), "\" tests=\"",
                    tests.size(), "\" failures=\"", failed, "\">\n", cases,
                    "  </testsuite>\n");
  }
  absl::StrAppend(&out, "</testsuites>\n");
  return out;
}

}  // namespace sgl::tools
