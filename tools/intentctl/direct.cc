#include "tools/intentctl/direct.h"

namespace sgl::tools {

void AddDirectUrl(CLI::App& verb, std::string& url) {
  verb.add_option("--direct-url", url,
                  "the database, not through a pooler, as the tables' owner "
                  "(or DIRECT_URL)")
      ->envname("DIRECT_URL")
      ->required();
}

absl::Status InTransaction(
    const std::string& url,
    const std::function<absl::Status(storage::Transaction&)>& body) {
  absl::StatusOr<std::unique_ptr<storage::Database>> db =
      storage::Database::Create(
          url, {.connections_max = 1, .application_name = "intentctl"});
  if (!db.ok()) return db.status();
  absl::StatusOr<storage::Transaction> tx = (*db)->Begin({});
  if (!tx.ok()) return tx.status();
  absl::Status done = body(*tx);
  if (!done.ok()) return done;
  return tx->Commit();
}

}  // namespace sgl::tools
