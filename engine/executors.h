// Which executor each intent type has: what happens when a decision says go.
//
//   absl::StatusOr<ExecutorRegistry> executors =
//       ExecutorRegistry::FromText("executors.textproto", text);
//   if (executors->Find("BANK_TRANSFER") == ExecutorKind::kNone) ...
//
// A type without one is never EXECUTED: it fails, loudly, with NO_EXECUTOR.
// Effects are built in (engine/effects); the deployment's file adds the others,
// and says for types of any kind which budgets their spend draws on.

#ifndef ENGINE_EXECUTORS_H_
#define ENGINE_EXECUTORS_H_

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/effects/registry.h"

namespace intent::v1 {
class ExecutorSet;
class JobExecutor;
}  // namespace intent::v1

namespace sgl::engine {

enum class ExecutorKind {
  // No executor: the intent fails.
  kNone,
  // The decision is the product; the agent acts after it reads EXECUTED.
  kRecord,
  // A change of the database in the transaction that settles the intent.
  kEffect,
  // A worker leases a job for it and ends it.
  kJob,
};

// How a type whose executor is a job is handed to workers.
struct JobSettings {
  std::string job_type = {};
  int32_t priority = 0;
  int32_t max_retries = 0;
  // The integration whose token comes with a lease. Empty: none.
  std::string provider = {};
};

// Returns `none`, `record`, `effect` or `job`.
absl::string_view ExecutorKindName(ExecutorKind kind);

// Immutable after construction, so thread-safe.
class ExecutorRegistry {
 public:
  // Types that one deployment can declare; beyond that the file is a mistake.
  static constexpr int kExecutorsMax = 100'000;
  // As `integrations.provider` has it.
  static constexpr size_t kProviderMax = 100;
  // As long as an intent type.
  static constexpr size_t kJobTypeMax = 200;
  // What is tried so often and fails waits for a human, not for the 11th try:
  // with doubling waits that one would come three hours after the first.
  static constexpr int32_t kMaxRetriesMax = 10;
  static constexpr int32_t kMaxRetriesDefault = 3;

  // Makes the registry that a file in protobuf text format states (message
  // intent.v1.ExecutorSet). INVALID_ARGUMENT names the file, and the line
  // where there is one: text that does not parse, a type twice or one that
  // has an effect, an executor without a type or kind, a job out of bounds, two
  // caps for one job type, a spend that names no type, no category of the
  // ledger or a type twice.
  static absl::StatusOr<ExecutorRegistry> FromText(absl::string_view file,
                                                   absl::string_view text);

  // Makes the registry of `intentd dev`: every type without an effect
  // records, those named have no executor.
  static ExecutorRegistry RecordAllBut(const std::vector<std::string>& types);

  // Returns this registry with all types recording that it doesn't name, for
  // `intentd dev`.
  ExecutorRegistry RecordingOthers() &&;

  ExecutorKind Find(absl::string_view intent_type) const;

  // Returns the types that have a kind of their own, sorted.
  std::vector<std::pair<std::string, ExecutorKind>> Named() const;

  const EffectRegistry& effects() const { return *effects_; }

  // REQUIRES: Find says kJob.
  const JobSettings& JobOf(absl::string_view intent_type) const;

  // Returns how many jobs of a type one tenant may have running at once, zero
  // for any number; nothing for a job type that no executor names.
  std::optional<int32_t> RunningMax(absl::string_view job_type) const;

  // Returns the intent types whose executor has this job type and names a
  // provider, each with it. A view into the registry.
  std::span<const std::pair<std::string, std::string>> ProvidersOf(
      absl::string_view job_type) const;

  // Returns the category of the budgets that the spend of a type's intents
  // draws on, as the ledger has it; empty where it draws on none.
  absl::string_view SpendCategory(absl::string_view intent_type) const;
  const absl::flat_hash_map<std::string, std::string>& spend_categories()
      const {
    return spend_categories_;
  }

  // Returns the types that spend, but are none of `intent_types`; sorted.
  std::vector<std::string> UnknownSpends(
      const std::vector<std::string>& intent_types) const;

  // Returns those of `intent_types` that have no executor, in their order.
  std::vector<std::string> Missing(
      const std::vector<std::string>& intent_types) const;

 private:
  // Knows the effects and nothing else.
  ExecutorRegistry();

  // Notes what types' spend draws on. Returns what is wrong, or OK.
  absl::Status AddSpends(const intent::v1::ExecutorSet& set);

  // Notes the job of an executor. Returns what is wrong with it, or OK.
  absl::Status AddJob(const std::string& intent_type,
                      const intent::v1::JobExecutor& job);

  // What types that are not named have.
  ExecutorKind default_kind_ = ExecutorKind::kNone;
  absl::flat_hash_map<std::string, ExecutorKind> kinds_;
  std::shared_ptr<const EffectRegistry> effects_;
  // Of the intent types whose kind is kJob.
  absl::flat_hash_map<std::string, JobSettings> jobs_;
  // By job type; zero for no limit.
  absl::flat_hash_map<std::string, int32_t> running_max_;
  // By job type: intent types with their providers.
  absl::flat_hash_map<std::string,
                      std::vector<std::pair<std::string, std::string>>>
      providers_;
  // By intent type.
  absl::flat_hash_map<std::string, std::string> spend_categories_;
};

}  // namespace sgl::engine

#endif  // ENGINE_EXECUTORS_H_
