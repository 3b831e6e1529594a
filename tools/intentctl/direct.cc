#include "tools/intentctl/direct.h"

namespace sgl::tools {

void AddDirectUrl(CLI::App& verb, std::string& url) {
  verb.add_option("--direct-url", url,
                  "the database, not through a pooler, as the tables' owner "
                  "(or DIRECT_URL)")
      ->envname("DIRECT_URL")
      ->required();
}

absl::Status WithDatabase(
    const std::string& url,
    const std::function<absl::Status(storage::Database&)>& body) {
  absl::StatusOr<std::unique_ptr<storage::Database>> db =
      storage::Database::Create(
          url, {.connections_max = 1, .application_name = "intentctl"});
  if (!db.ok()) return db.status();
  return body(**db);
}

absl::Status InTransaction(
    const std::string& url,
    const std::function<absl::Status(storage::Transaction&)>& body) {
  return WithDatabase(url, [&](storage::Database& db) {
    absl::StatusOr<storage::Transaction> tx = db.Begin({});
    if (!tx.ok()) return tx.status();
    const absl::Status done = body(*tx);
    return done.ok() ? tx->Commit() : done;
  });
}

}  // namespace sgl::tools
