// What `intentd dev` puts into its database so that there is something to
// call: a tenant, an agent, two approvers, and a token for each kind of
// caller.

#ifndef ENGINE_DEV_TENANT_H_
#define ENGINE_DEV_TENANT_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string>

#include "storage/database.h"

namespace sgl::engine {

// The tokens themselves: for the ready file, and for nobody else.
struct DevTokens {
  std::string agent;
  std::string approver;
  std::string approver2;
  std::string worker;
  std::string operator_;
  // An operator of the system tenant.
  std::string platform;
};

// Returns the tokens that the file at `path` keeps; makes new ones, and the
// file (mode 0600), where it is missing. So they stay the same over restarts
// on one data folder.
absl::StatusOr<DevTokens> LoadDevTokens(const std::string& path);

// Returns the tokens as the JSON object of the ready file.
std::string DevTokensJson(const DevTokens& tokens);

// Creates what is missing of: tenant `demo`, agent `Atlas`, approver (roles
// compliance and privacy), approver2 (owner), and the tokens. `db` is on
// DIRECT_URL. What exists is left as it is.
absl::Status EnsureDevTenant(storage::Database& db, const DevTokens& tokens);

}  // namespace sgl::engine

#endif  // ENGINE_DEV_TENANT_H_
