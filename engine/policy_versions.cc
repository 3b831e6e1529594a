#include "engine/policy_versions.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/sha256.h"
#include "base/zone_loader.h"
#include "engine/built_in.h"
#include "engine/decider.h"
#include "engine/error.h"
#include "engine/policy_activation.h"
#include "engine/policy_files.h"
#include "engine/settlement.h"
#include "engine/text.h"
#include "storage/facts.h"
#include "storage/settlement.h"
#include "storage/submissions.h"
#include "storage/uuid.h"

namespace sgl::engine {
namespace {

// Another policy may become active while one is checked; twice in a row is
// unlikely, and then the caller may try.
constexpr int kAttemptsMax = 3;
// Layers read at once.
constexpr int kLayersPage = 50;
// Tenants that a refusal names.
constexpr size_t kNamedMax = 20;

absl::Status CheckText(absl::string_view field, absl::string_view text) {
  if (CharacterCount(text) > kDescriptionMax) {
    return BadField(field, absl::StrCat("at most ", kDescriptionMax,
                                        " characters are allowed"));
  }
  if (HasNul(text)) return BadField(field, "it holds a NUL character");
  return absl::OkStatus();
}

absl::Status PolicyNotFound(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kNotFound) return status;
  return Refusal(absl::StatusCode::kNotFound, "POLICY_NOT_FOUND",
                 "there is no such policy version");
}

absl::Status Active() {
  return Refusal(absl::StatusCode::kFailedPrecondition, "POLICY_ACTIVE",
                 "this version is active already");
}

storage::PolicyVersionFilter FilterOf(const storage::Principal& principal,
                                      PolicyScope whose,
                                      const PolicyName& name) {
  return {.tenant_id = whose == PolicyScope::kTenant ? principal.tenant_id : "",
          .id = name.id,
          .digest = name.digest,
          .only_active = name.id.empty() && name.digest.empty()};
}

absl::Status CheckName(const PolicyName& name) {
  if (HasNul(name.digest)) return BadField("digest", "it is no digest");
  if (name.id.empty() && name.digest.empty()) {
    return BadField("digest", "which version? A digest or an id is required");
  }
  return absl::OkStatus();
}

// Everything that a repeat must repeat; what is replaced is ours to say.
std::string BodyHash(const PolicyActivationRequest& request,
                     const std::string& digest) {
  return Sha256Hex(absl::StrCat(kPolicyActivate, " ", digest, " ",
                                request.allow_broken_layers, " ",
                                request.rationale));
}

// Whose request ids these are.
const std::string& RequesterOf(const storage::Principal& principal) {
  return principal.user_id.empty() ? principal.token_id : principal.user_id;
}

storage::NewIntent NewIntentOf(const storage::Principal& principal,
                               const PolicyActivationRequest& request,
                               const storage::PolicyVersion& version,
                               const std::string& replaces) {
  storage::NewIntent intent;
  intent.tenant_id = kSystemTenant;
  intent.principal_id = RequesterOf(principal);
  intent.request_id = absl::AsciiStrToLower(request.request_id);
  intent.body_sha256 = BodyHash(request, version.set.digest);
  intent.intent_type = kPolicyActivate;
  intent.payload = PolicyActivationPayload(
      {.digest = version.set.digest, .replaces = replaces});
  intent.payload_sha256 = Sha256Hex(intent.payload);
  intent.requested_by = principal.name;
  intent.title = absl::StrCat("Activate policy ", version.set.digest);
  intent.rationale =
      request.rationale.empty() ? version.description : request.rationale;
  intent.submitted_by_token = principal.token_id;
  intent.audit =
      MakeEntry("INTENT_SUBMITTED", storage::AuditLevel::kInfo,
                absl::StrCat(R"({"request_id":")", intent.request_id,
                             R"(","payload_sha256":")", intent.payload_sha256,
                             R"(","body_sha256":")", intent.body_sha256,
                             R"(","token_id":")", principal.token_id, "\"}"));
  intent.audit.actor = ActorOf(principal);
  return intent;
}

