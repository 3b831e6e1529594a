#include "engine/integration_tokens.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/log.h"
#include "engine/error.h"
#include "engine/settlement.h"
#include "storage/integration_secrets.h"

namespace sgl::engine {
namespace {

using storage::SealedSecret;

constexpr char kAccessToken[] = "access_token";
constexpr char kRefreshToken[] = "refresh_token";

SecretPlace PlaceOf(const SealedSecret& secret, const char* field) {
  return {.tenant_id = secret.tenant_id,
          .integration_id = secret.integration_id,
          .provider = secret.provider,
          .field = field};
}

absl::StatusOr<IntegrationToken> Open(const SecretKeys* keys_or_null,
                                      const SealedSecret& secret) {
  absl::StatusOr<std::string> opened =
      absl::FailedPreconditionError("the engine has no --secrets-key");
  if (keys_or_null != nullptr) {
    opened = keys_or_null->Open(
        {.key_id = secret.key_id, .bytes = secret.access_token},
        PlaceOf(secret, kAccessToken));
  }
  if (!opened.ok()) {
    LogError("open the token of `{}` of tenant {}: {}", secret.provider,
             secret.tenant_id, std::string(opened.status().message()));
    return Refusal(
        absl::StatusCode::kFailedPrecondition, "TOKEN_SEALED",
        absl::StrCat("the token of `", secret.provider,
                     "` can't be opened by this engine; its log says why"));
  }
  return IntegrationToken{.provider = secret.provider,
                          .access_token = *std::move(opened),
                          .expires_at = secret.expires_at};
}

// What PostgreSQL and a Timestamp both hold; `infinite-future` is no time.
absl::Status CheckExpiry(const std::optional<absl::Time>& expires_at) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  if (!expires_at.has_value() ||
      (*expires_at >= absl::FromCivil(absl::CivilSecond(1, 1, 1), utc) &&
       *expires_at < absl::FromCivil(absl::CivilSecond(10000, 1, 1), utc))) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "the token's end is no time between the years 1 and 9999");
}

// A lease could not be read that has another text than UTF-8.
absl::Status CheckToken(absl::string_view what, absl::string_view token) {
  const bool is_text =
      std::all_of(token.begin(), token.end(), [](char character) {
        return absl::ascii_isprint(static_cast<unsigned char>(character)) ||
               absl::ascii_isspace(static_cast<unsigned char>(character));
      });
  if (token.size() <= kTokenBytesMax && is_text) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the ", what, " is at most ", kTokenBytesMax,
                   " characters of ASCII, as in a header or a PEM file"));
}

absl::Status Append(storage::Transaction& tx,
                    const storage::IntegrationRow& integration,
                    const std::string& tenant_id, const char* action,
                    const std::string& meta, const storage::Actor& actor) {
  storage::AuditEntry entry =
      MakeEntry(action, storage::AuditLevel::kInfo, meta);
  entry.actor = actor;
  return storage::AppendAudit(tx,
                              {.tenant_id = tenant_id,
                               .entity_type = "integration",
                               .entity_id = integration.id},
                              entry);
}

std::string Dump(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace);
}

absl::StatusOr<storage::IntegrationRow> Find(storage::Transaction& tx,
                                             const std::string& provider) {
  absl::StatusOr<storage::IntegrationRow> row =
      storage::FindIntegration(tx, provider);
  if (!absl::IsNotFound(row.status())) return row;
  return absl::NotFoundError(
      absl::StrCat("the tenant has no integration with `", provider,
                   "`; have an intent INTEGRATION_CONNECT executed first"));
}

}  // namespace

absl::StatusOr<std::vector<LeasedWork>> WithTokens(
    storage::Transaction& tx, const ExecutorRegistry& executors,
    const SecretKeys* keys_or_null, std::vector<storage::LeasedJob> leased) {
  std::vector<std::string> ids;
  std::vector<storage::JobProvider> providers;
  absl::flat_hash_set<std::string> seen;
  for (const storage::LeasedJob& one : leased) {
    const std::string& job_type = one.job.job_type;
    const auto of_type = executors.ProvidersOf(job_type);
    if (of_type.empty()) continue;
    ids.push_back(one.job.id);
    if (!seen.insert(job_type).second) continue;
    for (const auto& [intent_type, provider] : of_type) {
      providers.push_back({job_type, intent_type, provider});
    }
  }
  absl::flat_hash_map<std::string, IntegrationToken> tokens;
  if (!ids.empty()) {
    const absl::StatusOr<std::vector<storage::LeasedSecret>> secrets =
        storage::LeasedSecrets(tx, ids, providers);
    if (!secrets.ok()) return secrets.status();
    for (const storage::LeasedSecret& one : *secrets) {
      absl::StatusOr<IntegrationToken> token = Open(keys_or_null, one.secret);
      if (!token.ok()) return token.status();
      tokens.emplace(one.job_id, *std::move(token));
    }
  }
  std::vector<LeasedWork> work;
  for (storage::LeasedJob& one : leased) {
    const auto found = tokens.find(one.job.id);
    LeasedWork& with = work.emplace_back(LeasedWork{std::move(one), {}});
    if (found != tokens.end()) with.token = std::move(found->second);
  }
  return work;
}

