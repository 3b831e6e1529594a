#include "engine/group_commit.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/time/clock.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/budget_book.h"
#include "engine/contested_decisions.h"
#include "engine/decider.h"
#include "engine/effects/apply.h"
#include "engine/error.h"
#include "engine/settlement.h"
#include "storage/intents.h"
#include "storage/settlement.h"
#include "storage/uuid.h"

namespace sgl::engine {
namespace {

// The answer to a wait that ends with the call's deadline leaves this much
// earlier, so that it still arrives.
constexpr absl::Duration kAnswerMargin = absl::Milliseconds(50);

// How long a transaction waits for a lock whose others are not to be kept
// waiting: for a request id that another engine stores just now, or a row that
// an effect is to change.
constexpr absl::Duration kSharedLockTimeout = absl::Milliseconds(200);

// Returns whether trying it another way can't change the outcome.
bool IsFinal(const absl::Status& status) {
  return status.ok() || IsTransient(status) || absl::IsCancelled(status);
}

absl::Status ForCaller(const absl::Status& status) {
  if (!ReasonOf(status).empty()) return status;
  if (absl::IsAlreadyExists(status)) {
    return Refusal(absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED",
                   "this request_id was used with another body; make a new "
                   "one for a new intent");
  }
  if (absl::IsInvalidArgument(status)) {
    return BadField("payload", "the database can't hold this JSON");
  }
  return status;
}

}  // namespace

struct GroupCommit::Entry {
  explicit Entry(Member its_member)
      : member(std::move(its_member)), intent_id(storage::NewUuid()) {}

  // Back to how it was before a transaction.
  void Reset() {
    settlement.reset();
    is_to_execute = false;
    row = absl::UnknownError("not stored yet");
    is_repeated = false;
    waits = false;
  }

