#include "storage/effects.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "storage/binary_array.h"
#include "storage/effect_statements.h"
#include "storage/guard.h"
#include "storage/intents.h"
#include "storage/queries.h"
#include "storage/session.h"

namespace sgl::storage {
namespace {

// Two members of a group meant one row: each alone is right.
constexpr char kRowTwice[] = "21000";
// A number that fits the payload's declaration and not its column.
constexpr char kOutOfRange[] = "22003";

const char* StatementOf(absl::string_view intent_type) {
  for (const EffectStatement& statement : EffectStatements()) {
    if (statement.intent_type == intent_type) return statement.sql;
  }
  return nullptr;
}

// Whether a member of the group, and not the world or the statement, is at
// fault.
bool IsRefusal(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsAlreadyExists(status) ||
         absl::IsInvalidArgument(status) || absl::IsNotFound(status);
}

// The constraint that PostgreSQL names in what it says: the last name in
// quotes. Empty where there is none.
absl::string_view ConstraintOf(absl::string_view message) {
  const size_t end = message.rfind('"');
  if (end == absl::string_view::npos || end == 0) return "";
  const size_t begin = message.rfind('"', end - 1);
  if (begin == absl::string_view::npos) return "";
  return message.substr(begin + 1, end - begin - 1);
}

// Runs the statement; members that it did nothing for have no output then.
// Raises where that happens to one of several: who of them is at fault shows
// when they are alone.
std::vector<EffectOutcome> Run(Session& session, const char* sql,
                               std::span<const EffectInput> inputs) {
  BinaryArray ids(BinaryArray::Of::kUuid);
  BinaryArray payloads(BinaryArray::Of::kText);
  for (const EffectInput& input : inputs) {
    ids.Add(input.intent_id);
    payloads.Add(input.payload);
  }
  const BinaryArray* const arrays[] = {&ids, &payloads};
  absl::flat_hash_map<std::string, std::string> outputs;
  for (const pqxx::row& row : session.Exec(sql, arrays, Args())) {
    RowReader reader(row);
    std::string intent_id = reader.Text();
    outputs[std::move(intent_id)] = reader.Text();
  }
  if (inputs.size() > 1 && outputs.size() < inputs.size()) {
    Raise(absl::NotFoundError("a row isn't there"));
  }
  std::vector<EffectOutcome> outcomes;
  for (const EffectInput& input : inputs) {
    const auto found = outputs.find(input.intent_id);
    outcomes.push_back(
        {.output = found == outputs.end() ? "" : std::move(found->second)});
  }
  return outcomes;
}

// Returns what the constraint's comment says, in words for the agent.
absl::StatusOr<std::string> Words(Transaction& tx,
                                  const absl::Status& refused) {
  if (SqlStateOf(refused) == kOutOfRange) return "a number is out of range";
  return Guard("read a refusal", [&]() -> absl::StatusOr<std::string> {
    const pqxx::result comments = OpenSession(tx).Exec(
        kReadRefusalSql, Args().Text(ConstraintOf(refused.message())));
    std::string words = comments.empty() ? "" : RowReader(comments[0]).Text();
    if (words.empty()) words = "a value doesn't fit the tenant's data";
    return words;
  });
}

// Appends the outcomes of a group. Recursion: as deep as a batch can be halved.
absl::Status ApplyGroup(Transaction& tx, const char* sql,
                        std::span<const EffectInput> inputs,
                        std::vector<EffectOutcome>& outcomes) {
  std::vector<EffectOutcome> done;
  const absl::Status status = tx.InSavepoint([&] {
    return Guard("apply effects", [&] {
      done = Run(OpenSession(tx), sql, inputs);
      return absl::OkStatus();
    });
  });
  if (status.ok()) {
    std::move(done.begin(), done.end(), std::back_inserter(outcomes));
    return status;
  }
  if (inputs.size() > 1 &&
      (IsRefusal(status) || SqlStateOf(status) == kRowTwice)) {
    const size_t half = inputs.size() / 2;
    const absl::Status first =
        ApplyGroup(tx, sql, inputs.first(half), outcomes);
    if (!first.ok()) return first;
    return ApplyGroup(tx, sql, inputs.subspan(half), outcomes);
  }
  if (!IsRefusal(status)) return status;
  absl::StatusOr<std::string> words = Words(tx, status);
  if (!words.ok()) return words.status();
  outcomes.push_back({.refusal = *std::move(words)});
  return absl::OkStatus();
}

}  // namespace

std::vector<std::string> EffectTypes() {
  std::vector<std::string> types;
  for (const EffectStatement& statement : EffectStatements()) {
    types.emplace_back(statement.intent_type);
  }
  std::sort(types.begin(), types.end());
  return types;
}

absl::Status ShareSettlementLocks(Transaction& tx) noexcept {
  return Guard("share the settlement's locks", [&] {
    OpenSession(tx).Exec(kShareSettlementLocksSql);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<EffectOutcome>> ApplyEffects(
    Transaction& tx, absl::string_view intent_type,
    std::span<const EffectInput> inputs) noexcept {
  const char* const sql = StatementOf(intent_type);
  if (sql == nullptr || inputs.size() > static_cast<size_t>(kBatchIntentsMax)) {
    return absl::InternalError(absl::StrCat("apply ", inputs.size(),
                                            " effects of `", intent_type,
                                            "`: no statement, or too many"));
  }
  std::vector<EffectOutcome> outcomes;
  outcomes.reserve(inputs.size());
  const absl::Status applied = ApplyGroup(tx, sql, inputs, outcomes);
  if (!applied.ok()) return applied;
  return outcomes;
}

}  // namespace sgl::storage
