// What settlements and submissions have in common when they are written: memos
// and audit entries as columns, an array each, in the order in which
// settle_intents.sql and submit_intents.sql take them. Internal to storage/.

#ifndef STORAGE_SETTLEMENT_COLUMNS_H_
#define STORAGE_SETTLEMENT_COLUMNS_H_

#include <span>
#include <string>
#include <vector>

#include "storage/audit.h"
#include "storage/binary_array.h"
#include "storage/settlement.h"

namespace sgl::storage {

using Arrays = std::vector<const BinaryArray*>;

inline BinaryArray Texts() { return BinaryArray(BinaryArray::Of::kText); }
inline BinaryArray Uuids() { return BinaryArray(BinaryArray::Of::kUuid); }
inline BinaryArray Integers() { return BinaryArray(BinaryArray::Of::kInteger); }
inline BinaryArray Bigints() { return BinaryArray(BinaryArray::Of::kBigint); }

class MemoColumns {
 public:
  // Adds the settlement's memo, where it has one.
  void Add(const Settlement& settlement);
  // Appends pointers into this, which must outlive them.
  void AppendTo(Arrays& arrays) const;

 private:
  BinaryArray intent_id_ = Uuids();
  BinaryArray id_ = Uuids();
  BinaryArray agent_ = Texts();
  BinaryArray title_ = Texts();
  BinaryArray rationale_ = Texts();
  BinaryArray cost_micros_ = Bigints();
  BinaryArray risk_tier_ = Integers();
  BinaryArray demands_ = Texts();
  BinaryArray reasons_ = Texts();
  BinaryArray within_micros_ = Bigints();
  BinaryArray policy_digest_ = Texts();
};

class EntryColumns {
 public:
  // Adds an intent's entries, in their order, from `first_place` on.
  void Add(const std::string& intent_id, std::span<const AuditEntry> entries,
           int64_t first_place = 1);
  // As above.
  void AppendTo(Arrays& arrays) const;

 private:
  BinaryArray intent_id_ = Uuids();
  BinaryArray place_ = Integers();
  BinaryArray actor_user_id_ = Uuids();
  BinaryArray actor_external_id_ = Texts();
  BinaryArray level_ = Texts();
  BinaryArray action_ = Texts();
  BinaryArray meta_ = Texts();
};

// What a notification of decided intents says: which, or nothing where they
// are too many for its 8000 bytes; then all who wait look.
std::string SettledNotice(std::span<const std::string> intent_ids);

}  // namespace sgl::storage

#endif  // STORAGE_SETTLEMENT_COLUMNS_H_
