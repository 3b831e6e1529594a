#include "engine/memo_checks.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/built_in.h"
#include "engine/resumption.h"
#include "engine/settlement.h"
#include "engine/text.h"
#include "storage/switches.h"

namespace sgl::engine {
namespace {

using storage::LockedMemo;

absl::Status CheckOpen(const LockedMemo& locked) {
  if (locked.switched_off.has_value()) {
    return Refusal(
        absl::StatusCode::kFailedPrecondition, "KILL_SWITCH",
        absl::StrCat("the kill switch of the ",
                     storage::SwitchLevelName(*locked.switched_off),
                     " is set; nothing is voted on until an operator turns it "
                     "on again"));
  }
  if (locked.memo.status != storage::MemoStatus::kProposed) {
    return Refusal(
        absl::StatusCode::kFailedPrecondition, "MEMO_CLOSED",
        absl::StrCat("the memo is closed already: ", locked.memo.resolution));
  }
  if (locked.intent.status != storage::IntentStatus::kAwaitingHuman ||
      locked.intent.decision_memo_id != locked.memo.id) {
    return Refusal(absl::StatusCode::kFailedPrecondition, "MEMO_CLOSED",
                   "no intent waits for this memo");
  }
  if (locked.memo.expired) {
    return Refusal(absl::StatusCode::kFailedPrecondition, "MEMO_EXPIRED",
                   "the time for votes is over");
  }
  return absl::OkStatus();
}

}  // namespace

void CheckSeen(const Seen& seen, std::vector<FieldError>* errors) {
  if (seen.revision < 0) errors->push_back({"revision", "it is negative"});
  if (!IsSha256Hex(seen.payload_sha256)) {
    errors->push_back({"payload_sha256",
                       "64 lower-case hex digits are required: the hash of the "
                       "payload that you saw"});
  }
}

void CheckComment(const std::string& comment, std::vector<FieldError>* errors) {
  if (CharacterCount(comment) > kCommentMax) {
    errors->push_back({"comment", absl::StrCat("at most ", kCommentMax,
                                               " characters are allowed")});
  } else if (HasNul(comment)) {
    errors->push_back({"comment", "it holds a NUL character"});
  }
}

absl::StatusOr<LockedMemo> LockOpenMemo(storage::Transaction& tx,
                                        const std::string& memo_id) {
  absl::StatusOr<LockedMemo> locked = storage::LockMemo(tx, memo_id);
  if (absl::IsNotFound(locked.status())) {
    return Refusal(absl::StatusCode::kNotFound, "MEMO_NOT_FOUND",
                   "there is no decision memo with this id");
  }
  if (!locked.ok()) return locked;
  const absl::Status status = CheckOpen(*locked);
  if (!status.ok()) return status;
  return locked;
}

bool AsksAboutIntent(const LockedMemo& locked) {
  return locked.intent.revision == locked.memo.revision &&
         locked.intent.payload_sha256 == locked.memo.payload_sha256;
}

absl::Status ReopenChanged(storage::Transaction& tx, const CallScope& scope,
                           const ReopeningTools& tools,
                           const LockedMemo& locked, absl::string_view action,
                           nlohmann::ordered_json meta) {
  const absl::Status refusal =
      Refusal(absl::StatusCode::kAborted, "INTENT_CHANGED",
              "the intent is not what the memo asked about any more and was "
              "decided again; read both again");
  meta["reason"] = ReasonOf(refusal);
  meta["intent_revision"] = locked.intent.revision;
  meta["intent_payload_sha256"] = locked.intent.payload_sha256;
  const absl::Status reopened = Resume(
      tx, tools.policies, *tools.executors,
      {.row = &locked.intent,
       .is_met = [](const Decision&) { return false; },
       .entry = EntryBy(scope, action, storage::AuditLevel::kSecurity, meta),
       .resolution = "ALLOWED_AFTER_EDIT"});
  if (!reopened.ok()) return reopened;
  const absl::Status committed = tx.Commit();
  return committed.ok() ? refusal : committed;
}

absl::Status CheckFresh(const LockedMemo& locked, const Seen& seen) {
  const int32_t revision = std::max(seen.revision, 1);
  if (revision != locked.memo.revision) {
    return Refusal(
        absl::StatusCode::kAborted, "STALE_REVISION",
        absl::StrCat("the memo is at revision ", locked.memo.revision,
                     ", the call is on ", revision, "; read the memo again"));
  }
  if (seen.payload_sha256 != locked.memo.payload_sha256) {
    return Refusal(absl::StatusCode::kAborted, "STALE_PAYLOAD",
                   "the call is on another payload than the memo's; read the "
                   "memo again");
  }
  return absl::OkStatus();
}

absl::StatusOr<Speaker> CheckSpeaker(
    storage::Transaction& tx, const CallScope& scope, const LockedMemo& locked,
    const std::vector<ApprovalDemand>& demands) {
  const std::string& user_id = scope.principal().user_id;
  absl::StatusOr<storage::Standing> standing =
      storage::ReadStanding(tx, user_id);
  if (!standing.ok()) return standing.status();
  if (!standing->is_member) {
    return Refusal(absl::StatusCode::kPermissionDenied, "NOT_A_MEMBER",
                   "only members of the tenant vote on memos and edit them");
  }
  if (std::binary_search(locked.barred_user_ids.begin(),
                         locked.barred_user_ids.end(), user_id)) {
    return Refusal(absl::StatusCode::kPermissionDenied, "SELF_APPROVAL",
                   "who owns the agent, issued its token or edited this "
                   "revision can't vote on it or edit it");
  }
  // The database counts the votes on an activation by own roles alone.
  if (IsPolicyActivation(locked.intent)) standing->lent.clear();
  Fit fit = FitOf(demands, *standing, locked.barred_user_ids);
  if (!fit.fits) {
    return Refusal(absl::StatusCode::kPermissionDenied, "ROLE_MISSING",
                   "none of the roles that you hold or that others lend you "
                   "is among those that the memo demands");
  }
  return Speaker{.standing = *std::move(standing),
                 .delegation_ids = std::move(fit.delegation_ids)};
}

storage::AuditEntry EntryBy(const CallScope& scope, absl::string_view action,
                            storage::AuditLevel level,
                            const nlohmann::ordered_json& meta) {
  // Which of the caller's tokens: one may be stolen.
  nlohmann::ordered_json with_token = meta;
  with_token["token_id"] = scope.principal().token_id;
  storage::AuditEntry entry = MakeEntry(
      action, level,
      with_token.dump(-1, ' ', false,
                      nlohmann::ordered_json::error_handler_t::replace));
  entry.actor = ActorOf(scope.principal());
  return entry;
}

absl::Status RecordRefusal(storage::Transaction& tx, const CallScope& scope,
                           const LockedMemo& locked, absl::string_view action,
                           nlohmann::ordered_json meta,
                           const absl::Status& refusal) {
  meta["reason"] = ReasonOf(refusal);
  const absl::Status appended = storage::AppendAudit(
      tx,
      {.tenant_id = locked.memo.tenant_id,
       .entity_type = "decision_memo",
       .entity_id = locked.memo.id},
      EntryBy(scope, action, storage::AuditLevel::kSecurity, meta));
  if (!appended.ok()) return appended;
  const absl::Status committed = tx.Commit();
  return committed.ok() ? refusal : committed;
}

absl::StatusOr<VoteOutcome> CommitOutcome(storage::Transaction& tx,
                                          const CallScope& scope,
                                          const LockedMemo& locked) {
  absl::StatusOr<storage::MemoRow> memo = storage::GetMemo(tx, locked.memo.id);
  if (!memo.ok()) return memo.status();
  absl::StatusOr<storage::IntentRow> intent =
      storage::GetIntent(tx, locked.intent.id);
  if (!intent.ok()) return intent.status();
  absl::Status status = scope.CheckAlive();
  if (status.ok()) status = tx.Commit();
  if (!status.ok()) return status;
  return VoteOutcome{.memo = *std::move(memo), .intent = *std::move(intent)};
}

}  // namespace sgl::engine
