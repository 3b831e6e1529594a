// Kill switches as operators throw and read them. What they do is the
// database's (storage/switches.h): every claim, vote and settlement reads them
// in its own transaction.

#ifndef ENGINE_SWITCHES_H_
#define ENGINE_SWITCHES_H_

#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <vector>

#include "engine/call_scope.h"
#include "storage/database.h"
#include "storage/switches.h"

namespace sgl::engine {

// Which switch, as a caller names it.
struct SwitchName {
  storage::SwitchLevel level = storage::SwitchLevel::kPlatform;
  // A slug; empty for the caller's own. Not for the platform's.
  std::string tenant = {};
  // For an agent's: id or name.
  std::string agent = {};
};

struct SwitchOutcome {
  storage::KillSwitch kill_switch;
  // A settlement that began before it was off is still under way otherwise.
  bool settlements_ended = true;
};

// Thread-safe. Borrows the database.
class Switches {
 public:
  explicit Switches(storage::Database* db) : db_(db) {}

  // Sets the switch; where it is off then, waits for the settlements under way.
  absl::StatusOr<SwitchOutcome> Set(const CallScope& scope,
                                    const SwitchName& name, bool engine_enabled,
                                    const std::string& reason);

  // Returns the switch; one that was never set is on, without a time.
  absl::StatusOr<storage::KillSwitch> Get(const CallScope& scope,
                                          const SwitchName& name);

  // Returns up to `limit` that were ever set, last set first: the platform's
  // and those of the caller's tenant, for platform operators all, or those of
  // the tenant that is named.
  absl::StatusOr<std::vector<storage::KillSwitch>> List(
      const CallScope& scope, bool only_off, const std::string& tenant,
      const std::optional<storage::PageCursor>& after, int limit);

 private:
  storage::Database* const db_;
};

}  // namespace sgl::engine

#endif  // ENGINE_SWITCHES_H_
