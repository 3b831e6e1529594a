#include "storage/intents.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "storage/guard.h"
#include "storage/intent_columns.h"
#include "storage/queries.h"
#include "storage/session.h"
#include "storage/uuid.h"

namespace sgl::storage {
namespace {

std::vector<IntentRow> ReadIntentRows(const pqxx::result& result) {
  std::vector<IntentRow> rows;
  rows.reserve(result.size());
  for (const pqxx::row& row : result) {
    RowReader reader(row);
    rows.push_back(ReadIntentRow(reader));
  }
  return rows;
}

// Locks a batch across tenants and notes whose rows they are. `passed_over` is
// null where the statement takes none.
absl::StatusOr<std::vector<IntentRow>> Claim(
    Transaction& tx, absl::string_view operation, const char* sql, int limit,
    const std::vector<std::string>* passed_over) noexcept {
  using Result = absl::StatusOr<std::vector<IntentRow>>;
  return Guard(operation, [&]() -> Result {
    if (limit < 1 || limit > kBatchIntentsMax) {
      return absl::InvalidArgumentError(absl::StrCat(
          "a batch has 1 to ", kBatchIntentsMax, " intents, not ", limit));
    }
    Args args;
    args.Int(limit);
    if (passed_over != nullptr) {
      if (passed_over->size() > static_cast<size_t>(kBatchIntentsMax)) {
        return absl::InvalidArgumentError(
            absl::StrCat("a claim passes over at most ", kBatchIntentsMax,
                         " intents, not ", passed_over->size()));
      }
      ArrayText ids;
      for (const std::string& id : *passed_over) {
        if (IsUuid(id)) ids.Add(id);
      }
      args.Array(ids);
    }
    Session& session = OpenSession(tx);
    const pqxx::result claimed = session.Exec(sql, args);
    NoteClaimedTenants(
        session,
        claimed.empty() ? "" : claimed[0][claimed.columns() - 1].c_str());
    return ReadIntentRows(claimed);
  });
}

}  // namespace

absl::StatusOr<std::vector<IntentRow>> ClaimDraftIntents(
    Transaction& tx, int limit,
    const std::vector<std::string>& passed_over) noexcept {
  return Claim(tx, "claim intents", kClaimDraftIntentsSql, limit, &passed_over);
}

absl::StatusOr<std::vector<IntentRow>> ClaimPolicyActivations(
    Transaction& tx, int limit) noexcept {
  return Claim(tx, "claim policy activations", kClaimPolicyActivationsSql,
               limit, nullptr);
}

absl::StatusOr<std::optional<IntentRow>> ClaimOneDraft(
    Transaction& tx, const std::string& id) noexcept {
  using Result = absl::StatusOr<std::optional<IntentRow>>;
  return Guard("claim an intent", [&]() -> Result {
    RequireId("intent", id);
    const pqxx::result claimed =
        OpenSession(tx).Exec(kClaimOneDraftSql, Args().Text(id));
    if (claimed.empty()) return std::optional<IntentRow>();
    RowReader reader(claimed[0]);
    return std::optional<IntentRow>(ReadIntentRow(reader));
  });
}

absl::StatusOr<IntentRow> LockIntent(Transaction& tx,
                                     const std::string& id) noexcept {
  return Guard("lock an intent", [&]() -> absl::StatusOr<IntentRow> {
    RequireId("intent", id);
    RowReader reader(OpenSession(tx).ExecOne(kLockIntentSql, Args().Text(id),
                                             absl::StrCat("intent ", id)));
    return ReadIntentRow(reader);
  });
}

absl::StatusOr<int32_t> ReviseIntent(Transaction& tx,
                                     const IntentEdit& edit) noexcept {
  return Guard("revise an intent", [&]() -> absl::StatusOr<int32_t> {
    RequireId("intent", edit.intent_id);
    const pqxx::result revised =
        OpenSession(tx).Exec(kReviseIntentSql, Args()
                                                   .Text(edit.tenant_id)
                                                   .Text(edit.intent_id)
                                                   .Text(edit.intent_type)
                                                   .Text(edit.payload)
                                                   .Text(edit.payload_sha256)
                                                   .Int(edit.spend_micros_usd)
                                                   .Text(edit.data_class)
                                                   .Text(edit.edited_by));
    if (revised.empty()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "revise an intent: intent ", edit.intent_id, " does not wait"));
    }
    RowReader reader(revised[0]);
    return static_cast<int32_t>(reader.Int());
  });
}

absl::StatusOr<IntentRow> GetIntent(Transaction& tx,
                                    const std::string& id) noexcept {
  return Guard("get an intent", [&]() -> absl::StatusOr<IntentRow> {
    RequireId("intent", id);
    RowReader reader(OpenSession(tx).ExecOne(
        kGetIntentsSql, Args().TextArray({id}), absl::StrCat("intent ", id)));
    return ReadIntentRow(reader);
  });
}

absl::StatusOr<std::vector<IntentRow>> GetIntents(
    Transaction& tx, const std::vector<std::string>& ids) noexcept {
  using Result = absl::StatusOr<std::vector<IntentRow>>;
  return Guard("get intents", [&]() -> Result {
    if (ids.size() > static_cast<size_t>(kBatchIntentsMax)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "at most ", kBatchIntentsMax, " ids at once, not ", ids.size()));
    }
    ArrayText valid;
    for (const std::string& id : ids) {
      if (IsUuid(id)) valid.Add(id);
    }
    return ReadIntentRows(
        OpenSession(tx).Exec(kGetIntentsSql, Args().Array(valid)));
  });
}

absl::StatusOr<std::vector<IntentRow>> ListIntents(
    Transaction& tx, const IntentFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<IntentRow>>;
  return Guard("list intents", [&]() -> Result {
    Session& session = OpenSession(tx);
    if (!filter.agent_id.empty() && !IsUuid(filter.agent_id)) {
      return std::vector<IntentRow>();
    }
    Args args;
    args.Text(session.OnlyTenant())
        .Nullable(filter.status.has_value() ? IntentStatusName(*filter.status)
                                            : "")
        .Nullable(filter.intent_type)
        .Nullable(filter.agent_id)
        .Time(filter.created_from)
        .Time(filter.created_to);
    AddPage(after, limit, args);
    return ReadIntentRows(session.Exec(kListIntentsSql, args));
  });
}

absl::StatusOr<bool> EngineEnabled(Transaction& tx) noexcept {
  return Guard("read the kill switch", [&]() -> absl::StatusOr<bool> {
    RowReader reader(
        OpenSession(tx).ExecOne(kEngineEnabledSql, Args(), "kill switch"));
    return reader.Bool();
  });
}

absl::StatusOr<absl::Time> ReadNow(Transaction& tx) noexcept {
  return Guard("read the time", [&]() -> absl::StatusOr<absl::Time> {
    RowReader reader(OpenSession(tx).ExecOne(kReadNowSql, Args(), "time"));
    return reader.Time();
  });
}

}  // namespace sgl::storage
