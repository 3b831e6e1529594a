// "Did you mean": the declared name that a misspelt one is nearest to.

#ifndef POLICY_DIAGNOSTICS_SUGGEST_H_
#define POLICY_DIAGNOSTICS_SUGGEST_H_

#include <absl/strings/string_view.h>

#include <string>
#include <vector>

namespace sgl {

// Returns the candidate nearest to `name`, or an empty string where none is
// near enough: at most 2 edits (a swap of neighbours is one), and at most a
// third of the length. A name that differs in case only is always near. Of
// equally near ones the first wins.
std::string Suggest(absl::string_view name,
                    const std::vector<std::string>& candidates);

}  // namespace sgl

#endif  // POLICY_DIAGNOSTICS_SUGGEST_H_
