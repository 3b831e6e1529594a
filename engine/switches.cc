#include "engine/switches.h"

#include <utility>

#include "base/log.h"
#include "engine/admin_scope.h"
#include "engine/error.h"
#include "engine/settlement.h"

namespace sgl::engine {
namespace {

using storage::KillSwitch;
using storage::SwitchLevel;

// The transaction and the switch that it is about, as it is without a row.
struct NamedSwitch {
  AdminTransaction admin;
  KillSwitch kill_switch;
};

absl::StatusOr<NamedSwitch> BeginOn(storage::Database* db,
                                    const CallScope& scope,
                                    const SwitchName& name) {
  TextChecks checks;
  if (name.level == SwitchLevel::kPlatform && !name.tenant.empty()) {
    checks.Add("tenant", "the platform's switch is of no tenant");
  }
  if (name.level != SwitchLevel::kAgent && !name.agent.empty()) {
    checks.Add("agent", "only an agent's switch is of an agent");
  }
  if (name.level == SwitchLevel::kAgent && name.agent.empty()) {
    checks.Add("agent", "say which: its id or its name");
  }
  const absl::Status checked = checks.Finish();
  if (!checked.ok()) return checked;
  absl::StatusOr<AdminTransaction> admin = BeginFor(db, scope, name.tenant);
  if (!admin.ok()) return admin.status();
  KillSwitch result;
  result.level = name.level;
  if (name.level != SwitchLevel::kPlatform) {
    result.tenant_id = admin->tenant_id;
    result.tenant_slug = admin->tenant_slug;
  }
  if (name.level == SwitchLevel::kAgent) {
    const absl::StatusOr<storage::DirectoryAgent> agent =
        FindAgent(admin->tx, name.agent);
    if (!agent.ok()) return agent.status();
    result.agent_id = agent->id;
    result.agent_name = agent->name;
  }
  return NamedSwitch{.admin = *std::move(admin), .kill_switch = result};
}

// Reads the switch's row, where it has one. Of several spellings of its key
// one that is off counts.
absl::StatusOr<KillSwitch> Read(storage::Transaction& tx,
                                const KillSwitch& wanted) {
  KillSwitch result = wanted;
  for (const bool only_off : {true, false}) {
    absl::StatusOr<std::vector<KillSwitch>> found =
        storage::ListKillSwitches(tx,
                                  {.only_off = only_off,
                                   .level = wanted.level,
                                   .tenant_id = wanted.tenant_id,
                                   .agent_id = wanted.agent_id},
                                  std::nullopt, 1);
    if (!found.ok()) return found.status();
    if (!found->empty()) return (*std::move(found))[0];
  }
  return result;
}

}  // namespace

absl::StatusOr<SwitchOutcome> Switches::Set(const CallScope& scope,
                                            const SwitchName& name,
                                            bool engine_enabled,
                                            const std::string& reason) {
  const absl::Status checked =
      TextChecks()
          .Check("reason", reason, 1, storage::kSwitchReasonMax)
          .Finish();
  if (!checked.ok()) return checked;
  if (name.level == SwitchLevel::kPlatform) {
    const absl::Status allowed = RequirePlatformOperator(
        scope.principal(), "the platform's kill switch is");
    if (!allowed.ok()) return allowed;
  }
  absl::StatusOr<NamedSwitch> named = BeginOn(db_, scope, name);
  if (!named.ok()) return named.status();
  storage::Transaction& tx = named->admin.tx;
  absl::Status status =
      storage::SetKillSwitch(tx,
                             {.tenant_id = named->kill_switch.tenant_id,
                              .agent_id = named->kill_switch.agent_id},
                             {.engine_enabled = engine_enabled,
                              .reason = reason,
                              .actor = ActorOf(scope.principal())});
  if (!status.ok()) return status;
  SwitchOutcome outcome;
  absl::StatusOr<KillSwitch> read = Read(tx, named->kill_switch);
  if (!read.ok()) return read.status();
  outcome.kill_switch = *std::move(read);
  status = CommitFor(scope, tx);
  if (!status.ok()) return status;
  if (!engine_enabled) {
    status = storage::AwaitSettlements(*db_);
    outcome.settlements_ended = status.ok();
    if (!status.ok()) {
      LogWarn("a kill switch is set, but settlements are under way: {}",
              status.ToString());
    }
  }
  return outcome;
}

absl::StatusOr<KillSwitch> Switches::Get(const CallScope& scope,
                                         const SwitchName& name) {
  absl::StatusOr<NamedSwitch> named = BeginOn(db_, scope, name);
  if (!named.ok()) return named.status();
  return Read(named->admin.tx, named->kill_switch);
}

absl::StatusOr<std::vector<KillSwitch>> Switches::List(
    const CallScope& scope, bool only_off, const std::string& tenant,
    const std::optional<storage::PageCursor>& after, int limit) {
  absl::StatusOr<AdminTransaction> admin = BeginFor(db_, scope, tenant);
  if (!admin.ok()) return admin.status();
  storage::SwitchFilter filter;
  filter.only_off = only_off;
  if (!tenant.empty()) filter.tenant_id = admin->tenant_id;
  // Under another tenant's rows a platform operator sees no more than it does.
  return storage::ListKillSwitches(admin->tx, filter, after, limit);
}

}  // namespace sgl::engine
