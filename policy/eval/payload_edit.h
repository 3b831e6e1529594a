// A payload with one value of it changed: what a request would be if one field
// were another.
//
//   EditPayload(document, {{"lines"}, {"", 2}, {"amount"}}, "12.50");
//
// Internal to the policy layer.

#ifndef POLICY_EVAL_PAYLOAD_EDIT_H_
#define POLICY_EVAL_PAYLOAD_EDIT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/eval/json.h"

namespace sgl {

// A member of an object, or an item of an array where `index` is not negative.
struct PayloadStep {
  std::string name = {};
  int32_t index = -1;
};

// Returns the document as JSON text, with `replacement` (JSON text) at the
// path; a member that is not there is added, if the object is. Without a
// replacement the member is left out. Nothing where the path leads nowhere.
std::optional<std::string> EditPayload(
    const JsonDocument& document, const std::vector<PayloadStep>& path,
    const std::optional<std::string>& replacement);

}  // namespace sgl

#endif  // POLICY_EVAL_PAYLOAD_EDIT_H_
