#include "storage/provision.h"

#include <vector>

#include "storage/connection_url.h"
#include "storage/guard.h"
#include "storage/queries.h"
#include "storage/session.h"

namespace sgl::storage {

absl::Status Provision(absl::string_view admin_url,
                       const Place& place) noexcept {
  return Guard("provision the database", [&]() -> absl::Status {
    const absl::StatusOr<ConnectionUrl> url =
        ParseConnectionUrl(admin_url, "intentd provision");
    if (!url.ok()) return url.status();
    Session session(url->connection_string);
    // CREATE DATABASE refuses to run in a transaction, so each statement is
    // one of its own.
    pqxx::nontransaction work(session.connection());
    const pqxx::result wanted =
        work.exec_params(kProvisionStatementsSql, place.database,
                         place.owner_role, place.runtime_role);
    for (const pqxx::row& row : wanted) work.exec(row[0].as<std::string>());
    return absl::OkStatus();
  });
}

}  // namespace sgl::storage
