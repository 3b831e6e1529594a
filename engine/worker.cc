#include "engine/worker.h"

#include <absl/container/flat_hash_set.h>
#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "engine/budget_book.h"
#include "engine/contested_decisions.h"
#include "engine/effects/apply.h"
#include "engine/error.h"
#include "engine/escalations.h"
#include "engine/jobs.h"
#include "engine/settlement.h"
#include "storage/audit.h"
#include "storage/facts.h"
#include "storage/intents.h"
#include "storage/limits.h"
#include "storage/memos.h"
#include "storage/requests.h"

namespace sgl::engine {
namespace {

// After a failed turn; doubled with each further one, up to the greatest. The
// first is short for a failover's sake, the last keeps a dead database's log
// readable.
constexpr absl::Duration kBackoffMin = absl::Milliseconds(100);
constexpr absl::Duration kBackoffMax = absl::Seconds(5);
// How long what the database refuses is passed over, and how many at most: an
// operator who mends it need not wait long, and what is refused a minute costs
// no more than a few batches. Beyond that the longest known are tried early.
constexpr absl::Duration kPassedOverFor = absl::Minutes(1);
// The same of what others hold locked, which an effect would change.
constexpr absl::Duration kHeldFor = absl::Seconds(2);
// How long a batch waits for a lock: whoever holds a row that one effect is to
// change must not hold up all others.
constexpr absl::Duration kLockTimeout = absl::Milliseconds(500);
constexpr size_t kPassedOverMax = storage::kBatchIntentsMax;
// Partitions are made months ahead; an hour's delay is nothing.
constexpr absl::Duration kPartitionInterval = absl::Hours(1);
// Request ids are kept for 30 days; an hour more is nothing. A batch takes
// less than a second.
constexpr absl::Duration kForgetInterval = absl::Hours(1);
constexpr int kForgottenRequestsMax = 10000;
// Entries of limits that one transaction prunes: it holds their counters for
// some ms. And how many of those one sweep does: ten thousand a second are
// more than come in.
constexpr int kPrunedLimitsMax = 1000;
constexpr int kPruneStepsMax = 10;
// Counters that are forgotten at once, and how often.
constexpr int kForgottenLimitsMax = 10000;
// Memos that one sweep ends, and that it escalates: each takes some round
// trips, and no more than this many may keep a batch of DRAFTs waiting.
constexpr int kSweptMemosMax = 256;
// The same of leases that ended.
constexpr int kSweptLeasesMax = 256;

std::vector<std::string> TenantsOf(
    const std::vector<storage::IntentRow>& rows) {
  absl::flat_hash_set<std::string> tenants;
  for (const storage::IntentRow& row : rows) tenants.insert(row.tenant_id);
  return {tenants.begin(), tenants.end()};
}

absl::StatusOr<storage::Facts> FactsFor(
    storage::Transaction& tx, const ExecutorRegistry& executors,
    const std::vector<storage::IntentRow>& rows) {
  absl::flat_hash_set<std::string> agents;
  for (const storage::IntentRow& row : rows) {
    if (!row.agent_id.empty()) agents.insert(row.agent_id);
  }
  const std::vector<std::string> agent_ids(agents.begin(), agents.end());
  absl::StatusOr<storage::Facts> facts = storage::ReadFacts(
      tx, TenantsOf(rows), agent_ids, SpendKeysOf(executors, rows));
  if (facts.ok()) facts->spend_categories = executors.spend_categories();
  return facts;
}

// What is left of a settlement that the database refused.
storage::Settlement Refused(const storage::IntentRow& row,
                            const absl::Status& status) {
  const std::string message =
      "the database refused what this intent would have changed";
  LogError("settle intent {}: {}", row.id, status.ToString());
  return SettleFailed(
      row,
      {.reason = kSettlementRefused,
       .message = message,
       .audit = MakeEntry("ENGINE_FAILED", storage::AuditLevel::kError,
                          absl::StrCat(R"({"reason":")", kSettlementRefused,
                                       R"(","message":")", message, "\"}"))});
}

storage::Settlement Expired(const storage::LockedMemo& locked) {
  const std::string meta = absl::StrCat(
      R"({"memo_id":")", locked.memo.id, R"(","revision":)",
      locked.memo.revision, R"(,"votes":)", locked.memo.votes.size(), "}");
  return SettleFailed(
      locked.intent,
      {.reason = kApprovalExpired,
       .message = "nobody approved it in the time that the rules gave",
       .audit = MakeEntry("DECISION_MEMO_EXPIRED", storage::AuditLevel::kWarn,
                          meta)});
}

}  // namespace

