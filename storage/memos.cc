#include "storage/memos.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_cat.h>

#include <array>
#include <utility>

#include "storage/guard.h"
#include "storage/intent_columns.h"
#include "storage/queries.h"
#include "storage/session.h"
#include "storage/uuid.h"

namespace sgl::storage {
namespace {

constexpr std::array<absl::string_view, 3> kStatusNames = {
    "PROPOSED", "APPROVED", "REJECTED"};

// Reads a row of get_memos.sql.
MemoRow ReadMemoRow(const pqxx::row& row) {
  RowReader reader(row);
  MemoRow memo;
  memo.escalations = reader.Text();
  memo.edited_by = reader.Text();
  memo.id = reader.Text();
  memo.tenant_id = reader.Text();
  memo.intent_id = reader.Text();
  memo.agent = reader.Text();
  memo.title = reader.Text();
  memo.rationale = reader.Text();
  memo.estimated_cost_micros_usd = reader.Int();
  memo.risk_tier = static_cast<int32_t>(reader.Int());
  const std::string status = reader.Text();
  const std::optional<MemoStatus> known = MemoStatusFromName(status);
  if (!known.has_value()) {
    Raise(absl::InternalError(
        absl::StrCat("memo ", memo.id, " has the status `", status, "`")));
  }
  memo.status = *known;
  memo.resolution = reader.Text();
  memo.demands = reader.Text();
  memo.reasons = reader.Text();
  memo.revision = static_cast<int32_t>(reader.Int());
  memo.payload_sha256 = reader.Text();
  memo.policy_digest = reader.Text();
  memo.expires_at = reader.OptionalTime();
  memo.expired = reader.Bool();
  memo.created_at = reader.Time();
  memo.updated_at = reader.Time();
  memo.intent_type = reader.Text();
  memo.payload = reader.Text();
  memo.intent_rationale = reader.Text();
  memo.data_class = reader.Text();
  memo.requested_by = reader.Text();
  return memo;
}

VoteRow ReadVoteRow(RowReader& reader) {
  VoteRow vote;
  vote.id = reader.Text();
  vote.approved_by = reader.Text();
  vote.verdict =
      reader.Text() == "APPROVE" ? Verdict::kApprove : Verdict::kReject;
  vote.comment = reader.Text();
  vote.revision = static_cast<int32_t>(reader.Int());
  vote.payload_sha256 = reader.Text();
  vote.created_at = reader.Time();
  vote.expires_at = reader.OptionalTime();
  vote.expired = reader.Bool();
  vote.roles = reader.TextArray();
  vote.is_member = reader.Bool();
  vote.delegation_ids = reader.TextArray();
  return vote;
}

LentRoles ReadLentRoles(RowReader& reader) {
  LentRoles lent;
  lent.delegation_id = reader.Text();
  lent.from_user_id = reader.Text();
  lent.roles = reader.TextArray();
  return lent;
}

// Reads the votes of all these memos in one statement.
void FillVotes(Session& session, std::vector<MemoRow>& memos) {
  if (memos.empty()) return;
  ArrayText ids;
  absl::flat_hash_map<std::string, MemoRow*> by_id;
  for (MemoRow& memo : memos) {
    ids.Add(memo.id);
    by_id[memo.id] = &memo;
  }
  bool is_any_delegated = false;
  for (const pqxx::row& row : session.Exec(kListVotesSql, Args().Array(ids))) {
    RowReader reader(row);
    const std::string memo_id = reader.Text();
    VoteRow vote = ReadVoteRow(reader);
    is_any_delegated |= !vote.delegation_ids.empty();
    by_id[memo_id]->votes.push_back(std::move(vote));
  }
  if (!is_any_delegated) return;
  for (const pqxx::row& row :
       session.Exec(kListVoteDelegationsSql, Args().Array(ids))) {
    RowReader reader(row);
    const std::string memo_id = reader.Text();
    const std::string vote_id = reader.Text();
    for (VoteRow& vote : by_id[memo_id]->votes) {
      if (vote.id == vote_id) vote.lent.push_back(ReadLentRoles(reader));
    }
  }
}

MemoRow ReadMemo(Session& session, const std::string& id) {
  std::vector<MemoRow> memos = {ReadMemoRow(session.ExecOne(
      kGetMemosSql, Args().TextArray({id}), absl::StrCat("memo ", id)))};
  FillVotes(session, memos);
  return std::move(memos[0]);
}

// Reads what belongs to a memo whose rows are locked.
LockedMemo ReadLocked(Session& session, const std::string& memo_id,
                      const std::string& intent_id) {
  LockedMemo locked;
  RowReader intent(session.ExecOne(kGetIntentsSql,
                                   Args().TextArray({intent_id}),
                                   absl::StrCat("intent ", intent_id)));
  locked.intent = ReadIntentRow(intent);
  locked.memo = ReadMemo(session, memo_id);
  RowReader barred(session.ExecOne(kBarredVotersSql, Args().Text(intent_id),
                                   absl::StrCat("intent ", intent_id)));
  locked.barred_user_ids = barred.TextArray();
  const std::string level = barred.Text();
  if (!level.empty()) {
    locked.switched_off =
        SwitchLevelFromName(level).value_or(SwitchLevel::kPlatform);
  }
  return locked;
}

}  // namespace

absl::string_view MemoStatusName(MemoStatus status) {
  return kStatusNames[static_cast<size_t>(status)];
}

std::optional<MemoStatus> MemoStatusFromName(absl::string_view name) {
  for (size_t i = 0; i < kStatusNames.size(); ++i) {
    if (kStatusNames[i] == name) return static_cast<MemoStatus>(i);
  }
  return std::nullopt;
}

absl::StatusOr<MemoRow> GetMemo(Transaction& tx,
                                const std::string& id) noexcept {
  return Guard("get a memo", [&]() -> absl::StatusOr<MemoRow> {
    RequireId("memo", id);
    return ReadMemo(OpenSession(tx), id);
  });
}

absl::StatusOr<std::vector<MemoRow>> GetMemos(
    Transaction& tx, const std::vector<std::string>& ids) noexcept {
  using Result = absl::StatusOr<std::vector<MemoRow>>;
  return Guard("get memos", [&]() -> Result {
    if (ids.size() > static_cast<size_t>(kPageRowsMax)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "at most ", kPageRowsMax, " ids at once, not ", ids.size()));
    }
    ArrayText valid;
    for (const std::string& id : ids) {
      if (IsUuid(id)) valid.Add(id);
    }
    Session& session = OpenSession(tx);
    std::vector<MemoRow> memos;
    for (const pqxx::row& row :
         session.Exec(kGetMemosSql, Args().Array(valid))) {
      memos.push_back(ReadMemoRow(row));
    }
    FillVotes(session, memos);
    return memos;
  });
}

