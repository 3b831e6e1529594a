// Policy sets: immutable rows, one of which is active for the platform.
//
// A settlement shares a lock with others and reads the active digest after it
// (settlement.h); an activation takes that lock alone. So no intent is settled
// under a set that was replaced before its commit.

#ifndef STORAGE_POLICIES_H_
#define STORAGE_POLICIES_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <vector>

#include "storage/audit.h"
#include "storage/database.h"

namespace sgl::storage {

// One rule file.
struct PolicySource {
  std::string name = {};
  std::string text = {};

  bool operator==(const PolicySource&) const = default;
};

struct PolicySet {
  // `sha256:` and 64 hex digits (Program::set_digest).
  std::string digest = {};
  std::vector<PolicySource> sources = {};
};

// Stores the set; a set with that digest that is there already stays as it is.
absl::Status StorePolicy(Transaction& tx, const PolicySet& set,
                         const std::string& author) noexcept;

enum class Activation {
  // Whatever is active is replaced.
  kReplace,
  // Only where nothing is active; else FAILED_PRECONDITION, naming what is.
  kFirstOnly,
};

// Makes a stored set the active one, with its POLICY_ACTIVATED entry. Waits
// for the settlements in flight. NOT_FOUND: not stored. A set that is active
// already stays so, without an entry.
absl::Status ActivatePolicy(Transaction& tx, const std::string& digest,
                            Activation activation, const Actor& actor) noexcept;

// Returns the active set; nothing where none was ever activated.
absl::StatusOr<std::optional<PolicySet>> GetActivePolicy(
    Transaction& tx) noexcept;

// Returns the active digest only; empty where there is none.
absl::StatusOr<std::string> GetActiveDigest(Transaction& tx) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_POLICIES_H_
