// Kill switches: the platform's, a tenant's, an agent's. Rows of system_state,
// which existing systems write too; a missing one means on, one that can't be
// understood means off.
//
//   absl::Status set = SetKillSwitch(tx, {.tenant_id = id}, {...});
//   if (set.ok()) set = tx.Commit();
//   if (set.ok()) set = AwaitSettlements(db);
//
// With its commit a switch holds for every claim, vote and settlement that
// begins. Those that began before hold a lock that AwaitSettlements waits for:
// once it returned OK, nothing is settled any more that the switch forbids.

#ifndef STORAGE_SWITCHES_H_
#define STORAGE_SWITCHES_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/audit.h"
#include "storage/database.h"
#include "storage/intents.h"

namespace sgl::storage {

// A switch's reason is read by people, in lists and logs; characters.
inline constexpr size_t kSwitchReasonMax = 1000;

enum class SwitchLevel : uint8_t { kPlatform, kTenant, kAgent };

// Returns `platform`, `tenant` or `agent`.
absl::string_view SwitchLevelName(SwitchLevel level);
std::optional<SwitchLevel> SwitchLevelFromName(absl::string_view name);

// Which switch: the platform's where both are empty, a tenant's where only the
// agent is.
struct SwitchTarget {
  std::string tenant_id = {};
  std::string agent_id = {};
};

// How it is to be.
struct SwitchSetting {
  bool engine_enabled = false;
  // Required; at most kSwitchReasonMax characters.
  std::string reason = {};
  Actor actor = {};
};

// A switch that was set at least once.
struct KillSwitch {
  // Made from its key; a place in lists.
  std::string id;
  SwitchLevel level = SwitchLevel::kPlatform;
  // Empty for the platform's; the slug and the agent's name also where there
  // is no such tenant or agent.
  std::string tenant_id;
  std::string tenant_slug;
  std::string agent_id;
  std::string agent_name;
  bool engine_enabled = true;
  // Of whoever made it what it is. Empty where nobody said.
  std::string reason;
  // `user:<id>`, `operator:<token id>`, or `sql:<role>` for one who wrote the
  // table itself.
  std::string set_by;
  // Since when it is on or off. Unset where it was never set, which lists
  // never show.
  std::optional<absl::Time> set_at;
};

// Sets the switch, with its KILL_SWITCH_SET entry, and the transaction's
// tenants to the one that it works on (the system tenant for the platform's).
// NOT_FOUND: the tenant has no such agent, or there is no such tenant.
// FAILED_PRECONDITION: no reason, or one that is too long.
absl::Status SetKillSwitch(Transaction& tx, const SwitchTarget& target,
                           const SwitchSetting& setting) noexcept;

// Waits for the settlements and votes that are under way, of this and of every
// other engine, up to the lock timeout: ABORTED where one doesn't end. New ones
// wait for that long, too. A transaction of its own.
absl::Status AwaitSettlements(Database& db) noexcept;

struct SwitchFilter {
  bool only_off = false;
  std::optional<SwitchLevel> level = {};
  // Empty: any.
  std::string tenant_id = {};
  std::string agent_id = {};
};

// Returns up to `limit` switches after the cursor, of the transaction's tenants
// (of all, for the system tenant) and the platform's; last set first.
absl::StatusOr<std::vector<KillSwitch>> ListKillSwitches(
    Transaction& tx, const SwitchFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_SWITCHES_H_
