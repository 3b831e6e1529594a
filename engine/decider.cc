#include "engine/decider.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/sha256.h"
#include "engine/built_in.h"
#include "engine/json_text.h"
#include "engine/payload_map.h"

namespace sgl::engine {
namespace {

// Times go to the microsecond, like PostgreSQL's.
std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone());
}

// What a row's payload is good for.
struct PayloadReading {
  // As in Deliberation.
  std::string unreadable = {};
  // What the rules see: the payload, or `{}` where it is no object.
  absl::string_view payload = {};
  std::vector<FieldViolation> violations = {};
};

PayloadReading ReadPayload(const storage::IntentRow& row) {
  // What came over gRPC passed the same bounds before it was stored. Nobody
  // else stores an exact text: a trigger drops what another writer says there.
  if (row.adopted) return {.payload = row.payload};
  if (row.payload_unreadable) {
    return {.unreadable =
                "the payload is too large, too deep or holds numbers too "
                "long to be read"};
  }
  const absl::Status bounds = CheckPayloadBounds(row.payload);
  if (bounds.ok()) return {.payload = row.payload};
  // A list or a bare value is JSON that can be read, and that no intent type
  // takes.
  const absl::string_view text = absl::StripLeadingAsciiWhitespace(row.payload);
  if (!text.empty() && text.front() != '{' &&
      CheckPayloadBounds(absl::StrCat("{\"payload\":", text, "}")).ok()) {
    return {.payload = "{}",
            .violations = {{"payload", "expected a JSON object"}}};
  }
  return {.unreadable = std::string(bounds.message())};
}

DataClass DataClassOf(const std::string& name) {
  if (name.empty()) return DataClass::kNone;
  const std::optional<DataClass> data_class = DataClassFromName(name);
  // INVARIANT: the column's constraint allows these names only.
  SGL_CHECK(data_class.has_value()) << name;
  return *data_class;
}

TenantFacts TenantFactsOf(const storage::IntentRow& row,
                          const storage::Facts& facts) {
  TenantFacts tenant;
  tenant.id = row.tenant_id;
  const auto found = facts.tenants.find(row.tenant_id);
  if (found == facts.tenants.end()) return tenant;
  tenant.slug = found->second.slug;
  tenant.seat = SeatFromName(found->second.seat).value_or(Seat::kFreeBeta);
  for (const std::string& provider : found->second.connected) {
    tenant.connected.push_back(provider);
  }
  return tenant;
}

AgentFacts AgentFactsOf(const storage::IntentRow& row,
                        const storage::Facts& facts) {
  AgentFacts agent;
  agent.id = row.agent_id;
  const auto found = facts.agents.find(row.agent_id);
  if (found == facts.agents.end() || found->second.tenant_id != row.tenant_id) {
    return agent;
  }
  const storage::AgentRecord& record = found->second;
  agent.known = true;
  agent.name = record.name;
  agent.role = record.role;
  agent.status = record.status;
  agent.tier = record.tier;
  for (const std::string& label : record.labels) agent.labels.push_back(label);
  return agent;
}

// The category that the intent's spend draws on; empty for none.
std::string SpendCategoryOf(const storage::IntentRow& row,
                            const storage::Facts& facts) {
  const auto found = facts.spend_categories.find(row.intent_type);
  return found == facts.spend_categories.end() ? "" : found->second;
}

BudgetFacts BudgetFactsOf(const storage::SpendKey& key,
                          const storage::BudgetRecords& budgets) {
  BudgetFacts budget;
  const auto found = budgets.find(key);
  if (found == budgets.end()) return budget;
  budget.exists = true;
  budget.remaining_micros_usd = found->second.remaining_micros_usd;
  budget.limit_micros_usd = found->second.limit_micros_usd;
  return budget;
}

