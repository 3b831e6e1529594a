// Reads the columns of audit_rows. Internal to storage/.

#ifndef STORAGE_AUDIT_COLUMNS_H_
#define STORAGE_AUDIT_COLUMNS_H_

#include <string>

#include "storage/audit_records.h"
#include "storage/session.h"

namespace sgl::storage {

// Reads the next kAuditColumnCount columns.
AuditRecord ReadAuditColumns(RowReader& reader);

// Appends a log's id as the tenant_id of its rows: null for the platform's.
// Raises INVALID_ARGUMENT where it is no UUID.
void AddLogTenant(const std::string& log_id, Args& args);
void RequireLogId(const std::string& log_id);

}  // namespace sgl::storage

#endif  // STORAGE_AUDIT_COLUMNS_H_
