// Who may check a policy now. A check compiles and runs tests, so it takes a
// core and one of the few threads that serve calls for as long as it takes.
//
//   absl::StatusOr<CheckTurns::Turn> turn = turns.Take(principal.tenant_id);
//   if (!turn.ok()) return turn.status();
//   CheckVersion(files);  // The turn ends with its owner.
//
// No tenant can keep others from checking, and none of them the system tenant
// from mending the platform's policy.

#ifndef ENGINE_CHECK_TURNS_H_
#define ENGINE_CHECK_TURNS_H_

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>

#include <memory>
#include <string>

#include "base/mutex.h"

namespace sgl::engine {

// Thread-safe. Outlives its turns.
class CheckTurns {
 public:
  // At once, of all tenants.
  static constexpr int kTurnsMax = 3;
  // Of these, kept for the system tenant.
  static constexpr int kReserved = 1;
  // Of one tenant other than the system tenant.
  static constexpr int kTenantTurnsMax = 1;

  CheckTurns() = default;
  CheckTurns(const CheckTurns&) = delete;
  CheckTurns& operator=(const CheckTurns&) = delete;

  // One turn; given back at its end. Movable.
  class Turn {
   public:
    Turn(Turn&&) = default;
    Turn& operator=(Turn&&) = default;

   private:
    friend class CheckTurns;
    struct GiveBack {
      CheckTurns* turns;
      std::string tenant_id;
      void operator()(const void*) const { turns->End(tenant_id); }
    };
    Turn(CheckTurns* turns, const std::string& tenant_id)
        : held_(turns, GiveBack{turns, tenant_id}) {}

    std::unique_ptr<const void, GiveBack> held_;
  };

  // RESOURCE_EXHAUSTED (OVERLOADED) where no turn is free for this tenant.
  absl::StatusOr<Turn> Take(const std::string& tenant_id);

 private:
  void End(const std::string& tenant_id);

  Mutex mutex_;
  int taken_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<std::string, int> by_tenant_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sgl::engine

#endif  // ENGINE_CHECK_TURNS_H_
