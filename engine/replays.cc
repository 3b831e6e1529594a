#include "engine/replays.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <memory>
#include <optional>
#include <utility>

#include "base/sha256.h"
#include "engine/built_in.h"
#include "engine/decider.h"
#include "engine/error.h"
#include "engine/policy_files.h"
#include "engine/recorded_decision.h"
#include "engine/tenant_policy.h"
#include "storage/decisions.h"
#include "storage/intents.h"
#include "storage/policies.h"

namespace sgl::engine {
namespace {

// One of the few replays that run at once.
class Turn {
 public:
  explicit Turn(std::atomic<int>* replays)
      : replays_(replays),
        is_taken_(replays->fetch_add(1) < Replays::kReplaysMax) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { replays_->fetch_sub(1); }

  absl::Status status() const {
    if (is_taken_) return absl::OkStatus();
    return Refusal(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                   "other replays are running; try again");
  }

 private:
  std::atomic<int>* const replays_;
  const bool is_taken_;
};

absl::Status CannotTell(absl::string_view why) {
  return absl::FailedPreconditionError(why);
}

// The versions that decided one tenant's intents, each compiled once. Confined
// to one call.
class PastPolicies {
 public:
  using Found = absl::StatusOr<std::shared_ptr<const TenantPolicy>>;

  PastPolicies(storage::Transaction* tx,
               std::shared_ptr<const ActivePolicy> active)
      : tx_(*tx), active_(std::move(active)) {}

  // FAILED_PRECONDITION, for the caller: a version is not there any more, or
  // does not compile here.
  Found Find(const RecordedDecision& recorded, const std::string& tenant_id) {
    const std::string key =
        absl::StrCat(recorded.platform_digest, " ", recorded.layer_digest);
    const auto known = compiled_.find(key);
    if (known != compiled_.end()) return known->second;
    Found found = Compile(std::string(recorded.platform_digest),
                          std::string(recorded.layer_digest), tenant_id,
                          std::string(recorded.request.tenant.slug));
    if (found.ok()) compiled_.emplace(key, *found);
    return found;
  }

 private:
  Found Compile(const std::string& platform_digest,
                const std::string& layer_digest, const std::string& tenant_id,
                const std::string& tenant_slug) {
    const bool is_active =
        active_ != nullptr && active_->digest == platform_digest;
    if (is_active && layer_digest.empty()) return active_->plain;
    PolicyFileSet platform{.digest = platform_digest};
    if (is_active) {
      platform.sources = active_->sources;
    } else {
      const absl::StatusOr<std::optional<storage::PolicySet>> set =
          storage::GetOnceActivePolicy(tx_, platform_digest);
      if (!set.ok()) return set.status();
      if (!set->has_value()) {
        return CannotTell(absl::StrCat("the platform's version ",
                                       platform_digest, " is not there"));
      }
      platform.sources = SourcesOf(**set);
    }
    if (SetDigest(platform.sources) != platform_digest) {
      return CannotTell(absl::StrCat("the stored files of ", platform_digest,
                                     " are not those of that digest"));
    }
    if (layer_digest.empty()) return CompilePlatform(platform);
    const absl::StatusOr<storage::PolicyVersion> layer =
        storage::GetPolicyVersion(
            tx_, {.tenant_id = tenant_id, .digest = layer_digest});
    if (absl::IsNotFound(layer.status())) {
      return CannotTell(
          absl::StrCat("the tenant's version ", layer_digest, " is not there"));
    }
    if (!layer.ok()) return layer.status();
    const PolicyFileSet own{.digest = layer_digest,
                            .sources = SourcesOf(layer->set)};
    return std::make_shared<const TenantPolicy>(
        CompileTenantPolicy(platform, own, tenant_slug));
  }

  static Found CompilePlatform(const PolicyFileSet& platform) {
    const absl::StatusOr<std::shared_ptr<const Program>> program =
        CompilePolicy(platform.sources);
    if (!program.ok()) {
      return CannotTell(absl::StrCat("the platform's version ", platform.digest,
                                     " does not compile here"));
    }
    return std::make_shared<const TenantPolicy>(
        TenantPolicy{.program = *program, .platform_digest = platform.digest});
  }

