#include "engine/approvals.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/log.h"
#include "engine/built_in.h"
#include "engine/decision_json.h"
#include "engine/error.h"
#include "engine/resumption.h"
#include "engine/settlement.h"
#include "storage/audit.h"
#include "storage/settlement.h"

namespace sgl::engine {
namespace {

using ::nlohmann::ordered_json;
using storage::AuditEntry;
using storage::AuditLevel;
using storage::IntentStatus;
using storage::LockedMemo;
using storage::MemoStatus;
using storage::Verdict;
using storage::VoteRow;

absl::Status CheckBallot(const Ballot& ballot) {
  std::vector<FieldError> errors;
  CheckSeen(ballot.seen, &errors);
  if (ballot.verdict == Verdict::kReject && ballot.comment.empty()) {
    errors.push_back({"comment", "say why; a rejection needs a reason"});
  }
  CheckComment(ballot.comment, &errors);
  return errors.empty() ? absl::OkStatus() : BadFields(errors);
}

absl::Status IntentNotFound(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kNotFound) return status;
  return Refusal(absl::StatusCode::kNotFound, "INTENT_NOT_FOUND",
                 "there is no intent with this id");
}

// Whether a voter who has one reason in mind, or any, has these in mind.
bool AreInMind(const std::vector<Reason>& reasons, const Ballot& ballot) {
  if (ballot.only_reason.empty()) return true;
  return !reasons.empty() &&
         std::all_of(reasons.begin(), reasons.end(), [&](const Reason& reason) {
           return reason.code == ballot.only_reason;
         });
}

absl::Status OtherReasons(const Ballot& ballot) {
  return Refusal(absl::StatusCode::kFailedPrecondition, "OTHER_REASONS",
                 absl::StrCat("the memo has other reasons than `",
                              ballot.only_reason, "`; look at it by itself"));
}

// A memo with a reason beside the one that the voter has in mind is not among
// those that they judged.
absl::Status CheckReasons(const LockedMemo& locked, const Ballot& ballot) {
  if (ballot.only_reason.empty()) return absl::OkStatus();
  const absl::StatusOr<std::vector<Reason>> reasons =
      ReasonsFromJson(locked.memo.reasons);
  if (!reasons.ok()) return reasons.status();
  return AreInMind(*reasons, ballot) ? absl::OkStatus() : OtherReasons(ballot);
}

ordered_json VoteMeta(const LockedMemo& locked, const Ballot& ballot) {
  return {{"memo_id", locked.memo.id},
          {"intent_id", locked.intent.id},
          {"revision", locked.memo.revision},
          {"payload_sha256", ballot.seen.payload_sha256},
          {"comment", ballot.comment}};
}

// The same of a vote that counts, with what it counts by.
ordered_json CountedMeta(const LockedMemo& locked, const Ballot& ballot,
                         const Speaker& speaker) {
  ordered_json meta = VoteMeta(locked, ballot);
  meta["roles"] = speaker.standing.roles;
  for (const storage::LentRoles& lent : speaker.standing.lent) {
    if (!std::binary_search(speaker.delegation_ids.begin(),
                            speaker.delegation_ids.end(), lent.delegation_id)) {
      continue;
    }
    meta["delegations"].push_back({{"id", lent.delegation_id},
                                   {"from_user_id", lent.from_user_id},
                                   {"roles", lent.roles}});
  }
  return meta;
}

absl::Status Reject(storage::Transaction& tx, const CallScope& scope,
                    const Ballot& ballot, const LockedMemo& locked,
                    const Speaker& speaker) {
  const absl::Status resolved = storage::ResolveMemo(
      tx, locked.memo.id, MemoStatus::kRejected, kHumanRejected);
  if (!resolved.ok()) return resolved;
  const storage::Settlement settlement = SettleFailed(
      locked.intent,
      {.reason = kHumanRejected,
       .message = absl::StrCat("rejected: ", ballot.comment),
       .audit = EntryBy(scope, "DECISION_MEMO_REJECTED", AuditLevel::kWarn,
                        CountedMeta(locked, ballot, speaker))});
  return storage::SettleIntents(tx, "", {&settlement, 1});
}

}  // namespace

Approvals::Approvals(storage::Database* db, Policies* policies,
                     const ExecutorRegistry* executors, Waiters* waiters)
    : db_(db), policies_(policies), executors_(executors), waiters_(waiters) {}

