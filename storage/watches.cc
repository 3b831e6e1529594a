#include "storage/watches.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include <cstdint>
#include <utility>

#include "storage/guard.h"
#include "storage/queries.h"
#include "storage/session.h"
#include "storage/uuid.h"

namespace sgl::storage {
namespace {

// Reads a transaction's number: digits alone, not 0, below 2^63.
bool ReadTransaction(absl::string_view text, uint64_t* number) {
  return !text.empty() && text.size() <= 19 &&
         text.find_first_not_of("0123456789") == absl::string_view::npos &&
         absl::SimpleAtoi(text, number) && *number > 0 &&
         *number <= static_cast<uint64_t>(INT64_MAX);
}

// What PostgreSQL reads as a pg_snapshot, `xmin:xmax:xip,xip`: numbers that
// only grow, from xmin up to but not xmax. It would refuse others with an
// error that isn't the caller's to see.
bool IsSnapshot(absl::string_view text) {
  if (text.size() > kSnapshotBytesMax) return false;
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  uint64_t first = 0;
  uint64_t end = 0;
  if (parts.size() != 3 || !ReadTransaction(parts[0], &first) ||
      !ReadTransaction(parts[1], &end) || first > end) {
    return false;
  }
  if (parts[2].empty()) return true;
  uint64_t last = first;
  for (absl::string_view open : absl::StrSplit(parts[2], ',')) {
    uint64_t number = 0;
    if (!ReadTransaction(open, &number) || number < last || number >= end) {
      return false;
    }
    last = number;
  }
  return true;
}

// An id to compare with; one that is no UUID matches no row, as kNobody does.
constexpr char kNobody[] = "00000000-0000-0000-0000-000000000000";
absl::string_view IdToMatch(absl::string_view id) {
  return id.empty() || IsUuid(id) ? id : kNobody;
}

Args PositionArgs(Session& session, const WatchPosition& position) {
  Args args;
  args.Text(session.OnlyTenant())
      .Nullable(position.since)
      .Nullable(position.until)
      .Nullable(position.after_transaction)
      .Nullable(position.after_id);
  return args;
}

// Reads what watch_*.sql answer.
absl::StatusOr<Changes> ReadChanges(const pqxx::result& result,
                                    const WatchPosition& position, int limit) {
  Changes changes;
  for (const pqxx::row& row : result) {
    RowReader reader(row);
    const std::string until = reader.Text();
    if (!reader.Bool()) {
      return absl::InvalidArgumentError(
          "the cursor is of another database, or of this one before it was "
          "restored from a backup");
    }
    if (reader.NextIsNull()) {
      changes.position = {.since = until};
      return changes;
    }
    WatchPosition here = {.since = position.since, .until = until};
    here.after_id = reader.Text();
    here.after_transaction = reader.Text();
    changes.rows.push_back({here.after_id, here});
  }
  changes.has_more = changes.rows.size() == static_cast<size_t>(limit);
  if (!changes.has_more) {
    // The round is over: the next begins with its end.
    WatchPosition& last = changes.rows.back().position;
    last = {.since = last.until};
  }
  changes.position = changes.rows.back().position;
  return changes;
}

absl::Status CheckPage(const WatchPosition& position, int limit) {
  if (limit < 1 || limit > kPageRowsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("a page has 1 to ", kPageRowsMax, " rows, not ", limit));
  }
  return CheckWatchPosition(position);
}

}  // namespace

absl::Status CheckWatchPosition(const WatchPosition& position) {
  const bool is_inside = !position.after_id.empty();
  uint64_t transaction = 0;
  const bool is_whole =
      (position.since.empty() || IsSnapshot(position.since)) &&
      (position.until.empty() || IsSnapshot(position.until)) &&
      is_inside == !position.after_transaction.empty() &&
      is_inside == !position.until.empty() &&
      (!is_inside ||
       (!position.since.empty() && IsUuid(position.after_id) &&
        ReadTransaction(position.after_transaction, &transaction)));
  if (is_whole) return absl::OkStatus();
  return absl::InvalidArgumentError("this is no place of a watch");
}

absl::StatusOr<Changes> ChangedIntents(Transaction& tx,
                                       const IntentFilter& filter,
                                       const WatchPosition& position,
                                       int limit) noexcept {
  return Guard("watch intents", [&]() -> absl::StatusOr<Changes> {
    const absl::Status checked = CheckPage(position, limit);
    if (!checked.ok()) return checked;
    Session& session = OpenSession(tx);
    Args args = PositionArgs(session, position);
    args.Nullable(filter.status.has_value() ? IntentStatusName(*filter.status)
                                            : "")
        .Nullable(filter.intent_type)
        .Nullable(IdToMatch(filter.agent_id))
        .Int(limit);
    return ReadChanges(session.Exec(kWatchIntentsSql, args), position, limit);
  });
}

absl::StatusOr<Changes> ChangedMemos(Transaction& tx, const MemoFilter& filter,
                                     const WatchPosition& position,
                                     int limit) noexcept {
  return Guard("watch memos", [&]() -> absl::StatusOr<Changes> {
    const absl::Status checked = CheckPage(position, limit);
    if (!checked.ok()) return checked;
    Session& session = OpenSession(tx);
    Args args = PositionArgs(session, position);
    args.Nullable(filter.status.has_value() ? MemoStatusName(*filter.status)
                                            : "")
        .Nullable(IdToMatch(filter.intent_id))
        .Nullable(filter.intent_type)
        .Int(limit);
    return ReadChanges(session.Exec(kWatchMemosSql, args), position, limit);
  });
}

absl::StatusOr<ChangedTenants> TenantsChangedSince(
    Transaction& tx, const std::string& snapshot) noexcept {
  return Guard("see who changed", [&]() -> absl::StatusOr<ChangedTenants> {
    Session& session = OpenSession(tx);
    ChangedTenants changed;
    for (const pqxx::row& row :
         session.Exec(kChangedTenantsSql,
                      Args().TextArray(session.tenants()).Nullable(snapshot))) {
      RowReader reader(row);
      changed.snapshot = reader.Text();
      if (!reader.NextIsNull()) changed.tenant_ids.push_back(reader.Text());
    }
    return changed;
  });
}

}  // namespace sgl::storage
