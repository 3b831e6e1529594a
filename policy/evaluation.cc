#include "policy/evaluation.h"

#include <optional>
#include <utility>

#include "policy/compile/program.h"
#include "policy/eval/evaluator.h"
#include "policy/eval/facts.h"
#include "policy/eval/render.h"
#include "policy/policy.h"

namespace sgl {

struct Scratch {
  std::optional<Evaluator> evaluator;
  Outcome outcome;
  Verdict verdict;
};

ParsedRequest::ParsedRequest(const Program& program, const Request& request)
    : facts_(
          std::make_unique<Facts>(DecodeFacts(program.compiled(), request))) {}

ParsedRequest::ParsedRequest() : facts_(std::make_unique<Facts>()) {}

ParsedRequest::ParsedRequest(ParsedRequest&&) noexcept = default;
ParsedRequest& ParsedRequest::operator=(ParsedRequest&&) noexcept = default;
ParsedRequest::~ParsedRequest() = default;

const Request& ParsedRequest::request() const { return *facts_->request; }

EvaluationContext::EvaluationContext(const Program&, EvaluationOptions)
    : scratch_(std::make_unique<Scratch>()) {}

EvaluationContext::EvaluationContext(EvaluationContext&&) noexcept = default;
EvaluationContext& EvaluationContext::operator=(EvaluationContext&&) noexcept =
    default;
EvaluationContext::~EvaluationContext() = default;

const Verdict& Evaluate(const Program& program, const ParsedRequest& parsed,
                        EvaluationContext& context) {
  Scratch& scratch = context.scratch();
  const Facts& facts = parsed.facts();
  scratch.verdict = {};
  if (!facts.is_type_known || !facts.violations.empty()) {
    scratch.verdict.is_refusal = true;
    return scratch.verdict;
  }
  scratch.evaluator.emplace(program.compiled(), facts);
  scratch.outcome = scratch.evaluator->Run();
  scratch.verdict.kind = scratch.outcome.kind;
  scratch.verdict.hits = scratch.outcome.hits;
  scratch.verdict.limit_draws = scratch.outcome.limit_draws;
  return scratch.verdict;
}

Decision Render(const Program& program, const ParsedRequest& parsed,
                const Verdict& verdict, EvaluationContext& context) {
  const DecisionProgram& compiled = program.compiled();
  if (verdict.is_refusal) return RenderRefusal(compiled, parsed.facts());
  Scratch& scratch = context.scratch();
  return RenderOutcome(compiled, parsed.facts(), scratch.outcome,
                       *scratch.evaluator);
}

void EvaluateBatch(const Program& program,
                   std::span<const ParsedRequest> requests,
                   EvaluationContext& context,
                   absl::FunctionRef<void(size_t, const Verdict&)> sink) {
  for (size_t i = 0; i < requests.size(); ++i) {
    sink(i, Evaluate(program, requests[i], context));
  }
}

}  // namespace sgl
