#include "storage/delegations.h"

#include <absl/strings/str_cat.h>

#include "storage/guard.h"
#include "storage/intent_columns.h"
#include "storage/queries.h"
#include "storage/session.h"
#include "storage/uuid.h"

namespace sgl::storage {
namespace {

DelegationRow ReadDelegation(const pqxx::row& row) {
  RowReader reader(row);
  DelegationRow delegation;
  delegation.id = reader.Text();
  delegation.tenant_id = reader.Text();
  delegation.from_user_id = reader.Text();
  delegation.to_user_id = reader.Text();
  delegation.roles = reader.TextArray();
  delegation.starts_at = reader.Time();
  delegation.ends_at = reader.Time();
  delegation.reason = reader.Text();
  delegation.created_at = reader.Time();
  delegation.revoked_at = reader.OptionalTime();
  delegation.in_force = reader.Bool();
  return delegation;
}

}  // namespace

absl::StatusOr<std::string> CreateDelegation(
    Transaction& tx, const NewDelegation& delegation) noexcept {
  using Result = absl::StatusOr<std::string>;
  return Guard("create a delegation", [&]() -> Result {
    Session& session = OpenSession(tx);
    const pqxx::result created =
        session.Exec(kCreateDelegationSql, Args()
                                               .Text(session.OnlyTenant())
                                               .Text(delegation.from_user_id)
                                               .Text(delegation.to_user_id)
                                               .TextArray(delegation.roles)
                                               .Time(delegation.starts_at)
                                               .Time(delegation.ends_at)
                                               .Text(delegation.reason)
                                               .Int(kDelegationsMax));
    if (created.empty()) {
      return absl::ResourceExhaustedError(
          absl::StrCat("create a delegation: one of the two has ",
                       kDelegationsMax, " that are not over"));
    }
    return std::string(created[0][0].c_str());
  });
}

absl::StatusOr<DelegationRow> GetDelegation(Transaction& tx,
                                            const std::string& id) noexcept {
  return Guard("get a delegation", [&]() -> absl::StatusOr<DelegationRow> {
    RequireId("delegation", id);
    return ReadDelegation(OpenSession(tx).ExecOne(
        kGetDelegationSql, Args().Text(id), absl::StrCat("delegation ", id)));
  });
}

absl::StatusOr<std::vector<DelegationRow>> ListDelegations(
    Transaction& tx, const DelegationFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<DelegationRow>>;
  return Guard("list delegations", [&]() -> Result {
    Session& session = OpenSession(tx);
    std::vector<DelegationRow> delegations;
    if (!filter.user_id.empty() && !IsUuid(filter.user_id)) return delegations;
    Args args;
    args.Text(session.OnlyTenant())
        .Nullable(filter.user_id)
        .Bool(filter.in_force);
    AddPage(after, limit, args);
    for (const pqxx::row& row : session.Exec(kListDelegationsSql, args)) {
      delegations.push_back(ReadDelegation(row));
    }
    return delegations;
  });
}

absl::Status RevokeDelegation(Transaction& tx, const std::string& id) noexcept {
  return Guard("revoke a delegation", [&]() -> absl::Status {
    RequireId("delegation", id);
    Session& session = OpenSession(tx);
    const pqxx::result revoked = session.Exec(
        kRevokeDelegationSql, Args().Text(session.OnlyTenant()).Text(id));
    if (revoked.empty()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "revoke a delegation: ", id, " is over already, or isn't there"));
    }
    return absl::OkStatus();
  });
}

}  // namespace sgl::storage
