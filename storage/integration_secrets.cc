#include "storage/integration_secrets.h"

#include <absl/strings/escaping.h>

#include "storage/guard.h"
#include "storage/intent_columns.h"
#include "storage/queries.h"
#include "storage/session.h"

namespace sgl::storage {
namespace {

std::string Bytes(RowReader& reader) {
  return absl::HexStringToBytes(reader.Text());
}

}  // namespace

absl::StatusOr<IntegrationRow> FindIntegration(
    Transaction& tx, const std::string& provider) noexcept {
  return Guard("find an integration", [&]() -> absl::StatusOr<IntegrationRow> {
    Args args;
    args.Text(OpenSession(tx).OnlyTenant()).Text(provider);
    RowReader reader(
        OpenSession(tx).ExecOne(kFindIntegrationSql, args, "integration"));
    IntegrationRow row;
    row.id = reader.Text();
    row.tenant_id = reader.Text();
    row.connected = reader.Bool();
    return row;
  });
}

absl::Status StoreIntegrationSecret(Transaction& tx,
                                    const SealedSecret& secret) noexcept {
  return Guard("store an integration's tokens", [&]() -> absl::Status {
    RequireId("integration", secret.integration_id);
    Args args;
    args.Text(OpenSession(tx).OnlyTenant())
        .Text(secret.integration_id)
        .Text(secret.key_id)
        .Text(absl::BytesToHexString(secret.access_token))
        .Nullable(absl::BytesToHexString(secret.refresh_token))
        .Time(secret.expires_at);
    OpenSession(tx).Exec(kStoreIntegrationSecretSql, args);
    return absl::OkStatus();
  });
}

absl::Status RemoveIntegrationSecret(
    Transaction& tx, const std::string& integration_id) noexcept {
  return Guard("remove an integration's tokens", [&]() -> absl::Status {
    RequireId("integration", integration_id);
    Args args;
    args.Text(OpenSession(tx).OnlyTenant()).Text(integration_id);
    OpenSession(tx).ExecOne(kRemoveIntegrationSecretSql, args,
                            "token of this integration");
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<SealedSecret>> StaleIntegrationSecrets(
    Transaction& tx, const std::string& current_key_id) noexcept {
  using Result = absl::StatusOr<std::vector<SealedSecret>>;
  return Guard("list tokens of other keys", [&]() -> Result {
    Args args;
    args.Text(OpenSession(tx).OnlyTenant())
        .Text(current_key_id)
        .Int(kSecretsBatchMax);
    std::vector<SealedSecret> secrets;
    for (const pqxx::row& row :
         OpenSession(tx).Exec(kStaleIntegrationSecretsSql, args)) {
      RowReader reader(row);
      SealedSecret& secret = secrets.emplace_back();
      secret.tenant_id = reader.Text();
      secret.integration_id = reader.Text();
      secret.provider = reader.Text();
      secret.key_id = reader.Text();
      secret.access_token = Bytes(reader);
      secret.refresh_token = Bytes(reader);
      secret.expires_at = reader.OptionalTime();
    }
    return secrets;
  });
}

absl::StatusOr<std::vector<LeasedSecret>> LeasedSecrets(
    Transaction& tx, const std::vector<std::string>& job_ids,
    const std::vector<JobProvider>& providers) noexcept {
  using Result = absl::StatusOr<std::vector<LeasedSecret>>;
  return Guard("read tokens of leased jobs", [&]() -> Result {
    std::vector<std::string> job_types;
    std::vector<std::string> intent_types;
    std::vector<std::string> names;
    for (const JobProvider& one : providers) {
      job_types.push_back(one.job_type);
      intent_types.push_back(one.intent_type);
      names.push_back(one.provider);
    }
    Args args;
    args.Text(OpenSession(tx).OnlyTenant())
        .TextArray(job_ids)
        .TextArray(job_types)
        .TextArray(intent_types)
        .TextArray(names);
    std::vector<LeasedSecret> secrets;
    for (const pqxx::row& row : OpenSession(tx).Exec(kLeasedSecretsSql, args)) {
      RowReader reader(row);
      LeasedSecret& leased = secrets.emplace_back();
      leased.job_id = reader.Text();
      leased.secret.tenant_id = reader.Text();
      leased.secret.integration_id = reader.Text();
      leased.secret.provider = reader.Text();
      leased.secret.key_id = reader.Text();
      leased.secret.access_token = Bytes(reader);
      leased.secret.expires_at = reader.OptionalTime();
    }
    return secrets;
  });
}

}  // namespace sgl::storage
