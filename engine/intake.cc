#include "engine/intake.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/sha256.h"
#include "engine/budget_book.h"
#include "engine/contested_decisions.h"
#include "engine/decision_json.h"
#include "engine/error.h"
#include "engine/intent_body.h"
#include "engine/payload_map.h"
#include "engine/resumption.h"
#include "engine/settlement.h"
#include "storage/facts.h"
#include "storage/submissions.h"
#include "storage/uuid.h"

namespace sgl::engine {
namespace {

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

}  // namespace

// What a submission would become.
struct Intake::Preview {
  storage::IntentRow row;
  Evaluation evaluation;
};

Intake::Intake(storage::Database* db, Policies* policies,
               const ExecutorRegistry* executors, Worker* worker,
               Waiters* waiters)
    : db_(db),
      policies_(policies),
      executors_(executors),
      groups_(db, policies, executors, worker, waiters) {}

void Intake::Submit(const CallScope& scope, const Submission& submission,
                    Done done) {
  const absl::Status checked = Check(submission);
  if (!checked.ok()) return done(checked);
  std::vector<GroupCommit::Member> members;
  members.push_back({.scope = scope,
                     .intent = NewIntentOf(scope.principal(), submission),
                     .wait = submission.wait,
                     .done = std::move(done)});
  groups_.Submit(std::move(members));
}

void Intake::SubmitBatch(const CallScope& scope, std::vector<BatchItem> items) {
  std::vector<GroupCommit::Member> members;
  for (BatchItem& item : items) {
    const absl::Status checked = Check(item.submission);
    if (!checked.ok()) {
      item.done(checked);
      continue;
    }
    // Each may wait for its own decision, and so is a call of its own.
    auto state = std::make_shared<CallState>();
    state->id = next_item_id_.fetch_add(1);
    members.push_back(
        {.scope =
             CallScope(std::move(state), scope.principal(), scope.deadline()),
         .intent = NewIntentOf(scope.principal(), item.submission),
         .wait = item.submission.wait,
         .done = std::move(item.done)});
  }
  if (!members.empty()) groups_.Submit(std::move(members));
}

absl::Status Intake::Check(const Submission& submission) const {
  const absl::Status checked = CheckSubmission(submission);
  if (!checked.ok()) return checked;
  return policies_->active() == nullptr ? NoActivePolicy() : absl::OkStatus();
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
  const storage::IntentRow asked =
      RowOf(principal, submission, absl::UnixEpoch());
  absl::StatusOr<storage::Facts> facts = storage::ReadFacts(
      *tx, tenants, agents, SpendKeysOf(*executors_, {&asked, 1}));
  if (!facts.ok()) return facts.status();
  facts->spend_categories = executors_->spend_categories();
  const absl::StatusOr<std::shared_ptr<const TenantPolicy>> own =
      policies_->ForTenant(*tx, policy, principal.tenant_id);
  if (!own.ok()) return own.status();
  Preview preview;
  preview.row = RowOf(principal, submission, facts->now);
  absl::StatusOr<Deliberation> deliberation = DecideUncounted(
      *tx, *facts, {.policy_or_null = own->get(), .row = &preview.row},
      why == Why::kUnasked ? nullptr : &preview.evaluation.explanation);
  tx->Rollback();
  if (!deliberation.ok()) return deliberation.status();
  preview.evaluation.decision = std::move(deliberation->decision);
  preview.evaluation.decided_at = deliberation->decided_at;
  return preview;
}

}  // namespace sgl::engine
