#include "storage/submissions.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_cat.h>

#include <string>
#include <vector>

#include "base/check.h"
#include "storage/fact_columns.h"
#include "storage/guard.h"
#include "storage/intent_columns.h"
#include "storage/limit_counts.h"
#include "storage/queries.h"
#include "storage/session.h"
#include "storage/settlement_columns.h"
#include "storage/spend_records.h"
#include "storage/uuid.h"

namespace sgl::storage {
namespace {

// The first columns of submit_intents.sql, as arrays, in its order.
struct SubmissionColumns {
  BinaryArray id = Uuids();
  BinaryArray tenant_id = Uuids();
  BinaryArray principal_id = Uuids();
  BinaryArray request_id = Texts();
  BinaryArray body_sha256 = Texts();
  BinaryArray agent_id = Uuids();
  BinaryArray intent_type = Texts();
  BinaryArray payload = Texts();
  BinaryArray payload_sha256 = Texts();
  BinaryArray spend_micros_usd = Bigints();
  BinaryArray data_class = Texts();
  BinaryArray requested_by = Texts();
  BinaryArray title = Texts();
  BinaryArray rationale = Texts();
  BinaryArray token_id = Uuids();
  BinaryArray status = Texts();
  BinaryArray decision = Texts();
  BinaryArray sgl_result = Texts();
  BinaryArray policy_digest = Texts();
  BinaryArray failure_reason = Texts();
  BinaryArray failure_message = Texts();
  BinaryArray output = Texts();
  BinaryArray entry_count = Integers();

  void Add(const NewSubmission& submission, const IntentRow& row) {
    const NewIntent& intent = *submission.intent;
    id.Add(row.id);
    tenant_id.Add(intent.tenant_id);
    principal_id.Add(intent.principal_id);
    request_id.Add(intent.request_id);
    body_sha256.Add(intent.body_sha256);
    agent_id.AddNullable(intent.agent_id);
    intent_type.Add(intent.intent_type);
    payload.Add(intent.payload);
    payload_sha256.Add(intent.payload_sha256);
    spend_micros_usd.AddInt(intent.spend_micros_usd);
    data_class.Add(intent.data_class);
    requested_by.AddNullable(intent.requested_by);
    title.AddNullable(intent.title);
    rationale.AddNullable(intent.rationale);
    token_id.AddNullable(intent.submitted_by_token);
    status.Add(IntentStatusName(row.status));
    decision.AddNullable(row.decision);
    sgl_result.AddNullable(row.sgl_result);
    policy_digest.AddNullable(row.policy_digest);
    failure_reason.AddNullable(row.failure_reason);
    failure_message.AddNullable(row.failure_message);
    output.AddNullable(row.output);
    entry_count.AddInt(row.transition_number);
  }

  void AppendTo(Arrays& arrays) const {
    for (const BinaryArray* column : {&id,
                                      &tenant_id,
                                      &principal_id,
                                      &request_id,
                                      &body_sha256,
                                      &agent_id,
                                      &intent_type,
                                      &payload,
                                      &payload_sha256,
                                      &spend_micros_usd,
                                      &data_class,
                                      &requested_by,
                                      &title,
                                      &rationale,
                                      &token_id,
                                      &status,
                                      &decision,
                                      &sgl_result,
                                      &policy_digest,
                                      &failure_reason,
                                      &failure_message,
                                      &output,
                                      &entry_count}) {
      arrays.push_back(column);
    }
  }
};

// The row as it is once it is stored.
IntentRow RowOf(const NewSubmission& submission) {
  IntentRow row = DraftOf(*submission.intent, submission.intent_id);
  if (submission.settlement_or_null == nullptr) return row;
  const Settlement& settlement = *submission.settlement_or_null;
  SGL_CHECK(settlement.intent_id == row.id) << row.id;
  SGL_CHECK(!settlement.decision.empty()) << row.id;
  row.status = settlement.status;
  row.decision = settlement.decision;
  row.sgl_result = settlement.sgl_result;
  row.policy_digest = settlement.policy_digest;
  row.failure_reason = settlement.failure_reason;
  row.failure_message = settlement.failure_message;
  row.output = settlement.output;
  if (settlement.memo.has_value()) row.decision_memo_id = settlement.memo->id;
  row.transition_number += static_cast<int64_t>(settlement.audit.size());
  return row;
}

// Reads one row of read_submission_context.sql.
void ReadContextRow(const pqxx::row& row, SubmissionContext* context) {
  RowReader reader(row);
  const std::string what = reader.Text();
  const std::string id = reader.Text();
  const std::string tenant_id = reader.Text();
  if (what == "policy") {
    const std::string digest = reader.Text();
    (id.empty() ? context->policy_digest : context->layer_digests[id]) = digest;
  } else if (what == "off") {
    context->switched_off.emplace(tenant_id, id);
  } else {
    ReadFactRow(row, &context->facts);
  }
}

std::optional<IntentRow> ReadSubmission(Session& session,
                                        const NewIntent& intent) {
  const pqxx::result found =
      session.Exec(kFindSubmissionSql, Args()
                                           .Text(intent.tenant_id)
                                           .Text(intent.principal_id)
                                           .Text(intent.request_id)
                                           .Text(intent.body_sha256));
  if (found.empty()) return std::nullopt;
  RowReader reader(found[0]);
  if (!reader.Bool()) {
    Raise(absl::AlreadyExistsError(
        absl::StrCat("the request id `", intent.request_id,
                     "` was used for a submission with another body")));
  }
  return ReadIntentRow(reader);
}

std::vector<std::optional<IntentRow>> Insert(
    Session& session, std::span<const NewSubmission> submissions) {
  SubmissionColumns columns;
  MemoColumns memos;
  EntryColumns entries;
  std::vector<std::optional<IntentRow>> rows;
  std::vector<std::string> decided;
  bool has_drafts = false;
  absl::flat_hash_map<std::string, size_t> places;
  for (const NewSubmission& submission : submissions) {
    const IntentRow& row = rows.emplace_back(RowOf(submission)).value();
    SGL_CHECK(places.emplace(row.id, rows.size() - 1).second) << row.id;
    columns.Add(submission, row);
    entries.Add(row.id, {&submission.intent->audit, 1});
    if (submission.settlement_or_null == nullptr) {
      has_drafts |= !submission.is_settled_next;
      continue;
    }
    decided.push_back(row.id);
    memos.Add(*submission.settlement_or_null);
    entries.Add(row.id, submission.settlement_or_null->audit, 2);
  }
  Arrays arrays;
  columns.AppendTo(arrays);
  memos.AppendTo(arrays);
  entries.AppendTo(arrays);
  Args notice;
  if (decided.empty()) {
    notice.Null();
  } else {
    notice.Text(SettledNotice(decided));
  }
  notice.Bool(has_drafts);
  std::vector<bool> is_stored(rows.size());
  for (const pqxx::row& stored :
       session.Exec(kSubmitIntentsSql, arrays, notice)) {
    RowReader reader(stored);
    const auto place = places.find(reader.Text());
    // The notifications' rows have no id.
    if (place == places.end()) continue;
    is_stored[place->second] = true;
    rows[place->second]->created_at = reader.Time();
    rows[place->second]->updated_at = reader.Time();
  }
  std::vector<LimitCount> counts;
  std::vector<const Settlement*> spends;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Settlement* settlement = submissions[i].settlement_or_null;
    if (!is_stored[i]) {
      rows[i].reset();
    } else if (settlement != nullptr) {
      counts.insert(counts.end(), settlement->limit_counts.begin(),
                    settlement->limit_counts.end());
      spends.push_back(settlement);
    }
  }
  EnterLimitCounts(counts, session);
  RecordSpends(spends, session);
  return rows;
}

}  // namespace