absl::StatusOr<std::vector<MemoRow>> ListMemos(
    Transaction& tx, const MemoFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<MemoRow>>;
  return Guard("list memos", [&]() -> Result {
    Session& session = OpenSession(tx);
    std::vector<MemoRow> memos;
    if (!filter.intent_id.empty() && !IsUuid(filter.intent_id)) return memos;
    Args args;
    args.Text(session.OnlyTenant())
        .Nullable(filter.status.has_value() ? MemoStatusName(*filter.status)
                                            : "")
        .Nullable(filter.intent_id)
        .Nullable(filter.intent_type);
    AddPage(after, limit, args);
    for (const pqxx::row& row : session.Exec(kListMemosSql, args)) {
      memos.push_back(ReadMemoRow(row));
    }
    FillVotes(session, memos);
    return memos;
  });
}

absl::StatusOr<LockedMemo> LockMemo(Transaction& tx,
                                    const std::string& id) noexcept {
  return Guard("lock a memo", [&]() -> absl::StatusOr<LockedMemo> {
    RequireId("memo", id);
    const std::string what = absl::StrCat("memo ", id);
    Session& session = OpenSession(tx);
    const std::string intent_id =
        session.ExecOne(kFindMemoIntentSql, Args().Text(id), what)[0].c_str();
    session.ExecOne(kLockIntentSql, Args().Text(intent_id), what);
    session.ExecOne(kLockMemoSql, Args().Text(id), what);
    return ReadLocked(session, id, intent_id);
  });
}

