// The reference evaluator: what a policy decides, computed by a plain walk of
// the checked policy. It exists to be compared with Evaluate, and shares
// nothing with it but the types of requests and decisions: it reads JSON,
// computes, rounds and takes hosts and hours by code of its own.
//
//   const auto reference = ReferencePolicy::Create(sources, zones);
//   const Decision decision = reference->Evaluate(request);
//   AgreementError(program_decision, decision);  // empty: they agree
//
// For tests only: nothing that ships depends on it.

#ifndef POLICY_EVAL_REFERENCE_REFERENCE_H_
#define POLICY_EVAL_REFERENCE_REFERENCE_H_

#include <absl/strings/string_view.h>

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/zones.h"
#include "policy/check/checked_policy.h"
#include "policy/eval/decision.h"
#include "policy/eval/request.h"
#include "policy/source/source.h"

namespace sgl {

// A checked policy set, ready to decide. Immutable after construction.
class ReferencePolicy {
 public:
  // Null where the sources have errors. Files sort by their names.
  static std::unique_ptr<const ReferencePolicy> Create(
      std::span<const SourceFile> sources, const Zones& zones);

  // Decides. The wording of what does not fit a payload is left empty: only
  // the paths matter for agreement.
  Decision Evaluate(const Request& request) const;

 private:
  ReferencePolicy(SourceSet sources, CheckedPolicy policy, Zones zones);

  Decision Begin(const Request& request) const;
  Decision Refusal(const Request& request, absl::string_view code) const;

  SourceSet sources_;
  CheckedPolicy policy_;
  Zones zones_;
};

// Returns in what two decisions differ, in a few words; empty where they
// agree. All members count, except how INVALID_PAYLOAD is worded: of that, the
// set of paths counts (where the program stops listing, the paths it lists).
std::string AgreementError(const Decision& program, const Decision& reference);

}  // namespace sgl

#endif  // POLICY_EVAL_REFERENCE_REFERENCE_H_
