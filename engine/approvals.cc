#include "engine/approvals.h"

#include <absl/container/flat_hash_set.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/check.h"
#include "engine/decider.h"
#include "engine/decision_json.h"
#include "engine/error.h"
#include "engine/settlement.h"
#include "engine/text.h"
#include "storage/audit.h"
#include "storage/facts.h"

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

// Another policy may become active while a vote is counted; twice in a row is
// unlikely, and then the caller may try.
constexpr int kAttemptsMax = 3;

absl::Status CheckBallot(const Ballot& ballot) {
  std::vector<FieldError> errors;
  if (ballot.revision < 0) errors.push_back({"revision", "it is negative"});
  if (!IsSha256Hex(ballot.payload_sha256)) {
    errors.push_back({"payload_sha256",
                      "64 lower-case hex digits are required: the hash of the "
                      "payload that you saw"});
  }
  if (ballot.verdict == Verdict::kReject && ballot.comment.empty()) {
    errors.push_back({"comment", "say why; a rejection needs a reason"});
  }
  if (CharacterCount(ballot.comment) > kCommentMax) {
    errors.push_back({"comment", absl::StrCat("at most ", kCommentMax,
                                              " characters are allowed")});
  } else if (HasNul(ballot.comment)) {
    errors.push_back({"comment", "it holds a NUL character"});
  }
  return errors.empty() ? absl::OkStatus() : BadFields(errors);
}

absl::Status MemoNotFound(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kNotFound) return status;
  return Refusal(absl::StatusCode::kNotFound, "MEMO_NOT_FOUND",
                 "there is no decision memo with this id");
}

absl::Status IntentNotFound(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kNotFound) return status;
  return Refusal(absl::StatusCode::kNotFound, "INTENT_NOT_FOUND",
                 "there is no intent with this id");
}

absl::Status KillSwitchSet(storage::SwitchLevel level) {
  return Refusal(
      absl::StatusCode::kFailedPrecondition, "KILL_SWITCH",
      absl::StrCat("the kill switch of the ", storage::SwitchLevelName(level),
                   " is set; nothing is voted on until an operator turns it "
                   "on again"));
}

absl::Status CheckOpen(const LockedMemo& locked) {
  if (locked.switched_off.has_value())
    return KillSwitchSet(*locked.switched_off);
  if (locked.memo.status != MemoStatus::kProposed) {
    return Refusal(
        absl::StatusCode::kFailedPrecondition, "MEMO_CLOSED",
        absl::StrCat("the memo is closed already: ", locked.memo.resolution));
  }
  if (locked.memo.expired) {
    return Refusal(absl::StatusCode::kFailedPrecondition, "MEMO_EXPIRED",
                   "the time for votes is over");
  }
  return absl::OkStatus();
}

absl::Status CheckFresh(const LockedMemo& locked, const Ballot& ballot) {
  const int32_t revision = std::max(ballot.revision, 1);
  if (revision != locked.memo.revision) {
    return Refusal(
        absl::StatusCode::kAborted, "STALE_REVISION",
        absl::StrCat("the memo is at revision ", locked.memo.revision,
                     ", the vote is on ", revision, "; read the memo again"));
  }
  if (ballot.payload_sha256 != locked.memo.payload_sha256) {
    return Refusal(absl::StatusCode::kAborted, "STALE_PAYLOAD",
                   "the vote is on another payload than the memo's; read the "
                   "memo again");
  }
  return absl::OkStatus();
}

// `votes` holds the voter's own, with their roles as of now.
absl::Status CheckVoter(const LockedMemo& locked,
                        const std::vector<ApprovalDemand>& demands,
                        const std::vector<VoteRow>& votes,
                        const std::string& user_id) {
  const auto own = std::find_if(
      votes.begin(), votes.end(),
      [&](const VoteRow& vote) { return vote.approved_by == user_id; });
  if (own == votes.end() || !own->is_member) {
    return Refusal(absl::StatusCode::kPermissionDenied, "NOT_A_MEMBER",
                   "only members of the tenant vote");
  }
  if (std::binary_search(locked.barred_user_ids.begin(),
                         locked.barred_user_ids.end(), user_id)) {
    return Refusal(absl::StatusCode::kPermissionDenied, "SELF_APPROVAL",
                   "who owns the agent, issued its token or edited this "
                   "revision can't vote on it");
  }
  if (!FitsAnyDemand(demands, own->roles)) {
    return Refusal(absl::StatusCode::kPermissionDenied, "ROLE_MISSING",
                   "none of your roles is among those that the memo demands");
  }
  return absl::OkStatus();
}