IntentRow DraftOf(const NewIntent& intent, const std::string& intent_id) {
  IntentRow row;
  row.id = intent_id;
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
  return row;
}

bool SubmissionContext::IsOff(const std::string& tenant_id,
                              const std::string& agent_id) const {
  if (switched_off.empty()) return false;
  return switched_off.contains({"", ""}) ||
         switched_off.contains({tenant_id, ""}) ||
         switched_off.contains({tenant_id, agent_id});
}

absl::StatusOr<SubmissionContext> ReadSubmissionContext(
    Transaction& tx, std::span<const std::string> agent_ids,
    std::span<const SpendKey> budgets) noexcept {
  using Result = absl::StatusOr<SubmissionContext>;
  return Guard("read what submissions are decided by", [&]() -> Result {
    ArrayText agents;
    for (const std::string& id : agent_ids) {
      if (IsUuid(id)) agents.Add(id);
    }
    SubmissionContext context;
    for (const pqxx::row& row : OpenSession(tx).Exec(
             kReadSubmissionContextSql, Args()
                                            .Array(agents)
                                            .Array(TenantsOf(budgets))
                                            .Array(CategoriesOf(budgets)))) {
      ReadContextRow(row, &context);
    }
    return context;
  });
}

absl::StatusOr<std::vector<std::optional<IntentRow>>> InsertSubmissions(
    Transaction& tx, std::span<const NewSubmission> submissions) noexcept {
  using Result = absl::StatusOr<std::vector<std::optional<IntentRow>>>;
  return Guard("insert submissions", [&]() -> Result {
    if (submissions.size() > static_cast<size_t>(kBatchIntentsMax)) {
      return absl::InvalidArgumentError(
          absl::StrCat("a group has at most ", kBatchIntentsMax,
                       " submissions, not ", submissions.size()));
    }
    if (submissions.empty()) return Result(absl::in_place);
    return Insert(OpenSession(tx), submissions);
  });
}

absl::StatusOr<std::optional<IntentRow>> FindSubmission(
    Transaction& tx, const NewIntent& intent) noexcept {
  using Result = absl::StatusOr<std::optional<IntentRow>>;
  return Guard("find a submission", [&]() -> Result {
    return ReadSubmission(OpenSession(tx), intent);
  });
}

absl::StatusOr<InsertOutcome> InsertIntent(Transaction& tx,
                                           const NewIntent& intent) noexcept {
  return Guard("insert an intent", [&]() -> absl::StatusOr<InsertOutcome> {
    Session& session = OpenSession(tx);
    const NewSubmission submission = {.intent = &intent,
                                      .intent_id = NewUuid()};
    std::optional<IntentRow> row = Insert(session, {&submission, 1})[0];
    if (row.has_value()) return InsertOutcome{.row = *std::move(row)};
    std::optional<IntentRow> earlier = ReadSubmission(session, intent);
    if (!earlier.has_value()) {
      // Its request id was swept between the two statements.
      return absl::AbortedError("the earlier submission is gone; try again");
    }
    return InsertOutcome{.row = *std::move(earlier), .repeated = true};
  });
}

}  // namespace sgl::storage
