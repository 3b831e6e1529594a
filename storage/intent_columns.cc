#include "storage/intent_columns.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>

#include <array>

#include "storage/guard.h"
#include "storage/uuid.h"

namespace sgl::storage {
namespace {

constexpr std::array<absl::string_view, 6> kStatusNames = {
    "DRAFT",  "VALIDATING",  "EXECUTED",
    "FAILED", "BLOCKED_SGL", "AWAITING_HUMAN"};

}  // namespace

absl::string_view IntentStatusName(IntentStatus status) {
  return kStatusNames[static_cast<size_t>(status)];
}

std::optional<IntentStatus> IntentStatusFromName(absl::string_view name) {
  for (size_t i = 0; i < kStatusNames.size(); ++i) {
    if (kStatusNames[i] == name) return static_cast<IntentStatus>(i);
  }
  return std::nullopt;
}

IntentRow ReadIntentRow(RowReader& reader) {
  IntentRow row;
  row.id = reader.Text();
  row.tenant_id = reader.Text();
  row.agent_id = reader.Text();
  row.intent_type = reader.Text();
  const std::string status = reader.Text();
  const std::optional<IntentStatus> known = IntentStatusFromName(status);
  if (!known.has_value()) {
    Raise(absl::InternalError(
        absl::StrCat("intent ", row.id, " has the status `", status, "`")));
  }
  row.status = *known;
  row.payload_unreadable = reader.NextIsNull();
  row.payload = reader.Text();
  row.payload_sha256 = reader.Text();
  row.adopted = !row.payload_sha256.empty();
  row.revision = static_cast<int32_t>(reader.Int());
  row.spend_micros_usd = reader.OptionalInt();
  row.data_class = reader.Text();
  row.requested_by = reader.Text();
  row.title = reader.Text();
  row.rationale = reader.Text();
  row.decision = reader.Text();
  row.sgl_result = reader.Text();
  row.policy_digest = reader.Text();
  row.decision_memo_id = reader.Text();
  row.job_id = reader.Text();
  row.failure_reason = reader.Text();
  row.failure_message = reader.Text();
  row.output = reader.Text();
  row.request_id = reader.Text();
  row.submitted_by_token = reader.Text();
  row.transition_number = reader.Int();
  row.created_at = reader.Time();
  row.updated_at = reader.Time();
  reader.Text();  // created_at as SQL orders it.
  return row;
}

void RequireId(absl::string_view what, absl::string_view id) {
  if (!IsUuid(id)) {
    Raise(absl::NotFoundError(absl::StrCat("there is no ", what, " ", id)));
  }
}

void AddPage(const std::optional<PageCursor>& after, int limit, Args& args) {
  if (limit < 1 || limit > kPageRowsMax) {
    Raise(absl::InvalidArgumentError(
        absl::StrCat("a page has 1 to ", kPageRowsMax, " rows, not ", limit)));
  }
  if (after.has_value()) {
    args.Time(after->created_at).Text(after->id);
  } else {
    args.Null().Null();
  }
  args.Int(limit);
}

void NoteClaimedTenants(Session& session, absl::string_view setting) {
  absl::ConsumePrefix(&setting, "{");
  absl::ConsumeSuffix(&setting, "}");
  session.NoteTenants(absl::StrSplit(setting, ',', absl::SkipEmpty()));
}

}  // namespace sgl::storage