ordered_json VoteMeta(const LockedMemo& locked, const Ballot& ballot) {
  return {{"memo_id", locked.memo.id},
          {"intent_id", locked.intent.id},
          {"revision", locked.memo.revision},
          {"payload_sha256", ballot.payload_sha256},
          {"comment", ballot.comment}};
}

AuditEntry VoteEntry(absl::string_view action, AuditLevel level,
                     const CallScope& scope, const ordered_json& meta) {
  AuditEntry entry = MakeEntry(
      action, level,
      meta.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
  entry.actor = ActorOf(scope.principal());
  return entry;
}

// Keeps that somebody tried, and ends the transaction. The refusal stands
// even where that can't be written.
absl::Status RecordRefusal(storage::Transaction& tx, const CallScope& scope,
                           const LockedMemo& locked, const Ballot& ballot,
                           const absl::Status& refusal) {
  ordered_json meta = VoteMeta(locked, ballot);
  meta["reason"] = ReasonOf(refusal);
  const absl::Status appended = storage::AppendAudit(
      tx,
      {.tenant_id = locked.memo.tenant_id,
       .entity_type = "decision_memo",
       .entity_id = locked.memo.id},
      VoteEntry("VOTE_REFUSED", AuditLevel::kSecurity, scope, meta));
  if (!appended.ok()) return appended;
  const absl::Status committed = tx.Commit();
  return committed.ok() ? refusal : committed;
}

absl::Status Reject(storage::Transaction& tx, const CallScope& scope,
                    const Ballot& ballot, const LockedMemo& locked) {
  const absl::Status resolved = storage::ResolveMemo(
      tx, locked.memo.id, MemoStatus::kRejected, kHumanRejected);
  if (!resolved.ok()) return resolved;
  const storage::Settlement settlement = SettleFailed(
      locked.intent,
      {.reason = kHumanRejected,
       .message = absl::StrCat("rejected: ", ballot.comment),
       .audit = VoteEntry("DECISION_MEMO_REJECTED", AuditLevel::kWarn, scope,
                          VoteMeta(locked, ballot))});
  return storage::SettleIntents(tx, "", {&settlement, 1});
}

}  // namespace

bool FitsAnyDemand(const std::vector<ApprovalDemand>& demands,
                   const std::vector<std::string>& roles) {
  const auto fits = [&](const ApprovalDemand& demand) {
    return demand.roles.empty() ||
           std::find_first_of(roles.begin(), roles.end(), demand.roles.begin(),
                              demand.roles.end()) != roles.end();
  };
  return demands.empty() || std::any_of(demands.begin(), demands.end(), fits);
}

bool MeetsDemands(const std::vector<ApprovalDemand>& demands,
                  const std::vector<VoteRow>& votes) {
  for (const ApprovalDemand& demand : demands) {
    absl::flat_hash_set<std::string> people;
    for (const VoteRow& vote : votes) {
      if (vote.verdict != Verdict::kApprove || vote.expired ||
          !vote.is_member || !FitsAnyDemand({demand}, vote.roles)) {
        continue;
      }
      people.insert(vote.approved_by);
    }
    if (static_cast<int64_t>(people.size()) < demand.count) return false;
  }
  return true;
}

Approvals::Approvals(storage::Database* db, Policies* policies,
                     const ExecutorRegistry* executors, Waiters* waiters)
    : db_(db), policies_(policies), executors_(executors), waiters_(waiters) {}

absl::StatusOr<VoteOutcome> Approvals::Vote(const CallScope& scope,
                                            const Ballot& ballot) {
  const absl::Status checked = CheckBallot(ballot);
  if (!checked.ok()) return checked;
  absl::StatusOr<VoteOutcome> outcome = absl::AbortedError("");
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    outcome = TryVote(scope, ballot);
    // An ABORTED without a reason is storage's: another policy is active by
    // now, or a lock was not to be had.
    if (outcome.ok() || !ReasonOf(outcome.status()).empty() ||
        outcome.status().code() != absl::StatusCode::kAborted) {
      break;
    }
    const absl::Status reloaded = policies_->Reload();
    if (!reloaded.ok()) return reloaded;
  }
  if (outcome.ok()) waiters_->NoteSettled({&outcome->intent.id, 1});
  return outcome;
}