// `violations` is there where there are any.
void AppendViolations(const std::vector<FieldViolation>& violations,
                      std::string* out) {
  if (violations.empty()) return;
  absl::string_view separator = R"(,"violations":[)";
  for (const FieldViolation& violation : violations) {
    absl::StrAppend(out, separator, R"({"path":)");
    AppendJsonText(violation.path, out);
    absl::StrAppend(out, R"(,"message":)");
    AppendJsonText(violation.message, out);
    absl::StrAppend(out, "}");
    separator = ",";
  }
  absl::StrAppend(out, "]");
}

// What each limit had counted when the decision was made; nothing where that is
// no int64, or nobody read it.
void AppendLimits(const Request& request, const std::vector<LimitDraw>& draws,
                  std::string* out) {
  absl::StrAppend(out, R"(,"limits":[)");
  if (request.limit_totals == nullptr) {
    absl::StrAppend(out, "]");
    return;
  }
  absl::string_view separator = "";
  for (const LimitDraw& draw : draws) {
    absl::StrAppend(out, separator, R"({"layer":)");
    AppendJsonText(draw.layer, out);
    absl::StrAppend(out, R"(,"code":)");
    AppendJsonText(draw.code, out);
    absl::StrAppend(out, R"(,"per":")", LimitScopeName(draw.scope),
                    R"(","window_micros":)",
                    absl::ToInt64Microseconds(draw.window), R"(,"spend":)",
                    draw.is_spend ? "true" : "false", R"(,"subject":)");
    AppendJsonText(draw.subject, out);
    const std::optional<int64_t> counted =
        request.limit_totals->Total(draw, request.now);
    absl::StrAppend(out, R"(,"counted":)");
    if (counted.has_value()) {
      absl::StrAppend(out, *counted, "}");
    } else {
      absl::StrAppend(out, "null}");
    }
    separator = ",";
  }
  absl::StrAppend(out, "]");
}

// The category is there where the type has one, what the budget holds where
// there is one.
void AppendBudget(const BudgetFacts& budget, const std::string& category,
                  std::string* out) {
  absl::StrAppend(out, R"(,"budget":{"exists":)",
                  budget.exists ? "true" : "false");
  if (!category.empty()) {
    absl::StrAppend(out, R"(,"category":)");
    AppendJsonText(category, out);
  }
  if (budget.exists) {
    absl::StrAppend(out, R"(,"remaining_micros_usd":)",
                    budget.remaining_micros_usd, R"(,"limit_micros_usd":)",
                    budget.limit_micros_usd);
  }
  absl::StrAppend(out, "}");
}

std::string FactsJson(const Request& request, int32_t revision,
                      const Deliberation& deliberation) {
  const IntentFacts& intent = request.intent;
  const AgentFacts& agent = request.agent;
  const TenantFacts& tenant = request.tenant;
  std::string out =
      absl::StrCat(R"({"now":")", TimeText(request.now), R"(","intent":{)");
  const auto add = [&](absl::string_view name, absl::string_view text) {
    absl::StrAppend(&out, out.back() == '{' ? "\"" : ",\"", name, "\":");
    AppendJsonText(text, &out);
  };
  add("type", intent.type);
  absl::StrAppend(&out, R"(,"revision":)", revision, R"(,"spend_micros_usd":)",
                  intent.spend_micros_usd);
  add("data_class", DataClassName(intent.data_class));
  add("requested_by", intent.requested_by);
  add("created_at", TimeText(intent.created_at));
  absl::StrAppend(&out, R"(},"agent":{"known":)",
                  agent.known ? "true" : "false");
  add("id", agent.id);
  add("name", agent.name);
  add("role", agent.role);
  add("status", agent.status);
  absl::StrAppend(&out, R"(,"tier":)", agent.tier, R"(,"labels":)");
  AppendJsonTexts(agent.labels, &out);
  absl::StrAppend(&out, R"(},"tenant":{)");
  add("id", tenant.id);
  add("slug", tenant.slug);
  add("seat", SeatName(tenant.seat));
  absl::StrAppend(&out, R"(},"integrations":)");
  AppendJsonTexts(tenant.connected, &out);
  AppendBudget(request.budget, deliberation.spend_category, &out);
  AppendLimits(request, deliberation.decision.limit_draws, &out);
  AppendViolations(request.violations, &out);
  absl::StrAppend(&out, "}");
  return out;
}

