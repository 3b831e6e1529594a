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

#include <absl/container/inlined_vector.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "policy/check/checked_policy.h"
#include "policy/compile/program.h"
#include "policy/eval/decision.h"
#include "policy/eval/json.h"
#include "policy/eval/json_tokens.h"
#include "policy/eval/request.h"
#include "policy/eval/request_line.h"
#include "policy/eval/value.h"

namespace sgl {

// What a FactsReader keeps for the facts that it read, and uses again for the
// next ones.
struct FactsStorage {
  JsonBuffer buffer;
  // What Facts::request points to where a line was read.
  Request request;
  // The line as the exact reader read it, where that was needed.
  std::optional<RequestLine> line;
  // Those of Facts::slots that hold more than Missing; all may, where the
  // exact decoder filled them.
  std::vector<int32_t> filled_slots;
  // The program's: another one's values stand elsewhere.
  int32_t payload_slot_count = 0;
  bool is_any_slot_filled = true;
};

// Slots that stand in the facts themselves: more cost a look elsewhere.
inline constexpr size_t kInlineSlots = 8;

// Views the request that it was made of. Movable; not changed once decoded,
// but by a FactsReader that reads the next request into it.
struct alignas(64) Facts {
  // What every decision reads comes first, on as few cache lines as may be.

  // Into DecisionProgram::type_ids; negative where no rule names the type.
  int32_t type_id = -1;
  // Into DecisionProgram::layers; negative where the tenant has none.
  int32_t tenant_layer = -1;
  bool is_type_known = false;
  // Any makes the request INVALID_PAYLOAD. Empty where the type is unknown.
  std::vector<FieldViolation> violations;
  // By slot of the payload, and behind them the DecisionProgram::fixed_fields.
  absl::InlinedVector<Value, kInlineSlots> slots;

  const Request *request = nullptr;
  // Nodes are there only where DecodeFacts read a payload that is JSON.
  JsonDocument payload;
  std::vector<Value> cells;
  // Every string of the payload that is no key, where the program has a scan.
  std::vector<absl::string_view> strings;
  Value labels;  // agent.labels
  int64_t budget_used = 0;
  // Null where DecodeFacts made the facts.
  std::unique_ptr<FactsStorage> storage;
};

// Paths that one decision lists. More would help nobody, and a list of 10,000
// wrong items must not make a decision of a megabyte.
inline constexpr size_t kViolationsMax = 100;

// Returns a fact that is in no payload.
Value FixedValue(const Facts &facts, RootField field);

// Fills the slots that are not the payload's from what the facts hold.
void FillFixedSlots(const DecisionProgram &program, Facts *facts);

// Returns how many slots the program's facts have.
inline size_t SlotsOf(const DecisionProgram &program) {
  return static_cast<size_t>(program.slot_count) + program.fixed_fields.size();
}

// Decodes by the JSON nodes: slower than a FactsReader, and the one that says
// what does not fit.
Facts DecodeFacts(const DecisionProgram &program, const Request &request);

}  // namespace sgl

#endif  // POLICY_EVAL_FACTS_H_
