// The compiler: a checked policy set in, an immutable decision program out.
// Cannot fail: whatever could be wrong was reported by the checker.
//
// Internal to the policy layer.

#ifndef POLICY_COMPILE_COMPILER_H_
#define POLICY_COMPILE_COMPILER_H_

#include <memory>
#include <string>
#include <vector>

#include "base/zones.h"
#include "policy/check/checked_policy.h"
#include "policy/compile/program.h"
#include "policy/source/source.h"

namespace sgl {

// REQUIRES: checking `policy` reported no error, and `zones` holds every zone
// that it names.
std::unique_ptr<const DecisionProgram> CompileProgram(
    const SourceSet& sources, const CheckedPolicy& policy, const Zones& zones);

// Returns the digest of files whose SHA-256s, in lower-case hex, these are
// (Program::set_digest says how).
std::string DigestOfHashes(std::vector<std::string> hashes);

}  // namespace sgl

#endif  // POLICY_COMPILE_COMPILER_H_