absl::StatusOr<VoteOutcome> Approvals::Vote(const CallScope& scope,
                                            const Ballot& ballot) {
  const absl::Status checked = CheckBallot(ballot);
  if (!checked.ok()) return checked;
  absl::StatusOr<VoteOutcome> outcome = WithRetries<VoteOutcome>(
      policies_, [&] { return TryVote(scope, ballot); });
  if (!outcome.ok()) return outcome;
  waiters_->NoteSettled({&outcome->intent.id, 1});
  if (IsPolicyActivation(outcome->intent) &&
      outcome->intent.status == IntentStatus::kExecuted) {
    // Others hear of it; here it holds at once.
    const absl::Status reloaded = policies_->Reload();
    if (!reloaded.ok()) LogError("reload the policy: {}", reloaded.ToString());
  }
  return outcome;
}

absl::Status Approvals::ApproveBatch(const CallScope& scope,
                                     const BatchBallot& batch,
                                     const Note& note) {
  std::vector<FieldError> errors;
  if (batch.reason_code.empty()) {
    errors.push_back({"reason_code",
                      "name the one rule that all of the memos "
                      "are there for"});
  }
  if (batch.seen.empty() || batch.seen.size() > kBatchVotesMax) {
    errors.push_back(
        {"items", absl::StrCat("1 to ", kBatchVotesMax, " are allowed, not ",
                               batch.seen.size())});
  }
  CheckComment(batch.comment, &errors);
  if (!errors.empty()) return BadFields(errors);
  absl::Status given_up;
  for (const Seen& seen : batch.seen) {
    if (!given_up.ok()) {
      note(given_up);
      continue;
    }
    const absl::StatusOr<VoteOutcome> outcome =
        Vote(scope, {.seen = seen,
                     .verdict = Verdict::kApprove,
                     .comment = batch.comment,
                     .only_reason = batch.reason_code});
    note(outcome);
    // Without a database, or the time for it, the rest would fare the same,
    // each after its own wait.
    if (absl::IsUnavailable(outcome.status()) ||
        absl::IsDeadlineExceeded(outcome.status()) ||
        absl::IsCancelled(outcome.status())) {
      given_up = Refusal(outcome.status().code(), "NOT_TRIED",
                         "an item before it failed for all; nothing was done");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<VoteOutcome> Approvals::TryVote(const CallScope& scope,
                                               const Ballot& ballot) {
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {scope.principal().tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<LockedMemo> locked =
      LockOpenMemo(*tx, ballot.seen.memo_id);
  if (!locked.ok()) return locked.status();
  if (!AsksAboutIntent(*locked)) {
    return ReopenChanged(*tx, scope, {policies_, executors_}, *locked,
                         "VOTE_REFUSED", VoteMeta(*locked, ballot));
  }
  absl::Status status = CheckFresh(*locked, ballot.seen);
  if (status.ok()) status = CheckReasons(*locked, ballot);
  if (!status.ok()) return status;
  const absl::StatusOr<std::vector<ApprovalDemand>> demands =
      DemandsOf(locked->memo);
  if (!demands.ok()) return demands.status();
  const absl::StatusOr<Speaker> speaker =
      CheckSpeaker(*tx, scope, *locked, *demands);
  if (absl::IsPermissionDenied(speaker.status())) {
    return RecordRefusal(*tx, scope, *locked, "VOTE_REFUSED",
                         VoteMeta(*locked, ballot), speaker.status());
  }
  if (!speaker.ok()) return speaker.status();
  const absl::StatusOr<std::string> inserted =
      storage::InsertVote(*tx, {.memo_id = locked->memo.id,
                                .approved_by = scope.principal().user_id,
                                .verdict = ballot.verdict,
                                .comment = ballot.comment,
                                .roles = speaker->standing.roles,
                                .delegation_ids = speaker->delegation_ids});
  if (absl::IsAlreadyExists(inserted.status())) {
    return Refusal(absl::StatusCode::kAlreadyExists, "ALREADY_VOTED",
                   "you voted on this revision before");
  }
  if (!inserted.ok()) return inserted.status();
  status = ballot.verdict == Verdict::kReject
               ? Reject(*tx, scope, ballot, *locked, *speaker)
               : Approve(*tx, scope, ballot, *locked, *speaker, *demands);
  if (!status.ok()) return status;
  return CommitOutcome(*tx, scope, *locked);
}

absl::Status Approvals::Approve(storage::Transaction& tx,
                                const CallScope& scope, const Ballot& ballot,
                                const LockedMemo& locked,
                                const Speaker& speaker,
                                const std::vector<ApprovalDemand>& demands) {
  absl::StatusOr<std::vector<VoteRow>> votes =
      storage::Votes(tx, locked.memo.id);
  if (!votes.ok()) return votes.status();
  if (IsPolicyActivation(locked.intent)) {
    for (VoteRow& vote : *votes) vote.lent.clear();
  }
  const absl::StatusOr<std::vector<Escalation>> escalations =
      EscalationsOf(locked.memo);
  if (!escalations.ok()) return escalations.status();
  const ordered_json meta = CountedMeta(locked, ballot, speaker);
  if (!MeetsDemands(demands, *votes, locked.barred_user_ids)) {
    // Not the last vote: nothing moves on, but it is on record who said yes.
    return storage::AppendAudit(
        tx,
        {.tenant_id = locked.memo.tenant_id,
         .entity_type = "decision_memo",
         .entity_id = locked.memo.id},
        EntryBy(scope, "VOTE_COUNTED", AuditLevel::kInfo, meta));
  }
  // The rules that are active now may ask for other reasons than the memo
  // shows.
  bool is_in_mind = true;
  const absl::Status resumed =
      Resume(tx, policies_, *executors_,
             {.row = &locked.intent,
              .is_met =
                  [&](const Decision& decision) {
                    is_in_mind = decision.kind != DecisionKind::kReview ||
                                 AreInMind(decision.reasons, ballot);
                    return MeetsDemands(Widen(decision.demands, *escalations),
                                        *votes, locked.barred_user_ids);
                  },
              .entry = EntryBy(scope, "DECISION_MEMO_APPROVED",
                               AuditLevel::kInfo, meta),
              .resolution = "APPROVED"});
  if (!resumed.ok()) return resumed;
  return is_in_mind ? absl::OkStatus() : OtherReasons(ballot);
}

absl::StatusOr<storage::IntentRow> Approvals::Cancel(
    const CallScope& scope, const std::string& intent_id) {
  const storage::Principal& principal = scope.principal();
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {principal.tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  absl::StatusOr<storage::IntentRow> row = storage::LockIntent(*tx, intent_id);
  if (!row.ok()) return IntentNotFound(row.status());
  if (principal.kind == storage::PrincipalKind::kAgent &&
      row->agent_id != principal.agent_id) {
    return Refusal(absl::StatusCode::kPermissionDenied, "NOT_YOUR_INTENT",
                   "another agent submitted this intent");
  }
  if (row->status == IntentStatus::kValidating) {
    return Refusal(absl::StatusCode::kFailedPrecondition, "HAS_JOB",
                   absl::StrCat("the intent's job is under way; cancel that, "
                                "with CancelJob: ",
                                row->job_id));
  }
  if (row->status != IntentStatus::kDraft &&
      row->status != IntentStatus::kAwaitingHuman) {
    return Refusal(
        absl::StatusCode::kFailedPrecondition, "INTENT_FINAL",
        absl::StrCat("the intent is ", storage::IntentStatusName(row->status),
                     " and can't be canceled any more"));
  }
  absl::Status status;
  if (row->status == IntentStatus::kAwaitingHuman) {
    status = storage::LockMemo(*tx, row->decision_memo_id).status();
    if (!status.ok()) return status;
    status = storage::ResolveMemo(*tx, row->decision_memo_id,
                                  MemoStatus::kRejected, kCanceled);
    if (!status.ok()) return status;
  }
  const ordered_json meta = {
      {"from", std::string(storage::IntentStatusName(row->status))},
      {"memo_id", row->decision_memo_id}};
  const storage::Settlement settlement = SettleFailed(
      *row,
      {.reason = kCanceled,
       .message = absl::StrCat("canceled by ",
                               storage::PrincipalKindName(principal.kind), " ",
                               principal.name),
       .audit = EntryBy(scope, "INTENT_CANCELED", AuditLevel::kInfo, meta)});
  status = storage::SettleIntents(*tx, "", {&settlement, 1});
  if (!status.ok()) return status;
  row = storage::GetIntent(*tx, intent_id);
  if (!row.ok()) return row.status();
  status = scope.CheckAlive();
  if (!status.ok()) return status;
  status = tx->Commit();
  if (!status.ok()) return status;
  waiters_->NoteSettled({&row->id, 1});
  return row;
}

}  // namespace sgl::engine