// Borrows all of it.
struct Worker::Batch {
  const std::string& digest;
  const std::vector<storage::IntentRow>& rows;
  const storage::Facts& facts;
  const TenantPolicies& tenants;
};

Worker::Worker(storage::Database* db, Policies* policies,
               const ExecutorRegistry* executors, Waiters* waiters,
               const Options& options)
    : db_(db),
      policies_(policies),
      executors_(executors),
      waiters_(waiters),
      options_(options),
      batch_size_(options.batch) {
  SGL_CHECK(options.batch.max <= storage::kBatchIntentsMax);
}

Worker::~Worker() { Stop(); }

void Worker::Start() {
  SGL_CHECK(!thread_.joinable());
  thread_ = std::jthread([this] { Run(); });
}

void Worker::Stop() {
  signal_.Stop();
  if (thread_.joinable()) thread_.join();
}

void Worker::Wake() { signal_.Set(); }

void Worker::Run() {
  absl::Duration backoff = kBackoffMin;
  // The first turn finds what waited for this process.
  bool has_news = true;
  while (!signal_.is_stopped()) {
    const absl::Status status = Turn(has_news);
    absl::Duration pause = options_.poll_interval;
    if (status.ok()) {
      backoff = kBackoffMin;
    } else {
      LogWarn("worker: {}; next try in {}", status.ToString(),
              absl::FormatDuration(backoff));
      pause = backoff;
      backoff = std::min(backoff * 2, kBackoffMax);
    }
    // What failed is tried again.
    has_news = signal_.Wait(pause) == WakeSignal::Cause::kNews || !status.ok();
  }
}

absl::Status Worker::Turn(bool has_news) {
  absl::Status swept;
  if (IsSweepDue()) {
    const absl::StatusOr<storage::WaitingWork> work = db_->LookForWork();
    if (!work.ok()) return work.status();
    has_news |= work->has_drafts;
    if (work->has_unsealed) options_.on_unsealed();
    swept = Sweep(*work);
  }
  if (!has_news) return swept;
  const absl::Status settled = SettleWhileThereAre();
  return settled.ok() ? swept : settled;
}

absl::Status Worker::SettleWhileThereAre() {
  if (policies_->active() == nullptr) {
    const absl::Status reloaded = policies_->Reload();
    if (!reloaded.ok()) {
      // What is decided without a policy may be the very mending of that.
      const absl::StatusOr<int> settled = SettleBatch();
      return settled.ok() ? reloaded : settled.status();
    }
  }
  // A backlog, however long, makes no memo wait for its end, and a sweep,
  // however long, no DRAFT: each turn settles one batch at least.
  do {
    const absl::StatusOr<int> settled = SettleAgainstActive();
    if (!settled.ok()) return settled.status();
    if (*settled == 0) return absl::OkStatus();
  } while (!signal_.is_stopped() && !IsSweepDue());
  // More drafts may be waiting; the next turn begins with the sweep.
  signal_.Set();
  return absl::OkStatus();
}

bool Worker::IsSweepDue() const {
  const absl::Duration since = absl::Now() - swept_;
  // A clock that was set back must not hold a sweep up.
  return since >= options_.poll_interval || since < absl::ZeroDuration();
}

absl::Status Worker::Sweep(const storage::WaitingWork& work) {
  swept_ = absl::Now();
  MakePartitions();
  ForgetRequests();
  ForgetLimits();
  if (work.has_expired_limits) PruneLimits();
  if (work.has_escalations) EscalateMemos();
  if (work.has_expired_leases) EndLeases();
  return work.has_due_memos ? ExpireMemos().status() : absl::OkStatus();
}

