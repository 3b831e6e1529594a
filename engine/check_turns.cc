#include "engine/check_turns.h"

#include <absl/status/status.h>

#include "base/check.h"
#include "engine/built_in.h"
#include "engine/error.h"

namespace sgl::engine {

absl::StatusOr<CheckTurns::Turn> CheckTurns::Take(
    const std::string& tenant_id) {
  const bool is_system = tenant_id == kSystemTenant;
  MutexLock lock(mutex_);
  const int free = kTurnsMax - taken_ - (is_system ? 0 : kReserved);
  const auto own = by_tenant_.find(tenant_id);
  if (!is_system && own != by_tenant_.end() && own->second >= kTenantTurnsMax) {
    return Refusal(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                   "another policy of this tenant is being checked; try again "
                   "when that is done");
  }
  if (free <= 0) {
    return Refusal(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                   "other policies are being checked; try again");
  }
  ++taken_;
  ++by_tenant_[tenant_id];
  return Turn(this, tenant_id);
}

void CheckTurns::End(const std::string& tenant_id) {
  MutexLock lock(mutex_);
  --taken_;
  const auto own = by_tenant_.find(tenant_id);
  SGL_CHECK(own != by_tenant_.end()) << tenant_id;
  if (--own->second == 0) by_tenant_.erase(own);
}

}  // namespace sgl::engine
