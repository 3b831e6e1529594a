// Which log a verb of `intentctl audit` is about, and the way to it on
// DIRECT_URL.

#ifndef TOOLS_INTENTCTL_AUDIT_SOURCE_H_
#define TOOLS_INTENTCTL_AUDIT_SOURCE_H_

#include <absl/status/statusor.h>

#include <CLI/App.hpp>
#include <memory>
#include <string>

#include "storage/database.h"

namespace sgl::tools {

struct LogFlags {
  std::string direct_url;
  std::string tenant_slug;
  bool platform = false;
};

// Adds the flags to a verb. With `needs_url` DIRECT_URL is taken from the
// environment too, and must be there.
void AddLogFlags(CLI::App& verb, LogFlags& flags, bool needs_url);

// Opens DIRECT_URL.
absl::StatusOr<std::unique_ptr<storage::Database>> OpenDirect(
    const LogFlags& flags);

// Returns the id of the log that the flags name. NOT_FOUND: no such tenant.
absl::StatusOr<std::string> FindLog(storage::Database& db,
                                    const LogFlags& flags);

}  // namespace sgl::tools

#endif  // TOOLS_INTENTCTL_AUDIT_SOURCE_H_
