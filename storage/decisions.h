// Decisions as they were recorded: what the SGL_EVALUATED entry says, and the
// payload of the revision that was decided. Together they hold all that the
// rules read, so that each can be taken again.

#ifndef STORAGE_DECISIONS_H_
#define STORAGE_DECISIONS_H_

#include <absl/functional/function_ref.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <vector>

#include "storage/database.h"

namespace sgl::storage {

struct DecisionRecord {
  std::string tenant_id;
  std::string intent_id;
  // Of the entry: tells the decisions on one intent apart.
  int64_t transition_number = 0;
  absl::Time created_at;
  // The entry's meta, a JSON object.
  std::string meta;
  // The exact text of that revision. Empty where it is not there.
  std::string payload;
};

// Returns the decisions on one intent, in their order; at most 1,000. None
// where it was not decided yet. NOT_FOUND.
absl::StatusOr<std::vector<DecisionRecord>> ListDecisions(
    Transaction& tx, const std::string& intent_id) noexcept;

// A place among the decisions of a tenant, by time: after the one whose audit
// entry has this time and id. An empty id: before all from that time on.
struct DecisionCursor {
  absl::Time created_at;
  std::string entry_id = {};
};

struct DecisionPage {
  DecisionCursor after;
  // Decisions from here on are not read.
  absl::Time end;
  // Empty does not restrict.
  std::string intent_type = {};
  int limit = 1;
};

// Each views the answer of the database, during the call alone.
struct DecisionView {
  absl::string_view intent_id;
  int64_t transition_number = 0;
  absl::string_view meta;
  // As in DecisionRecord.
  absl::string_view payload;
};

// Reads one page of the decisions of the transaction's tenant, oldest first,
// and calls `visit` with each. Returns how many there were; moves
// `page->after` behind the last. For pages of thousands: nothing is copied.
absl::StatusOr<int> ReadDecisions(
    Transaction& tx, DecisionPage* page,
    absl::FunctionRef<void(const DecisionView&)> visit) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_DECISIONS_H_
