// Which executor each intent type has: what happens when a decision says go.
//
//   absl::StatusOr<ExecutorRegistry> executors =
//       ExecutorRegistry::FromText("executors.textproto", text);
//   if (executors->Find("BANK_TRANSFER") == ExecutorKind::kNone) ...
//
// A type without one is never EXECUTED: it fails, loudly, with NO_EXECUTOR.
// Effects are built in (engine/effects); the deployment's file adds the others.

#ifndef ENGINE_EXECUTORS_H_
#define ENGINE_EXECUTORS_H_

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/effects/registry.h"

namespace sgl::engine {

enum class ExecutorKind {
  // No executor: the intent fails.
  kNone,
  // The decision is the product; the agent acts after it reads EXECUTED.
  kRecord,
  // A change of the database in the transaction that settles the intent.
  kEffect,
};

// Returns `none`, `record` or `effect`.
absl::string_view ExecutorKindName(ExecutorKind kind);

// Immutable after construction, so thread-safe.
class ExecutorRegistry {
 public:
  // Types that one deployment can declare; beyond that the file is a mistake.
  static constexpr int kExecutorsMax = 100'000;

  // Makes the registry that a file in protobuf text format states (message
  // intent.v1.ExecutorSet). INVALID_ARGUMENT names the file, and the line
  // where there is one: text that does not parse, a type twice or one that
  // has an effect, an executor without a type or kind.
  static absl::StatusOr<ExecutorRegistry> FromText(absl::string_view file,
                                                   absl::string_view text);

  // Makes the registry of `intentd dev`: every type without an effect
  // records, those named have no executor.
  static ExecutorRegistry RecordAllBut(const std::vector<std::string>& types);

  ExecutorKind Find(absl::string_view intent_type) const;

  // Returns the types that have a kind of their own, sorted.
  std::vector<std::pair<std::string, ExecutorKind>> Named() const;

  const EffectRegistry& effects() const { return *effects_; }

  // Returns those of `intent_types` that have no executor, in their order.
  std::vector<std::string> Missing(
      const std::vector<std::string>& intent_types) const;

 private:
  // Knows the effects and nothing else.
  ExecutorRegistry();

  // What types that are not named have.
  ExecutorKind default_kind_ = ExecutorKind::kNone;
  absl::flat_hash_map<std::string, ExecutorKind> kinds_;
  std::shared_ptr<const EffectRegistry> effects_;
};

}  // namespace sgl::engine

#endif  // ENGINE_EXECUTORS_H_
