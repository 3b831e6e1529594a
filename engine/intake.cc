#include "engine/intake.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/sha256.h"
#include "engine/decider.h"
#include "engine/decision_json.h"
#include "engine/error.h"
#include "engine/intent_body.h"
#include "engine/payload_map.h"
#include "engine/resumption.h"
#include "engine/settlement.h"
#include "storage/facts.h"
#include "storage/uuid.h"

namespace sgl::engine {
namespace {

// The answer to a wait that ends with the call's deadline leaves this much
// earlier, so that it still arrives.
constexpr absl::Duration kAnswerMargin = absl::Milliseconds(50);

// What every use of a submission needs.
std::vector<FieldError> CheckBody(const Submission& submission) {
  std::vector<FieldError> errors;
  CheckIntentBody({.intent_type = submission.intent_type,
                   .payload = submission.payload,
                   .spend_micros_usd = submission.spend_micros_usd,
                   .data_class = submission.data_class},
                  &errors);
  CheckText("title", submission.title, kTitleMax, &errors);
  CheckText("rationale", submission.rationale, kRationaleMax, &errors);
  CheckText("requested_by", submission.requested_by, kRequestedByMax, &errors);
  return errors;
}

absl::Status CheckSubmission(const Submission& submission) {
  std::vector<FieldError> errors = CheckBody(submission);
  if (!storage::IsUuid(submission.request_id)) {
    errors.insert(errors.begin(),
                  {"request_id", submission.request_id.empty()
                                     ? "a UUID that you make is required"
                                     : "it is no UUID"});
  }
  if (submission.wait < absl::ZeroDuration() || submission.wait > kWaitMax) {
    errors.push_back({"wait", absl::StrCat("it must be 0 to ",
                                           absl::FormatDuration(kWaitMax))});
  }
  return errors.empty() ? absl::OkStatus() : BadFields(errors);
}

// Everything that a repeat must repeat. Each part has its length before it,
// so that no two submissions hash the same text.
std::string BodyHash(const Submission& submission) {
  const std::string spend = absl::StrCat(submission.spend_micros_usd);
  std::string text;
  for (const absl::string_view part :
       {absl::string_view(submission.intent_type),
        absl::string_view(submission.payload), absl::string_view(spend),
        DataClassName(submission.data_class),
        absl::string_view(submission.title),
        absl::string_view(submission.rationale),
        absl::string_view(submission.requested_by)}) {
    absl::StrAppend(&text, part.size(), ":", part);
  }
  return Sha256Hex(text);
}

// One spelling of an id, so that a repeat in capitals is a repeat.
std::string StoredRequestId(const Submission& submission) {
  return absl::AsciiStrToLower(submission.request_id);
}

storage::NewIntent NewIntentOf(const storage::Principal& principal,
                               const Submission& submission) {
  storage::NewIntent intent;
  intent.tenant_id = principal.tenant_id;
  intent.agent_id = principal.agent_id;
  intent.principal_id = principal.agent_id;
  intent.request_id = StoredRequestId(submission);
  intent.body_sha256 = BodyHash(submission);
  intent.intent_type = submission.intent_type;
  intent.payload = submission.payload;
  intent.payload_sha256 = Sha256Hex(submission.payload);
  intent.spend_micros_usd = submission.spend_micros_usd;
  intent.data_class = std::string(DataClassName(submission.data_class));
  intent.requested_by = submission.requested_by;
  intent.title = submission.title;
  intent.rationale = submission.rationale;
  intent.submitted_by_token = principal.token_id;
  // The hash binds the rest; texts that callers chose are kept out of the
  // entry, which is never deleted.
  intent.audit =
      MakeEntry("INTENT_SUBMITTED", storage::AuditLevel::kInfo,
                absl::StrCat(R"({"request_id":")", intent.request_id,
                             R"(","payload_sha256":")", intent.payload_sha256,
                             R"(","body_sha256":")", intent.body_sha256,
                             R"(","token_id":")", principal.token_id, "\"}"));
  intent.audit.actor = ActorOf(principal);
  return intent;
}

// The row that a submission would make.
storage::IntentRow RowOf(const storage::Principal& principal,
                         const Submission& submission, absl::Time now) {
  storage::IntentRow row;
  row.tenant_id = principal.tenant_id;
  row.agent_id = principal.agent_id;
  row.intent_type = submission.intent_type;
  row.payload = submission.payload;
  row.payload_sha256 = Sha256Hex(submission.payload);
  row.spend_micros_usd = submission.spend_micros_usd;
  row.data_class = std::string(DataClassName(submission.data_class));
  row.requested_by = submission.requested_by;
  row.title = submission.title;
  row.rationale = submission.rationale;
  row.request_id = StoredRequestId(submission);
  row.created_at = now;
  row.updated_at = now;
  return row;
}

absl::Status ForCaller(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kAlreadyExists) {
    return Refusal(absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED",
                   "this request_id was used with another body; make a new "
                   "one for a new intent");
  }
  if (status.code() == absl::StatusCode::kInvalidArgument) {
    return BadField("payload", "the database can't hold this JSON");
  }
  return status;
}

}  // namespace

// What a submission would become.
struct Intake::Preview {
  storage::IntentRow row;
  Evaluation evaluation;
};

Intake::Intake(storage::Database* db, Policies* policies, Worker* worker,
               Waiters* waiters)
    : db_(db), policies_(policies), worker_(worker), waiters_(waiters) {}

