#include "storage/settlement.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <string>
#include <vector>

#include "storage/binary_array.h"
#include "storage/guard.h"
#include "storage/limit_counts.h"
#include "storage/queries.h"
#include "storage/session.h"
#include "storage/settlement_columns.h"
#include "storage/spend_records.h"
#include "storage/uuid.h"

namespace sgl::storage {
namespace {

// The first columns of settle_intents.sql, as arrays, in its order.
struct SettlementColumns {
  BinaryArray id = Uuids();
  BinaryArray tenant_id = Uuids();
  BinaryArray status = Texts();
  BinaryArray decision = Texts();
  BinaryArray sgl_result = Texts();
  BinaryArray policy_digest = Texts();
  BinaryArray failure_reason = Texts();
  BinaryArray failure_message = Texts();
  BinaryArray output = Texts();
  BinaryArray payload = Texts();
  BinaryArray payload_sha256 = Texts();
  BinaryArray spend_micros_usd = Bigints();
  BinaryArray data_class = Texts();
  BinaryArray requested_by = Texts();
  BinaryArray entry_count = Integers();

  void Add(const Settlement& settlement) {
    id.Add(settlement.intent_id);
    tenant_id.Add(settlement.tenant_id);
    status.Add(IntentStatusName(settlement.status));
    decision.AddNullable(settlement.decision);
    sgl_result.AddNullable(settlement.sgl_result);
    policy_digest.AddNullable(settlement.policy_digest);
    failure_reason.AddNullable(settlement.failure_reason);
    failure_message.AddNullable(settlement.failure_message);
    output.AddNullable(settlement.output);
    const Adoption adoption = settlement.adoption.value_or(Adoption());
    payload.AddNullable(adoption.payload);
    payload_sha256.AddNullable(adoption.payload_sha256);
    if (adoption.spend_micros_usd.has_value()) {
      spend_micros_usd.AddInt(*adoption.spend_micros_usd);
    } else {
      spend_micros_usd.AddNull();
    }
    data_class.AddNullable(adoption.data_class);
    requested_by.AddNullable(adoption.requested_by);
    entry_count.AddInt(static_cast<int64_t>(settlement.audit.size()));
  }

  void AppendTo(Arrays& arrays) const {
    for (const BinaryArray* column :
         {&id, &tenant_id, &status, &decision, &sgl_result, &policy_digest,
          &failure_reason, &failure_message, &output, &payload, &payload_sha256,
          &spend_micros_usd, &data_class, &requested_by, &entry_count}) {
      arrays.push_back(column);
    }
  }
};

// The columns of enqueue_jobs.sql, as arrays, in its order.
struct JobColumns {
  BinaryArray id = Uuids();
  BinaryArray tenant_id = Uuids();
  BinaryArray intent_id = Uuids();
  BinaryArray job_type = Texts();
  BinaryArray priority = Integers();
  BinaryArray max_retries = Integers();
  BinaryArray level = Texts();
  BinaryArray action = Texts();
  BinaryArray meta = Texts();

  void Add(const Settlement& settlement) {
    const JobDraft& job = *settlement.job;
    id.Add(job.id);
    tenant_id.Add(settlement.tenant_id);
    intent_id.Add(settlement.intent_id);
    job_type.Add(job.job_type);
    priority.AddInt(job.priority);
    max_retries.AddInt(job.max_retries);
    level.Add(AuditLevelName(job.audit.level));
    action.Add(job.audit.action);
    meta.Add(job.audit.meta);
  }

