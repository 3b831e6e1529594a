// Expressions and values of a program as SGL spells them, for explanations.
//
// An expression is written from the compiled form, so that the text does not
// hang on where the expression was first written: consts and defs appear as
// what they stand for, long sets are cut, and a loop's variable is `item`
// (`item2` inside another loop).
//
// Internal to the policy layer.

#ifndef POLICY_EVAL_EXPLAIN_TEXT_H_
#define POLICY_EVAL_EXPLAIN_TEXT_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <string>
#include <vector>

#include "policy/check/checked_policy.h"
#include "policy/compile/program.h"
#include "policy/eval/facts.h"

namespace sgl {

// Bytes of one expression and of one value shown. What is longer ends in `…`:
// an explanation points at a text, it does not repeat it.
inline constexpr size_t kExprTextBytesMax = 300;
inline constexpr size_t kValueTextBytesMax = 120;

// Returns `intent.spend`.
absl::string_view RootFieldName(RootField field);

// Returns `payload.address.zip` of a slot.
std::string SlotText(const DecisionProgram& program, int32_t slot);

// Returns `item`, or `item2` for the variable inside one loop.
std::string VariableText(int32_t variable);

// Returns the expression, cut at kExprTextBytesMax. `elements` says what the
// variables of the loops around it are bound to, by variable number.
std::string ExprText(const DecisionProgram& program, int32_t instruction,
                     const std::vector<TypeId>& elements);

// Returns the value: `$250`, `"text"`, `PII`, `3 items`, `missing`, or
// `fault: …`; cut at kValueTextBytesMax.
std::string ValueText(const DecisionProgram& program, TypeId type,
                      const Value& value);

// Returns text as an SGL string literal, cut at kValueTextBytesMax.
std::string QuotedText(absl::string_view text);

}  // namespace sgl

#endif  // POLICY_EVAL_EXPLAIN_TEXT_H_