// Fills in what a row that came by SQL leaves open.
void ApplyMap(const storage::IntentRow& row, Request* request,
              storage::Adoption* adoption) {
  const MappedFacts mapped = MapPayload(request->intent.payload);
  for (const FieldViolation& violation : mapped.violations) {
    // A column that the writer set stands for itself.
    const bool is_spend = violation.path == "payload.spendUsd";
    const bool is_class = violation.path == "payload.dataClass";
    if (is_spend && row.spend_micros_usd.has_value()) continue;
    if (is_class && !row.data_class.empty()) continue;
    if (!is_spend && !is_class && !row.requested_by.empty()) continue;
    request->violations.push_back(violation);
  }
  if (!row.spend_micros_usd.has_value()) {
    request->intent.spend_micros_usd = mapped.spend_micros_usd.value_or(0);
  }
  if (row.data_class.empty()) {
    request->intent.data_class = mapped.data_class.value_or(DataClass::kNone);
  }
  // Where something did not fit the columns stay as they were: what the rules
  // refused is not to be read as a spend of nothing.
  if (!request->violations.empty()) return;
  adoption->spend_micros_usd = request->intent.spend_micros_usd;
  adoption->data_class = std::string(DataClassName(request->intent.data_class));
  adoption->requested_by = row.requested_by.empty()
                               ? mapped.requested_by.value_or("")
                               : row.requested_by;
}

}  // namespace

std::optional<storage::Adoption> AdoptionOf(const storage::IntentRow& row) {
  if (row.adopted) return std::nullopt;
  const PayloadReading reading = ReadPayload(row);
  storage::Adoption adoption;
  if (row.payload_unreadable || !reading.unreadable.empty()) return adoption;
  adoption.payload = row.payload;
  adoption.payload_sha256 = Sha256Hex(row.payload);
  Request request;
  request.intent.payload = reading.payload;
  request.intent.spend_micros_usd = row.spend_micros_usd.value_or(0);
  request.intent.data_class = DataClassOf(row.data_class);
  request.violations = reading.violations;
  ApplyMap(row, &request, &adoption);
  return adoption;
}

namespace {

// What a tenant gets whose layer does not fit the platform's set.
Decision LayerBroken(const TenantPolicy& policy,
                     const std::string& tenant_slug) {
  Decision decision;
  decision.kind = DecisionKind::kBlock;
  decision.reasons.push_back(
      {.code = kLayerBroken,
       .message = absl::StrCat(
           "the tenant's own policy does not fit the platform's, so nothing "
           "is allowed until another version of it is active: ",
           policy.problem),
       .layer = absl::StrCat("tenant:", tenant_slug),
       .at = "",
       .field_violations = {}});
  decision.policy_digest = policy.digest;
  return decision;
}

}  // namespace

Decision DecideRequest(const TenantPolicy& policy, const Request& request) {
  if (policy.program != nullptr) return Evaluate(*policy.program, request);
  return LayerBroken(policy, std::string(request.tenant.slug));
}

