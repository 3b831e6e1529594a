// One request, decoded against the program's declarations: what the evaluator
// reads.
//
// Sits between the request and the evaluator. Every declared field of the
// payload is validated, read by a rule or not; what does not fit is recorded
// with its path.
//
// Internal to the policy layer.

#ifndef POLICY_EVAL_FACTS_H_
#define POLICY_EVAL_FACTS_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <vector>

#include "policy/compile/program.h"
#include "policy/eval/decision.h"
#include "policy/eval/json.h"
#include "policy/eval/request.h"

namespace sgl {

// Why something can't be computed.
enum class Fault : uint8_t {
  kNone,
  kMissing,
  kOverflow,
  kNotAUrl,
  // Nobody said what a limit counted before.
  kNoTotal,
};

// A value while evaluating. Numbers stand for bool, int, decimal, usd, times
// and enum members. A list's items and a record's fields are `count` cells of
// Facts::cells from `first` on.
struct Value {
  enum class State : uint8_t { kUnset, kPresent, kMissing, kFault };

  State state = State::kUnset;
  Fault fault = Fault::kNone;
  uint32_t first = 0;
  uint32_t count = 0;
  int64_t number = 0;
  absl::string_view text;

  bool is_present() const { return state == State::kPresent; }

  static Value Number(int64_t number);
  static Value Text(absl::string_view text);
  static Value Missing();
  static Value Faulted(Fault fault);
};

// Views the request that it was made of. Movable; not changed once decoded.
struct Facts {
  const Request* request = nullptr;
  // Nodes are there only where the payload is JSON.
  JsonDocument payload;
  std::vector<Value> cells;
  std::vector<Value> slots;  // by payload slot
  Value labels;              // agent.labels
  int64_t budget_used = 0;
  // Into DecisionProgram::type_ids; negative where no rule names the type.
  int32_t type_id = -1;
  bool is_type_known = false;
  // Into DecisionProgram::layers; negative where the tenant has none.
  int32_t tenant_layer = -1;
  // Any makes the request INVALID_PAYLOAD. Empty where the type is unknown.
  std::vector<FieldViolation> violations;
};

// Paths that one decision lists. More would help nobody, and a list of 10,000
// wrong items must not make a decision of a megabyte.
inline constexpr size_t kViolationsMax = 100;

Facts DecodeFacts(const DecisionProgram& program, const Request& request);

}  // namespace sgl

#endif  // POLICY_EVAL_FACTS_H_
