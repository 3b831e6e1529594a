#include "storage/decisions.h"

#include <absl/strings/str_cat.h>

#include "storage/guard.h"
#include "storage/intent_columns.h"
#include "storage/queries.h"
#include "storage/session.h"

namespace sgl::storage {

absl::StatusOr<std::vector<DecisionRecord>> ListDecisions(
    Transaction& tx, const std::string& intent_id) noexcept {
  using Result = absl::StatusOr<std::vector<DecisionRecord>>;
  return Guard("list decisions", [&]() -> Result {
    RequireId("intent", intent_id);
    const pqxx::result rows =
        OpenSession(tx).Exec(kListDecisionsSql, Args().Text(intent_id));
    if (rows.empty()) {
      return absl::NotFoundError(
          absl::StrCat("there is no intent ", intent_id));
    }
    std::vector<DecisionRecord> records;
    for (const pqxx::row& row : rows) {
      RowReader reader(row);
      if (reader.Text().empty()) continue;  // It has none.
      DecisionRecord& record = records.emplace_back();
      record.tenant_id = reader.Text();
      record.intent_id = reader.Text();
      record.transition_number = reader.Int();
      record.created_at = reader.Time();
      record.meta = reader.Text();
      record.payload = reader.Text();
    }
    return records;
  });
}

absl::StatusOr<int> ReadDecisions(
    Transaction& tx, DecisionPage* page,
    absl::FunctionRef<void(const DecisionView&)> visit) noexcept {
  return Guard("read decisions", [&]() -> absl::StatusOr<int> {
    Session& session = OpenSession(tx);
    Args args;
    args.Text(session.OnlyTenant())
        .Time(page->after.created_at)
        .Nullable(page->after.entry_id)
        .Time(page->end)
        .Nullable(page->intent_type)
        .Int(page->limit);
    const pqxx::result rows = session.Exec(kReadDecisionsSql, args);
    const auto text = [](const pqxx::field& field) {
      return absl::string_view(field.c_str(), field.size());
    };
    for (const pqxx::row& row : rows) {
      visit({.intent_id = text(row[2]),
             .transition_number = row[3].as<int64_t>(),
             .meta = text(row[4]),
             .payload = text(row[5])});
    }
    if (!rows.empty()) {
      RowReader last(rows.back());
      page->after.entry_id = last.Text();
      page->after.created_at = last.Time();
    }
    return static_cast<int>(rows.size());
  });
}

}  // namespace sgl::storage
