// Checks and tests a policy version, as the server does it before it stores
// one, before votes are asked for it, and before it becomes active.
//
//   const CheckedVersion version =
//       CheckVersion({.sources = files, .tenant_slug = "acme",
//                     .platform = active->sources});
//   if (version.program == nullptr) return PolicyErrors(version);
//
// A tenant's version is compiled together with the platform's active set, and
// told of its own files only.

#ifndef ENGINE_POLICY_CHECK_H_
#define ENGINE_POLICY_CHECK_H_

#include <absl/status/status.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/policy_test_run.h"
#include "policy/policy.h"

namespace sgl::engine {

// What callers may send: a platform of some thousands of rules takes a tenth of
// it. Larger sets come with `intentd serve --policy`.
inline constexpr size_t kProposalFilesMax = 1'000;
inline constexpr size_t kProposalBytesMax = 8 * 1024 * 1024;
// A file's name stands in reasons and diagnostics.
inline constexpr size_t kProposalNameMax = 300;  // Characters.

struct VersionSources {
  std::vector<SourceFile> sources = {};
  // Empty: the platform's.
  std::string tenant_slug = {};
  // For a tenant's: the platform's active set.
  std::vector<SourceFile> platform = {};
};

struct CheckedVersion {
  // Of the version's own files.
  std::string digest;
  // Null where there are errors.
  std::shared_ptr<const Program> program;
  // About the version's own files; at most kDiagnosticsMax.
  std::vector<Finding> findings;
  int error_count = 0;
  int warning_count = 0;
  int rule_count = 0;
  // The tests of its own files.
  std::vector<TestResult> tests;
  int failed_test_count = 0;
  // It was told to stop, so the rest says nothing.
  bool is_stopped = false;
  // Why this engine would not activate it as it is; empty where it would.
  std::string obstacle;
};

// Returns INVALID_ARGUMENT naming the fields for files that can't be one
// version: none, too many or too large, a name twice or none, a text with NUL,
// for a tenant a file that is not its own layer.
absl::Status CheckVersionFiles(const VersionSources& version);

// Checks and tests. Slow: compiles, and runs every test, half a minute for
// thousands of tests on thousands of rules; so never in a transaction. Asks
// `must_stop`, where there is one, between tests.
// REQUIRES: CheckVersionFiles said OK.
CheckedVersion CheckVersion(const VersionSources& version,
                            const std::function<bool()>& must_stop = nullptr);

// Returns the JSON object that is stored with a version: counts, warnings,
// failed tests and the obstacle.
std::string ReportJson(const CheckedVersion& version);

}  // namespace sgl::engine

#endif  // ENGINE_POLICY_CHECK_H_
