// Tokens of integrations: set and sealed anew by operators, handed to workers
// with a lease. They are in no payload, no audit entry and no answer but that
// of LeaseJobs.
//
// Whether a provider is connected is decided like anything else (the effect
// INTEGRATION_CONNECT); the token comes after that, past the intent.

#ifndef ENGINE_INTEGRATION_TOKENS_H_
#define ENGINE_INTEGRATION_TOKENS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <vector>

#include "engine/executors.h"
#include "engine/secret_keys.h"
#include "storage/audit.h"
#include "storage/database.h"
#include "storage/jobs.h"

namespace sgl::engine {

// What providers give out is shorter; the sealed form must fit its column.
inline constexpr size_t kTokenBytesMax = 16'384;

struct IntegrationToken {
  std::string provider = {};
  std::string access_token = {};
  std::optional<absl::Time> expires_at = {};
};

// A job under lease, with the token that goes with it.
struct LeasedWork {
  storage::LeasedJob leased;
  std::optional<IntegrationToken> token;
};

// Pairs jobs that the transaction leases with their tokens: that of the
// provider which the executor of the intent's own type names, of the
// transaction's tenant, where it is connected and has one. For the caller:
// FAILED_PRECONDITION (TOKEN_SEALED) where there is one that can't be opened:
// the lease is to be taken back then, since the job could but fail.
// `keys_or_null`: the engine has none.
absl::StatusOr<std::vector<LeasedWork>> WithTokens(
    storage::Transaction& tx, const ExecutorRegistry& executors,
    const SecretKeys* keys_or_null, std::vector<storage::LeasedJob> leased);

// What an operator sets.
struct TokenChange {
  std::string provider = {};
  std::string access_token = {};
  // Empty: none.
  std::string refresh_token = {};
  std::optional<absl::Time> expires_at = {};
  storage::Actor actor = {};
};

// Seals and stores the tokens of a provider that the transaction's tenant has
// connected, in place of those that there were, with the entry
// INTEGRATION_TOKEN_SET. NOT_FOUND, FAILED_PRECONDITION: it isn't connected.
// INVALID_ARGUMENT: no token, one over the bound or of other characters than
// ASCII, or an end that is no time.
absl::Status SetIntegrationToken(storage::Transaction& tx,
                                 const SecretKeys& keys,
                                 const TokenChange& change);

// Drops them, with the entry INTEGRATION_TOKEN_REMOVED. NOT_FOUND: there is no
// such integration, or no token.
absl::Status RemoveIntegrationToken(storage::Transaction& tx,
                                    const std::string& provider,
                                    const storage::Actor& actor);

// Seals up to storage::kSecretsBatchMax of the tenant's tokens by the current
// key that another one sealed. Returns how many; fewer than the bound were all.
// FAILED_PRECONDITION, naming the provider, where one can't be opened.
absl::StatusOr<int> ResealIntegrationTokens(storage::Transaction& tx,
                                            const SecretKeys& keys);

}  // namespace sgl::engine

#endif  // ENGINE_INTEGRATION_TOKENS_H_
