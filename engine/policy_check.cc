#include "engine/policy_check.h"

#include <absl/container/flat_hash_set.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/zone_loader.h"
#include "engine/error.h"
#include "engine/policy_files.h"
#include "engine/text.h"

namespace sgl::engine {
namespace {

using ::nlohmann::ordered_json;

// What a stored report tells of each: the rest is counted.
constexpr size_t kReportedMax = 20;

// Whether `path:line:column` is a place of one of these files.
bool IsIn(const absl::flat_hash_set<std::string>& names,
          absl::string_view place) {
  for (int part = 0; part < 2; ++part) {
    const size_t colon = place.rfind(':');
    if (colon == absl::string_view::npos) return false;
    place = place.substr(0, colon);
  }
  return names.contains(place);
}

absl::flat_hash_set<std::string> NamesOf(
    const std::vector<SourceFile>& sources) {
  absl::flat_hash_set<std::string> names;
  for (const SourceFile& source : sources) names.insert(source.name);
  return names;
}

std::string ObstacleOf(const CheckedVersion& version) {
  if (version.program == nullptr) {
    return absl::StrCat("it has ", version.error_count,
                        version.error_count == 1 ? " error" : " errors");
  }
  if (version.failed_test_count > 0) {
    return absl::StrCat(version.failed_test_count, " of its ",
                        version.tests.size(),
                        version.tests.size() == 1 ? " test" : " tests",
                        version.failed_test_count == 1 ? " fails" : " fail");
  }
  return "";
}

// What is wrong with one file's name or text.
std::string WrongWith(const SourceFile& source) {
  if (source.name.empty()) return "it has no name";
  if (CharacterCount(source.name) > kProposalNameMax) {
    return absl::StrCat("its name has more than ", kProposalNameMax,
                        " characters");
  }
  const bool has_control =
      std::any_of(source.name.begin(), source.name.end(), [](char c) {
        return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
      });
  if (has_control) return "its name holds a control character";
  if (HasNul(source.text)) return "it holds a NUL character";
  return "";
}

}  // namespace

absl::Status CheckVersionFiles(const VersionSources& version) {
  if (version.sources.empty()) {
    return BadField("sources", "at least one rule file is required");
  }
  if (version.sources.size() > kProposalFilesMax) {
    return BadField("sources", absl::StrCat("at most ", kProposalFilesMax,
                                            " files are allowed"));
  }
  size_t bytes = 0;
  const absl::flat_hash_set<std::string> platforms = NamesOf(version.platform);
  absl::flat_hash_set<std::string> names;
  std::vector<FieldError> errors;
  const std::vector<std::string> slugs = LayersNamed(version.sources);
  for (size_t i = 0; i < version.sources.size(); ++i) {
    const SourceFile& source = version.sources[i];
    const std::string field = absl::StrCat("sources[", i, "]");
    bytes += source.name.size() + source.text.size();
    std::string wrong = WrongWith(source);
    if (wrong.empty() && !names.insert(source.name).second) {
      wrong = absl::StrCat("another of these files is named `", source.name,
                           "` too; give each a name of its own");
    }
    if (wrong.empty() && platforms.contains(source.name)) {
      wrong = absl::StrCat(
          "the platform's rules hold a file `", source.name,
          "`, which a tenant's layer can't replace; give the tenant's file "
          "another name, or check and propose it for the platform "
          "(`--platform`)");
    }
    if (wrong.empty() && !version.tenant_slug.empty() &&
        slugs[i] != version.tenant_slug) {
      wrong = absl::StrCat(
          "a tenant's own policy holds files of its layer only; `", source.name,
          "` must say: layer tenant \"", version.tenant_slug, "\"");
    }
    if (!wrong.empty()) errors.push_back({field, std::move(wrong)});
  }
  if (bytes > kProposalBytesMax) {
    return BadField("sources",
                    absl::StrCat("they hold ", bytes, " bytes; at most 8 MiB (",
                                 kProposalBytesMax, ") are allowed"));
  }
  return errors.empty() ? absl::OkStatus() : BadFields(errors);
}

CheckedVersion CheckVersion(const VersionSources& version,
                            const std::function<bool()>& must_stop) {
  CheckedVersion checked;
  checked.digest = SetDigest(version.sources);
  std::vector<SourceFile> all = version.sources;
  all.insert(all.end(), version.platform.begin(), version.platform.end());
  Compilation compilation = Compile(all, LoadZones(ZonesNamed(all)));
  checked.program = std::move(compilation.program);
  checked.error_count = compilation.error_count;
  checked.warning_count = compilation.warning_count;
  const absl::flat_hash_set<std::string> own = NamesOf(version.sources);
  for (Finding& finding : compilation.findings) {
    if (own.contains(finding.place.file)) {
      checked.findings.push_back(std::move(finding));
    } else if (finding.severity == Severity::kWarning) {
      // The platform's, which its own authors were told of.
      --checked.warning_count;
    } else {
      // An error that the platform's file has because of these.
      checked.findings.push_back(std::move(finding));
    }
  }
  if (checked.program != nullptr) {
    for (const RuleInfo& rule : checked.program->rules()) {
      if (IsIn(own, rule.at)) ++checked.rule_count;
    }
    std::vector<PolicyTest> tests;
    for (PolicyTest& test : compilation.tests) {
      if (IsIn(own, test.at)) tests.push_back(std::move(test));
    }
    TestRun run = RunTests(*checked.program, tests, must_stop);
    checked.is_stopped = run.is_stopped;
    checked.failed_test_count = run.failed_count();
    checked.tests = std::move(run.tests);
  }
  checked.obstacle = ObstacleOf(checked);
  return checked;
}

std::string ReportJson(const CheckedVersion& version) {
  ordered_json report = {
      {"rules", version.rule_count},
      {"warnings", version.warning_count},
      {"tests", version.tests.size()},
      {"failed_tests", version.failed_test_count},
      {"obstacle", version.obstacle},
      {"findings", ordered_json::array()},
      {"failures", ordered_json::array()},
  };
  for (const Finding& finding : version.findings) {
    if (report["findings"].size() >= kReportedMax) break;
    report["findings"].push_back(finding.rendered);
  }
  for (const TestResult& test : version.tests) {
    for (const TestFailure& failure : test.failures) {
      if (report["failures"].size() >= kReportedMax) break;
      report["failures"].push_back({{"test", test.name},
                                    {"at", failure.at},
                                    {"given", failure.given},
                                    {"expected", failure.expected},
                                    {"got", failure.got}});
    }
  }
  return report.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace sgl::engine
