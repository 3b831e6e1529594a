// The policy layer's front door: rule files in, decisions out.
//
// A pure function of (rules, request, now): no I/O, no clock, no threads, no
// globals. The caller reads the files and loads the time zones:
//
//   std::vector<SourceFile> sources = {{"atlas.sgl", text}};
//   const Zones zones = LoadZones(ZonesNamed(sources));
//   const Compilation compilation = Compile(sources, zones);
//   if (compilation.program == nullptr) {
//     std::cerr << compilation.Render();
//     return;
//   }
//   Request request;
//   request.intent.type = "BANK_TRANSFER";
//   request.intent.payload = R"({"to_account": "US1"})";
//   const Decision decision = Evaluate(*compilation.program, request);
//
// Whoever uses the policy layer includes this header only.

#ifndef POLICY_POLICY_H_
#define POLICY_POLICY_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/zones.h"
#include "policy/diagnostics/finding.h"
#include "policy/eval/decision.h"
#include "policy/eval/explanation.h"
#include "policy/eval/given.h"
#include "policy/eval/limits.h"
#include "policy/eval/payload_bounds.h"
#include "policy/eval/request.h"
#include "policy/eval/request_line.h"
#include "policy/evaluation.h"
#include "policy/request_reader.h"
#include "policy/source/source.h"

namespace sgl {

struct DecisionProgram;  // What the compiler makes; internal to policy.

// A rule or a limit, as reports on tests name it.
struct RuleInfo {
  std::string code;
  std::string at;     // `path:line:column` of the code
  int32_t layer = 0;  // 0 is the platform's
  // Without `on` and `when`, and no limit: it applies to every request.
  bool is_unconditional = false;
};

// Everything that deciding needs, compiled. Immutable after construction and
// thread-safe: shared by all evaluations that are in flight.
class Program {
 public:
  explicit Program(std::unique_ptr<const DecisionProgram> compiled);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  // Returns the digest of all files of the set, `sha256:` and 64 lower-case
  // hex digits. Paths don't enter, nor does the order of the files: it is the
  // SHA-256 over the files' own SHA-256s in lower-case hex, sorted, each
  // followed by a newline.
  const std::string& set_digest() const;

  // Returns the digest of the files that can speak for this tenant, in the
  // same form: the platform's files and the tenant's own. Decisions carry it.
  const std::string& digest(absl::string_view tenant_slug) const;

  // Returns the intent types that platform files declare, sorted.
  const std::vector<std::string>& intent_types() const;

  // Returns whether an `intent *` makes every type known.
  bool has_star() const;

  // Returns the slugs for which the set has a tenant layer, sorted.
  const std::vector<std::string>& tenant_slugs() const;

  // Returns the rules and limits by file and then position.
  std::vector<RuleInfo> rules() const;

  // Returns the version of the time-zone data that it was compiled with.
  const std::string& tzdata_version() const;

  // For the policy layer itself.
  const DecisionProgram& compiled() const { return *compiled_; }

 private:
  std::unique_ptr<const DecisionProgram> compiled_;
};

// What came of compiling: a program, or errors, and warnings beside either.
struct Compilation {
  // Null where there is any error.
  std::shared_ptr<const Program> program;
  // The `test` blocks of all files, by file and then position. Empty where
  // there is any error.
  std::vector<PolicyTest> tests;
  int error_count = 0;
  int warning_count = 0;

  // Returns all errors and warnings as `name:line:col: error: ...`, each with
  // its source line and a caret. Empty where there are none.
  const std::string& Render() const { return rendered; }

  std::string rendered;

  // The same for programs, by file and place. At most kDiagnosticsMax; the
  // counts above count the rest too.
  std::vector<Finding> findings;
};

// Returns the time zones that the sources name, sorted, each once; files that
// don't compile included as far as they can be read.
std::vector<std::string> ZonesNamed(std::span<const SourceFile> sources);

// Returns for each source, in their order, the slug of the tenant whose layer
// it is; empty for a platform file, and for one whose `layer` line can't be
// read, which is an error to Compile.
std::vector<std::string> LayersNamed(std::span<const SourceFile> sources);

// Returns the digest of these files, in the form and by the rule of
// Program::set_digest, without compiling them.
std::string SetDigest(std::span<const SourceFile> sources);

// Compiles a policy set. Files sort by their names, which reasons and
// diagnostics show as given. Reports every error it honestly can in one run. A
// zone that `zones` lacks is an error at its name.
Compilation Compile(std::span<const SourceFile> sources, const Zones& zones);

// Decides. Total: every request gets exactly one decision, and what can't be
// evaluated is blocked.
Decision Evaluate(const Program& program, const Request& request);

// Decides as Evaluate does, and says why: of each rule whether it applied and
// which part of its condition settled that, and a change of one field that
// would have given a milder decision, where one was found. As pure and total,
// and far slower: for a request that somebody asks about.
Explanation Explain(const Program& program, const Request& request);

// An `assert` that a decision does not keep.
struct BrokenAssert {
  std::string name;
  std::string at;      // `path:line:column` of the name
  std::string demand;  // as written: `decision != allow`
};

// A decision with what tests look at besides.
struct Examination {
  Decision decision;
  // The layers whose rules were evaluated; none where the request was refused
  // before.
  std::vector<int32_t> layers;
  // The rules that applied, whatever their severity, by their places in
  // Program::rules().
  std::vector<int32_t> applied;
  std::vector<BrokenAssert> broken_asserts;
};

// Decides as Evaluate does, and says more. Slower: for tests of policies.
Examination Examine(const Program& program, const Request& request);

}  // namespace sgl

#endif  // POLICY_POLICY_H_
