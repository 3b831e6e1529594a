// Submissions: intents put in by callers who have request ids, one by one or a
// group of many callers' in one transaction.
//
//   auto context = ReadSubmissionContext(tx, agent_ids);
//   ... decide each ...
//   auto rows = InsertSubmissions(tx, submissions);
//   if (rows.ok()) status = tx.Commit();
//
// What could be decided is written with its outcome at once, so that one row is
// written where there would be two versions of it. The context's locks keep
// the policies and switches as they were read until the transaction ends.

#ifndef STORAGE_SUBMISSIONS_H_
#define STORAGE_SUBMISSIONS_H_

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "storage/audit.h"
#include "storage/database.h"
#include "storage/facts.h"
#include "storage/intents.h"
#include "storage/settlement.h"

namespace sgl::storage {

// What SubmitIntent stores.
struct NewIntent {
  std::string tenant_id = {};
  std::string agent_id = {};
  // Whose request ids these are: the agent's id.
  std::string principal_id = {};
  // The caller's idempotency key, unique per (tenant, principal).
  std::string request_id = {};
  // Over everything of the request that a repeat must repeat; lower-case hex.
  std::string body_sha256 = {};
  std::string intent_type = {};
  // Exactly as submitted; must be JSON that PostgreSQL's jsonb can hold, else
  // INVALID_ARGUMENT.
  std::string payload = {};
  std::string payload_sha256 = {};
  int64_t spend_micros_usd = 0;
  std::string data_class = "NONE";
  std::string requested_by = {};
  std::string title = {};
  std::string rationale = {};
  // The token's id.
  std::string submitted_by_token = {};
  // INTENT_SUBMITTED, with the actor.
  AuditEntry audit = {};
};

// Returns the row that a submission makes, as a DRAFT. Its times are unset.
IntentRow DraftOf(const NewIntent& intent, const std::string& intent_id);

// What deciding the submissions of a transaction takes.
struct SubmissionContext {
  Facts facts;
  // Of the platform's active set; empty where none is.
  std::string policy_digest;
  // By tenant; none for one without an active layer.
  absl::flat_hash_map<std::string, std::string> layer_digests;
  // Tenant and agent of each switch that is off; empty where it is of no
  // agent, or of no tenant.
  absl::flat_hash_set<std::pair<std::string, std::string>> switched_off;

  // Returns whether a switch holds up what this agent submits.
  bool IsOff(const std::string& tenant_id, const std::string& agent_id) const;
};

// Reads it for the transaction's tenants and these agents and budgets, and
// shares the
// policy locks until the transaction ends: no policy becomes active and no
// switch is waited for before that.
absl::StatusOr<SubmissionContext> ReadSubmissionContext(
    Transaction& tx, std::span<const std::string> agent_ids,
    std::span<const SpendKey> budgets = {}) noexcept;

struct NewSubmission {
  // Borrowed.
  const NewIntent* intent = nullptr;
  // From NewUuid().
  std::string intent_id = {};
  // What was decided under the transaction's context; null for a DRAFT that a
  // worker is to claim. Its entries come after the submission's own.
  const Settlement* settlement_or_null = nullptr;
  // It is settled in this transaction: nobody is to be woken to claim it.
  bool is_settled_next = false;
};

// Stores up to kBatchIntentsMax submissions of the transaction's tenants.
// Returns, for each, the row as it stands now; nothing where its request id is
// taken, by an earlier one of the group too (FindSubmission tells more). Of two
// transactions with one request id the second waits for the first's end. One
// that breaks a constraint fails the call, with INVALID_ARGUMENT where jsonb
// can't hold a payload.
absl::StatusOr<std::vector<std::optional<IntentRow>>> InsertSubmissions(
    Transaction& tx, std::span<const NewSubmission> submissions) noexcept;

// Returns the intent that the request id stands for; nothing where unused.
// Tenant, principal, request id and body_sha256 are looked at. ALREADY_EXISTS:
// used with another body.
absl::StatusOr<std::optional<IntentRow>> FindSubmission(
    Transaction& tx, const NewIntent& intent) noexcept;

struct InsertOutcome {
  IntentRow row;
  // True: an earlier submission had this request id and the same body. `row`
  // is that intent as it stands; nothing was written.
  bool repeated = false;
};

// Stores one as a DRAFT, or finds what it repeats. ALREADY_EXISTS: the request
// id was used with another body.
absl::StatusOr<InsertOutcome> InsertIntent(Transaction& tx,
                                           const NewIntent& intent) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_SUBMISSIONS_H_
