// Runs a decision program on one request: three-valued logic over decoded
// facts, giving rule numbers and not text.
//
// A value is there, missing, or a fault. `and`, `or`, `any` and `all` are
// Kleene's: `false and FAULT` is false in either order. Every other operator
// hands a fault on. A missing value that no guard caught counts as a fault; in
// a checked policy some operand beside it then decides.
//
// Internal to the policy layer.

#ifndef POLICY_EVAL_EVALUATOR_H_
#define POLICY_EVAL_EVALUATOR_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "policy/compile/program.h"
#include "policy/decision_kind.h"
#include "policy/eval/facts.h"
#include "policy/eval/limits.h"
#include "policy/eval/text_arena.h"
#include "policy/eval/verdict.h"

namespace sgl {

// What the rules say together.
struct Outcome {
  DecisionKind kind = DecisionKind::kBlock;
  // Of the severity of `kind`, by rule number. Empty where only the
  // platform's default decided.
  std::vector<Hit> hits;
  // All of them, of whatever severity, in no particular order.
  std::vector<Hit> all_hits;
  // Of the limits whose condition is true, in the order of reasons.
  std::vector<LimitDraw> limit_draws;

  Verdict verdict() const {
    return {.kind = kind, .hits = hits, .limit_draws = limit_draws};
  }
};

// Computes one request's values, and decides by looking at every rule. Views
// program and facts; may be used again for other facts. Not thread-safe.
class Evaluator {
 public:
  explicit Evaluator(const DecisionProgram& program);
  Evaluator(const DecisionProgram& program, const Facts& facts);

  // Forgets all values: from now on they are those of `facts`.
  void Reset(const Facts& facts);

  // Applies every rule of the layers that concern the request, as written and
  // without an index.
  // REQUIRES: the type is known and nothing was found not to fit.
  Outcome Run();

  // Returns whether an assert is about this request.
  // REQUIRES: as Run.
  bool IsAbout(const ProgramAssert& item);

  // Returns what an instruction gives that reads no bound variable, or none
  // that Bind did not give a value to.
  Value Get(int32_t id);

  // Gives a bound variable its value and returns the one before, for whoever
  // walks the body of a loop from outside. Loops put back what they change.
  Value Bind(int32_t variable, const Value& value);

  // Sets what a memo holds for the rest of this request.
  void Remember(int32_t memo, const Value& value) {
    memos_[static_cast<size_t>(memo)] = {value, epoch_};
  }

  // Fills in what the limit draws, whatever `draw` held. Returns why that
  // can't be held against it, kNone where it can, and then whether it is
  // exceeded.
  Fault Draw(const ProgramRule& rule, LimitDraw* draw, bool* is_exceeded) const;

 private:
  // A value, and the evaluation that it belongs to.
  struct Memo {
    Value value;
    uint32_t epoch = 0;
  };

  DecisionKind RunLayer(const ProgramLayer& layer, std::vector<Hit>* hits);
  // Adds the rule to `hits` if it applies or faults, and raises `kind`.
  void RunRule(int32_t id, std::vector<Hit>* hits,
               std::optional<DecisionKind>* kind);

  Value Compute(const Instruction& instruction);
  Value Variable(const Instruction& instruction) const;
  Value Coalesce(const Instruction& instruction);
  // Kleene `and` or `or`; `decisive` is the operand that settles it.
  Value Junction(const Instruction& instruction, int64_t decisive);
  Value Quantify(const Instruction& instruction);
  // The part of Quantify that gives `variable` each item of `list`.
  Value Loop(const Instruction& instruction, const Value& list,
             Value& variable);
  Value Sum(const Instruction& instruction);
  Value Scan(const Instruction& instruction);
  Value Unary(const Instruction& instruction, const Value& operand);
  Value Binary(const Instruction& instruction, const Value& left,
               const Value& right);
  Value Arithmetic(Code code, int64_t left, int64_t right) const;
  Value InList(const Instruction& instruction, const Value& item,
               const Value& list) const;
  // Returns the text in lower case, kept until the next Reset.
  Value Lower(absl::string_view text);

  int32_t child(const Instruction& instruction, int number) const {
    return program_
        .children[static_cast<size_t>(instruction.first_child + number)];
  }

  const DecisionProgram& program_;
  const Facts* facts_ = nullptr;
  std::vector<Memo> memos_;  // by Instruction::memo
  uint32_t epoch_ = 0;
  std::vector<Value> variables_;
  TextArena texts_;
  std::vector<std::pair<int32_t, LimitDraw>> draws_;  // by place
};

// Returns what an operator makes of an operand that is not there.
inline Value HandOn(const Value& operand) {
  return operand.state == Value::State::kFault
             ? operand
             : Value::Faulted(Fault::kMissing);
}

}  // namespace sgl

#endif  // POLICY_EVAL_EVALUATOR_H_