absl::StatusOr<Standing> ReadStanding(Transaction& tx,
                                      const std::string& user_id) noexcept {
  return Guard("read a voter's standing", [&]() -> absl::StatusOr<Standing> {
    RequireId("user", user_id);
    Session& session = OpenSession(tx);
    const std::string& tenant_id = session.OnlyTenant();
    Standing standing;
    RowReader own(session.ExecOne(
        kReadOwnRolesSql, Args().Text(tenant_id).Text(user_id), "such user"));
    standing.is_member = own.Bool();
    standing.roles = own.TextArray();
    for (const pqxx::row& row : session.Exec(
             kReadDelegatedRolesSql, Args().Text(tenant_id).Text(user_id))) {
      RowReader reader(row);
      standing.lent.push_back(ReadLentRoles(reader));
    }
    return standing;
  });
}

absl::StatusOr<std::string> InsertVote(Transaction& tx,
                                       const NewVote& vote) noexcept {
  return Guard("insert a vote", [&]() -> absl::StatusOr<std::string> {
    RequireId("memo", vote.memo_id);
    const bool approves = vote.verdict == Verdict::kApprove;
    RowReader reader(
        OpenSession(tx).ExecOne(kInsertVoteSql,
                                Args()
                                    .Text(vote.memo_id)
                                    .Text(vote.approved_by)
                                    .Text(approves ? "APPROVE" : "REJECT")
                                    .Nullable(vote.comment)
                                    .TextArray(vote.roles)
                                    .TextArray(vote.delegation_ids),
                                "vote"));
    std::string id = reader.Text();
    if (!reader.Bool()) {
      return absl::FailedPreconditionError(
          absl::StrCat("insert a vote: memo ", vote.memo_id, " is not open"));
    }
    if (id.empty()) {
      return absl::AlreadyExistsError(absl::StrCat(
          "insert a vote: user ", vote.approved_by,
          " voted on this revision of memo ", vote.memo_id, " before"));
    }
    return id;
  });
}

absl::StatusOr<std::vector<VoteRow>> Votes(
    Transaction& tx, const std::string& memo_id) noexcept {
  using Result = absl::StatusOr<std::vector<VoteRow>>;
  return Guard("read the votes", [&]() -> Result {
    RequireId("memo", memo_id);
    MemoRow memo = ReadMemo(OpenSession(tx), memo_id);
    std::erase_if(memo.votes, [&](const VoteRow& vote) {
      return vote.revision != memo.revision;
    });
    return std::move(memo.votes);
  });
}

absl::Status ResolveMemo(Transaction& tx, const std::string& memo_id,
                         MemoStatus status,
                         const std::string& resolution) noexcept {
  return Guard("resolve a memo", [&]() -> absl::Status {
    RequireId("memo", memo_id);
    const pqxx::result resolved = OpenSession(tx).Exec(
        kResolveMemoSql,
        Args().Text(memo_id).Text(MemoStatusName(status)).Text(resolution));
    if (resolved.empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat("resolve a memo: memo ", memo_id, " is not open"));
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<LockedMemo>> DueMemos(Transaction& tx,
                                                 int limit) noexcept {
  using Result = absl::StatusOr<std::vector<LockedMemo>>;
  return Guard("find memos that are due", [&]() -> Result {
    if (limit < 1 || limit > kBatchIntentsMax) {
      return absl::InvalidArgumentError(absl::StrCat(
          "a batch has 1 to ", kBatchIntentsMax, " memos, not ", limit));
    }
    Session& session = OpenSession(tx);
    const pqxx::result due = session.Exec(kDueMemosSql, Args().Int(limit));
    NoteClaimedTenants(session, due.empty() ? "" : due[0][1].c_str());
    std::vector<LockedMemo> locked;
    for (const pqxx::row& row : due) {
      const std::string memo_id = row[0].c_str();
      const std::string intent_id =
          session
              .ExecOne(kFindMemoIntentSql, Args().Text(memo_id),
                       absl::StrCat("memo ", memo_id))[0]
              .c_str();
      locked.push_back(ReadLocked(session, memo_id, intent_id));
    }
    return locked;
  });
}

}  // namespace sgl::storage
