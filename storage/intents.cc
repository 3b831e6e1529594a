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

std::optional<IntentRow> ReadSubmission(Session& session,
                                        const std::string& tenant_id,
                                        const std::string& principal_id,
                                        const std::string& request_id,
                                        const std::string& body_sha256) {
  const pqxx::result found =
      session.Exec(kFindSubmissionSql, Args()
                                           .Text(tenant_id)
                                           .Text(principal_id)
                                           .Text(request_id)
                                           .Text(body_sha256));
  if (found.empty()) return std::nullopt;
  RowReader reader(found[0]);
  if (!reader.Bool()) {
    Raise(absl::AlreadyExistsError(
        absl::StrCat("the request id `", request_id,
                     "` was used for a submission with another body")));
  }
  return ReadIntentRow(reader);
}

Args InsertArgs(const NewIntent& intent) {
  Args args;
  args.Text(intent.tenant_id)
      .Text(intent.principal_id)
      .Text(intent.request_id)
      .Text(intent.body_sha256)
      .Nullable(intent.agent_id)
      .Text(intent.intent_type)
      .Text(intent.payload)
      .Text(intent.payload_sha256)
      .Int(intent.spend_micros_usd)
      .Text(intent.data_class)
      .Nullable(intent.requested_by)
      .Nullable(intent.title)
      .Nullable(intent.rationale)
      .Nullable(intent.submitted_by_token)
      .Nullable(intent.audit.actor.user_id.value_or(""))
      .Nullable(intent.audit.actor.external_id)
      .Text(AuditLevelName(intent.audit.level))
      .Text(intent.audit.action)
      .Text(intent.audit.meta);
  return args;
}

IntentRow RowOfNew(const NewIntent& intent, const pqxx::row& inserted) {
  RowReader reader(inserted);
  IntentRow row;
  row.id = reader.Text();
  row.tenant_id = intent.tenant_id;
  row.agent_id = intent.agent_id;
  row.intent_type = intent.intent_type;
  row.payload = intent.payload;
  row.payload_sha256 = intent.payload_sha256;
  row.spend_micros_usd = intent.spend_micros_usd;
  row.data_class = intent.data_class;
  row.requested_by = intent.requested_by;
  row.title = intent.title;
  row.rationale = intent.rationale;
  row.request_id = intent.request_id;
  row.submitted_by_token = intent.submitted_by_token;
  row.transition_number = 1;
  row.created_at = reader.Time();
  row.updated_at = reader.Time();
  return row;
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

absl::StatusOr<InsertOutcome> InsertIntent(Transaction& tx,
                                           const NewIntent& intent) noexcept {
  return Guard("insert an intent", [&]() -> absl::StatusOr<InsertOutcome> {
    Session& session = OpenSession(tx);
    const pqxx::result inserted =
        session.Exec(kInsertIntentSql, InsertArgs(intent));
    if (!inserted.empty()) {
      return InsertOutcome{.row = RowOfNew(intent, inserted[0])};
    }
    std::optional<IntentRow> earlier =
        ReadSubmission(session, intent.tenant_id, intent.principal_id,
                       intent.request_id, intent.body_sha256);
    if (!earlier.has_value()) {
      // Its request id was swept between the two statements.
      return absl::AbortedError("the earlier submission is gone; try again");
    }
    return InsertOutcome{.row = *std::move(earlier), .repeated = true};
  });
}

absl::StatusOr<std::optional<IntentRow>> FindSubmission(
    Transaction& tx, const std::string& tenant_id,
    const std::string& principal_id, const std::string& request_id,
    const std::string& body_sha256) noexcept {
  using Result = absl::StatusOr<std::optional<IntentRow>>;
  return Guard("find a submission", [&]() -> Result {
    return ReadSubmission(OpenSession(tx), tenant_id, principal_id, request_id,
                          body_sha256);
  });
}

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
