#include "engine/policy_replay.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "engine/built_in.h"
#include "engine/decider.h"
#include "engine/error.h"
#include "engine/policy_files.h"
#include "engine/text.h"
#include "storage/directory.h"
#include "storage/intents.h"
#include "storage/policies.h"

namespace sgl::engine {
namespace {

// Programs of tenants with a layer that are kept while following.
constexpr size_t kLayersMax = 256;
// The code of the reason where no rule gave a decision other than ALLOW.
constexpr char kDefault[] = "DEFAULT";
// As in the table of intents.
constexpr size_t kTypeCharactersMax = 200;

absl::Status Refused(const absl::Status& status) {
  return Refusal(
      absl::StatusCode::kFailedPrecondition, "POLICY_REFUSED",
      absl::StrCat("this version can't be tried: ", status.message()));
}

absl::Status CheckRequest(const PolicyReplayRequest& request) {
  if (request.name.id.empty() && request.name.digest.empty()) {
    return BadField("digest", "which version? A digest or an id is required");
  }
  if (request.end.has_value() && request.follows) {
    return BadField("end_time", "who follows reads without an end");
  }
  if (request.end.has_value() && *request.end <= request.start) {
    return BadField("end_time", "it must be after start_time");
  }
  if (request.examples_max < 0 ||
      request.examples_max > ReplayTally::kExamplesMax) {
    return BadField("max_examples",
                    absl::StrCat("0 to ", ReplayTally::kExamplesMax));
  }
  if (HasNul(request.intent_type) ||
      CharacterCount(request.intent_type) > kTypeCharactersMax) {
    return BadField("intent_type", "no intent type is named so");
  }
  return absl::OkStatus();
}

}  // namespace

PolicyReplay::PolicyReplay(storage::Database* db, std::atomic<int>* places,
                           const PolicyReplayRequest& request)
    : db_(db),
      places_(places),
      request_(request),
      tally_(request.examples_max) {}

PolicyReplay::~PolicyReplay() { places_->fetch_sub(1); }

absl::Status PolicyReplay::ListTenants(const CallScope& scope) {
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {kSystemTenant},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  absl::flat_hash_map<std::string, storage::DecisionCursor> known;
  for (Tenant& tenant : tenants_) {
    known.emplace(std::move(tenant.id), std::move(tenant.after));
  }
  tenants_.clear();
  std::optional<storage::PageCursor> after;
  while (true) {
    const absl::StatusOr<std::vector<storage::DirectoryTenant>> page =
        storage::ListTenants(*tx, {}, after, storage::kPageRowsMax);
    if (!page.ok()) return page.status();
    for (const storage::DirectoryTenant& tenant : *page) {
      const auto found = known.find(tenant.id);
      tenants_.push_back(
          {.id = tenant.id,
           .after = found == known.end()
                        ? storage::DecisionCursor{.created_at = request_.start}
                        : found->second});
    }
    if (static_cast<int>(page->size()) < storage::kPageRowsMax) break;
    after = storage::PageCursor{page->back().created_at, page->back().id};
  }
  return scope.CheckAlive();
}

absl::Status PolicyReplay::BeginRound(const CallScope& scope) {
  {
    absl::StatusOr<storage::Transaction> tx =
        db_->Begin({.tenants = {scope.principal().tenant_id},
                    .statement_timeout = scope.StatementTimeout()});
    if (!tx.ok()) return tx.status();
    const absl::StatusOr<absl::Time> now = storage::ReadNow(*tx);
    if (!now.ok()) return now.status();
    round_end_ = request_.follows ? *now - kLag
                                  : std::min(*now, request_.end.value_or(*now));
  }
  // Of the platform's version: whoever is a tenant by now.
  if (!platform_.digest.empty()) {
    const absl::Status listed = ListTenants(scope);
    if (!listed.ok()) return listed;
  }
  at_ = 0;
  Use(nullptr);
  is_in_round_ = true;
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const TenantPolicy>> PolicyReplay::PolicyOf(
    storage::Transaction& tx, const std::string& tenant_id) {
  if (platform_.digest.empty() || tenant_id == kSystemTenant) return candidate_;
  absl::StatusOr<std::vector<storage::ActiveLayer>> layers =
      storage::ActiveLayers(tx, {});
  if (!layers.ok()) return layers.status();
  if (layers->empty()) return candidate_;
  const std::string digest = layers->front().set.digest;
  const auto known = layers_.find(digest);
  if (known != layers_.end()) return known->second;
  layers = storage::ActiveLayers(tx, {digest});
  if (!layers.ok()) return layers.status();
  if (layers->empty()) return candidate_;
  const storage::ActiveLayer& layer = layers->front();
  auto policy = std::make_shared<const TenantPolicy>(CompileTenantPolicy(
      platform_, {.digest = layer.set.digest, .sources = SourcesOf(layer.set)},
      layer.tenant_slug));
  if (layers_.size() >= kLayersMax) layers_.clear();
  layers_.emplace(digest, policy);
  return policy;
}

void PolicyReplay::Use(std::shared_ptr<const TenantPolicy> policy) {
  // The context must not outlive its program.
  context_.reset();
  rules_.clear();
  policy_ = std::move(policy);
  if (policy_ == nullptr || policy_->program == nullptr) return;
  context_.emplace(*policy_->program);
  rules_ = policy_->program->rules();
}

bool PolicyReplay::IsPlainlySame(const RecordedDecision& recorded,
                                 const Verdict& verdict) const {
  // What a REVIEW demands is a part of it.
  if (verdict.is_refusal || verdict.kind != recorded.kind ||
      verdict.kind == DecisionKind::kReview) {
    return false;
  }
  if (verdict.hits.empty()) {
    if (verdict.kind == DecisionKind::kAllow) return recorded.rules.empty();
    return recorded.rules.size() == 1 && recorded.rules[0].code == kDefault;
  }
  if (verdict.hits.size() != recorded.rules.size()) return false;
  for (size_t i = 0; i < verdict.hits.size(); ++i) {
    const Hit& hit = verdict.hits[i];
    const RuleInfo& rule = rules_[static_cast<size_t>(hit.rule)];
    const RecordedDecision::Rule& before = recorded.rules[i];
    // Beside the platform's, only the tenant's own layer speaks.
    const bool is_of_platform = before.layer == "platform";
    if (hit.fault != Fault::kNone || rule.code != before.code ||
        (rule.layer == 0) != is_of_platform) {
      return false;
    }
  }
  return true;
}

void PolicyReplay::Decide(const std::string& tenant_id,
                          const storage::DecisionView& view) {
  const absl::StatusOr<const RecordedDecision*> read =
      reader_.Read({.intent_id = view.intent_id,
                    .meta = view.meta,
                    .payload = view.payload});
  // No policy decides what is built in.
  if (!read.ok() || (*read)->platform_digest.empty()) return tally_.Skip();
  const RecordedDecision& recorded = **read;
  position_ = recorded.request.now;
  const auto add = [&](const Decision& decision) {
    tally_.Add(recorded, decision,
               {.tenant_id = tenant_id,
                .intent_id = std::string(view.intent_id),
                .transition_number = view.transition_number});
  };
  if (policy_->program == nullptr) {
    return add(DecideRequest(*policy_, recorded.request));
  }
  const Program& program = *policy_->program;
  const ParsedRequest parsed(program, recorded.request);
  const Verdict& verdict = Evaluate(program, parsed, *context_);
  if (IsPlainlySame(recorded, verdict)) return tally_.AddSame();
  add(Render(program, parsed, verdict, *context_));
}

absl::StatusOr<ReplayProgress> PolicyReplay::Step(const CallScope& scope) {
  absl::Status status = scope.CheckAlive();
  // A role may be taken away while it runs.
  if (status.ok()) status = CheckPolicyRole(scope.principal(), request_.whose);
  if (status.ok() && !is_in_round_) status = BeginRound(scope);
  if (!status.ok()) return status;
  if (at_ < tenants_.size()) {
    Tenant& tenant = tenants_[at_];
    absl::StatusOr<storage::Transaction> tx =
        db_->Begin({.tenants = {tenant.id},
                    .statement_timeout = scope.StatementTimeout()});
    if (!tx.ok()) return tx.status();
    if (policy_ == nullptr) {
      absl::StatusOr<std::shared_ptr<const TenantPolicy>> policy =
          PolicyOf(*tx, tenant.id);
      if (!policy.ok()) return policy.status();
      Use(*std::move(policy));
    }
    storage::DecisionPage page{.after = tenant.after,
                               .end = round_end_,
                               .intent_type = request_.intent_type,
                               .limit = kPageRows};
    const absl::StatusOr<int> count = storage::ReadDecisions(
        *tx, &page,
        [&](const storage::DecisionView& view) { Decide(tenant.id, view); });
    if (!count.ok()) return count.status();
    tenant.after = std::move(page.after);
    if (*count < kPageRows) {
      ++at_;
      Use(nullptr);
    }
  }
  is_in_round_ = at_ < tenants_.size();
  return ReplayProgress{.is_caught_up = !is_in_round_,
                        .tenants_done = static_cast<int64_t>(at_),
                        .tenant_count = static_cast<int64_t>(tenants_.size()),
                        .position = position_};
}

PolicyReplays::PolicyReplays(storage::Database* db, Policies* policies,
                             PolicyVersions* versions)
    : db_(db), policies_(policies), versions_(versions) {}

absl::Status PolicyReplays::CompileCandidate(
    const CallScope& scope, PolicyScope whose,
    const storage::PolicyVersion& version, PolicyReplay* replay) {
  const storage::Principal& principal = scope.principal();
  PolicyFileSet files{.digest = version.set.digest,
                      .sources = SourcesOf(version.set)};
  if (whose == PolicyScope::kPlatform) {
    const absl::StatusOr<std::shared_ptr<const Program>> program =
        CompilePolicy(files.sources);
    if (!program.ok()) return Refused(program.status());
    replay->candidate_ = std::make_shared<const TenantPolicy>(
        TenantPolicy{.program = *program, .platform_digest = files.digest});
    replay->platform_ = std::move(files);
    return absl::OkStatus();
  }
  const std::shared_ptr<const ActivePolicy> active = policies_->active();
  if (active == nullptr) return NoActivePolicy();
  auto policy = std::make_shared<const TenantPolicy>(CompileTenantPolicy(
      {.digest = active->digest, .sources = active->sources}, files,
      principal.tenant_slug));
  if (policy->program == nullptr) {
    return Refused(absl::FailedPreconditionError(policy->problem));
  }
  replay->candidate_ = std::move(policy);
  replay->tenants_.push_back({.id = principal.tenant_id,
                              .after = {.created_at = replay->request_.start}});
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<PolicyReplay>> PolicyReplays::Begin(
    const CallScope& scope, const PolicyReplayRequest& request) {
  const PolicyScope whose = ResolveScope(scope.principal(), request.whose);
  absl::Status status = CheckPolicyRole(scope.principal(), whose);
  if (status.ok()) status = CheckRequest(request);
  if (!status.ok()) return status;
  const absl::StatusOr<storage::PolicyVersion> version =
      versions_->Get(scope, whose, request.name);
  if (!version.ok()) return version.status();
  if (places_.fetch_add(1) >= kReplaysMax) {
    places_.fetch_sub(1);
    return Refusal(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                   "other replays are running; try again");
  }
  PolicyReplayRequest resolved = request;
  resolved.whose = whose;
  // From here on it gives the place back.
  std::unique_ptr<PolicyReplay> replay(
      new PolicyReplay(db_, &places_, resolved));
  replay->digest_ = version->set.digest;
  status = CompileCandidate(scope, whose, *version, replay.get());
  if (!status.ok()) return status;
  return replay;
}

}  // namespace sgl::engine
