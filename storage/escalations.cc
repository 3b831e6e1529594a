#include "storage/escalations.h"

#include <absl/strings/str_cat.h>

#include "storage/guard.h"
#include "storage/intent_columns.h"
#include "storage/intents.h"
#include "storage/queries.h"
#include "storage/session.h"

namespace sgl::storage {
namespace {

Args RuleArgs(const std::string& tenant_id, const EscalationRule& rule) {
  Args args;
  args.Text(tenant_id).Text(rule.from_role).Text(rule.to_role);
  return args;
}

}  // namespace

absl::Status SetEscalationRule(Transaction& tx, const std::string& tenant_id,
                               const EscalationRule& rule) noexcept {
  return Guard("set an escalation rule", [&] {
    Args args = RuleArgs(tenant_id, rule);
    OpenSession(tx).Exec(kSetEscalationRuleSql,
                         args.Int(absl::ToInt64Seconds(rule.after)));
    return absl::OkStatus();
  });
}

absl::Status RemoveEscalationRule(Transaction& tx, const std::string& tenant_id,
                                  const EscalationRule& rule) noexcept {
  return Guard("remove an escalation rule", [&] {
    OpenSession(tx).ExecOne(kRemoveEscalationRuleSql, RuleArgs(tenant_id, rule),
                            absl::StrCat("rule from `", rule.from_role,
                                         "` to `", rule.to_role, "`"));
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<EscalationRule>> ListEscalationRules(
    Transaction& tx, const std::string& tenant_id) noexcept {
  using Result = absl::StatusOr<std::vector<EscalationRule>>;
  return Guard("list escalation rules", [&]() -> Result {
    std::vector<EscalationRule> rules;
    for (const pqxx::row& row : OpenSession(tx).Exec(kListEscalationRulesSql,
                                                     Args().Text(tenant_id))) {
      RowReader reader(row);
      EscalationRule rule;
      rule.from_role = reader.Text();
      rule.to_role = reader.Text();
      rule.after = absl::Seconds(reader.Int());
      rules.push_back(rule);
    }
    return rules;
  });
}

absl::StatusOr<std::vector<EscalatedMemo>> EscalateMemos(Transaction& tx,
                                                         int limit) noexcept {
  using Result = absl::StatusOr<std::vector<EscalatedMemo>>;
  return Guard("escalate memos", [&]() -> Result {
    if (limit < 1 || limit > kBatchIntentsMax) {
      return absl::InvalidArgumentError(absl::StrCat(
          "a batch has 1 to ", kBatchIntentsMax, " memos, not ", limit));
    }
    Session& session = OpenSession(tx);
    const pqxx::result rows =
        session.Exec(kEscalateMemosSql, Args().Int(limit));
    NoteClaimedTenants(session,
                       rows.empty() ? "" : rows[0][rows.columns() - 1].c_str());
    std::vector<EscalatedMemo> escalated;
    for (const pqxx::row& row : rows) {
      RowReader reader(row);
      EscalatedMemo memo;
      memo.tenant_id = reader.Text();
      memo.intent_id = reader.Text();
      memo.memo_id = reader.Text();
      memo.revision = static_cast<int32_t>(reader.Int());
      memo.from_role = reader.Text();
      memo.to_role = reader.Text();
      escalated.push_back(memo);
    }
    return escalated;
  });
}

}  // namespace sgl::storage