  Arrays AsArrays() const {
    return {&id,          &tenant_id, &intent_id, &job_type, &priority,
            &max_retries, &level,     &action,    &meta};
  }
};

// Raises for a batch that no caller should send.
void CheckBatch(std::span<const Settlement> settlements) {
  if (settlements.size() > static_cast<size_t>(kBatchIntentsMax)) {
    Raise(absl::InvalidArgumentError(
        absl::StrCat("a batch has at most ", kBatchIntentsMax,
                     " settlements, not ", settlements.size())));
  }
  absl::flat_hash_set<absl::string_view> seen;
  for (const Settlement& settlement : settlements) {
    if (!IsUuid(settlement.intent_id) || !IsUuid(settlement.tenant_id)) {
      Raise(absl::FailedPreconditionError(
          absl::StrCat("there is no intent ", settlement.intent_id)));
    }
    if (!seen.insert(settlement.intent_id).second) {
      Raise(absl::InvalidArgumentError(absl::StrCat(
          "intent ", settlement.intent_id, " is settled twice in one batch")));
    }
    if (settlement.audit.empty()) {
      Raise(absl::InvalidArgumentError(absl::StrCat("the settlement of intent ",
                                                    settlement.intent_id,
                                                    " has no audit entry")));
    }
    if ((settlement.status == IntentStatus::kValidating) !=
        settlement.job.has_value()) {
      Raise(absl::InvalidArgumentError(absl::StrCat(
          "the settlement of intent ", settlement.intent_id,
          " has it wait for ",
          "a job and names none, or names one and does not wait")));
    }
    if (!settlement.limit_counts.empty() &&
        settlement.status != IntentStatus::kExecuted &&
        settlement.status != IntentStatus::kValidating) {
      Raise(absl::InvalidArgumentError(
          absl::StrCat("the settlement of intent ", settlement.intent_id,
                       " counts for limits what did not pass")));
    }
  }
}

// Raises ABORTED where one was decided under what is active no longer, or is
// switched off by now. Shares the policy locks from here on. Where no digest is
// given nothing was decided under a policy.
void CheckMaySettle(Session& session, const std::string& active_digest,
                    std::span<const Settlement> settlements,
                    const BinaryArray& intent_ids) {
  absl::flat_hash_map<std::string, std::string> layers;
  std::string platform;
  const BinaryArray* const ids[] = {&intent_ids};
  for (const pqxx::row& row :
       session.Exec(kSettlementDigestsSql, ids, Args())) {
    RowReader reader(row);
    const std::string what = reader.Text();
    const std::string id = reader.Text();
    const std::string value = reader.Text();
    if (what == "switched_off") {
      Raise(absl::AbortedError(
          absl::StrCat("intent ", id, " is switched off at the level of its ",
                       value, " since it was decided")));
    }
    (id.empty() ? platform : layers[id]) = value;
  }
  for (const Settlement& settlement : settlements) {
    if (settlement.is_built_in || active_digest.empty()) continue;
    if (platform != active_digest) {
      Raise(absl::AbortedError(absl::StrCat(
          "the active policy is `", platform,
          "`, and the decisions were made under `", active_digest, "`")));
    }
    const auto found = layers.find(settlement.tenant_id);
    const std::string layer = found == layers.end() ? "" : found->second;
    if (layer == settlement.layer_digest) continue;
    Raise(absl::AbortedError(absl::StrCat(
        "the active layer of tenant ", settlement.tenant_id, " is `", layer,
        "`, and the decision was made under `", settlement.layer_digest, "`")));
  }
}

// Raises, naming the first intent that wasn't updated. A row without an id is
// the notification's.
void CheckAllSettled(std::span<const Settlement> settlements,
                     const pqxx::result& settled, Session& session) {
  if (settled.size() == settlements.size() + 1) return;
  session.MarkFailed();
  absl::flat_hash_set<std::string> done;
  for (const pqxx::row& row : settled) done.insert(row[0].c_str());
  for (const Settlement& settlement : settlements) {
    if (done.contains(settlement.intent_id)) continue;
    Raise(absl::FailedPreconditionError(absl::StrCat(
        "intent ", settlement.intent_id,
        " is final already, or not of the transaction's tenants")));
  }
}

// Enqueues the jobs of those that wait for one.
void EnqueueJobs(std::span<const Settlement> settlements, Session& session) {
  JobColumns jobs;
  size_t count = 0;
  for (const Settlement& settlement : settlements) {
    if (!settlement.job.has_value()) continue;
    jobs.Add(settlement);
    ++count;
  }
  if (count == 0) return;
  if (session.Exec(kEnqueueJobsSql, jobs.AsArrays(), Args()).size() == count) {
    return;
  }
  session.MarkFailed();
  Raise(absl::FailedPreconditionError(
      "an intent is not there for the job that is to be enqueued"));
}

}  // namespace

absl::Status SettleIntents(Transaction& tx, const std::string& active_digest,
                           std::span<const Settlement> settlements) noexcept {
  return Guard("settle intents", [&] {
    CheckBatch(settlements);
    if (settlements.empty()) return absl::OkStatus();
    Session& session = OpenSession(tx);
    SettlementColumns rows;
    MemoColumns memos;
    EntryColumns entries;
    std::vector<std::string> ids;
    std::vector<LimitCount> counts;
    std::vector<const Settlement*> spends;
    for (const Settlement& settlement : settlements) {
      counts.insert(counts.end(), settlement.limit_counts.begin(),
                    settlement.limit_counts.end());
      spends.push_back(&settlement);
      rows.Add(settlement);
      memos.Add(settlement);
      entries.Add(settlement.intent_id, settlement.audit);
      ids.push_back(settlement.intent_id);
    }
    // What is built in is decided where no policy is active as well, and a
    // switch holds it up there, too.
    if (!active_digest.empty() ||
        std::any_of(settlements.begin(), settlements.end(),
                    [](const Settlement& one) { return one.is_built_in; })) {
      CheckMaySettle(session, active_digest, settlements, rows.id);
    }
    Arrays arrays;
    rows.AppendTo(arrays);
    memos.AppendTo(arrays);
    entries.AppendTo(arrays);
    CheckAllSettled(settlements,
                    session.Exec(kSettleIntentsSql, arrays,
                                 Args().Text(SettledNotice(ids))),
                    session);
    EnqueueJobs(settlements, session);
    EnterLimitCounts(counts, session);
    RecordSpends(spends, session);
    return absl::OkStatus();
  });
}

}  // namespace sgl::storage
