#include "engine/policy_activation.h"

#include <absl/strings/str_cat.h>

#include <nlohmann/json.hpp>
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

}  // namespace

std::string WhyNotActivatable(const storage::PolicyVersion& version,
                              const std::string& tenant_slug,
                              const std::vector<SourceFile>& platform,
                              const std::function<bool()>& must_stop) {
  const VersionSources files{.sources = SourcesOf(version.set),
                             .tenant_slug = tenant_slug,
                             .platform = platform};
  const CheckedVersion checked = CheckVersion(files, must_stop);
  if (checked.digest != version.set.digest) {
    return absl::StrCat(
        "the stored files are not those of the digest: they "
        "hash to ",
        checked.digest);
  }
  return checked.obstacle;
}

absl::StatusOr<Effect> ApplyPolicyActivation(storage::Transaction& tx,
                                             const storage::IntentRow& row,
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
  // Before the policy lock: nobody waits while it compiles.
  effect.refusal = WhyNotActivatable(*version, "", {});
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

absl::Status BreakGlass(storage::Transaction& tx, const std::string& digest,
                        const std::string& reason) {
  if (reason.empty()) {
    return absl::InvalidArgumentError("say why: a reason is required");
  }
  absl::Status status = tx.SetTenants({kSystemTenant});
  if (!status.ok()) return status;
  const absl::StatusOr<storage::PolicyVersion> version =
      storage::GetPolicyVersion(tx, {.digest = digest});
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
  return storage::ActivatePolicy(tx, digest, storage::Activation::kReplace,
                                 {.external_id = "break-glass"}, reason);
}

}  // namespace sgl::engine