void Intake::Submit(const CallScope& scope, const Submission& submission,
                    Done done) {
  const absl::Status checked = CheckSubmission(submission);
  if (!checked.ok()) return done(checked);
  if (policies_->active() == nullptr) return done(NoActivePolicy());
  const storage::NewIntent intent = NewIntentOf(scope.principal(), submission);
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {intent.tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return done(tx.status());
  const absl::StatusOr<storage::InsertOutcome> outcome =
      storage::InsertIntent(*tx, intent);
  if (!outcome.ok()) return done(ForCaller(outcome.status()));

  // The deadline's answer leaves early enough to arrive.
  const absl::Time until =
      std::min(absl::Now() + submission.wait, scope.deadline() - kAnswerMargin);
  bool waits =
      submission.wait > absl::ZeroDuration() && !IsDecided(outcome->row);
  if (waits) {
    // Before the commit: no settlement can come first.
    const absl::Status added =
        waiters_->Add(scope.id(), {intent.tenant_id, outcome->row.id}, done);
    // Without a place to wait in it is taken all the same, and answered as a
    // call whose time is up.
    waits = !absl::IsResourceExhausted(added);
    if (waits && !added.ok()) return done(added);
  }
  absl::StatusOr<storage::IntentRow> row = outcome->row;
  if (!outcome->repeated) row = Commit(*tx, scope, intent, *std::move(row));
  if (!row.ok()) {
    // Whoever canceled, or stopped the waiters, answered the call already.
    if (waits && !waiters_->Forget(scope.id())) return;
    return done(ForCaller(row.status()));
  }
  tx->Rollback();
  worker_->Wake();
  if (!waits) return done(*row);
  waiters_->SetUntil(scope.id(), until);
  // What was there before may have been decided between its read and the
  // waiter; a cancel may have come before the waiter.
  if (outcome->repeated) waiters_->NoteSettled({&row->id, 1});
  if (scope.is_canceled()) waiters_->Cancel(scope.id());
}

absl::StatusOr<storage::IntentRow> Intake::Commit(
    storage::Transaction& tx, const CallScope& scope,
    const storage::NewIntent& intent, storage::IntentRow row) {
  const absl::Status alive = scope.CheckAlive();
  if (!alive.ok()) return alive;
  const absl::Status committed = tx.Commit();
  if (committed.ok()) return row;
  if (committed.code() != absl::StatusCode::kUnknown) return committed;
  // The commit is in doubt; the request id says whether it happened.
  absl::StatusOr<storage::Transaction> again =
      db_->Begin({.tenants = {intent.tenant_id}});
  if (!again.ok()) return again.status();
  absl::StatusOr<std::optional<storage::IntentRow>> found =
      storage::FindSubmission(*again, intent.tenant_id, intent.principal_id,
                              intent.request_id, intent.body_sha256);
  if (!found.ok()) return found.status();
  if (!found->has_value()) {
    return absl::UnavailableError("the insert was lost with its connection");
  }
  return **std::move(found);
}

absl::StatusOr<storage::IntentRow> Intake::Validate(
    const CallScope& scope, const Submission& submission) {
  const absl::Status checked = CheckSubmission(submission);
  if (!checked.ok()) return checked;
  absl::StatusOr<Preview> preview = Look(scope, submission, Why::kUnasked);
  if (!preview.ok()) return preview.status();
  storage::IntentRow row = std::move(preview->row);
  const Decision& decision = preview->evaluation.decision;
  row.decision = ToJson(decision, preview->evaluation.decided_at).decision;
  row.sgl_result = std::string(DecisionKindName(decision.kind));
  row.policy_digest = decision.policy_digest;
  return row;
}

absl::StatusOr<Evaluation> Intake::Evaluate(const CallScope& scope,
                                            const Submission& submission) {
  const std::vector<FieldError> errors = CheckBody(submission);
  if (!errors.empty()) return BadFields(errors);
  absl::StatusOr<Preview> preview = Look(scope, submission, Why::kExplained);
  if (!preview.ok()) return preview.status();
  return std::move(preview->evaluation);
}

absl::StatusOr<Intake::Preview> Intake::Look(const CallScope& scope,
                                             const Submission& submission,
                                             Why why) {
  return WithRetries<Preview>(policies_,
                              [&] { return TryLook(scope, submission, why); });
}

absl::StatusOr<Intake::Preview> Intake::TryLook(const CallScope& scope,
                                                const Submission& submission,
                                                Why why) {
  const std::shared_ptr<const ActivePolicy> policy = policies_->active();
  if (policy == nullptr) return NoActivePolicy();
  const storage::Principal& principal = scope.principal();
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {principal.tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  const std::vector<std::string> tenants = {principal.tenant_id};
  std::vector<std::string> agents;
  if (!principal.agent_id.empty()) agents.push_back(principal.agent_id);
  const absl::StatusOr<storage::Facts> facts =
      storage::ReadFacts(*tx, tenants, agents);
  if (!facts.ok()) return facts.status();
  const absl::StatusOr<std::shared_ptr<const TenantPolicy>> own =
      policies_->ForTenant(*tx, policy, principal.tenant_id);
  if (!own.ok()) return own.status();
  tx->Rollback();
  Preview preview;
  preview.row = RowOf(principal, submission, facts->now);
  Deliberation deliberation =
      why == Why::kUnasked ? Decide(own->get(), preview.row, *facts)
                           : DecideAndExplain(own->get(), preview.row, *facts,
                                              &preview.evaluation.explanation);
  preview.evaluation.decision = std::move(deliberation.decision);
  preview.evaluation.decided_at = deliberation.decided_at;
  return preview;
}

}  // namespace sgl::engine
