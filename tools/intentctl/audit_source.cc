#include "tools/intentctl/audit_source.h"

#include <absl/time/time.h>

#include "storage/identity.h"
#include "storage/seals.h"

namespace sgl::tools {

void AddLogFlags(CLI::App& verb, LogFlags& flags, bool needs_url) {
  CLI::Option* url =
      verb.add_option("--direct-url", flags.direct_url,
                      "the database, as the tables' owner (or DIRECT_URL)");
  if (needs_url) url->envname("DIRECT_URL")->required();
  verb.add_option("--tenant", flags.tenant_slug,
                  "whose log, by slug; with --direct-url");
  verb.add_flag("--platform", flags.platform, "the platform's log");
}

absl::StatusOr<std::unique_ptr<storage::Database>> OpenDirect(
    const LogFlags& flags) {
  return storage::Database::Create(flags.direct_url,
                                   {.connections_max = 1,
                                    .statement_timeout = absl::Minutes(5),
                                    .application_name = "intentctl"});
}

absl::StatusOr<std::string> FindLog(storage::Database& db,
                                    const LogFlags& flags) {
  if (flags.platform) return std::string(storage::kPlatformLog);
  if (flags.tenant_slug.empty()) {
    return absl::InvalidArgumentError(
        "which log? give --tenant SLUG or --platform");
  }
  absl::StatusOr<storage::Transaction> tx = db.Begin({});
  if (!tx.ok()) return tx.status();
  return storage::FindTenant(*tx, flags.tenant_slug);
}

}  // namespace sgl::tools
