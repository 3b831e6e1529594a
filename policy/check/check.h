// The checker: parsed files in, a CheckedPolicy out, and a diagnostic for each
// mistake on the way.
//
//   std::vector<Ast> files = ...;                  // one a source, in order
//   Zones zones = LoadZones(NamedZones(files));    // by the caller: I/O
//   CheckedPolicy policy = Check(sources, files, zones, diagnostics);
//   if (diagnostics.error_count() > 0) ...

#ifndef POLICY_CHECK_CHECK_H_
#define POLICY_CHECK_CHECK_H_

#include <absl/types/span.h>

#include <string>
#include <vector>

#include "base/zones.h"
#include "policy/check/checked_policy.h"
#include "policy/diagnostics/diagnostic.h"
#include "policy/source/source.h"
#include "policy/syntax/ast.h"

namespace sgl {

// Returns the time zones that the files name, sorted and without duplicates,
// known or not. The caller loads them and hands those that exist to Check.
std::vector<std::string> NamedZones(absl::Span<const Ast> files);

// Checks a policy set. `files[i]` is what Parse made of file i of `sources`.
// Parts that the parser reported are skipped silently. A time zone that `zones`
// lacks is an error at its literal.
CheckedPolicy Check(const SourceSet& sources, absl::Span<const Ast> files,
                    const Zones& zones, Diagnostics& diagnostics);

}  // namespace sgl

#endif  // POLICY_CHECK_CHECK_H_
