#include "storage/switches.h"

#include <absl/strings/str_cat.h>

#include <array>

#include "storage/guard.h"
#include "storage/identity.h"
#include "storage/intent_columns.h"
#include "storage/queries.h"
#include "storage/session.h"
#include "storage/uuid.h"

namespace sgl::storage {
namespace {

constexpr std::array<absl::string_view, 3> kLevelNames = {"platform", "tenant",
                                                          "agent"};

KillSwitch ReadKillSwitch(const pqxx::row& row) {
  RowReader reader(row);
  KillSwitch result;
  result.id = reader.Text();
  // What this build doesn't know is the widest.
  result.level =
      SwitchLevelFromName(reader.Text()).value_or(SwitchLevel::kPlatform);
  result.tenant_id = reader.Text();
  result.tenant_slug = reader.Text();
  result.agent_id = reader.Text();
  result.agent_name = reader.Text();
  result.engine_enabled = reader.Bool();
  result.reason = reader.Text();
  result.set_by = reader.Text();
  result.set_at = reader.Time();
  return result;
}

}  // namespace

absl::string_view SwitchLevelName(SwitchLevel level) {
  return kLevelNames[static_cast<size_t>(level)];
}

std::optional<SwitchLevel> SwitchLevelFromName(absl::string_view name) {
  for (size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == name) return static_cast<SwitchLevel>(i);
  }
  return std::nullopt;
}

absl::Status SetKillSwitch(Transaction& tx, const SwitchTarget& target,
                           const SwitchSetting& setting) noexcept {
  return Guard("set a kill switch", [&]() -> absl::Status {
    if (!target.tenant_id.empty()) RequireId("tenant", target.tenant_id);
    if (!target.agent_id.empty()) RequireId("agent", target.agent_id);
    Session& session = OpenSession(tx);
    session.SetTenants({target.tenant_id.empty() ? std::string(kSystemTenantId)
                                                 : target.tenant_id});
    RowReader reader(
        session.ExecOne(kSetKillSwitchSql,
                        Args()
                            .Nullable(target.tenant_id)
                            .Nullable(target.agent_id)
                            .Bool(setting.engine_enabled)
                            .Text(setting.reason)
                            .Nullable(setting.actor.user_id.value_or(""))
                            .Nullable(setting.actor.external_id),
                        "switch"));
    if (reader.Bool()) return absl::OkStatus();
    return absl::NotFoundError(
        "set a kill switch: there is no such tenant or agent");
  });
}

absl::Status AwaitSettlements(Database& db) noexcept {
  absl::StatusOr<Transaction> tx = db.Begin({});
  if (!tx.ok()) return tx.status();
  return Guard("wait for settlements", [&]() -> absl::Status {
    OpenSession(*tx).Exec(kAwaitSettlementsSql);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<KillSwitch>> ListKillSwitches(
    Transaction& tx, const SwitchFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<KillSwitch>>;
  return Guard("list kill switches", [&]() -> Result {
    std::vector<KillSwitch> switches;
    for (const std::string* id : {&filter.tenant_id, &filter.agent_id}) {
      if (!id->empty() && !IsUuid(*id)) return switches;
    }
    Args args;
    args.Bool(filter.only_off)
        .Nullable(filter.level.has_value() ? SwitchLevelName(*filter.level)
                                           : "")
        .Nullable(filter.tenant_id)
        .Nullable(filter.agent_id);
    AddPage(after, limit, args);
    for (const pqxx::row& row :
         OpenSession(tx).Exec(kListKillSwitchesSql, args)) {
      switches.push_back(ReadKillSwitch(row));
    }
    return switches;
  });
}

}  // namespace sgl::storage