void Worker::EscalateMemos() {
  const absl::Status escalated =
      EscalateDueMemos(*db_, kSweptMemosMax).status();
  if (!escalated.ok()) LogWarn("escalate memos: {}", escalated.ToString());
}

void Worker::EndLeases() {
  const absl::Status expired = ExpireLeases(*db_, kSweptLeasesMax).status();
  if (!expired.ok()) LogWarn("end leases: {}", expired.ToString());
}

void Worker::MakePartitions() {
  if (absl::Now() - partitions_made_ < kPartitionInterval) return;
  absl::StatusOr<storage::Transaction> tx = db_->Begin({});
  absl::Status status = tx.status();
  if (status.ok()) status = storage::MakeAuditPartitions(*tx);
  if (status.ok()) status = tx->Commit();
  // Rows that find no partition go to the default one, so nothing is lost.
  if (!status.ok()) LogWarn("make audit partitions: {}", status.ToString());
  partitions_made_ = absl::Now();
}

void Worker::ForgetRequests() {
  if (absl::Now() - requests_forgotten_ < kForgetInterval) return;
  absl::StatusOr<int64_t> count = 0;
  absl::StatusOr<storage::Transaction> tx = db_->Begin({});
  absl::Status status = tx.status();
  if (status.ok()) {
    count = storage::ForgetRequests(*tx, kForgottenRequestsMax);
    status = count.status();
  }
  if (status.ok()) status = tx->Commit();
  if (!status.ok()) LogWarn("forget request ids: {}", status.ToString());
  // After a full batch the next sweep goes on.
  if (status.ok() && *count == kForgottenRequestsMax) return;
  requests_forgotten_ = absl::Now();
}

void Worker::PruneLimits() {
  for (int step = 0; step < kPruneStepsMax; ++step) {
    absl::StatusOr<int64_t> count = 0;
    absl::StatusOr<storage::Transaction> tx =
        db_->Begin({.lock_timeout = kLockTimeout});
    absl::Status status = tx.status();
    if (status.ok()) {
      count = storage::PruneLimits(*tx, kPrunedLimitsMax);
      status = count.status();
    }
    if (status.ok()) status = tx->Commit();
    // Whoever decides leaves out what should be gone; the next sweep goes on.
    if (!status.ok()) LogWarn("prune limits: {}", status.ToString());
    if (!status.ok() || *count < kPrunedLimitsMax) return;
  }
}

void Worker::ForgetLimits() {
  if (absl::Now() - limits_forgotten_ < kForgetInterval) return;
  absl::StatusOr<storage::Transaction> tx = db_->Begin({});
  absl::Status status = tx.status();
  if (status.ok()) {
    status = storage::ForgetLimits(*tx, kForgottenLimitsMax).status();
  }
  if (status.ok()) status = tx->Commit();
  if (!status.ok()) LogWarn("forget limits: {}", status.ToString());
  limits_forgotten_ = absl::Now();
}

absl::StatusOr<int> Worker::SettleDrafts() {
  int total = 0;
  absl::StatusOr<int> settled = SettleAgainstActive();
  while (settled.ok() && *settled > 0) {
    total += *settled;
    settled = SettleAgainstActive();
  }
  if (!settled.ok()) return settled;
  return total;
}

absl::StatusOr<int> Worker::SettleAgainstActive() {
  // Another policy set may be active by now, and then layers to be compiled.
  constexpr int kAttemptsMax = 3;
  absl::StatusOr<int> settled = SettleBatch();
  for (int tried = 1; tried < kAttemptsMax && absl::IsAborted(settled.status());
       ++tried) {
    policies_->CompileWaiting();
    const absl::Status reloaded = policies_->Reload();
    if (!reloaded.ok()) return reloaded;
    settled = SettleBatch();
  }
  return settled;
}

