// Tokens of integrations, as the database has them: sealed. What seals and
// opens them is above this layer.
//
// Each call works on a transaction of one tenant. Only the owner of the tables
// may store and list; the engine reads what goes with a lease.

#ifndef STORAGE_INTEGRATION_SECRETS_H_
#define STORAGE_INTEGRATION_SECRETS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <vector>

#include "storage/database.h"

namespace sgl::storage {

// One call lists at most this many rows.
inline constexpr int kSecretsBatchMax = 100;

struct IntegrationRow {
  std::string id;
  std::string tenant_id;
  bool connected = false;
};

// Sealed tokens are bytes.
struct SealedSecret {
  std::string tenant_id = {};
  std::string integration_id = {};
  std::string provider = {};
  std::string key_id = {};
  std::string access_token = {};
  // Empty: there is none, or it was not asked for.
  std::string refresh_token = {};
  std::optional<absl::Time> expires_at = {};
};

// A secret that goes with a job under lease.
struct LeasedSecret {
  std::string job_id;
  SealedSecret secret;
};

// Returns the tenant's integration with a provider, locked until the
// transaction ends. NOT_FOUND: it has none.
absl::StatusOr<IntegrationRow> FindIntegration(
    Transaction& tx, const std::string& provider) noexcept;

// Stores it in place of what there was.
absl::Status StoreIntegrationSecret(Transaction& tx,
                                    const SealedSecret& secret) noexcept;

// NOT_FOUND: there is none.
absl::Status RemoveIntegrationSecret(
    Transaction& tx, const std::string& integration_id) noexcept;

// Returns up to kSecretsBatchMax of the tenant's secrets that another key
// sealed, locked.
absl::StatusOr<std::vector<SealedSecret>> StaleIntegrationSecrets(
    Transaction& tx, const std::string& current_key_id) noexcept;

// The provider that the executor of an intent type names, with its job type.
struct JobProvider {
  std::string job_type = {};
  std::string intent_type = {};
  std::string provider = {};
};

// Returns the access tokens that go with these jobs. A job gets none whose own
// type and whose intent's are not among the providers, whose intent was not let
// through, or whose provider isn't connected.
absl::StatusOr<std::vector<LeasedSecret>> LeasedSecrets(
    Transaction& tx, const std::vector<std::string>& job_ids,
    const std::vector<JobProvider>& providers) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_INTEGRATION_SECRETS_H_
