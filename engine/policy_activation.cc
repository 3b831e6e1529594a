#include "engine/policy_activation.h"

#include <absl/strings/str_cat.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/check.h"
#include "engine/built_in.h"
#include "engine/error.h"
#include "engine/policies.h"

namespace sgl::engine {
namespace {

// Why an activation that was approved did not happen.
std::string RefusalOf(storage::ActivationOutcome outcome) {
  switch (outcome) {
    case storage::ActivationOutcome::kActivated:
      return "";
    case storage::ActivationOutcome::kUnchanged:
      return "this version is active already";
    case storage::ActivationOutcome::kUnknown:
      return "no version with this digest is stored";
    case storage::ActivationOutcome::kReplaced:
      return "another version became active since the votes were asked for; "
             "ask again";
    case storage::ActivationOutcome::kUnapproved:
      return "fewer than two people who hold the role `policy`, and did not "
             "cause it, approved this revision";
    case storage::ActivationOutcome::kSwitchedOff:
    case storage::ActivationOutcome::kNotAnActivation:
    case storage::ActivationOutcome::kForbidden:
      break;
  }
  return "it is no open activation of the system tenant";
}

// Returns what is wrong with the files; empty where they are the digest's.
std::string CheckDigest(const storage::PolicyVersion& version) {
  const std::string digest = SetDigest(SourcesOf(version.set));
  if (digest == version.set.digest) return "";
  return absl::StrCat(
      "the stored files are not those of the digest: they hash to ", digest);
}

}  // namespace

std::string WhyNotActivatable(const storage::PolicyVersion& version,
                              const std::string& tenant_slug,
                              const std::vector<SourceFile>& platform,
                              const std::function<bool()>& must_stop) {
  const VersionSources files{.sources = SourcesOf(version.set),
                             .tenant_slug = tenant_slug,
                             .platform = platform};
  const std::string wrong = CheckDigest(version);
  return wrong.empty() ? CheckVersion(files, must_stop).obstacle : wrong;
}

absl::StatusOr<Effect> ApplyPolicyActivation(storage::Transaction& tx,
                                             const storage::IntentRow& row,
                                             Policies* policies,
                                             const std::string& last_voter) {
  SGL_CHECK(IsPolicyActivation(row)) << row.id;
  Effect effect{.executor = "policy_activation"};
  const absl::StatusOr<PolicyActivation> wanted =
      ReadPolicyActivation(row.payload);
  if (!wanted.ok()) {
    effect.refusal = std::string(wanted.status().message());
    return effect;
  }
  const absl::StatusOr<storage::PolicyVersion> version =
      storage::GetPolicyVersion(tx, {.digest = wanted->digest});
  if (version.status().code() == absl::StatusCode::kNotFound) {
    effect.refusal = RefusalOf(storage::ActivationOutcome::kUnknown);
    return effect;
  }
  if (!version.ok()) return version.status();
  // The row may have been changed since it was checked.
  effect.refusal = CheckDigest(*version);
  if (!effect.refusal.empty()) return effect;
  const std::optional<std::string> obstacle =
      policies->ObstacleOf(version->set);
  if (!obstacle.has_value()) {
    return absl::AbortedError("the version is to be checked first");
  }
  effect.refusal = *obstacle;
  if (!effect.refusal.empty()) return effect;
  const absl::StatusOr<storage::ActivationOutcome> outcome =
      storage::ActivateApprovedPolicy(tx, row.id, last_voter);
  if (!outcome.ok()) return outcome.status();
  if (*outcome == storage::ActivationOutcome::kSwitchedOff) {
    return Refusal(absl::StatusCode::kFailedPrecondition, "KILL_SWITCH",
                   "the kill switch is set; nothing is voted on until an "
                   "operator turns the engine on");
  }
  effect.refusal = RefusalOf(*outcome);
  if (!effect.refusal.empty()) return effect;
  const nlohmann::ordered_json output = {{"digest", wanted->digest},
                                         {"replaced", wanted->replaces}};
  effect.output = output.dump();
  return effect;
}

absl::Status BreakGlass(storage::Database& db, const std::string& digest,
                        const std::string& reason) {
  if (reason.empty()) {
    return absl::InvalidArgumentError("say why: a reason is required");
  }
  absl::StatusOr<storage::PolicyVersion> version =
      absl::UnknownError("not read");
  {
    absl::StatusOr<storage::Transaction> tx =
        db.Begin({.tenants = {kSystemTenant}});
    if (!tx.ok()) return tx.status();
    version = storage::GetPolicyVersion(*tx, {.digest = digest});
  }
  if (!version.ok()) return version.status();
  if (version->is_active) {
    return absl::FailedPreconditionError(
        absl::StrCat(digest, " is active already"));
  }
  const std::string obstacle = WhyNotActivatable(*version, "", {});
  if (!obstacle.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("this version can't be activated: ", obstacle));
  }
  absl::StatusOr<storage::Transaction> tx =
      db.Begin({.tenants = {kSystemTenant}});
  if (!tx.ok()) return tx.status();
  const absl::Status status =
      storage::ActivatePolicy(*tx, digest, storage::Activation::kReplace,
                              {.external_id = "break-glass"}, reason);
  return status.ok() ? tx->Commit() : status;
}

}  // namespace sgl::engine