absl::StatusOr<int> Worker::SettleBatch() {
  const absl::Time begun = absl::Now();
  const std::shared_ptr<const ActivePolicy> policy = policies_->active();
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.lock_timeout = kLockTimeout});
  if (!tx.ok()) return tx.status();
  const std::vector<std::string> passed_over = PassedOver();
  absl::StatusOr<std::vector<storage::IntentRow>> rows =
      policy == nullptr
          ? storage::ClaimPolicyActivations(*tx, batch_size_.current())
          : storage::ClaimDraftIntents(*tx, batch_size_.current(), passed_over);
  if (!rows.ok()) return rows.status();
  const int claimed = static_cast<int>(rows->size());
  std::erase_if(*rows, [&](const storage::IntentRow& row) {
    return passed_over_.contains(row.id);
  });
  if (rows->empty()) return 0;
  const absl::StatusOr<storage::Facts> facts =
      FactsFor(*tx, *executors_, *rows);
  if (!facts.ok()) return facts.status();
  const absl::StatusOr<TenantPolicies> tenants =
      policies_->ForTenants(*tx, policy, TenantsOf(*rows));
  if (!tenants.ok()) return tenants.status();
  // Empty where only what is built in was claimed: compared with nothing.
  const std::string digest = policy == nullptr ? "" : policy->digest;
  // Tenants whose layers are to be compiled wait for that, and no others.
  const size_t waiting = std::erase_if(*rows, [&](const auto& row) {
    return !tenants->contains(row.tenant_id);
  });
  if (rows->empty()) return absl::AbortedError("layers are to be compiled");

  const Batch batch = {
      .digest = digest, .rows = *rows, .facts = *facts, .tenants = *tenants};
  absl::StatusOr<std::vector<std::string>> settled =
      is_careful_ ? SettleSingly(*tx, batch) : SettleTogether(*tx, batch);
  absl::Status status = settled.status();
  // What is broken may be known only now: somebody's deferred constraint.
  if (status.ok()) status = tx->Commit();
  if (!status.ok()) {
    // One member's fault must not fail the others: the rows go back, and the
    // next batch is settled one by one.
    is_careful_ =
        !IsTransient(status) || (absl::IsAborted(status) && HasEffects(*rows));
    if (is_careful_) {
      batch_size_.NoteRefused();
    } else {
      batch_size_.NoteFailed();
    }
    return is_careful_ ? absl::AbortedError(status.message()) : status;
  }
  // One that was settled member by member says nothing of how long others take.
  if (!is_careful_) {
    batch_size_.NoteSettled({.claimed = claimed, .took = absl::Now() - begun});
  }
  is_careful_ = false;
  waiters_->NoteSettled(*settled);
  if (waiting > 0) policies_->CompileWaiting();
  return static_cast<int>(settled->size());
}

absl::StatusOr<std::vector<storage::Settlement>> Worker::DecideBatch(
    storage::Transaction& tx, const Batch& batch,
    std::span<const storage::IntentRow> rows) const {
  std::vector<Contender> contenders;
  contenders.reserve(rows.size());
  for (const storage::IntentRow& row : rows) {
    contenders.push_back(
        {.policy_or_null = batch.tenants.at(row.tenant_id).get(), .row = &row});
  }
  std::vector<storage::Settlement> settlements(rows.size());
  const absl::Status decided =
      DecideContested(tx, batch.facts, contenders,
                      [&](size_t place, const Deliberation& deliberation) {
                        settlements[place] = SettleDecided(
                            rows[place], deliberation, *executors_);
                        return &settlements[place];
                      });
  if (!decided.ok()) return decided;
  return settlements;
}

absl::StatusOr<std::vector<std::string>> Worker::SettleTogether(
    storage::Transaction& tx, const Batch& batch) {
  absl::StatusOr<std::vector<storage::Settlement>> settlements =
      DecideBatch(tx, batch, batch.rows);
  if (!settlements.ok()) return settlements.status();
  absl::Status status = ApplyEffects(tx, *executors_, batch.rows, *settlements);
  if (status.ok()) {
    status = storage::SettleIntents(tx, batch.digest, *settlements);
  }
  if (!status.ok()) return status;
  std::vector<std::string> ids;
  ids.reserve(settlements->size());
  for (const storage::Settlement& settlement : *settlements) {
    ids.push_back(settlement.intent_id);
  }
  return ids;
}