absl::Status SetIntegrationToken(storage::Transaction& tx,
                                 const SecretKeys& keys,
                                 const TokenChange& change) {
  if (change.access_token.empty()) {
    return absl::InvalidArgumentError("the access token is empty");
  }
  absl::Status checked = CheckToken("access token", change.access_token);
  if (checked.ok()) {
    checked = CheckToken("refresh token", change.refresh_token);
  }
  if (checked.ok()) checked = CheckExpiry(change.expires_at);
  if (!checked.ok()) return checked;
  const absl::StatusOr<storage::IntegrationRow> integration =
      Find(tx, change.provider);
  if (!integration.ok()) return integration.status();
  if (!integration->connected) {
    return absl::FailedPreconditionError(
        absl::StrCat("`", change.provider,
                     "` is disconnected; have an intent INTEGRATION_CONNECT "
                     "executed first"));
  }
  SealedSecret secret = {.tenant_id = integration->tenant_id,
                         .integration_id = integration->id,
                         .provider = change.provider,
                         .key_id = keys.current_id(),
                         .expires_at = change.expires_at};
  secret.access_token =
      keys.Seal(change.access_token, PlaceOf(secret, kAccessToken)).bytes;
  if (!change.refresh_token.empty()) {
    secret.refresh_token =
        keys.Seal(change.refresh_token, PlaceOf(secret, kRefreshToken)).bytes;
  }
  const absl::Status stored = storage::StoreIntegrationSecret(tx, secret);
  if (!stored.ok()) return stored;
  return Append(tx, *integration, secret.tenant_id, "INTEGRATION_TOKEN_SET",
                Dump({{"provider", change.provider},
                      {"key_id", secret.key_id},
                      {"has_refresh_token", !change.refresh_token.empty()}}),
                change.actor);
}

absl::Status RemoveIntegrationToken(storage::Transaction& tx,
                                    const std::string& provider,
                                    const storage::Actor& actor) {
  const absl::StatusOr<storage::IntegrationRow> integration =
      Find(tx, provider);
  if (!integration.ok()) return integration.status();
  const absl::Status removed =
      storage::RemoveIntegrationSecret(tx, integration->id);
  if (!removed.ok()) return removed;
  return Append(tx, *integration, integration->tenant_id,
                "INTEGRATION_TOKEN_REMOVED", Dump({{"provider", provider}}),
                actor);
}

absl::StatusOr<int> ResealIntegrationTokens(storage::Transaction& tx,
                                            const SecretKeys& keys) {
  absl::StatusOr<std::vector<SealedSecret>> secrets =
      storage::StaleIntegrationSecrets(tx, keys.current_id());
  if (!secrets.ok()) return secrets.status();
  for (SealedSecret& secret : *secrets) {
    const std::string key_id = secret.key_id;
    for (const auto& [field, bytes] :
         {std::pair(kAccessToken, &secret.access_token),
          std::pair(kRefreshToken, &secret.refresh_token)}) {
      if (bytes->empty()) continue;
      const SecretPlace place = PlaceOf(secret, field);
      const absl::StatusOr<std::string> opened =
          keys.Open({.key_id = key_id, .bytes = *bytes}, place);
      if (!opened.ok()) {
        return absl::FailedPreconditionError(absl::StrCat(
            "the ", field, " of `", secret.provider, "` of tenant ",
            secret.tenant_id, ": ", opened.status().message()));
      }
      *bytes = keys.Seal(*opened, place).bytes;
    }
    secret.key_id = keys.current_id();
    const absl::Status stored = storage::StoreIntegrationSecret(tx, secret);
    if (!stored.ok()) return stored;
  }
  return static_cast<int>(secrets->size());
}

}  // namespace sgl::engine
