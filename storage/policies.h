// Policy versions: immutable rows, one of which is active for the platform and
// at most one for each tenant, as a layer of its own.
//
// A settlement shares a lock with others and reads what is active after it
// (settlement.h); an activation takes that lock alone. So no intent is settled
// under a version that was replaced before its commit. README.md says who takes
// which lock after which other.

#ifndef STORAGE_POLICIES_H_
#define STORAGE_POLICIES_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <vector>

#include "storage/audit.h"
#include "storage/database.h"
#include "storage/intents.h"

namespace sgl::storage {

// One rule file.
struct PolicySource {
  std::string name = {};
  std::string text = {};

  bool operator==(const PolicySource&) const = default;
};

struct PolicySet {
  // `sha256:` and 64 hex digits (SetDigest in policy/policy.h).
  std::string digest = {};
  std::vector<PolicySource> sources = {};
};

// Stores a set of the platform; one with that digest that is there already
// stays as it is.
absl::Status StorePolicy(Transaction& tx, const PolicySet& set,
                         const std::string& author) noexcept;

enum class Activation {
  // Whatever is active is replaced. On DIRECT_URL alone.
  kReplace,
  // Only where nothing is active; else FAILED_PRECONDITION, naming what is.
  kFirstOnly,
};

// Makes a stored set the platform's active one without a vote, with its
// POLICY_ACTIVATED entry, which is one of level security where there is a
// `reason`. Waits for the settlements in flight. NOT_FOUND: not stored. A set
// that is active already stays so, without an entry.
absl::Status ActivatePolicy(Transaction& tx, const std::string& digest,
                            Activation activation, const Actor& actor,
                            const std::string& reason = "") noexcept;

// Returns the platform's active set; nothing where none was ever activated.
absl::StatusOr<std::optional<PolicySet>> GetActivePolicy(
    Transaction& tx) noexcept;

// Returns the platform's set of that digest, where it is active or once was;
// else nothing. For transactions of any tenant.
absl::StatusOr<std::optional<PolicySet>> GetOnceActivePolicy(
    Transaction& tx, const std::string& digest) noexcept;

// Returns the digest of it only; empty where there is none.
absl::StatusOr<std::string> GetActiveDigest(Transaction& tx) noexcept;

// A version as it stands.
struct PolicyVersion {
  std::string id;
  // Empty: the platform's.
  std::string tenant_id;
  PolicySet set;
  // A name for people.
  std::string author;
  // The person, where it was one.
  std::string author_user_id;
  std::string description;
  // What checking and testing it said when it was proposed (JSON).
  std::string report;
  absl::Time created_at;
  // Active for the platform, or for its tenant; the rest is empty where not.
  bool is_active = false;
  std::optional<absl::Time> activated_at;
  Actor activated_by;
  // The intent that was approved; empty where none was needed.
  std::string intent_id;
};

struct NewPolicyVersion {
  // Empty: the platform's, and then the transaction must be the system
  // tenant's; else one of the transaction's tenants.
  std::string tenant_id = {};
  PolicySet set = {};
  std::string author = {};
  Actor actor = {};
  std::string description = {};
  // A JSON object.
  std::string report = "{}";
};

// Stores a version with its POLICY_PROPOSED entry. Returns false, and changes
// nothing, where these files are stored already.
absl::StatusOr<bool> ProposePolicy(Transaction& tx,
                                   const NewPolicyVersion& version) noexcept;

struct PolicyVersionFilter {
  // Empty: the platform's, of which others than the system tenant see the
  // active one only.
  std::string tenant_id = {};
  // Empty does not restrict.
  std::string id = {};
  std::string digest = {};
  bool only_active = false;
  // Whether to read the files too.
  bool with_sources = false;
};

// Returns up to `limit` rows (1 to kPageRowsMax) after the cursor, newest
// first.
absl::StatusOr<std::vector<PolicyVersion>> ListPolicyVersions(
    Transaction& tx, const PolicyVersionFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept;

// Returns the one version that the filter finds, with its files. NOT_FOUND.
absl::StatusOr<PolicyVersion> GetPolicyVersion(
    Transaction& tx, const PolicyVersionFilter& filter) noexcept;

// A tenant's layer of its own that is active.
struct ActiveLayer {
  std::string tenant_id;
  std::string tenant_slug;
  PolicySet set;
};

// Returns the active layers of the transaction's tenants, with the files of
// those whose digests are wanted.
absl::StatusOr<std::vector<ActiveLayer>> ActiveLayers(
    Transaction& tx, const std::vector<std::string>& with_sources_of) noexcept;

// Returns up to `limit` active layers of any tenant with their files, by
// tenant, after `after_tenant` (empty: from the first). Nothing where the
// transaction isn't the system tenant's.
absl::StatusOr<std::vector<ActiveLayer>> AllActiveLayers(
    Transaction& tx, const std::string& after_tenant, int limit) noexcept;

enum class ActivationOutcome {
  kActivated,
  // It is the active one already.
  kUnchanged,
  // No such version is stored.
  kUnknown,
  // Another version is active by now than the one that was to be replaced.
  kReplaced,
  // Fewer than two votes count.
  kUnapproved,
  // A kill switch was set since the vote began.
  kSwitchedOff,
  // No open intent of the system tenant that activates a policy.
  kNotAnActivation,
  // Who activates is no member with the role `policy`.
  kForbidden,
};

// Makes the version that an approved SGL_POLICY_ACTIVATE names the platform's
// active one. The database counts the votes itself. Waits for the settlements
// in flight, and keeps new ones waiting until the commit. REQUIRES: the locks
// of the intent and its memo, and no settlement of a decision before in this
// transaction (it would share the lock that this takes alone).
absl::StatusOr<ActivationOutcome> ActivateApprovedPolicy(
    Transaction& tx, const std::string& intent_id,
    const std::string& last_voter) noexcept;

// Keeps the platform's policy and this tenant's layer from changing until the
// transaction ends. Returns the platform's active digest; empty where there is
// none.
absl::StatusOr<std::string> LockTenantPolicy(
    Transaction& tx, const std::string& tenant_id) noexcept;

// Makes a stored version of the tenant its active layer. `user_id` must be a
// member of it with the role `policy`. REQUIRES: LockTenantPolicy.
absl::StatusOr<ActivationOutcome> ActivateTenantPolicy(
    Transaction& tx, const std::string& tenant_id, const std::string& digest,
    const std::string& user_id) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_POLICIES_H_
