// Warnings about rules that are right but pointless. Internal to policy/check.
//
//   NeverTrue    the condition, or a part of it, can't be true
//   AlwaysTrue   likewise can't be false
//   CoveredRule  a block makes the rule pointless
//   EmptyMatch   a regex matches every text
//
// Each is proven; where the proof would take more than ranges of single
// fields (condition_ranges.h), nothing is said. What is proven of rules:
//   - A condition is reported for what it says by itself: NeverTrue and
//     AlwaysTrue hold in every request. With `on`, `intent.type` is one of the
//     types named. A part that reads nothing (`strict and …`, where `strict`
//     is a const) is a switch, and no mistake.
//   - A block covers a rule where it applies to at least its types and is true
//     whenever the rule is: it has no condition or one that is always true, it
//     has the same condition, one that is part of the rule's `and`, one whose
//     `or` holds the rule's, or it compares a field with a constant and the
//     rule's condition keeps that field within. Platform blocks cover
//     tenants' rules too; no tenant's block covers another layer's.
//     A covered `review` or `allow` then changes no decision and no reason,
//     unless its condition can be a fault: that is a reason of its own, so
//     such rules are left alone. A `block` is reported only where an earlier
//     one of its layer has the same condition: a narrower block has a reason
//     of its own to show.
// Of regexes: `matches` and `scan` look for a match anywhere. A pattern that
// matches the empty text, and asks nothing of what stands around it, matches
// at the start of any text. One that asks for the start alone does so too, and
// one that asks for the end alone matches there; `^$` asks for both, and is
// fine, and of `\b` nothing is said.
// A limit's condition is looked at like a rule's; what a block covers a limit
// counts all the same.
// With errors elsewhere in the set only single conditions are looked at.

#ifndef POLICY_CHECK_WARNINGS_H_
#define POLICY_CHECK_WARNINGS_H_

#include <absl/types/span.h>

#include "policy/check/checked_policy.h"
#include "policy/diagnostics/diagnostic.h"
#include "policy/syntax/ast.h"

namespace sgl {

// Reports what is pointless in a policy that Check made of the files.
void WarnOfRules(absl::Span<const Ast> files, const CheckedPolicy& policy,
                 Diagnostics& diagnostics);

// Reports regex literals that match every text.
void WarnOfRegexes(absl::Span<const Ast> files, Diagnostics& diagnostics);

}  // namespace sgl

#endif  // POLICY_CHECK_WARNINGS_H_
