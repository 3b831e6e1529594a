#include "storage/limits.h"

#include "storage/binary_array.h"
#include "storage/guard.h"
#include "storage/limit_counts.h"
#include "storage/queries.h"
#include "storage/session.h"

namespace sgl::storage {
namespace {

// The columns that say which counters.
struct KeyColumns {
  BinaryArray key = BinaryArray(BinaryArray::Of::kText);
  BinaryArray tenant_id = BinaryArray(BinaryArray::Of::kUuid);
  BinaryArray window_micros = BinaryArray(BinaryArray::Of::kBigint);

  void Add(const LimitKey& limit) {
    key.Add(limit.key);
    tenant_id.AddNullable(limit.tenant_id);
    window_micros.AddInt(absl::ToInt64Microseconds(limit.window));
  }
};

LimitReading ReadWith(const char* sql, std::span<const LimitKey> keys,
                      Session& session) {
  KeyColumns columns;
  for (const LimitKey& key : keys) columns.Add(key);
  const BinaryArray* const arrays[] = {&columns.key, &columns.tenant_id,
                                       &columns.window_micros};
  LimitReading reading;
  for (const pqxx::row& row : session.Exec(sql, arrays, Args())) {
    RowReader reader(row);
    const std::string key = reader.Text();
    reading.now = reader.Time();
    reading.by_key[key] = reader.OptionalInt();
  }
  return reading;
}

}  // namespace

absl::StatusOr<LimitReading> LockLimits(
    Transaction& tx, std::span<const LimitKey> keys) noexcept {
  return Guard("lock limits", [&]() -> absl::StatusOr<LimitReading> {
    return ReadWith(kLockLimitsSql, keys, OpenSession(tx));
  });
}

absl::StatusOr<LimitReading> ReadLimits(
    Transaction& tx, std::span<const LimitKey> keys) noexcept {
  return Guard("read limits", [&]() -> absl::StatusOr<LimitReading> {
    return ReadWith(kReadLimitsSql, keys, OpenSession(tx));
  });
}

absl::StatusOr<int64_t> PruneLimits(Transaction& tx, int count_max) noexcept {
  return Guard("prune limits", [&]() -> absl::StatusOr<int64_t> {
    RowReader reader(OpenSession(tx).ExecOne(kPruneLimitsSql,
                                             Args().Int(count_max), "count"));
    return reader.Int();
  });
}

absl::StatusOr<int64_t> ForgetLimits(Transaction& tx, int count_max) noexcept {
  return Guard("forget limits", [&]() -> absl::StatusOr<int64_t> {
    RowReader reader(OpenSession(tx).ExecOne(kForgetLimitsSql,
                                             Args().Int(count_max), "count"));
    return reader.Int();
  });
}

void EnterLimitCounts(std::span<const LimitCount> counts, Session& session) {
  if (counts.empty()) return;
  KeyColumns columns;
  BinaryArray at_micros(BinaryArray::Of::kBigint);
  BinaryArray amounts(BinaryArray::Of::kBigint);
  for (const LimitCount& count : counts) {
    columns.Add(count.key);
    at_micros.AddInt(absl::ToUnixMicros(count.at));
    amounts.AddInt(count.amount);
  }
  const BinaryArray* const arrays[] = {&columns.key, &columns.tenant_id,
                                       &at_micros, &columns.window_micros,
                                       &amounts};
  session.Exec(kCountLimitsSql, arrays, Args());
}

}  // namespace sgl::storage
