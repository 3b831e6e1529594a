// The effects that are built in, and the check of a payload against what its
// effect declares.
//
//   const EffectRegistry effects;
//   const EffectDecl* decl = effects.Find("TICKET_OPEN");
//   const std::string why_not = effects.WhyNotFitting(*decl, payload);
//
// The declarations make up a policy of their own, so a payload means to an
// effect exactly what it means to the rules: no field has a default that
// nobody wrote down.

#ifndef ENGINE_EFFECTS_REGISTRY_H_
#define ENGINE_EFFECTS_REGISTRY_H_

#include <absl/container/flat_hash_map.h>
#include <absl/strings/string_view.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/effects/decl.h"
#include "policy/policy.h"

namespace sgl::engine {

// Immutable after construction, so thread-safe.
class EffectRegistry {
 public:
  EffectRegistry();
  EffectRegistry(const EffectRegistry&) = delete;
  EffectRegistry& operator=(const EffectRegistry&) = delete;

  // Returns null for a type that has no effect.
  const EffectDecl* Find(absl::string_view intent_type) const;

  // Returns all, by family: the order in which a batch's are applied.
  const std::vector<EffectDecl>& decls() const { return decls_; }

  // Returns what the agent must mend in the payload, naming the field; empty
  // where it fits. REQUIRES: `decl` is of this registry.
  std::string WhyNotFitting(const EffectDecl& decl,
                            absl::string_view payload) const;

 private:
  const std::vector<EffectDecl> decls_;
  absl::flat_hash_map<absl::string_view, const EffectDecl*> by_type_;
  std::shared_ptr<const Program> program_;
};

}  // namespace sgl::engine

#endif  // ENGINE_EFFECTS_REGISTRY_H_
