#include "engine/memo_edits.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/sha256.h"
#include "engine/resumption.h"
#include "storage/intents.h"

namespace sgl::engine {
namespace {

using ::nlohmann::ordered_json;
using storage::LockedMemo;

absl::Status CheckEdit(const MemoEdit& edit) {
  std::vector<FieldError> errors;
  CheckSeen(edit.seen, &errors);
  if (edit.comment.empty()) {
    errors.push_back({"comment", "say why; an edit needs a reason"});
  }
  CheckComment(edit.comment, &errors);
  CheckIntentBody(edit.body, &errors);
  return errors.empty() ? absl::OkStatus() : BadFields(errors);
}

// The revision that the edit makes.
storage::IntentRow EditedRow(const LockedMemo& locked, const IntentBody& body) {
  storage::IntentRow row = locked.intent;
  row.revision += 1;
  row.intent_type = body.intent_type;
  row.payload = body.payload;
  row.payload_sha256 = Sha256Hex(body.payload);
  row.spend_micros_usd = body.spend_micros_usd;
  row.data_class = std::string(DataClassName(body.data_class));
  return row;
}

// Which of the four fields differ, with both values; of payloads, which may
// hold anything, the hashes.
ordered_json Changes(const storage::IntentRow& old_row,
                     const storage::IntentRow& new_row) {
  ordered_json changes = ordered_json::object();
  const auto note = [&](const char* field, const ordered_json& old_value,
                        const ordered_json& new_value) {
    if (old_value == new_value) return;
    changes[field] = {{"from", old_value}, {"to", new_value}};
  };
  note("intent_type", old_row.intent_type, new_row.intent_type);
  note("payload_sha256", old_row.payload_sha256, new_row.payload_sha256);
  note("spend_micros_usd", old_row.spend_micros_usd.value_or(0),
       new_row.spend_micros_usd.value_or(0));
  note("data_class", old_row.data_class.empty() ? "NONE" : old_row.data_class,
       new_row.data_class);
  return changes;
}

ordered_json EditMeta(const LockedMemo& locked, const MemoEdit& edit) {
  return {{"memo_id", locked.memo.id},
          {"intent_id", locked.intent.id},
          {"old_revision", locked.intent.revision},
          {"old_payload_sha256", locked.intent.payload_sha256},
          {"payload_sha256", Sha256Hex(edit.body.payload)},
          {"comment", edit.comment}};
}

}  // namespace

MemoEdits::MemoEdits(storage::Database* db, Policies* policies,
                     const ExecutorRegistry* executors, Waiters* waiters)
    : db_(db), policies_(policies), executors_(executors), waiters_(waiters) {}

absl::StatusOr<VoteOutcome> MemoEdits::Edit(const CallScope& scope,
                                            const MemoEdit& edit) {
  const absl::Status checked = CheckEdit(edit);
  if (!checked.ok()) return checked;
  absl::StatusOr<VoteOutcome> outcome =
      WithRetries<VoteOutcome>(policies_, [&] { return TryEdit(scope, edit); });
  if (outcome.ok()) waiters_->NoteSettled({&outcome->intent.id, 1});
  return outcome;
}

absl::StatusOr<VoteOutcome> MemoEdits::TryEdit(const CallScope& scope,
                                               const MemoEdit& edit) {
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {scope.principal().tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<LockedMemo> locked =
      LockOpenMemo(*tx, edit.seen.memo_id);
  if (!locked.ok()) return locked.status();
  if (!AsksAboutIntent(*locked)) {
    return ReopenChanged(*tx, scope, {policies_, executors_}, *locked,
                         "EDIT_REFUSED", EditMeta(*locked, edit));
  }
  const absl::Status fresh = CheckFresh(*locked, edit.seen);
  if (!fresh.ok()) return fresh;
  const absl::StatusOr<std::vector<ApprovalDemand>> demands =
      DemandsOf(locked->memo);
  if (!demands.ok()) return demands.status();
  const absl::StatusOr<Speaker> speaker =
      CheckSpeaker(*tx, scope, *locked, *demands);
  if (absl::IsPermissionDenied(speaker.status())) {
    return RecordRefusal(*tx, scope, *locked, "EDIT_REFUSED",
                         EditMeta(*locked, edit), speaker.status());
  }
  if (!speaker.ok()) return speaker.status();
  const absl::Status applied = Apply(*tx, scope, edit, *locked, *speaker);
  if (!applied.ok()) return applied;
  return CommitOutcome(*tx, scope, *locked);
}

absl::Status MemoEdits::Apply(storage::Transaction& tx, const CallScope& scope,
                              const MemoEdit& edit, const LockedMemo& locked,
                              const Speaker& speaker) {
  const storage::IntentRow row = EditedRow(locked, edit.body);
  const ordered_json changes = Changes(locked.intent, row);
  if (changes.empty()) {
    return Refusal(absl::StatusCode::kFailedPrecondition, "NOTHING_CHANGED",
                   "the edit leaves the intent as it is; to let it pass, "
                   "approve it");
  }
  const absl::StatusOr<int32_t> revision =
      storage::ReviseIntent(tx, {.tenant_id = row.tenant_id,
                                 .intent_id = row.id,
                                 .intent_type = row.intent_type,
                                 .payload = row.payload,
                                 .payload_sha256 = row.payload_sha256,
                                 .spend_micros_usd = edit.body.spend_micros_usd,
                                 .data_class = row.data_class,
                                 .edited_by = scope.principal().user_id});
  if (absl::IsInvalidArgument(revision.status())) {
    return BadField("payload", "the database can't hold this JSON");
  }
  if (!revision.ok()) return revision.status();
  ordered_json meta = EditMeta(locked, edit);
  meta["revision"] = *revision;
  meta["changes"] = changes;
  meta["delegation_ids"] = speaker.delegation_ids;
  return Resume(tx, policies_, *executors_,
                {.row = &row,
                 // Nobody voted on what was made just now.
                 .is_met = [](const Decision&) { return false; },
                 .entry = EntryBy(scope, "DECISION_MEMO_EDITED",
                                  storage::AuditLevel::kWarn, meta),
                 .resolution = "ALLOWED_AFTER_EDIT"});
}

}  // namespace sgl::engine