absl::Status RequestIdReused(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kAlreadyExists) return status;
  return Refusal(absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED",
                 "this request_id was used with another body; make a new one");
}

bool HoldsPolicyRole(const storage::Principal& principal) {
  return std::binary_search(principal.roles.begin(), principal.roles.end(),
                            kPolicyRole);
}

}  // namespace

PolicyScope ResolveScope(const storage::Principal& principal,
                         PolicyScope whose) {
  if (whose != PolicyScope::kCallers) return whose;
  return principal.tenant_id == kSystemTenant ? PolicyScope::kPlatform
                                              : PolicyScope::kTenant;
}

absl::Status CheckPolicyRole(const storage::Principal& principal,
                             PolicyScope whose) {
  if (whose == PolicyScope::kPlatform && principal.tenant_id != kSystemTenant) {
    return Refusal(absl::StatusCode::kPermissionDenied, "NOT_SYSTEM_TENANT",
                   "the platform's policy is for members of the system tenant");
  }
  if (whose == PolicyScope::kTenant && principal.tenant_id == kSystemTenant) {
    return BadField("scope", "the system tenant has no layer of its own");
  }
  if (principal.kind == storage::PrincipalKind::kOperator ||
      HoldsPolicyRole(principal)) {
    return absl::OkStatus();
  }
  return Refusal(absl::StatusCode::kPermissionDenied, "ROLE_MISSING",
                 "this takes the role `policy` in your tenant");
}

PolicyVersions::PolicyVersions(storage::Database* db, Policies* policies,
                               const ExecutorRegistry* executors)
    : db_(db), policies_(policies), executors_(executors) {}

absl::StatusOr<VersionSources> PolicyVersions::FilesOf(
    const CallScope& scope, PolicyScope whose,
    std::vector<SourceFile> sources) const {
  VersionSources files{.sources = std::move(sources)};
  if (whose == PolicyScope::kPlatform) return files;
  files.tenant_slug = scope.principal().tenant_slug;
  const std::shared_ptr<const ActivePolicy> active = policies_->active();
  if (active == nullptr) return NoActivePolicy();
  files.platform = active->sources;
  return files;
}

absl::StatusOr<CheckedVersion> PolicyVersions::CheckFiles(
    const CallScope& scope, const VersionSources& files) {
  const absl::Status fit = CheckVersionFiles(files);
  if (!fit.ok()) return fit;
  const absl::StatusOr<CheckTurns::Turn> turn =
      turns_.Take(scope.principal().tenant_id);
  if (!turn.ok()) return turn.status();
  CheckedVersion checked =
      CheckVersion(files, [&scope] { return !scope.CheckAlive().ok(); });
  if (checked.is_stopped) return scope.CheckAlive();
  return checked;
}

absl::StatusOr<CheckedVersion> PolicyVersions::Check(
    const CallScope& scope, PolicyScope whose,
    std::vector<SourceFile> sources) {
  const PolicyScope resolved = ResolveScope(scope.principal(), whose);
  const absl::StatusOr<VersionSources> files =
      FilesOf(scope, resolved, std::move(sources));
  if (!files.ok()) return files.status();
  return CheckFiles(scope, *files);
}