absl::StatusOr<std::vector<std::string>> Worker::SettleSingly(
    storage::Transaction& tx, const Batch& batch) {
  // All together, for what they compete for is locked in one order then. One
  // of them may be why that fails.
  const absl::Status locked = tx.InSavepoint(
      [&] { return DecideBatch(tx, batch, batch.rows).status(); });
  if (!locked.ok() && IsTransient(locked)) return locked;
  std::vector<std::string> settled;
  for (const storage::IntentRow& row : batch.rows) {
    // In one savepoint: nobody FAILED whose effect stays.
    const auto settle = [&](storage::Settlement settlement) {
      const absl::Status applied =
          ApplyEffects(tx, *executors_, {&row, 1}, {&settlement, 1});
      if (!applied.ok()) return applied;
      return storage::SettleIntents(tx, batch.digest, {&settlement, 1});
    };
    absl::Status status = tx.InSavepoint([&] {
      // Once more: what those before it take is known only now.
      absl::StatusOr<std::vector<storage::Settlement>> decided =
          DecideBatch(tx, batch, {&row, 1});
      if (!decided.ok()) return decided.status();
      return settle(std::move(decided->front()));
    });
    if (!status.ok() && !IsTransient(status)) {
      const storage::Settlement refused = Refused(row, status);
      status = tx.InSavepoint([&] { return settle(refused); });
    }
    if (absl::IsAborted(status) && HasEffects({&row, 1})) {
      // Somebody holds what its effect is to change.
      NotePassedOver(row.id, kHeldFor);
      continue;
    }
    if (IsTransient(status)) return status;
    if (status.ok()) {
      settled.push_back(row.id);
    } else {
      PassOver(row.id, status);
    }
  }
  return settled;
}

bool Worker::HasEffects(std::span<const storage::IntentRow> rows) const {
  return std::any_of(rows.begin(), rows.end(), [&](const auto& row) {
    return executors_->Find(row.intent_type) == ExecutorKind::kEffect;
  });
}

void Worker::PassOver(const std::string& intent_id,
                      const absl::Status& status) {
  LogError(
      "intent {} is passed over for {}: the database refuses any change "
      "of it: {}",
      intent_id, absl::FormatDuration(kPassedOverFor), status.ToString());
  NotePassedOver(intent_id, kPassedOverFor);
}

void Worker::NotePassedOver(const std::string& intent_id,
                            absl::Duration duration) {
  if (passed_over_.size() >= kPassedOverMax) {
    passed_over_.erase(std::min_element(
        passed_over_.begin(), passed_over_.end(),
        [](const auto& a, const auto& b) { return a.second < b.second; }));
  }
  passed_over_[intent_id] = absl::Now() + duration;
}

std::vector<std::string> Worker::PassedOver() {
  const absl::Time now = absl::Now();
  absl::erase_if(passed_over_, [&](const auto& entry) {
    // A clock that was set back must not hold one up.
    return entry.second <= now || entry.second > now + kPassedOverFor;
  });
  std::vector<std::string> ids;
  for (const auto& [id, until] : passed_over_) ids.push_back(id);
  return ids;
}

absl::StatusOr<int> Worker::ExpireMemos() {
  absl::StatusOr<storage::Transaction> tx = db_->Begin({});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<std::vector<storage::LockedMemo>> due =
      storage::DueMemos(*tx, kSweptMemosMax);
  if (!due.ok()) return due.status();
  if (due->empty()) return 0;
  PassedOver();
  std::vector<std::string> settled;
  for (const storage::LockedMemo& locked : *due) {
    if (passed_over_.contains(locked.intent.id)) continue;
    const absl::Status status = tx->InSavepoint([&] {
      const absl::Status resolved = storage::ResolveMemo(
          *tx, locked.memo.id, storage::MemoStatus::kRejected,
          kApprovalExpired);
      if (!resolved.ok()) return resolved;
      const storage::Settlement settlement = Expired(locked);
      return storage::SettleIntents(*tx, "", {&settlement, 1});
    });
    if (IsTransient(status)) return status;
    if (status.ok()) {
      settled.push_back(locked.intent.id);
    } else {
      PassOver(locked.intent.id, status);
    }
  }
  const absl::Status committed = tx->Commit();
  if (!committed.ok()) return committed;
  waiters_->NoteSettled(settled);
  return static_cast<int>(settled.size());
}

}  // namespace sgl::engine