  storage::Transaction& tx_;
  const std::shared_ptr<const ActivePolicy> active_;
  absl::flat_hash_map<std::string, std::shared_ptr<const TenantPolicy>>
      compiled_;
};

std::string CodesOf(const Decision& decision) {
  std::vector<std::string> codes;
  for (const Reason& reason : decision.reasons) codes.push_back(reason.code);
  return absl::StrJoin(codes, ", ");
}

std::string DemandsOf(const Decision& decision) {
  std::vector<std::string> demands;
  for (const ApprovalDemand& demand : decision.demands) {
    demands.push_back(absl::StrCat(
        demand.count, " from ",
        demand.roles.empty() ? "anybody" : absl::StrJoin(demand.roles, "|")));
  }
  return absl::StrJoin(demands, ", ");
}

std::string WithinOf(const Decision& decision) {
  return decision.within.has_value() ? absl::FormatDuration(*decision.within)
                                     : "no expiry";
}

// Says what is not the same; what limits had counted is a fact of both.
std::vector<std::string> Differences(const Decision& recorded,
                                     const Decision& replayed) {
  std::vector<std::string> found;
  const auto compare = [&](absl::string_view what, const std::string& before,
                           const std::string& after) {
    if (before == after) return;
    found.push_back(
        absl::StrCat(what, ": recorded ", before, ", replayed ", after));
  };
  compare("decision", std::string(DecisionKindName(recorded.kind)),
          std::string(DecisionKindName(replayed.kind)));
  compare("reasons", CodesOf(recorded), CodesOf(replayed));
  compare("risk", absl::StrCat(recorded.risk), absl::StrCat(replayed.risk));
  compare("approvals", DemandsOf(recorded), DemandsOf(replayed));
  compare("expiry", WithinOf(recorded), WithinOf(replayed));
  compare("policy", recorded.policy_digest, replayed.policy_digest);
  for (size_t i = 0; i < recorded.reasons.size() && found.empty(); ++i) {
    if (recorded.reasons[i] == replayed.reasons[i]) continue;
    const Reason& reason = recorded.reasons[i];
    compare(absl::StrCat("reason ", reason.code),
            absl::StrCat(reason.message, " (", reason.at, ")"),
            absl::StrCat(replayed.reasons[i].message, " (",
                         replayed.reasons[i].at, ")"));
    if (found.empty()) {
      found.push_back(
          absl::StrCat("reason ", reason.code, ": its fields differ"));
    }
  }
  // Only a cause: rules that no zone matters to decide alike.
  if (!found.empty()) {
    compare("time-zone data", recorded.tzdata_version, replayed.tzdata_version);
  }
  return found;
}

// What decides the same again where no policy did.
absl::StatusOr<Decision> BuiltInAgain(const RecordedDecision& recorded,
                                      const storage::DecisionRecord& record) {
  storage::IntentRow row;
  row.tenant_id = record.tenant_id;
  row.intent_type = std::string(recorded.request.intent.type);
  std::optional<Decision> decision =
      BuiltInDecision(row, recorded.request.intent.payload);
  if (!decision.has_value() || recorded.policy_digest != kBuiltInDigest) {
    return CannotTell(absl::StrCat("it was decided by `",
                                   recorded.policy_digest,
                                   "`, which this build does not have"));
  }
  return *std::move(decision);
}

// Fills in the rest of `replay`. FAILED_PRECONDITION: why it can't be told.
absl::Status TakeAgain(const storage::DecisionRecord& record,
                       PastPolicies* past, RecordedDecisionReader* reader,
                       DecisionReplay* replay) {
  const absl::StatusOr<const RecordedDecision*> read =
      reader->Read({.intent_id = record.intent_id,
                    .meta = record.meta,
                    .payload = record.payload});
  if (!read.ok()) return read.status();
  const RecordedDecision& recorded = **read;
  replay->revision = recorded.revision;
  replay->decided_at = recorded.request.now;
  replay->platform_digest = std::string(recorded.platform_digest);
  replay->layer_digest = std::string(recorded.layer_digest);
  if (Sha256Hex(record.payload) != recorded.payload_sha256) {
    return CannotTell(absl::StrCat("the stored payload of revision ",
                                   recorded.revision,
                                   " is not the one that was decided"));
  }
  absl::StatusOr<Decision> whole = DecisionOfMeta(record.meta);
  if (!whole.ok()) return whole.status();
  if (recorded.platform_digest.empty()) {
    absl::StatusOr<Decision> again = BuiltInAgain(recorded, record);
    if (!again.ok()) return again.status();
    replay->replayed = *std::move(again);
  } else {
    const PastPolicies::Found policy = past->Find(recorded, record.tenant_id);
    if (!policy.ok()) return policy.status();
    replay->replayed = DecideRequest(**policy, recorded.request);
  }
  replay->recorded = *std::move(whole);
  replay->differences = Differences(replay->recorded, replay->replayed);
  replay->request_line = RequestLineOf(recorded);
  return absl::OkStatus();
}

}  // namespace

Replays::Replays(storage::Database* db, Policies* policies)
    : db_(db), policies_(policies) {}

absl::StatusOr<std::vector<DecisionReplay>> Replays::ReplayIntent(
    const CallScope& scope, const std::string& intent_id) {
  const Turn turn(&replays_);
  if (!turn.status().ok()) return turn.status();
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {scope.principal().tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<std::vector<storage::DecisionRecord>> records =
      storage::ListDecisions(*tx, intent_id);
  if (absl::IsNotFound(records.status())) {
    return Refusal(absl::StatusCode::kNotFound, "INTENT_NOT_FOUND",
                   "there is no intent with this id");
  }
  if (!records.ok()) return records.status();
  if (records->empty()) {
    return Refusal(absl::StatusCode::kFailedPrecondition, "NOT_DECIDED",
                   "no decision was made on this intent");
  }
  PastPolicies past(&*tx, policies_->active());
  RecordedDecisionReader reader;
  std::vector<DecisionReplay> replays;
  bool can_tell = false;
  for (const storage::DecisionRecord& record : *records) {
    const absl::Status alive = scope.CheckAlive();
    if (!alive.ok()) return alive;
    DecisionReplay& replay = replays.emplace_back();
    replay.transition_number = record.transition_number;
    const absl::Status done = TakeAgain(record, &past, &reader, &replay);
    if (!done.ok() && !absl::IsFailedPrecondition(done)) return done;
    replay.problem = std::string(done.message());
    can_tell |= done.ok();
  }
  if (can_tell) return replays;
  return Refusal(absl::StatusCode::kFailedPrecondition, "FACTS_NOT_RECORDED",
                 replays.back().problem);
}

}  // namespace sgl::engine