  Member member;
  // Should it be stored.
  std::string intent_id;
  // Of this transaction. None where a worker is to decide it.
  std::optional<storage::Settlement> settlement;
  // What it was decided under.
  std::string platform_digest;
  // It is stored as a DRAFT and then settled, with its effect or its job.
  bool is_to_execute = false;
  // What the caller gets, once the transaction is committed.
  absl::StatusOr<storage::IntentRow> row = absl::UnknownError("not stored yet");
  // `row` was there before.
  bool is_repeated = false;
  // It was in an earlier transaction that tried to store it, so that it is not
  // decided here. Stays.
  bool was_repeated = false;
  // The waiters have its `done`.
  bool waits = false;
};

GroupCommit::GroupCommit(storage::Database* db, Policies* policies,
                         const ExecutorRegistry* executors, Worker* worker,
                         Waiters* waiters)
    : db_(db),
      policies_(policies),
      executors_(executors),
      worker_(worker),
      waiters_(waiters) {}

void GroupCommit::Submit(std::vector<Member> members) {
  if (members.empty()) return;
  size_t bytes = 0;
  for (const Member& member : members) bytes += member.intent.payload.size();
  const std::string tenant_id = members[0].intent.tenant_id;
  bool has_room = false;
  bool leads = false;
  {
    MutexLock lock(mutex_);
    has_room = queue_.size() + members.size() <= kQueueMax &&
               queue_bytes_ + bytes <= kQueueBytesMax &&
               QueuedOf(tenant_id) + members.size() <= kTenantQueueMax;
    if (has_room) {
      queue_bytes_ += bytes;
      by_tenant_[tenant_id] += members.size();
      for (Member& member : members) queue_.push_back(std::move(member));
      leads = leaders_ < kLeadersMax;
      if (leads) ++leaders_;
    }
  }
  if (leads) return Lead();
  if (has_room) return;
  for (const Member& member : members) {
    member.done(Refusal(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                        "too many submissions wait to be stored; try again"));
  }
}

size_t GroupCommit::QueuedOf(const std::string& tenant_id) const {
  const auto found = by_tenant_.find(tenant_id);
  return found == by_tenant_.end() ? 0 : found->second;
}

void GroupCommit::Lead() {
  while (true) {
    std::vector<Entry> entries;
    {
      MutexLock lock(mutex_);
      if (queue_.empty()) {
        --leaders_;
        return;
      }
      entries = Take();
    }
    Commit(std::move(entries));
  }
}

std::vector<GroupCommit::Entry> GroupCommit::Take() {
  std::vector<Entry> entries;
  size_t bytes = 0;
  while (!queue_.empty() && entries.size() < kGroupMax) {
    const size_t more = queue_.front().intent.payload.size();
    if (!entries.empty() && bytes + more > kGroupBytesMax) break;
    bytes += more;
    const auto waiting = by_tenant_.find(queue_.front().intent.tenant_id);
    if (--waiting->second == 0) by_tenant_.erase(waiting);
    entries.emplace_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queue_bytes_ -= bytes;
  return entries;
}

void GroupCommit::Commit(std::vector<Entry> entries) {
  std::erase_if(entries, [](const Entry& entry) {
    const absl::Status alive = entry.member.scope.CheckAlive();
    if (!alive.ok()) entry.member.done(alive);
    return !alive.ok();
  });
  if (entries.empty()) return;
  const bool decides = decides_;
  const bool is_group = entries.size() > 1;
  const absl::Status together =
      CommitTogether(entries, {.is_group = is_group, .decides = decides});
  // A lock that was not to be had is a member's matter as well.
  if (IsFinal(together) && !(is_group && absl::IsAborted(together))) {
    return Answer(together, entries);
  }
  // One member's fault must not fail the others. What can't be settled is a
  // worker's to fail, with an entry that says so.
  for (Entry& entry : entries) {
    std::vector<Entry> alone;
    alone.push_back(std::move(entry));
    absl::Status status =
        CommitTogether(alone, {.is_group = is_group, .decides = decides});
    if (decides && !IsFinal(status)) {
      status = CommitTogether(alone, {.is_group = is_group, .decides = false});
    }
    Answer(status, alone);
  }
}

absl::Status GroupCommit::CommitTogether(std::vector<Entry>& entries, Way way) {
  // Another policy set may be active by now; the last time it is left to the
  // worker to find out.
  constexpr int kAttemptsMax = 3;
  absl::Status status;
  for (int tried = 1; tried <= kAttemptsMax; ++tried) {
    way.decides = way.decides && tried < kAttemptsMax;
    status = TryCommit(entries, way);
    if (!absl::IsAborted(status)) break;
    const absl::Status reloaded = policies_->Reload();
    if (IsTransient(reloaded)) return reloaded;
  }
  if (status.code() == absl::StatusCode::kUnknown) return FindAgain(entries);
  return status;
}

absl::Status GroupCommit::TryCommit(std::vector<Entry>& entries, Way way) {
  absl::Duration timeout = absl::ZeroDuration();
  for (Entry& entry : entries) {
    entry.Reset();
    // One caller's haste is not the others'.
    timeout = std::max(timeout, entry.member.scope.StatementTimeout());
  }
  absl::StatusOr<storage::Transaction> tx = db_->Begin(
      {.tenants = TenantsOf(entries),
       .statement_timeout = timeout,
       .lock_timeout = way.is_group || way.decides ? kSharedLockTimeout
                                                   : absl::ZeroDuration()});
  absl::Status status = tx.status();
  if (status.ok() && way.decides) status = Decide(*tx, entries);
  if (status.ok()) status = Insert(*tx, entries);
  if (status.ok()) status = Execute(*tx, entries);
  if (!status.ok()) return status;
  // A canceled call stops before its commit, or not at all.
  if (entries.size() == 1) status = entries[0].member.scope.CheckAlive();
  if (!status.ok()) return status;
  AwaitUndecided(entries);
  status = tx->Commit();
  if (status.ok() || status.code() == absl::StatusCode::kUnknown) {
    return status;
  }
  for (Entry& entry : entries) {
    // Whoever canceled, or stopped the waiters, answered the call already.
    if (entry.waits && !waiters_->Forget(entry.member.scope.id())) {
      entry.member.done = [](const auto&) {};
    }
  }
  return status;
}

std::vector<std::string> GroupCommit::TenantsOf(
    const std::vector<Entry>& entries) {
  absl::flat_hash_set<std::string> tenants;
  for (const Entry& entry : entries) {
    tenants.insert(entry.member.intent.tenant_id);
  }
  return {tenants.begin(), tenants.end()};
}

std::vector<storage::SpendKey> GroupCommit::SpendKeysOf(
    const std::vector<Entry>& entries) const {
  if (executors_->spend_categories().empty()) return {};
  std::vector<storage::IntentRow> rows;
  for (const Entry& entry : entries) {
    storage::IntentRow& row = rows.emplace_back();
    row.tenant_id = entry.member.intent.tenant_id;
    row.intent_type = entry.member.intent.intent_type;
  }
  return engine::SpendKeysOf(*executors_, rows);
}

absl::Status GroupCommit::Decide(storage::Transaction& tx,
                                 std::vector<Entry>& entries) {
  const std::shared_ptr<const ActivePolicy> policy = policies_->active();
  if (policy == nullptr) return absl::OkStatus();
  absl::flat_hash_set<std::string> agents;
  for (const Entry& entry : entries) {
    agents.insert(entry.member.intent.agent_id);
  }
  const std::vector<std::string> agent_ids(agents.begin(), agents.end());
  absl::StatusOr<storage::SubmissionContext> context =
      storage::ReadSubmissionContext(tx, agent_ids, SpendKeysOf(entries));
  if (!context.ok()) return context.status();
  context->facts.spend_categories = executors_->spend_categories();
  if (context->policy_digest != policy->digest) {
    return absl::AbortedError("another policy is active");
  }
  // Those whose layer is not compiled yet are left to the worker, as is what
  // is switched off.
  const absl::StatusOr<TenantPolicies> own =
      policies_->ForTenants(tx, policy, TenantsOf(entries));
  if (!own.ok()) return own.status();
  std::vector<Entry*> decided;
  std::vector<storage::IntentRow> rows;
  std::vector<Contender> contenders;
  rows.reserve(entries.size());
  for (Entry& entry : entries) {
    const storage::NewIntent& intent = entry.member.intent;
    const auto found = own->find(intent.tenant_id);
    if (entry.was_repeated || found == own->end() ||
        context->IsOff(intent.tenant_id, intent.agent_id)) {
      continue;
    }
    const auto layer = context->layer_digests.find(intent.tenant_id);
    if (found->second->layer_digest !=
        (layer == context->layer_digests.end() ? "" : layer->second)) {
      return absl::AbortedError("another layer is active");
    }
    storage::IntentRow& row =
        rows.emplace_back(storage::DraftOf(intent, entry.intent_id));
    row.created_at = context->facts.now;
    row.updated_at = context->facts.now;
    entry.platform_digest = policy->digest;
    decided.push_back(&entry);
    contenders.push_back({.policy_or_null = found->second.get(), .row = &row});
  }
  return DecideContested(tx, context->facts, contenders,
                         [&](size_t place, const Deliberation& deliberation) {
                           return Settle(rows[place], deliberation,
                                         decided[place]);
                         });
}

storage::Settlement* GroupCommit::Settle(const storage::IntentRow& row,
                                         const Deliberation& deliberation,
                                         Entry* entry) const {
  entry->settlement.reset();
  entry->is_to_execute = false;
  if (deliberation.is_built_in || !deliberation.unreadable.empty()) {
    return nullptr;
  }
  entry->settlement = SettleDecided(row, deliberation, *executors_);
  entry->is_to_execute =
      entry->settlement->job.has_value() ||
      (entry->settlement->status == storage::IntentStatus::kExecuted &&
       executors_->Find(row.intent_type) == ExecutorKind::kEffect);
  return &*entry->settlement;
}

absl::Status GroupCommit::Insert(storage::Transaction& tx,
                                 std::vector<Entry>& entries) {
  std::vector<storage::NewSubmission> submissions;
  submissions.reserve(entries.size());
  for (const Entry& entry : entries) {
    submissions.push_back({.intent = &entry.member.intent,
                           .intent_id = entry.intent_id,
                           .settlement_or_null = entry.settlement.has_value() &&
                                                         !entry.is_to_execute
                                                     ? &*entry.settlement
                                                     : nullptr,
                           .is_settled_next = entry.is_to_execute});
  }
  absl::StatusOr<std::vector<std::optional<storage::IntentRow>>> rows =
      storage::InsertSubmissions(tx, submissions);
  if (!rows.ok()) return rows.status();
  bool took_place = false;
  for (size_t i = 0; i < entries.size(); ++i) {
    Entry& entry = entries[i];
    if ((*rows)[i].has_value()) {
      entry.row = *std::move((*rows)[i]);
      continue;
    }
    entry.is_repeated = true;
    entry.was_repeated = true;
    if (entry.settlement.has_value() &&
        (!entry.settlement->limit_counts.empty() ||
         entry.settlement->spend.has_value())) {
      took_place |= entries.size() > 1;
    }
    absl::StatusOr<std::optional<storage::IntentRow>> earlier =
        storage::FindSubmission(tx, entry.member.intent);
    if (absl::IsAlreadyExists(earlier.status())) {
      entry.row = ForCaller(earlier.status());
      continue;
    }
    if (!earlier.ok()) return earlier.status();
    if (!earlier->has_value()) {
      // Its request id was swept between the two statements.
      return absl::AbortedError("the earlier submission is gone; try again");
    }
    entry.row = **std::move(earlier);
  }
  // Others may have been refused for what only seemed to pass.
  if (took_place) {
    return absl::AbortedError("a repeat took a limit's place or money");
  }
  return absl::OkStatus();
}

absl::Status GroupCommit::Execute(storage::Transaction& tx,
                                  std::vector<Entry>& entries) {
  std::vector<storage::IntentRow> rows;
  std::vector<storage::Settlement> settlements;
  std::vector<std::string> ids;
  std::string platform_digest;
  for (const Entry& entry : entries) {
    if (!entry.is_to_execute || entry.is_repeated) continue;
    rows.push_back(*entry.row);
    settlements.push_back(*entry.settlement);
    ids.push_back(entry.intent_id);
    platform_digest = entry.platform_digest;
  }
  if (rows.empty()) return absl::OkStatus();
  const absl::Status applied = ApplyEffects(tx, *executors_, rows, settlements);
  if (!applied.ok()) return applied;
  std::vector<const storage::Settlement*> all;
  for (const storage::Settlement& settlement : settlements) {
    all.push_back(&settlement);
  }
  for (const Entry& entry : entries) {
    if (entry.settlement.has_value() && !entry.is_to_execute &&
        !entry.is_repeated) {
      all.push_back(&*entry.settlement);
    }
  }
  const absl::Status checked = CheckTurnedAway(all);
  if (!checked.ok()) return checked;
  const absl::Status settled =
      storage::SettleIntents(tx, platform_digest, settlements);
  if (!settled.ok()) return settled;
  const absl::StatusOr<std::vector<storage::IntentRow>> stored =
      storage::GetIntents(tx, ids);
  if (!stored.ok()) return stored.status();
  absl::flat_hash_map<std::string, const storage::IntentRow*> by_id;
  for (const storage::IntentRow& row : *stored) by_id.emplace(row.id, &row);
  // Repeats of one in the same group, too.
  for (Entry& entry : entries) {
    if (!entry.row.ok()) continue;
    const auto found = by_id.find(entry.row->id);
    if (found != by_id.end()) entry.row = *found->second;
  }
  return absl::OkStatus();
}

void GroupCommit::AwaitUndecided(std::vector<Entry>& entries) {
  for (Entry& entry : entries) {
    if (!entry.row.ok() || entry.member.wait <= absl::ZeroDuration() ||
        IsDecided(*entry.row)) {
      continue;
    }
    const absl::Status added =
        waiters_->Add(entry.member.scope.id(),
                      {entry.row->tenant_id, entry.row->id}, entry.member.done);
    // Without a place to wait in it is taken all the same, and answered as a
    // call whose time is up.
    if (absl::IsResourceExhausted(added)) continue;
    entry.waits = added.ok();
    if (!added.ok()) entry.row = added;
  }
}

absl::Status GroupCommit::FindAgain(std::vector<Entry>& entries) {
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = TenantsOf(entries)});
  absl::Status away = tx.status();
  for (Entry& entry : entries) {
    if (!entry.row.ok()) continue;
    if (!away.ok()) {
      entry.row = away;
      continue;
    }
    absl::StatusOr<std::optional<storage::IntentRow>> found =
        storage::FindSubmission(*tx, entry.member.intent);
    if (IsTransient(found.status())) away = found.status();
    if (!found.ok()) {
      entry.row = ForCaller(found.status());
    } else if (!found->has_value()) {
      entry.row =
          absl::UnavailableError("the insert was lost with its connection");
    } else {
      entry.row = **std::move(found);
    }
  }
  return absl::OkStatus();
}

void GroupCommit::Answer(const absl::Status& status,
                         std::vector<Entry>& entries) {
  bool has_drafts = false;
  for (Entry& entry : entries) {
    const CallScope& scope = entry.member.scope;
    const absl::StatusOr<storage::IntentRow> row =
        status.ok() ? std::move(entry.row) : ForCaller(status);
    has_drafts |= row.ok() && !IsDecided(*row);
    if (!entry.waits || !status.ok()) {
      entry.member.done(row);
      continue;
    }
    if (!row.ok()) {
      // Whoever canceled, or stopped the waiters, answered the call already.
      if (waiters_->Forget(scope.id())) entry.member.done(row);
      continue;
    }
    // The deadline's answer leaves early enough to arrive.
    waiters_->SetUntil(scope.id(), std::min(absl::Now() + entry.member.wait,
                                            scope.deadline() - kAnswerMargin));
    // What was there before may have been decided between its read and the
    // waiter; a cancel may have come before the waiter.
    if (entry.is_repeated) waiters_->NoteSettled({&row->id, 1});
    if (scope.is_canceled()) waiters_->Cancel(scope.id());
  }
  if (has_drafts) worker_->Wake();
}

}  // namespace sgl::engine
