#include "engine/policies.h"

#include <absl/strings/str_cat.h>

#include <optional>
#include <utility>

#include "base/log.h"
#include "engine/error.h"
#include "engine/policy_files.h"
#include "storage/policies.h"

namespace sgl::engine {
namespace {

storage::PolicySet SetOf(const std::string& digest,
                         const std::vector<SourceFile>& sources) {
  storage::PolicySet set{.digest = digest};
  for (const SourceFile& source : sources) {
    set.sources.push_back({.name = source.name, .text = source.text});
  }
  return set;
}

std::vector<SourceFile> SourcesOf(const storage::PolicySet& set) {
  std::vector<SourceFile> sources;
  for (const storage::PolicySource& source : set.sources) {
    sources.push_back({.name = source.name, .text = source.text});
  }
  return sources;
}

absl::Status OtherPolicy(const std::string& active, const std::string& given) {
  return absl::FailedPreconditionError(absl::StrCat(
      "another policy is active: ", active, ", while --policy names ", given,
      "; leave --policy out to serve under the active one"));
}

}  // namespace

Policies::Policies(storage::Database* db) : db_(db) {}

std::shared_ptr<const ActivePolicy> Policies::active() const {
  MutexLock lock(mutex_);
  return active_;
}

void Policies::Replace(std::shared_ptr<const ActivePolicy> policy) {
  MutexLock lock(mutex_);
  active_ = std::move(policy);
}

absl::Status Policies::Reload() {
  MutexLock lock(reload_mutex_);
  return ReloadLocked();
}

absl::Status Policies::ReloadLocked() {
  absl::StatusOr<storage::Transaction> tx = db_->Begin({});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<std::string> digest = storage::GetActiveDigest(*tx);
  if (!digest.ok()) return digest.status();
  const std::shared_ptr<const ActivePolicy> before = active();
  if (before != nullptr && before->digest == *digest) return absl::OkStatus();
  if (digest->empty()) {
    Replace(nullptr);
    return absl::OkStatus();
  }
  if (*digest == broken_digest_) {
    return absl::FailedPreconditionError(
        absl::StrCat("active policy ", *digest, " does not compile here"));
  }
  absl::StatusOr<std::optional<storage::PolicySet>> set =
      storage::GetActivePolicy(*tx);
  if (!set.ok()) return set.status();
  if (!set->has_value()) return absl::OkStatus();  // Replaced meanwhile.
  tx->Rollback();
  absl::StatusOr<std::shared_ptr<const Program>> program =
      CompilePolicy(SourcesOf(**set));
  if (!program.ok()) {
    // Nothing may be decided under a set that is active no longer, so there
    // is no policy until this is mended.
    broken_digest_ = (*set)->digest;
    Replace(nullptr);
    return absl::FailedPreconditionError(
        absl::StrCat("active policy ", (*set)->digest,
                     " does not compile here:\n", program.status().message()));
  }
  LogInfo("policy {} is active", (*set)->digest);
  Replace(std::make_shared<const ActivePolicy>(
      ActivePolicy{.digest = (*set)->digest, .program = *std::move(program)}));
  return absl::OkStatus();
}

absl::Status NoActivePolicy() {
  return Refusal(absl::StatusCode::kFailedPrecondition, "NO_ACTIVE_POLICY",
                 "no policy is active; start intentd with --policy once");
}

absl::Status InstallPolicy(storage::Database& db,
                           const std::vector<SourceFile>& sources,
                           OnOtherPolicy on_other) {
  const absl::StatusOr<std::shared_ptr<const Program>> program =
      CompilePolicy(sources);
  if (!program.ok()) return program.status();
  const std::string& digest = (*program)->set_digest();

  absl::StatusOr<storage::Transaction> tx = db.Begin({});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<std::string> active = storage::GetActiveDigest(*tx);
  if (!active.ok()) return active.status();
  if (*active == digest) return absl::OkStatus();
  const bool replaces = !active->empty();
  if (replaces && on_other == OnOtherPolicy::kRefuse) {
    return OtherPolicy(*active, digest);
  }
  absl::Status status =
      storage::StorePolicy(*tx, SetOf(digest, sources), "intentd --policy");
  if (!status.ok()) return status;
  // Two engines may start at once with different sets; the first one wins.
  status = storage::ActivatePolicy(*tx, digest,
                                   replaces ? storage::Activation::kReplace
                                            : storage::Activation::kFirstOnly,
                                   {.external_id = "intentd"});
  if (!status.ok()) return status;
  return tx->Commit();
}

}  // namespace sgl::engine
