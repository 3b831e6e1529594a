// What a program is made of, for people: beside policy/policy.h, for tools.

#ifndef POLICY_INSPECT_H_
#define POLICY_INSPECT_H_

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <optional>
#include <string>

#include "policy/policy.h"

namespace sgl {

// Returns of each layer and type how its rules are found, and each rule's code.
std::string Dump(const Program& program);

// Returns of each layer and type the most work that one decision can make, a
// line each, and then of the whole set. A comparison looks at one value, a
// pass runs one regex over one text, a walk goes through one list.
std::string CostReport(const Program& program);

// Holds the index against the plain scan of all rules, as Compile does, on
// every request that can be made of the program's constants. Calls `progress`
// now and then with the rules checked so far and those to check. Returns what
// is wrong, or nothing.
std::optional<std::string> Verify(
    const Program& program, absl::FunctionRef<void(int64_t, int64_t)> progress);

}  // namespace sgl

#endif  // POLICY_INSPECT_H_
