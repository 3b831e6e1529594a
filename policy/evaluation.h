// Deciding many requests by one program: what is decoded once is decided
// without allocating, and text is made only of decisions that are shown.
//
//   EvaluationContext context(program);         // one for each thread
//   for (const Request& request : requests) {
//     const ParsedRequest parsed(program, request);
//     const Verdict& verdict = Evaluate(program, parsed, context);
//     if (verdict.kind != DecisionKind::kAllow) {
//       Show(Render(program, parsed, verdict, context));
//     }
//   }
//
// Part of policy/policy.h, which callers include.

#ifndef POLICY_EVALUATION_H_
#define POLICY_EVALUATION_H_

#include <absl/functional/function_ref.h>

#include <cstddef>
#include <memory>
#include <span>

#include "policy/eval/decision.h"
#include "policy/eval/request.h"
#include "policy/eval/verdict.h"

namespace sgl {

class Program;
struct Facts;    // What rules read; internal to policy.
struct Scratch;  // What evaluations reuse; internal to policy.

// A request, decoded against a program: validated once, decided as often as
// one likes. Views the request and its texts, which must outlive it.
// Movable; immutable once made, but by a RequestReader, which reads the next
// request into it (policy/request_reader.h).
class ParsedRequest {
 public:
  // To be read into before it is decided.
  ParsedRequest();
  ParsedRequest(const Program& program, const Request& request);
  ParsedRequest(ParsedRequest&&) noexcept;
  ParsedRequest& operator=(ParsedRequest&&) noexcept;
  ~ParsedRequest();

  const Request& request() const;

  // For the policy layer itself.
  const Facts& facts() const { return *facts_; }

 private:
  friend class RequestReader;

  std::unique_ptr<Facts> facts_;
};

struct EvaluationOptions {
  // Off: every rule's condition is computed in full, as written. For tests of
  // the index.
  bool use_index = true;
};

// What one thread needs to evaluate one program again and again. It grows in
// the first evaluations and then no more. Confined to one thread; must not
// outlive the program.
class EvaluationContext {
 public:
  explicit EvaluationContext(const Program& program,
                             EvaluationOptions options = {});
  EvaluationContext(EvaluationContext&&) noexcept;
  EvaluationContext& operator=(EvaluationContext&&) noexcept;
  ~EvaluationContext();

  // For the policy layer itself.
  Scratch& scratch() { return *scratch_; }

 private:
  std::unique_ptr<Scratch> scratch_;
};

// Decides without making text. The verdict is the context's, valid until the
// context's next use; it views `parsed` too. Takes no lock and, once the
// context has grown, does not allocate.
//
// REQUIRES: `parsed` and `context` were made for `program`.
const Verdict& Evaluate(const Program& program, const ParsedRequest& parsed,
                        EvaluationContext& context);

// Returns the verdict as the decision that Evaluate(program, request) gives.
//
// REQUIRES: `verdict` is what `context` gave last, for `parsed`.
Decision Render(const Program& program, const ParsedRequest& parsed,
                const Verdict& verdict, EvaluationContext& context);

// Decides all requests, and calls `sink` with each one's number and verdict,
// in order. For replays and settlement: less a request than one at a time.
void EvaluateBatch(const Program& program,
                   std::span<const ParsedRequest> requests,
                   EvaluationContext& context,
                   absl::FunctionRef<void(size_t, const Verdict&)> sink);

}  // namespace sgl

#endif  // POLICY_EVALUATION_H_
