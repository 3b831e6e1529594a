#include "storage/audit_records.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include "storage/audit_columns.h"
#include "storage/guard.h"
#include "storage/identity.h"
#include "storage/intent_columns.h"
#include "storage/queries.h"
#include "storage/session.h"
#include "storage/uuid.h"

namespace sgl::storage {
namespace {

constexpr absl::string_view kColumnNames[kAuditColumnCount] = {
    "id",         "tenant_id", "actor_user_id", "actor_external_id",
    "actor_type", "level",     "action",        "entity_type",
    "entity_id",  "meta",      "created_at",    "transition_number",
    "xact_id",
};

}  // namespace

absl::string_view AuditColumnName(size_t column) {
  return kColumnNames[column];
}

absl::string_view AuditRecord::Text(AuditColumn column) const {
  const std::optional<std::string>& value = (*this)[column];
  return value.has_value() ? absl::string_view(*value) : "";
}

std::string ReaderOfLog(absl::string_view log_id) {
  return std::string(log_id == kPlatformLog ? kSystemTenantId : log_id);
}

AuditRecord ReadAuditColumns(RowReader& reader) {
  AuditRecord record;
  for (std::optional<std::string>& value : record.values) {
    const bool is_null = reader.NextIsNull();
    std::string text = reader.Text();
    if (!is_null) value = std::move(text);
  }
  return record;
}

void RequireLogId(const std::string& log_id) {
  if (IsUuid(log_id)) return;
  Raise(absl::InvalidArgumentError(
      absl::StrCat("the log `", log_id, "` is no UUID")));
}

void AddLogTenant(const std::string& log_id, Args& args) {
  RequireLogId(log_id);
  args.Nullable(log_id == kPlatformLog ? "" : log_id);
}

absl::StatusOr<std::vector<ListedRecord>> ListAuditRecords(
    Transaction& tx, const std::string& log_id, const AuditFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<ListedRecord>>;
  return Guard("list audit entries", [&]() -> Result {
    std::vector<ListedRecord> listed;
    if (!filter.entity_id.empty() && !IsUuid(filter.entity_id)) return listed;
    Args args;
    AddLogTenant(log_id, args);
    args.Nullable(filter.entity_type)
        .Nullable(filter.entity_id)
        .Nullable(filter.action)
        .Nullable(filter.level.has_value() ? AuditLevelName(*filter.level) : "")
        .Time(filter.start)
        .Time(filter.end);
    AddPage(after, limit, args);
    for (const pqxx::row& row :
         OpenSession(tx).Exec(kListAuditEntriesSql, args)) {
      RowReader reader(row);
      ListedRecord item;
      item.record = ReadAuditColumns(reader);
      int64_t micros = 0;
      if (absl::SimpleAtoi(item.record.Text(AuditColumn::kCreatedAt),
                           &micros)) {
        item.position.created_at = absl::FromUnixMicros(micros);
      }
      item.position.id = std::string(item.record.Text(AuditColumn::kId));
      listed.push_back(std::move(item));
    }
    return listed;
  });
}

absl::StatusOr<std::vector<AuditRecord>> ReadAuditRecords(
    Transaction& tx, const std::string& log_id,
    const std::vector<std::string>& ids) noexcept {
  using Result = absl::StatusOr<std::vector<AuditRecord>>;
  return Guard("read audit entries", [&]() -> Result {
    std::vector<AuditRecord> records;
    Args args;
    AddLogTenant(log_id, args);
    args.TextArray(ids);
    for (const pqxx::row& row :
         OpenSession(tx).Exec(kReadAuditEntriesSql, args)) {
      RowReader reader(row);
      records.push_back(ReadAuditColumns(reader));
    }
    return records;
  });
}

}  // namespace sgl::storage