absl::StatusOr<VoteOutcome> Approvals::TryVote(const CallScope& scope,
                                               const Ballot& ballot) {
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {scope.principal().tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<LockedMemo> locked =
      storage::LockMemo(*tx, ballot.memo_id);
  if (!locked.ok()) return MemoNotFound(locked.status());
  absl::Status status = CheckOpen(*locked);
  if (!status.ok()) return status;
  status = CheckFresh(*locked, ballot);
  if (!status.ok()) return status;
  const absl::StatusOr<std::vector<ApprovalDemand>> demands =
      DemandsFromJson(locked->memo.demands);
  if (!demands.ok()) return demands.status();

  std::vector<VoteRow> votes;
  const std::string& user_id = scope.principal().user_id;
  // The voter's roles come with the vote, so a vote of somebody who may not
  // is stored and undone.
  status = tx->InSavepoint([&]() -> absl::Status {
    const absl::StatusOr<std::string> inserted =
        storage::InsertVote(*tx, {.memo_id = locked->memo.id,
                                  .approved_by = user_id,
                                  .verdict = ballot.verdict,
                                  .comment = ballot.comment});
    if (inserted.status().code() == absl::StatusCode::kFailedPrecondition) {
      return CheckVoter(*locked, *demands, {}, user_id);
    }
    if (!inserted.ok()) return inserted.status();
    absl::StatusOr<std::vector<VoteRow>> stored =
        storage::Votes(*tx, locked->memo.id);
    if (!stored.ok()) return stored.status();
    votes = *std::move(stored);
    return CheckVoter(*locked, *demands, votes, user_id);
  });
  if (status.code() == absl::StatusCode::kAlreadyExists) {
    return Refusal(absl::StatusCode::kAlreadyExists, "ALREADY_VOTED",
                   "you voted on this revision before");
  }
  if (status.code() == absl::StatusCode::kPermissionDenied) {
    return RecordRefusal(*tx, scope, *locked, ballot, status);
  }
  if (!status.ok()) return status;

  status = ballot.verdict == Verdict::kReject
               ? Reject(*tx, scope, ballot, *locked)
               : Approve(*tx, scope, ballot, *locked, votes);
  if (!status.ok()) return status;
  absl::StatusOr<storage::MemoRow> memo =
      storage::GetMemo(*tx, locked->memo.id);
  if (!memo.ok()) return memo.status();
  absl::StatusOr<storage::IntentRow> intent =
      storage::GetIntent(*tx, locked->intent.id);
  if (!intent.ok()) return intent.status();
  status = scope.CheckAlive();
  if (!status.ok()) return status;
  status = tx->Commit();
  if (!status.ok()) return status;
  return VoteOutcome{.memo = *std::move(memo), .intent = *std::move(intent)};
}

absl::Status Approvals::Approve(storage::Transaction& tx,
                                const CallScope& scope, const Ballot& ballot,
                                const LockedMemo& locked,
                                const std::vector<VoteRow>& votes) {
  const absl::StatusOr<std::vector<ApprovalDemand>> demands =
      DemandsFromJson(locked.memo.demands);
  if (!demands.ok()) return demands.status();
  if (MeetsDemands(*demands, votes)) {
    return Resume(tx, locked, votes,
                  VoteEntry("DECISION_MEMO_APPROVED", AuditLevel::kInfo, scope,
                            VoteMeta(locked, ballot)));
  }
  // Not the last vote: nothing moves on, but it is on record who said yes.
  return storage::AppendAudit(tx,
                              {.tenant_id = locked.memo.tenant_id,
                               .entity_type = "decision_memo",
                               .entity_id = locked.memo.id},
                              VoteEntry("VOTE_COUNTED", AuditLevel::kInfo,
                                        scope, VoteMeta(locked, ballot)));
}

absl::Status Approvals::Resume(storage::Transaction& tx,
                               const LockedMemo& locked,
                               const std::vector<VoteRow>& votes,
                               AuditEntry entry) {
  const std::shared_ptr<const ActivePolicy> policy = policies_->active();
  if (policy == nullptr) return NoActivePolicy();
  const storage::IntentRow& row = locked.intent;
  const std::vector<std::string> tenants = {row.tenant_id};
  const std::vector<std::string> agents = {row.agent_id};
  const absl::StatusOr<storage::Facts> facts =
      storage::ReadFacts(tx, tenants, agents);
  if (!facts.ok()) return facts.status();
  const Deliberation deliberation = Decide(*policy->program, row, *facts);
  const Decision& decision = deliberation.decision;
  const bool is_met = MeetsDemands(decision.demands, votes);
  const storage::Settlement settlement =
      SettleApproved(row, deliberation, is_met, *executors_, std::move(entry));
  if (settlement.status != IntentStatus::kAwaitingHuman) {
    const bool is_blocked = settlement.status == IntentStatus::kBlockedSgl;
    const absl::Status resolved = storage::ResolveMemo(
        tx, locked.memo.id,
        is_blocked ? MemoStatus::kRejected : MemoStatus::kApproved,
        is_blocked ? "BLOCKED_SGL" : "APPROVED");
    if (!resolved.ok()) return resolved;
  }
  return storage::SettleIntents(tx, policy->digest, {&settlement, 1});
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
       .audit = VoteEntry("INTENT_CANCELED", AuditLevel::kInfo, scope, meta)});
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
