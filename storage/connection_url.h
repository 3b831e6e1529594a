// Connection URLs as users have them. Internal to storage/.
//
// DATABASE_URL is often one that Prisma reads, with parameters that libpq
// refuses (`?pgbouncer=true&connection_limit=5&schema=app`): those that tune
// Prisma itself are dropped, `schema` becomes a search path. Any other unknown
// parameter is refused, because it may be about encryption.

#ifndef STORAGE_CONNECTION_URL_H_
#define STORAGE_CONNECTION_URL_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <string>

namespace sgl::storage {

struct ConnectionUrl {
  // What libpq takes, with timeouts and keepalives where the user gave none,
  // so that a dead host is noticed.
  std::string connection_string;
  // A value for the setting `search_path`; empty: the role's own.
  std::string search_path;
};

// INVALID_ARGUMENT: libpq wouldn't take it. The message never repeats the URL,
// which may hold a password.
absl::StatusOr<ConnectionUrl> ParseConnectionUrl(
    absl::string_view url, absl::string_view application_name);

}  // namespace sgl::storage

#endif  // STORAGE_CONNECTION_URL_H_
