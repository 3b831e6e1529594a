#include "tests/differential/pair.h"

#include <absl/numeric/int128.h>
#include <absl/strings/str_cat.h>

#include <limits>

#include "base/zone_loader.h"
#include "policy/eval/reference/line.h"

namespace sgl::tests {
namespace {

Decision Decide(const Program& program, const Request& request,
                EvaluationContext& context) {
  const ParsedRequest parsed(program, request);
  const Verdict& verdict = Evaluate(program, parsed, context);
  return Render(program, parsed, verdict, context);
}

}  // namespace

std::optional<int64_t> PlainBooks::Total(const LimitDraw& draw,
                                         absl::Time now) const {
  absl::int128 total = 0;
  for (const auto& [time, entry] : entries_) {
    if (entry.layer == draw.layer && entry.code == draw.code &&
        entry.subject == draw.subject && time > now - draw.window &&
        time <= now) {
      total += entry.amount;
    }
  }
  if (total > std::numeric_limits<int64_t>::max()) return std::nullopt;
  return static_cast<int64_t>(total);
}

void PlainBooks::Count(const std::vector<LimitDraw>& draws, absl::Time now) {
  for (const LimitDraw& draw : draws) entries_.emplace_back(now, draw);
}

BothPolicies CompileBoth(std::span<const SourceFile> sources) {
  const Zones zones = LoadZones(ZonesNamed(sources));
  BothPolicies policies;
  Compilation compilation = Compile(sources, zones);
  policies.program = std::move(compilation.program);
  policies.diagnostics = std::move(compilation.rendered);
  policies.books = std::make_shared<PlainBooks>();
  policies.ledger = std::make_shared<LimitLedger>();
  policies.reference = ReferencePolicy::Create(sources, zones);
  if (policies.program != nullptr) {
    policies.indexed = std::make_shared<EvaluationContext>(*policies.program);
    policies.plain = std::make_shared<EvaluationContext>(
        *policies.program, EvaluationOptions{.use_index = false});
  }
  return policies;
}

std::string CompareOnLine(const BothPolicies& policies,
                          absl::string_view line) {
  const absl::StatusOr<RequestLine> read = RequestLine::Read(line);
  const auto reference_line = ReferenceLine::Read(line);
  if (read.ok() != (reference_line != nullptr)) {
    return absl::StrCat(
        "only one of the two reads the line as a request; the "
        "program: ",
        read.status().ToString(), "\n");
  }
  if (!read.ok()) return "";
  Request request = read->request();
  request.limit_totals = policies.ledger.get();
  const Decision program =
      Decide(*policies.program, request, *policies.indexed);
  const Decision scanned = Decide(*policies.program, request, *policies.plain);
  Request plain = reference_line->request();
  plain.limit_totals = policies.books.get();
  const Decision reference = policies.reference->Evaluate(plain);
  if (program.kind == DecisionKind::kAllow) {
    policies.ledger->Count(program.limit_draws, request.now);
  }
  if (reference.kind == DecisionKind::kAllow) {
    policies.books->Count(reference.limit_draws, plain.now);
  }
  if (program != scanned) {
    return absl::StrCat(
        "the index changes the decision\nwith:    ", DecisionToJson(program),
        "\nwithout: ", DecisionToJson(scanned), "\n");
  }
  const std::string difference = AgreementError(program, reference);
  if (difference.empty()) return "";
  return absl::StrCat(difference, "\nprogram:   ", DecisionToJson(program),
                      "\nreference: ", DecisionToJson(reference), "\n");
}

std::string OutcomeOnLine(const BothPolicies& policies,
                          absl::string_view line) {
  const absl::StatusOr<RequestLine> read = RequestLine::Read(line);
  if (!read.ok()) return "ERROR";
  Request request = read->request();
  request.limit_totals = policies.ledger.get();
  const Decision decision = Evaluate(*policies.program, request);
  std::string code;
  if (!decision.reasons.empty()) {
    code = decision.reasons[0].code;
    if (code.substr(0, 5) == "RULE_") code = "a rule";
  }
  return absl::StrCat(DecisionKindName(decision.kind), " ", code);
}

}  // namespace sgl::tests
