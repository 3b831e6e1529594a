// Limits: counters of what policies' limits counted, over sliding windows.
//
//   auto reading = LockLimits(tx, keys);  // waits for whoever else counts
//   ... decide, at reading->now ...
//   settlement.limit_counts = {{.key = keys[0], .at = reading->now, ...}};
//   SettleIntents(tx, digest, settlements);  // enters them
//
// What was counted can't change from LockLimits to the end of the transaction.
// Counters of a limit per platform count for all tenants: they are of none.

#ifndef STORAGE_LIMITS_H_
#define STORAGE_LIMITS_H_

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "storage/database.h"

namespace sgl::storage {

// A counter: one limit and whom it counts for.
struct LimitKey {
  // Which, in a form that no two share.
  std::string key = {};
  // Empty for a limit per platform; else of the transaction's tenants.
  std::string tenant_id = {};
  absl::Duration window = {};

  bool operator==(const LimitKey&) const = default;
};

// What one intent counts for one limit.
struct LimitCount {
  LimitKey key = {};
  // The time of its decision, not before that of the reading under the lock.
  absl::Time at = {};
  // More than 0: intents, or millionths of a dollar.
  int64_t amount = 0;
};

struct LimitReading {
  // Read after the locks, and not before what the counters counted last: the
  // decisions' `now`.
  absl::Time now;
  // By key: what was counted later than `now - window`, up to `now`. Nothing
  // where that lies outside int64.
  absl::flat_hash_map<std::string, std::optional<int64_t>> by_key;
};

// Locks the counters to the end of the transaction, in an order of their own,
// after the policy locks, and then reads them. REQUIRES: each key once.
// ABORTED: a lock was not to be had. INTERNAL: another tenant's.
absl::StatusOr<LimitReading> LockLimits(
    Transaction& tx, std::span<const LimitKey> keys) noexcept;

// Reads them as they are, for whoever only asks. REQUIRES: as above.
absl::StatusOr<LimitReading> ReadLimits(
    Transaction& tx, std::span<const LimitKey> keys) noexcept;

// Removes up to `count_max` entries of any tenant that are past their windows,
// the oldest first; returns how many. None while another engine does.
absl::StatusOr<int64_t> PruneLimits(Transaction& tx, int count_max) noexcept;

// Removes up to `count_max` counters that counted nothing for a day; returns
// how many.
absl::StatusOr<int64_t> ForgetLimits(Transaction& tx, int count_max) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_LIMITS_H_
