// What a rule can see of one intent: facts that the caller gathered.
//
// Plain structs of views: the caller owns all text, which must stay as it is
// until Evaluate returns. What is left out is the empty value of its type.

#ifndef POLICY_EVAL_REQUEST_H_
#define POLICY_EVAL_REQUEST_H_

#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "policy/eval/decision.h"
#include "policy/eval/limits.h"

namespace sgl {

enum class DataClass : uint8_t { kNone = 0, kPii = 1, kPhi = 2 };

// Returns `NONE`, `PII` or `PHI`.
absl::string_view DataClassName(DataClass data_class);
// Returns nothing for any other text, in any other case of letters too.
std::optional<DataClass> DataClassFromName(absl::string_view name);

enum class Seat : uint8_t {
  kFreeBeta = 0,
  kStarter = 1,
  kPro = 2,
  kEnterprise = 3
};

// Returns `free_beta`, `starter`, `pro` or `enterprise`.
absl::string_view SeatName(Seat seat);
std::optional<Seat> SeatFromName(absl::string_view name);

struct IntentFacts {
  absl::string_view id;
  absl::string_view type;
  absl::string_view requested_by;
  // A JSON object, exactly as submitted. Empty counts as `{}`.
  absl::string_view payload;
  // Negative is INVALID_PAYLOAD.
  int64_t spend_micros_usd = 0;
  DataClass data_class = DataClass::kNone;
  absl::Time created_at = absl::UnixEpoch();
};

struct AgentFacts {
  // False where the intent has no agent, or one that nobody registered.
  bool known = false;
  absl::string_view id;
  absl::string_view name;
  absl::string_view role;
  absl::string_view status;
  int64_t tier = 0;
  std::vector<absl::string_view> labels;
};

struct TenantFacts {
  absl::string_view id;
  // Chooses the tenant layers that apply.
  absl::string_view slug;
  Seat seat = Seat::kFreeBeta;
  // Providers whose integration is connected.
  std::vector<absl::string_view> connected;
};

// The budget that the intent's spend would draw on.
struct BudgetFacts {
  bool exists = false;
  int64_t remaining_micros_usd = 0;
  int64_t limit_micros_usd = 0;
  // `budget.used` in billionths, where it is given and not computed.
  std::optional<int64_t> used;
};

struct Request {
  IntentFacts intent;
  AgentFacts agent;
  TenantFacts tenant;
  BudgetFacts budget;
  // The time of evaluation. Given, never read, so that a decision can be
  // taken again.
  absl::Time now = absl::UnixEpoch();
  // What the caller found not to fit before it could fill the facts in, such
  // as a spend that is no number. Any makes the decision INVALID_PAYLOAD,
  // unless the type is unknown.
  std::vector<FieldViolation> violations;
  // What limits counted before. Borrowed. Null blocks whatever a limit
  // matches: a limit that nobody counts must not let pass.
  const LimitTotals* limit_totals = nullptr;
};

}  // namespace sgl

#endif  // POLICY_EVAL_REQUEST_H_