absl::StatusOr<Proposal> PolicyVersions::Propose(
    const CallScope& scope, PolicyScope whose, std::vector<SourceFile> sources,
    const std::string& description) {
  const storage::Principal& principal = scope.principal();
  const PolicyScope resolved = ResolveScope(principal, whose);
  absl::Status status = CheckPolicyRole(principal, resolved);
  if (status.ok()) status = CheckText("description", description);
  if (!status.ok()) return status;
  const absl::StatusOr<VersionSources> files =
      FilesOf(scope, resolved, std::move(sources));
  if (!files.ok()) return files.status();
  absl::StatusOr<CheckedVersion> checked = CheckFiles(scope, *files);
  if (!checked.ok()) return checked.status();
  Proposal proposal;
  proposal.checked = *std::move(checked);
  if (proposal.checked.program == nullptr) return proposal;

  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {principal.tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  const std::string tenant_id =
      resolved == PolicyScope::kTenant ? principal.tenant_id : "";
  const std::string& digest = proposal.checked.digest;
  const absl::StatusOr<bool> stored =
      storage::ProposePolicy(*tx, {.tenant_id = tenant_id,
                                   .set = SetOf(digest, files->sources),
                                   .author = principal.name,
                                   .actor = ActorOf(principal),
                                   .description = description,
                                   .report = ReportJson(proposal.checked)});
  if (!stored.ok()) return stored.status();
  absl::StatusOr<storage::PolicyVersion> version = storage::GetPolicyVersion(
      *tx, {.tenant_id = tenant_id, .digest = digest});
  if (!version.ok()) return version.status();
  status = scope.CheckAlive();
  if (!status.ok()) return status;
  status = tx->Commit();
  if (!status.ok()) return status;
  proposal.version = *std::move(version);
  proposal.existed = !*stored;
  return proposal;
}

absl::StatusOr<storage::PolicyVersion> PolicyVersions::Get(
    const CallScope& scope, PolicyScope whose, const PolicyName& name) {
  const storage::Principal& principal = scope.principal();
  if (HasNul(name.digest)) return BadField("digest", "it is no digest");
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {principal.tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  absl::StatusOr<storage::PolicyVersion> version = storage::GetPolicyVersion(
      *tx, FilterOf(principal, ResolveScope(principal, whose), name));
  if (!version.ok()) return PolicyNotFound(version.status());
  return version;
}

absl::StatusOr<std::vector<storage::PolicyVersion>> PolicyVersions::List(
    const CallScope& scope, PolicyScope whose,
    const std::optional<storage::PageCursor>& after, int limit) {
  const storage::Principal& principal = scope.principal();
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {principal.tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  storage::PolicyVersionFilter filter =
      FilterOf(principal, ResolveScope(principal, whose), {});
  filter.only_active = false;
  return storage::ListPolicyVersions(*tx, filter, after, limit);
}

absl::StatusOr<RequestedActivation> PolicyVersions::Activate(
    const CallScope& scope, PolicyScope whose,
    const PolicyActivationRequest& request) {
  const storage::Principal& principal = scope.principal();
  const PolicyScope resolved = ResolveScope(principal, whose);
  absl::Status status = CheckPolicyRole(principal, resolved);
  if (status.ok()) status = CheckName(request.name);
  if (status.ok()) status = CheckText("rationale", request.rationale);
  if (!status.ok()) return status;
  if (resolved == PolicyScope::kPlatform) return AskForVotes(scope, request);
  // The database asks again, for who the member is now.
  if (principal.user_id.empty() || !HoldsPolicyRole(principal)) {
    return Refusal(absl::StatusCode::kPermissionDenied, "ROLE_MISSING",
                   "a tenant's policy is activated by a member of it who holds "
                   "the role `policy`");
  }
  return ActivateLayer(scope, request.name);
}

absl::Status PolicyVersions::CheckActivatable(
    const CallScope& scope, const storage::PolicyVersion& version,
    const std::vector<SourceFile>& platform) {
  const absl::StatusOr<CheckTurns::Turn> turn =
      turns_.Take(scope.principal().tenant_id);
  if (!turn.ok()) return turn.status();
  const std::string obstacle = WhyNotActivatable(
      version, version.tenant_id.empty() ? "" : scope.principal().tenant_slug,
      platform, [&scope] { return !scope.CheckAlive().ok(); });
  const absl::Status alive = scope.CheckAlive();
  if (!alive.ok()) return alive;
  if (version.tenant_id.empty()) {
    policies_->NoteObstacle(version.set.digest, obstacle);
  }
  if (obstacle.empty()) return absl::OkStatus();
  return Refusal(absl::StatusCode::kFailedPrecondition, "POLICY_REFUSED",
                 absl::StrCat("this version can't be activated: ", obstacle));
}

// Tries the version with the layers of all tenants that have one.
absl::Status PolicyVersions::CheckLayers(
    const CallScope& scope, const storage::PolicyVersion& version) {
  const absl::StatusOr<CheckTurns::Turn> turn =
      turns_.Take(scope.principal().tenant_id);
  if (!turn.ok()) return turn.status();
  const std::vector<SourceFile> platform = SourcesOf(version.set);
  std::vector<std::string> broken;
  std::string after;
  for (int tried = 0; tried < kLayersTriedMax; tried += kLayersPage) {
    absl::StatusOr<storage::Transaction> tx =
        db_->Begin({.tenants = {kSystemTenant},
                    .statement_timeout = scope.StatementTimeout()});
    if (!tx.ok()) return tx.status();
    const absl::StatusOr<std::vector<storage::ActiveLayer>> layers =
        storage::AllActiveLayers(*tx, after, kLayersPage);
    if (!layers.ok()) return layers.status();
    tx->Rollback();
    for (const storage::ActiveLayer& layer : *layers) {
      const absl::Status alive = scope.CheckAlive();
      if (!alive.ok()) return alive;
      std::vector<SourceFile> all = SourcesOf(layer.set);
      all.insert(all.end(), platform.begin(), platform.end());
      const Compilation compilation = Compile(all, LoadZones(ZonesNamed(all)));
      if (compilation.program == nullptr) broken.push_back(layer.tenant_slug);
    }
    if (static_cast<int>(layers->size()) < kLayersPage) break;
    after = layers->back().tenant_id;
  }
  if (broken.empty()) return absl::OkStatus();
  const size_t count = broken.size();
  std::sort(broken.begin(), broken.end());
  if (count > kNamedMax) broken.resize(kNamedMax);
  return Refusal(
      absl::StatusCode::kFailedPrecondition, "LAYERS_BREAK",
      absl::StrCat(
          "the active layers of ", count, count == 1 ? " tenant" : " tenants",
          " don't compile with this version: ", absl::StrJoin(broken, ", "),
          count > kNamedMax ? ", ..." : "",
          "; with allow_broken_layers they are blocked until "
          "they have one that does"));
}

absl::StatusOr<RequestedActivation> PolicyVersions::AskForVotes(
    const CallScope& scope, const PolicyActivationRequest& request) {
  const storage::Principal& principal = scope.principal();
  if (!storage::IsUuid(request.request_id)) {
    return BadField("request_id", request.request_id.empty()
                                      ? "a UUID that you make is required"
                                      : "it is no UUID");
  }
  absl::StatusOr<storage::PolicyVersion> version =
      Get(scope, PolicyScope::kPlatform, request.name);
  if (!version.ok()) return version.status();
  {
    absl::StatusOr<storage::Transaction> tx =
        db_->Begin({.tenants = {kSystemTenant},
                    .statement_timeout = scope.StatementTimeout()});
    if (!tx.ok()) return tx.status();
    absl::StatusOr<std::optional<storage::IntentRow>> earlier =
        storage::FindSubmission(
            *tx, {.tenant_id = kSystemTenant,
                  .principal_id = RequesterOf(principal),
                  .request_id = absl::AsciiStrToLower(request.request_id),
                  .body_sha256 = BodyHash(request, version->set.digest)});
    if (!earlier.ok()) return RequestIdReused(earlier.status());
    if (earlier->has_value()) {
      return RequestedActivation{.version = *std::move(version),
                                 .intent = **std::move(earlier)};
    }
  }
  if (version->is_active) return Active();
  absl::Status status = CheckActivatable(scope, *version, {});
  if (status.ok() && !request.allow_broken_layers) {
    status = CheckLayers(scope, *version);
  }
  if (!status.ok()) return status;
  absl::StatusOr<storage::IntentRow> row =
      SubmitActivation(scope, request, *version);
  if (!row.ok()) return RequestIdReused(row.status());
  return RequestedActivation{.version = *std::move(version),
                             .intent = *std::move(row)};
}

// Stores the intent and, unless the kill switch is set, opens its memo in the
// same transaction: no worker is needed, and no active policy.
absl::StatusOr<storage::IntentRow> PolicyVersions::SubmitActivation(
    const CallScope& scope, const PolicyActivationRequest& request,
    const storage::PolicyVersion& version) {
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {kSystemTenant},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<std::string> active = storage::GetActiveDigest(*tx);
  if (!active.ok()) return active.status();
  const storage::NewIntent intent =
      NewIntentOf(scope.principal(), request, version, *active);
  absl::StatusOr<storage::InsertOutcome> inserted =
      storage::InsertIntent(*tx, intent);
  if (!inserted.ok()) return inserted.status();
  if (inserted->repeated) return std::move(inserted->row);
  const absl::StatusOr<std::optional<storage::IntentRow>> row =
      storage::ClaimOneDraft(*tx, inserted->row.id);
  if (!row.ok()) return row.status();
  if (row->has_value()) {
    const std::vector<std::string> tenants = {kSystemTenant};
    const absl::StatusOr<storage::Facts> facts =
        storage::ReadFacts(*tx, tenants, {});
    if (!facts.ok()) return facts.status();
    const storage::Settlement settlement =
        SettleDecided(**row, Decide(nullptr, **row, *facts), *executors_);
    const absl::Status settled =
        storage::SettleIntents(*tx, "", {&settlement, 1});
    if (!settled.ok()) return settled;
  }
  absl::StatusOr<storage::IntentRow> stored =
      storage::GetIntent(*tx, inserted->row.id);
  if (!stored.ok()) return stored.status();
  absl::Status status = scope.CheckAlive();
  if (status.ok()) status = tx->Commit();
  if (!status.ok()) return status;
  return stored;
}

absl::StatusOr<RequestedActivation> PolicyVersions::ActivateLayer(
    const CallScope& scope, const PolicyName& name) {
  absl::StatusOr<storage::PolicyVersion> version =
      Get(scope, PolicyScope::kTenant, name);
  if (!version.ok()) return version.status();
  if (version->is_active) return Active();
  absl::Status status = absl::AbortedError("");
  for (int attempt = 0; attempt < kAttemptsMax && absl::IsAborted(status);
       ++attempt) {
    status = TryActivateLayer(scope, *version);
    // Here it holds at once; others hear of it.
    const absl::Status reloaded = policies_->Reload();
    if (!reloaded.ok()) LogWarn("reload the policy: {}", reloaded.ToString());
  }
  if (!status.ok()) return status;
  version = Get(scope, PolicyScope::kTenant, {.id = version->id});
  if (!version.ok()) return version.status();
  return RequestedActivation{.version = *std::move(version), .intent = {}};
}

// Checks the layer against the platform's active set, then makes sure that it
// is the active one still, and stays it until the commit.
absl::Status PolicyVersions::TryActivateLayer(
    const CallScope& scope, const storage::PolicyVersion& version) {
  const std::shared_ptr<const ActivePolicy> active = policies_->active();
  if (active == nullptr) return NoActivePolicy();
  absl::Status status = CheckActivatable(scope, version, active->sources);
  if (!status.ok()) return status;
  const std::string& tenant_id = scope.principal().tenant_id;
  absl::StatusOr<storage::Transaction> tx = db_->Begin(
      {.tenants = {tenant_id}, .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<std::string> platform =
      storage::LockTenantPolicy(*tx, tenant_id);
  if (!platform.ok()) return platform.status();
  if (*platform != active->digest) {
    return absl::AbortedError("another policy of the platform is active");
  }
  const absl::StatusOr<storage::ActivationOutcome> outcome =
      storage::ActivateTenantPolicy(*tx, tenant_id, version.set.digest,
                                    scope.principal().user_id);
  if (!outcome.ok()) return outcome.status();
  if (*outcome == storage::ActivationOutcome::kUnchanged) return Active();
  if (*outcome != storage::ActivationOutcome::kActivated) {
    return Refusal(absl::StatusCode::kPermissionDenied, "ROLE_MISSING",
                   "a tenant's policy is activated by a member of it who holds "
                   "the role `policy`");
  }
  status = scope.CheckAlive();
  if (!status.ok()) return status;
  return tx->Commit();
}

}  // namespace sgl::engine
