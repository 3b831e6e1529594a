#include "storage/seals.h"

#include <absl/container/flat_hash_set.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <utility>

#include "storage/audit_columns.h"
#include "storage/guard.h"
#include "storage/queries.h"
#include "storage/session.h"
#include "storage/uuid.h"

namespace sgl::storage {
namespace {

constexpr char kFirstId[] = "00000000-0000-0000-0000-000000000000";
constexpr char kFirstTime[] = "-infinity";

std::string HexBytea(absl::string_view bytes) {
  return absl::StrCat("\\x", absl::BytesToHexString(bytes));
}

// Reads a bytea, which PostgreSQL writes as `\x` and hex digits.
std::string ReadBytea(RowReader& reader) {
  const std::string text = reader.Text();
  if (text.empty()) return "";
  return absl::HexStringToBytes(text.substr(2));
}

SealHead ReadHead(RowReader& reader) {
  SealHead head;
  head.log_id = reader.Text();
  head.tree_size = reader.Int();
  head.root_hash = ReadBytea(reader);
  head.sealed_at = reader.Time();
  head.key_id = reader.Text();
  head.signature = ReadBytea(reader);
  return head;
}

Seal ReadSeal(const pqxx::row& row) {
  RowReader reader(row);
  Seal seal;
  seal.head = ReadHead(reader);
  seal.first_sequence = reader.Int();
  seal.entry_ids = reader.TextArray();
  seal.leaf_hashes = ReadBytea(reader);
  seal.frontier = ReadBytea(reader);
  return seal;
}

std::optional<Seal> ReadSealOrNone(const pqxx::result& result) {
  if (result.empty()) return std::nullopt;
  return ReadSeal(result[0]);
}

// The arguments of append_audit_seals.sql, in its order.
Args SealArgs(std::span<const NewSeal> seals) {
  ArrayText tenants, firsts, counts, positions, leaves, frontiers, roots,
      signatures;
  std::string key_id;
  for (const NewSeal& item : seals) {
    const SealHead& head = item.seal.head;
    RequireLogId(head.log_id);
    tenants.AddNullable(head.log_id == kPlatformLog ? "" : head.log_id);
    firsts.AddInt(item.seal.first_sequence);
    counts.AddInt(static_cast<int64_t>(item.queue_positions.size()));
    for (const int64_t position : item.queue_positions) {
      positions.AddInt(position);
    }
    leaves.Add(HexBytea(item.seal.leaf_hashes));
    frontiers.Add(HexBytea(item.seal.frontier));
    roots.Add(HexBytea(head.root_hash));
    signatures.AddNullable(head.signature.empty() ? ""
                                                  : HexBytea(head.signature));
    if (!head.key_id.empty()) key_id = head.key_id;
  }
  Args args;
  args.Array(tenants).Array(firsts).Array(counts).Array(positions);
  args.Array(leaves).Array(frontiers).Array(roots);
  args.Time(seals[0].seal.head.sealed_at).Nullable(key_id).Array(signatures);
  return args;
}

}  // namespace

absl::StatusOr<int> ClaimUnsealed(Transaction& tx, int count_max,
                                  UnsealedVisitor visit) noexcept {
  return Guard("claim unsealed entries", [&]() -> absl::StatusOr<int> {
    Session& session = OpenSession(tx);
    session.Exec(kOpenUnsealedAuditSql, Args().Int(count_max));
    absl::flat_hash_set<std::string> tenants;
    int count = 0;
    while (true) {
      const pqxx::result part = session.Exec(kFetchUnsealedAuditSql);
      if (part.empty()) break;
      count += static_cast<int>(part.size());
      for (const pqxx::row& row : part) {
        RowReader reader(row);
        const int64_t queue_position = reader.Int();
        const AuditRecord record = ReadAuditColumns(reader);
        const absl::string_view tenant = record.Text(AuditColumn::kTenantId);
        if (!tenants.contains(tenant)) {
          tenants.insert(ReaderOfLog(tenant.empty() ? kPlatformLog : tenant));
        }
        visit(queue_position, record);
      }
    }
    session.NoteTenants({tenants.begin(), tenants.end()});
    return count;
  });
}

absl::StatusOr<std::vector<LogTip>> ReadLogTips(
    Transaction& tx, const std::vector<std::string>& log_ids) noexcept {
  using Result = absl::StatusOr<std::vector<LogTip>>;
  return Guard("read the ends of logs", [&]() -> Result {
    std::vector<LogTip> tips;
    for (const pqxx::row& row :
         OpenSession(tx).Exec(kReadLogTipsSql, Args().TextArray(log_ids))) {
      RowReader reader(row);
      LogTip tip;
      tip.log_id = reader.Text();
      tip.tree_size = reader.Int();
      tip.frontier = ReadBytea(reader);
      tip.root_hash = ReadBytea(reader);
      tip.now = reader.Time();
      tips.push_back(std::move(tip));
    }
    return tips;
  });
}

absl::Status AppendSeals(Transaction& tx,
                         std::span<const NewSeal> seals) noexcept {
  return Guard("append seals", [&] {
    if (seals.empty()) return absl::OkStatus();
    OpenSession(tx).Exec(kAppendAuditSealsSql, SealArgs(seals));
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<Seal>> ReadSeals(Transaction& tx,
                                            const std::string& log_id,
                                            int64_t first_sequence,
                                            int count_max) noexcept {
  using Result = absl::StatusOr<std::vector<Seal>>;
  return Guard("read seals", [&]() -> Result {
    RequireLogId(log_id);
    std::vector<Seal> seals;
    for (const pqxx::row& row : OpenSession(tx).Exec(
             kReadSealsSql,
             Args().Text(log_id).Int(first_sequence).Int(count_max))) {
      seals.push_back(ReadSeal(row));
    }
    return seals;
  });
}

absl::StatusOr<std::optional<Seal>> SealBefore(Transaction& tx,
                                               const std::string& log_id,
                                               int64_t sequence) noexcept {
  using Result = absl::StatusOr<std::optional<Seal>>;
  return Guard("read a seal", [&]() -> Result {
    RequireLogId(log_id);
    return ReadSealOrNone(OpenSession(tx).Exec(
        kSealBeforeSql, Args().Text(log_id).Int(sequence)));
  });
}

absl::StatusOr<std::optional<Seal>> SealHolding(Transaction& tx,
                                                const std::string& log_id,
                                                const std::string& entry_id,
                                                absl::Time written) noexcept {
  using Result = absl::StatusOr<std::optional<Seal>>;
  return Guard("find the seal of an entry", [&]() -> Result {
    RequireLogId(log_id);
    if (!IsUuid(entry_id)) return std::optional<Seal>();
    // A clock that was set back puts a seal before its entry.
    std::optional<Seal> seal;
    for (const std::optional<absl::Time> from :
         {std::optional(written), std::optional<absl::Time>()}) {
      seal = ReadSealOrNone(OpenSession(tx).Exec(
          kSealHoldingSql, Args().Text(log_id).Text(entry_id).Time(from)));
      if (seal.has_value()) break;
    }
    return seal;
  });
}

absl::StatusOr<std::vector<SealHead>> LatestHeads(Transaction& tx) noexcept {
  using Result = absl::StatusOr<std::vector<SealHead>>;
  return Guard("read the newest heads", [&]() -> Result {
    std::vector<SealHead> heads;
    for (const pqxx::row& row :
         OpenSession(tx).Exec(kLatestAuditSealsSql, Args())) {
      RowReader reader(row);
      heads.push_back(ReadHead(reader));
    }
    return heads;
  });
}

absl::StatusOr<SealingLag> ReadSealingLag(Transaction& tx) noexcept {
  return Guard(
      "read what waits to be sealed", [&]() -> absl::StatusOr<SealingLag> {
        RowReader reader(
            OpenSession(tx).ExecOne(kUnsealedAuditLagSql, Args(), "queue"));
        SealingLag lag;
        lag.waiting = reader.Int();
        lag.oldest = reader.OptionalTime();
        return lag;
      });
}

absl::StatusOr<std::vector<EntryState>> ReadEntryStates(
    Transaction& tx, const std::string& log_id, const EntryPosition& after,
    int count_max) noexcept {
  using Result = absl::StatusOr<std::vector<EntryState>>;
  return Guard("read the states of entries", [&]() -> Result {
    Session& session = OpenSession(tx);
    Args args;
    AddLogTenant(log_id, args);
    args.Text(log_id)
        .Text(after.created_at.empty() ? kFirstTime : after.created_at)
        .Text(after.id.empty() ? kFirstId : after.id)
        .Int(count_max);
    std::vector<EntryState> states;
    std::vector<std::string> unknown;
    for (const pqxx::row& row : session.Exec(kListAuditStatesSql, args)) {
      RowReader reader(row);
      EntryState state;
      state.id = reader.Text();
      state.created_at = reader.Text();
      state.action = reader.Text();
      state.is_sealed = reader.Bool();
      state.is_queued = reader.Bool();
      if (!state.is_sealed) unknown.push_back(state.id);
      states.push_back(std::move(state));
    }
    if (unknown.empty()) return states;
    absl::flat_hash_set<std::string> sealed;
    for (const pqxx::row& row : session.Exec(
             kSealedEntriesSql, Args().Text(log_id).TextArray(unknown))) {
      sealed.insert(row[0].c_str());
    }
    for (EntryState& state : states) {
      if (sealed.contains(state.id)) state.is_sealed = true;
    }
    return states;
  });
}

absl::StatusOr<std::vector<std::string>> MissingEntries(
    Transaction& tx, const std::string& log_id) noexcept {
  using Result = absl::StatusOr<std::vector<std::string>>;
  return Guard("read the missing entries", [&]() -> Result {
    Args args;
    AddLogTenant(log_id, args);
    std::vector<std::string> ids;
    for (const pqxx::row& row :
         OpenSession(tx).Exec(kMissingAuditEntriesSql, args)) {
      ids.emplace_back(row[0].c_str());
    }
    return ids;
  });
}

}  // namespace sgl::storage
