#include "policy/evaluation.h"

#include <utility>

#include "policy/compile/program.h"
#include "policy/eval/evaluator.h"
#include "policy/eval/facts.h"
#include "policy/eval/render.h"
#include "policy/eval/runner.h"
#include "policy/policy.h"

namespace sgl {

// One of the two ways to decide, and what it gave last.
struct Scratch {
  explicit Scratch(const DecisionProgram& program) : runner(program) {}

  Runner runner;
  bool use_index = true;
  Outcome outcome;  // without the index
  Verdict verdict;  // likewise, or a refusal
};

ParsedRequest::ParsedRequest(const Program& program, const Request& request)
    : facts_(
          std::make_unique<Facts>(DecodeFacts(program.compiled(), request))) {}

ParsedRequest::ParsedRequest() : facts_(std::make_unique<Facts>()) {}

ParsedRequest::ParsedRequest(ParsedRequest&&) noexcept = default;
ParsedRequest& ParsedRequest::operator=(ParsedRequest&&) noexcept = default;
ParsedRequest::~ParsedRequest() = default;

const Request& ParsedRequest::request() const { return *facts_->request; }

EvaluationContext::EvaluationContext(const Program& program,
                                     EvaluationOptions options)
    : scratch_(std::make_unique<Scratch>(program.compiled())) {
  scratch_->use_index = options.use_index;
}

EvaluationContext::EvaluationContext(EvaluationContext&&) noexcept = default;
EvaluationContext& EvaluationContext::operator=(EvaluationContext&&) noexcept =
    default;
EvaluationContext::~EvaluationContext() = default;

const Verdict& Evaluate(const Program&, const ParsedRequest& parsed,
                        EvaluationContext& context) {
  Scratch& scratch = context.scratch();
  const Facts& facts = parsed.facts();
  if (!facts.is_type_known || !facts.violations.empty()) {
    scratch.verdict = {.is_refusal = true};
    return scratch.verdict;
  }
  if (scratch.use_index) return scratch.runner.Run(facts);
  Evaluator& evaluator = scratch.runner.evaluator();
  evaluator.Reset(facts);
  scratch.outcome = evaluator.Run();
  scratch.verdict = scratch.outcome.verdict();
  return scratch.verdict;
}

Decision Render(const Program& program, const ParsedRequest& parsed,
                const Verdict& verdict, EvaluationContext& context) {
  const DecisionProgram& compiled = program.compiled();
  if (verdict.is_refusal) return RenderRefusal(compiled, parsed.facts());
  return RenderVerdict(compiled, parsed.facts(), verdict,
                       context.scratch().runner.evaluator());
}

void EvaluateBatch(const Program& program,
                   std::span<const ParsedRequest> requests,
                   EvaluationContext& context,
                   absl::FunctionRef<void(size_t, const Verdict&)> sink) {
  // Memory is asked for some requests ahead, each step in time for the next.
  constexpr size_t kStride = 2;
  const Runner& runner = context.scratch().runner;
  const size_t steps = runner.prefetch_steps();
  for (size_t i = 0; i < requests.size(); ++i) {
    for (size_t step = 0; step < steps; ++step) {
      const size_t ahead = i + kStride * (steps - step);
      if (ahead >= requests.size()) continue;
      runner.Prefetch(requests[ahead].facts(), step);
    }
    sink(i, Evaluate(program, requests[i], context));
  }
}

}  // namespace sgl