namespace {

// Fills in decision and explanation. REQUIRES: the payload can be read.
void DecideOn(const TenantPolicy* policy_or_null, const Request& request,
              const storage::IntentRow& row, Deliberation* deliberation,
              Explanation* explanation_or_null) {
  std::optional<Decision> built_in =
      BuiltInDecision(row, request.intent.payload);
  if (built_in.has_value()) {
    deliberation->is_built_in = true;
    deliberation->decision = *std::move(built_in);
    return;
  }
  SGL_CHECK(policy_or_null != nullptr) << row.id;
  const TenantPolicy& policy = *policy_or_null;
  deliberation->platform_digest = policy.platform_digest;
  deliberation->layer_digest = policy.layer_digest;
  if (policy.program != nullptr) {
    const std::vector<std::string>& types = policy.program->intent_types();
    deliberation->is_type_named =
        std::binary_search(types.begin(), types.end(), row.intent_type);
  }
  if (explanation_or_null == nullptr || policy.program == nullptr) {
    deliberation->decision = DecideRequest(policy, request);
    return;
  }
  *explanation_or_null = Explain(*policy.program, request);
  deliberation->decision = explanation_or_null->decision;
}

Deliberation Deliberate(const TenantPolicy* policy_or_null,
                        const storage::IntentRow& row,
                        const storage::Facts& facts,
                        const ContestedFacts* contested_or_null,
                        Explanation* explanation_or_null) {
  Deliberation deliberation;
  Request request;
  request.intent.id = row.id;
  request.intent.type = row.intent_type;
  request.intent.spend_micros_usd = row.spend_micros_usd.value_or(0);
  request.intent.data_class = DataClassOf(row.data_class);
  request.intent.created_at = row.created_at;
  request.agent = AgentFactsOf(row, facts);
  request.tenant = TenantFactsOf(row, facts);
  deliberation.spend_category = SpendCategoryOf(row, facts);
  const storage::SpendKey spend_key = {.tenant_id = row.tenant_id,
                                       .category = deliberation.spend_category};
  request.budget = BudgetFactsOf(spend_key, facts.budgets);
  request.now = facts.now;
  if (contested_or_null != nullptr) {
    // Only what would be spent of is locked; of others the first reading holds.
    if (contested_or_null->budgets != nullptr &&
        contested_or_null->locked_budgets->contains(spend_key)) {
      request.budget = BudgetFactsOf(spend_key, *contested_or_null->budgets);
    }
    request.now = contested_or_null->now;
    request.limit_totals = contested_or_null->limit_totals;
  }
  deliberation.decided_at = request.now;

  PayloadReading reading = ReadPayload(row);
  request.intent.payload = reading.payload;
  request.violations = std::move(reading.violations);
  deliberation.unreadable = std::move(reading.unreadable);

  std::string requested_by = row.requested_by;
  if (!row.adopted) {
    storage::Adoption adoption;
    if (deliberation.unreadable.empty()) {
      adoption.payload = row.payload;
      adoption.payload_sha256 = Sha256Hex(row.payload);
      ApplyMap(row, &request, &adoption);
      if (requested_by.empty()) requested_by = adoption.requested_by;
    }
    deliberation.adoption = std::move(adoption);
  }
  request.intent.requested_by = requested_by;

  deliberation.agent_name =
      std::string(request.agent.known ? request.agent.name : request.agent.id);
  // People ask for what is built in.
  if (IsPolicyActivation(row)) deliberation.agent_name = requested_by;
  deliberation.spend_micros_usd = request.intent.spend_micros_usd;
  if (deliberation.unreadable.empty()) {
    DecideOn(policy_or_null, request, row, &deliberation, explanation_or_null);
  }
  deliberation.facts = FactsJson(request, row.revision, deliberation);
  return deliberation;
}

}  // namespace

Deliberation Decide(const TenantPolicy* policy_or_null,
                    const storage::IntentRow& row, const storage::Facts& facts,
                    const ContestedFacts* contested_or_null) {
  return Deliberate(policy_or_null, row, facts, contested_or_null, nullptr);
}

Deliberation DecideAndExplain(const TenantPolicy* policy_or_null,
                              const storage::IntentRow& row,
                              const storage::Facts& facts,
                              const ContestedFacts* contested_or_null,
                              Explanation* explanation) {
  return Deliberate(policy_or_null, row, facts, contested_or_null, explanation);
}

}  // namespace sgl::engine
