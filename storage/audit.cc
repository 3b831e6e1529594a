#include "storage/audit.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

#include "storage/guard.h"
#include "storage/queries.h"
#include "storage/session.h"
#include "storage/uuid.h"

namespace sgl::storage {
namespace {

AuditLevel LevelFromName(absl::string_view name) {
  if (name == "warn") return AuditLevel::kWarn;
  if (name == "error") return AuditLevel::kError;
  if (name == "security") return AuditLevel::kSecurity;
  return AuditLevel::kInfo;
}

AuditRow ReadAuditRow(const pqxx::row& row) {
  RowReader reader(row);
  AuditRow audit;
  audit.id = reader.Text();
  audit.tenant_id = reader.Text();
  audit.entity_type = reader.Text();
  audit.entity_id = reader.Text();
  audit.entry.action = reader.Text();
  audit.entry.level = LevelFromName(reader.Text());
  if (reader.NextIsNull()) {
    reader.Text();
  } else {
    audit.entry.actor.user_id = reader.Text();
  }
  audit.entry.actor.external_id = reader.Text();
  audit.entry.meta = reader.Text();
  audit.transition_number = reader.OptionalInt();
  audit.created_at = reader.Time();
  return audit;
}

}  // namespace

absl::string_view AuditLevelName(AuditLevel level) {
  switch (level) {
    case AuditLevel::kInfo:
      return "info";
    case AuditLevel::kWarn:
      return "warn";
    case AuditLevel::kError:
      return "error";
    case AuditLevel::kSecurity:
      return "security";
  }
  return "info";
}

absl::Status AppendAudit(Transaction& tx, const AuditSubject& subject,
                         const AuditEntry& entry) noexcept {
  return Guard("append to the audit log", [&] {
    Session& session = OpenSession(tx);
    Args args;
    args.Nullable(subject.tenant_id)
        .Nullable(entry.actor.user_id.value_or(""))
        .Nullable(entry.actor.external_id)
        .Text(AuditLevelName(entry.level))
        .Text(entry.action);
    if (subject.entity_type == "intent") {
      args.Text(subject.entity_id).Text(entry.meta);
      session.ExecOne(kAppendIntentAuditSql, args,
                      absl::StrCat("intent ", subject.entity_id));
    } else {
      args.Text(subject.entity_type)
          .Nullable(subject.entity_id)
          .Text(entry.meta);
      session.Exec(kAppendAuditSql, args);
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<AuditRow>> ListAudit(
    Transaction& tx, const std::string& entity_type,
    const std::string& entity_id) noexcept {
  using Result = absl::StatusOr<std::vector<AuditRow>>;
  return Guard("list the audit log", [&]() -> Result {
    std::vector<AuditRow> rows;
    if (!IsUuid(entity_id)) return rows;
    Session& session = OpenSession(tx);
    for (const pqxx::row& row :
         session.Exec(kListAuditSql, Args()
                                         .Text(session.OnlyTenant())
                                         .Text(entity_type)
                                         .Text(entity_id))) {
      rows.push_back(ReadAuditRow(row));
    }
    return rows;
  });
}

absl::Status MakeAuditPartitions(Transaction& tx) noexcept {
  return Guard("make audit partitions", [&] {
    OpenSession(tx).Exec(kMakeAuditPartitionsSql);
    return absl::OkStatus();
  });
}

}  // namespace sgl::storage
