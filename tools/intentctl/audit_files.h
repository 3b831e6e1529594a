// An exported audit log: a folder that says all there is to say about one log,
// so that it can be verified where there is no database.
//
//   log.json              which log it is
//   segment-000001.jsonl  seals in their order, a line each, each followed by
//                         a line for every entry that it seals
//   heads.jsonl           the head of each seal, as `--audit-heads` writes it
//   unsealed.jsonl        entries that no seal holds yet

#ifndef TOOLS_INTENTCTL_AUDIT_FILES_H_
#define TOOLS_INTENTCTL_AUDIT_FILES_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "engine/audit_verifier.h"
#include "storage/database.h"
#include "storage/seals.h"

namespace sgl::tools {

struct ExportCounts {
  int64_t entries = 0;
  int64_t seals = 0;
  int64_t segments = 0;
  int64_t unsealed = 0;
};

// Writes a log into a folder, which is made where missing and must hold no
// export. `db` is on DIRECT_URL or the engine's.
absl::StatusOr<ExportCounts> ExportAuditLog(storage::Database& db,
                                            const std::string& log_id,
                                            const std::string& folder);

// Returns which log a folder holds.
absl::StatusOr<std::string> ExportedLog(const std::string& folder);

// Returns the heads that a file of them holds.
absl::StatusOr<std::vector<storage::SealHead>> ReadHeadsFile(
    const std::string& path);

// Feeds the verifier all that a folder holds.
absl::Status FeedExport(const std::string& folder,
                        engine::AuditVerifier* verifier);

}  // namespace sgl::tools

#endif  // TOOLS_INTENTCTL_AUDIT_FILES_H_
