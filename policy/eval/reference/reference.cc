#include "policy/eval/reference/reference.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/sha256.h"
#include "policy/check/check.h"
#include "policy/diagnostics/diagnostic.h"
#include "policy/eval/reference/payload.h"
#include "policy/eval/reference/plain_values.h"
#include "policy/eval/reference/walker.h"
#include "policy/syntax/parser.h"

namespace sgl {
namespace {

using reference::Cell;
using reference::Walker;

// A rule that had something to say of a request, or a limit.
struct Voice {
  const CheckedRule* rule = nullptr;
  bool is_limit = false;
  DecisionKind kind = DecisionKind::kAllow;
  std::string fault;
};

std::string LayerName(const CheckedPolicy& policy, LayerId layer) {
  if (layer == LayerId::kPlatform) return "platform";
  return absl::StrCat("tenant:",
                      policy.layers[static_cast<size_t>(layer)].slug);
}

std::string ShowValue(const CheckedPolicy& policy, TypeId id,
                      const Cell& cell) {
  const Type& type = policy.types[id];
  switch (type.kind) {
    case TypeKind::kBool:
      return cell.number != 0 ? "true" : "false";
    case TypeKind::kInt:
      return std::to_string(cell.number);
    case TypeKind::kDecimal:
      return reference::DecimalText(cell.number);
    case TypeKind::kUsd:
      return reference::UsdText(cell.number);
    case TypeKind::kTimestamp:
      return reference::TimeText(cell.number);
    case TypeKind::kDuration:
      return reference::DurationText(cell.number);
    case TypeKind::kEnum:
      return type.members[static_cast<size_t>(cell.number)];
    default:
      return cell.text;
  }
}

Reason ReasonOf(const SourceSet& sources, const CheckedPolicy& policy,
                const Voice& voice, Walker& walker) {
  Reason reason;
  reason.layer = LayerName(policy, voice.rule->layer);
  reason.at = sources.Describe(voice.rule->code_span);
  if (!voice.fault.empty()) {
    reason.code = "EVALUATION_FAULT";
    reason.message =
        absl::StrCat(voice.is_limit ? "limit" : "rule", " `", voice.rule->code,
                     "` can't be evaluated: ", voice.fault);
    return reason;
  }
  reason.code = voice.rule->code;
  for (const MessagePart& part : voice.rule->message) {
    absl::StrAppend(&reason.message, part.text);
    if (part.node == NodeId::kNone) continue;
    const Cell cell = walker.Walk(part.node);
    SGL_CHECK(cell.is_present()) << "an unguarded value in a message";
    absl::StrAppend(&reason.message,
                    ShowValue(policy, policy.node(part.node).type, cell));
  }
  return reason;
}

// Asks one rule, or the rule part of a limit. Gives nothing where it is not
// about the request or its condition is false.
std::optional<Voice> Ask(const CheckedRule& rule, const Request& request,
                         Walker& walker) {
  const bool is_on =
      rule.on_all || std::count(rule.on.begin(), rule.on.end(),
                                std::string(request.intent.type)) > 0;
  if (!is_on) return std::nullopt;
  Voice voice;
  voice.rule = &rule;
  voice.kind = rule.kind;
  if (rule.condition == NodeId::kNone) return voice;
  const Cell condition = walker.Walk(rule.condition);
  if (condition.is_false()) return std::nullopt;
  if (!condition.is_present()) {
    voice.kind = DecisionKind::kBlock;
    voice.fault = condition.is_fault() ? condition.fault : "a value is missing";
  }
  return voice;
}

// Whom a limit counts for: `WHAT:SIZE:TEXT` of the tenant, and of the agent.
std::string Subject(const CheckedLimit& limit, const Request& request) {
  if (limit.scope == LimitScope::kPlatform) return "";
  const auto part = [](absl::string_view root, absl::string_view id,
                       absl::string_view other, absl::string_view name) {
    const absl::string_view text = id.empty() ? name : id;
    return absl::StrCat(root, ".", id.empty() ? other : "id", ":", text.size(),
                        ":", text);
  };
  std::string subject =
      part("tenant", request.tenant.id, "slug", request.tenant.slug);
  if (limit.scope == LimitScope::kAgent) {
    absl::StrAppend(
        &subject, " ",
        part("agent", request.agent.id, "name", request.agent.name));
  }
  return subject;
}

// Asks a limit: what it draws, and its voice where that is too much.
std::optional<Voice> AskLimit(const CheckedPolicy& policy,
                              const CheckedLimit& limit, const Request& request,
                              Walker& walker, std::vector<LimitDraw>* draws) {
  std::optional<Voice> voice = Ask(limit.rule, request, walker);
  if (!voice.has_value()) return voice;
  voice->is_limit = true;
  if (!voice->fault.empty()) return voice;
  LimitDraw draw;
  draw.layer = LayerName(policy, limit.rule.layer);
  draw.code = limit.rule.code;
  draw.scope = limit.scope;
  draw.subject = Subject(limit, request);
  draw.window = absl::Microseconds(limit.window);
  draw.is_spend = limit.is_spend;
  draw.amount = limit.is_spend ? request.intent.spend_micros_usd : 1;
  draw.amount_max = limit.amount_max;
  if (request.limit_totals == nullptr) {
    voice->fault = "what it counted before is not known here";
  } else {
    const auto before = request.limit_totals->Total(draw, request.now);
    int64_t total = 0;
    if (before.has_value() &&
        !__builtin_add_overflow(*before, draw.amount, &total)) {
      draw.total = total;
    } else {
      voice->fault = "a result lies outside its range";
    }
  }
  draws->push_back(draw);
  if (!voice->fault.empty()) {
    voice->kind = DecisionKind::kBlock;
    return voice;
  }
  if (*draw.total <= limit.amount_max) return std::nullopt;
  return voice;
}

// What one layer says: every voice, and the strictest of them or the default.
DecisionKind AskLayer(const CheckedPolicy& policy, LayerId layer,
                      const Request& request, Walker& walker,
                      std::vector<Voice>* voices,
                      std::vector<LimitDraw>* draws) {
  std::optional<DecisionKind> strictest;
  const auto hear = [&](const std::optional<Voice>& voice) {
    if (!voice.has_value()) return;
    voices->push_back(*voice);
    strictest = std::max(strictest.value_or(voice->kind), voice->kind);
  };
  for (const CheckedRule& rule : policy.rules) {
    if (rule.layer == layer) hear(Ask(rule, request, walker));
  }
  for (const CheckedLimit& limit : policy.limits) {
    if (limit.rule.layer != layer) continue;
    hear(AskLimit(policy, limit, request, walker, draws));
  }
  if (strictest.has_value()) return *strictest;
  if (layer != LayerId::kPlatform) return DecisionKind::kAllow;
  return policy.layers[0].default_decision.value_or(DecisionKind::kBlock);
}

// Highest risk, shortest deadline, and of the demands for the same roles the
// higher count.
void Demand(const std::vector<Voice>& voices, Decision* decision) {
  std::map<std::vector<std::string>, int64_t> counts;
  for (const Voice& voice : voices) {
    decision->risk = std::max<int64_t>(decision->risk, voice.rule->risk);
    for (const CheckedDemand& demand : voice.rule->approvals) {
      std::set<std::string> roles(demand.roles.begin(), demand.roles.end());
      int64_t& count = counts[{roles.begin(), roles.end()}];
      count = std::max<int64_t>(count, demand.count);
      if (!demand.within.has_value()) continue;
      const absl::Duration within = absl::Microseconds(*demand.within);
      if (!decision->within.has_value() || within < *decision->within) {
        decision->within = within;
      }
    }
  }
  if (counts.empty()) counts[{}] = 1;
  for (const auto& [roles, count] : counts) {
    decision->demands.push_back({count, roles});
  }
}

std::set<std::string> Paths(const Reason& reason) {
  std::set<std::string> paths;
  for (const FieldViolation& violation : reason.field_violations) {
    paths.insert(violation.path);
  }
  return paths;
}

// The decision without what the reference does not word, and with the draws of
// limits in one order.
Decision Unworded(Decision decision) {
  const auto name = [](const LimitDraw& draw) {
    return std::pair(draw.layer, draw.code);
  };
  std::sort(decision.limit_draws.begin(), decision.limit_draws.end(),
            [&](const LimitDraw& left, const LimitDraw& right) {
              return name(left) < name(right);
            });
  for (Reason& reason : decision.reasons) {
    if (reason.code != "INVALID_PAYLOAD") continue;
    reason.message.clear();
    reason.field_violations.clear();
  }
  return decision;
}

}  // namespace

ReferencePolicy::ReferencePolicy(SourceSet sources, CheckedPolicy policy,
                                 Zones zones)
    : sources_(std::move(sources)),
      policy_(std::move(policy)),
      zones_(std::move(zones)) {}

std::unique_ptr<const ReferencePolicy> ReferencePolicy::Create(
    std::span<const SourceFile> sources, const Zones& zones) {
  std::vector<SourceFile> files(sources.begin(), sources.end());
  std::stable_sort(files.begin(), files.end(),
                   [](const SourceFile& left, const SourceFile& right) {
                     return left.name < right.name;
                   });
  SourceSet set;
  Diagnostics diagnostics;
  std::vector<Ast> trees;
  for (const SourceFile& file : files) set.Add(file.name, file.text);
  for (int i = 0; i < set.size(); ++i) {
    trees.push_back(Parse(set, static_cast<FileId>(i), diagnostics));
  }
  CheckedPolicy policy = Check(set, trees, zones, diagnostics);
  if (diagnostics.error_count() > 0) return nullptr;
  return std::unique_ptr<const ReferencePolicy>(
      new ReferencePolicy(std::move(set), std::move(policy), zones));
}

Decision ReferencePolicy::Begin(const Request& request) const {
  const auto tenant = reference::TenantLayer(policy_, request.tenant.slug);
  std::set<std::pair<std::string, FileId>> hashes;
  for (const CheckedFile& file : policy_.files) {
    if (file.layer != LayerId::kPlatform && file.layer != tenant) continue;
    hashes.insert({Sha256Hex(sources_.text(file.file)), file.file});
  }
  std::string lines;
  for (const auto& [hash, file] : hashes) absl::StrAppend(&lines, hash, "\n");
  Decision decision;
  decision.policy_digest = absl::StrCat("sha256:", Sha256Hex(lines));
  decision.tzdata_version = zones_.tzdata_version;
  return decision;
}

Decision ReferencePolicy::Refusal(const Request& request,
                                  absl::string_view code) const {
  Decision decision = Begin(request);
  decision.kind = DecisionKind::kBlock;
  Reason& reason = decision.reasons.emplace_back();
  reason.code = std::string(code);
  reason.layer = "platform";
  return decision;
}

Decision ReferencePolicy::Evaluate(const Request& request) const {
  if (!reference::IsTypeKnown(policy_, request.intent.type)) {
    Decision decision = Refusal(request, "UNKNOWN_INTENT_TYPE");
    decision.reasons[0].message = absl::StrCat(
        "no policy declares the intent type `", request.intent.type, "`");
    return decision;
  }
  const reference::PayloadFacts payload =
      reference::ReadPayload(policy_, request);
  if (!payload.violations.empty()) {
    Decision decision = Refusal(request, "INVALID_PAYLOAD");
    decision.reasons[0].field_violations = payload.violations;
    return decision;
  }

  Walker walker(policy_, zones_, request, payload);
  std::vector<Voice> voices;
  std::vector<LimitDraw> draws;
  DecisionKind kind =
      AskLayer(policy_, LayerId::kPlatform, request, walker, &voices, &draws);
  const auto tenant = reference::TenantLayer(policy_, request.tenant.slug);
  if (tenant.has_value()) {
    kind = std::max(
        kind, AskLayer(policy_, *tenant, request, walker, &voices, &draws));
  }
  std::erase_if(voices, [&](const Voice& v) { return v.kind != kind; });
  std::sort(voices.begin(), voices.end(), [](const Voice& a, const Voice& b) {
    const Span left = a.rule->code_span;
    const Span right = b.rule->code_span;
    return left.file != right.file ? left.file < right.file
                                   : left.begin < right.begin;
  });

  Decision decision = Begin(request);
  decision.kind = kind;
  decision.limit_draws = std::move(draws);
  for (const Voice& voice : voices) {
    decision.reasons.push_back(ReasonOf(sources_, policy_, voice, walker));
  }
  if (voices.empty() && kind != DecisionKind::kAllow) {
    const Layer& platform = policy_.layers[0];
    Reason& reason = decision.reasons.emplace_back();
    reason.code = "DEFAULT";
    reason.message =
        absl::StrCat("no rule applies, and the default is ",
                     kind == DecisionKind::kReview ? "review" : "block");
    reason.layer = "platform";
    if (platform.default_decision.has_value()) {
      reason.at = sources_.Describe(platform.default_span);
    }
  }
  if (kind == DecisionKind::kReview) Demand(voices, &decision);
  return decision;
}

std::string AgreementError(const Decision& program, const Decision& reference) {
  if (Unworded(program) != Unworded(reference)) return "the decisions differ";
  for (size_t i = 0; i < program.reasons.size(); ++i) {
    // As many paths as a decision lists (kViolationsMax).
    constexpr size_t kListed = 100;
    const std::set<std::string> listed = Paths(program.reasons[i]);
    const std::set<std::string> all = Paths(reference.reasons[i]);
    const bool is_full = program.reasons[i].field_violations.size() >= kListed;
    const bool agree = is_full ? std::includes(all.begin(), all.end(),
                                               listed.begin(), listed.end())
                               : listed == all;
    if (!agree) return "the paths of what does not fit differ";
  }
  return "";
}

}  // namespace sgl
