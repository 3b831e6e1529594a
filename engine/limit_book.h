// What the limits of a transaction's decisions counted: read from the database
// once the counters are locked, and what its own decisions add. Internal to the
// engine; contested_decisions.h keeps it.

#ifndef ENGINE_LIMIT_BOOK_H_
#define ENGINE_LIMIT_BOOK_H_

#include <absl/container/flat_hash_map.h>
#include <absl/numeric/int128.h>
#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "policy/policy.h"
#include "storage/database.h"
#include "storage/limits.h"

namespace sgl::engine {

// The counter that a draw of an intent of this tenant counts in. A limit is
// what it is by its layer, code, scope, unit and window: where one of these is
// changed it is a new limit, which starts empty.
storage::LimitKey LimitKeyOf(const LimitDraw& draw,
                             const std::string& tenant_id);

// Confined to one thread and one transaction.
class LimitBook : public LimitTotals {
 public:
  // Adds the counters of draws to those that are read next. Returns whether
  // each was read already.
  bool Add(const std::vector<LimitDraw>& draws, const std::string& tenant_id);

  bool is_empty() const { return keys_.empty(); }

  // Locks all that were added and reads them; or reads them as they are, for
  // whoever only asks. What Count noted is forgotten.
  absl::Status Lock(storage::Transaction& tx);
  absl::Status Read(storage::Transaction& tx);

  // The time up to which it counts. REQUIRES: it was read.
  absl::Time now() const { return reading_.now; }

  // REQUIRES: `now` is now(). Nothing of what was not read.
  std::optional<int64_t> Total(const LimitDraw& draw,
                               absl::Time now) const override;

  // Notes what an intent that passes at now() draws, for those that are decided
  // after it in this transaction. Returns what its settlement is to enter.
  std::vector<storage::LimitCount> Count(const std::vector<LimitDraw>& draws,
                                         const std::string& tenant_id);

 private:
  std::vector<storage::LimitKey> Keys() const;
  void Note(storage::LimitReading reading);

  // By their text.
  std::map<std::string, storage::LimitKey> keys_;
  storage::LimitReading reading_;
  // What this transaction adds. Of int64s, at most as many as it has intents.
  absl::flat_hash_map<std::string, absl::int128> added_;
};

}  // namespace sgl::engine

#endif  // ENGINE_LIMIT_BOOK_H_
