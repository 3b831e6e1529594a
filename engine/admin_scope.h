// Whose rows an operator's call works on. The tenant comes from the token; only
// an operator of the system tenant, who is the platform's, may name another.

#ifndef ENGINE_ADMIN_SCOPE_H_
#define ENGINE_ADMIN_SCOPE_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <string>
#include <vector>

#include "engine/call_scope.h"
#include "engine/error.h"
#include "storage/database.h"
#include "storage/directory.h"

namespace sgl::engine {

// A transaction on one tenant.
struct AdminTransaction {
  storage::Transaction tx;
  std::string tenant_id;
  std::string tenant_slug;
};

// Returns whether the caller is an operator of the system tenant.
bool IsPlatformOperator(const storage::Principal& principal);

// Returns OK, or PERMISSION_DENIED for anybody but those. `what` begins the
// message: "the platform's switch is".
absl::Status RequirePlatformOperator(const storage::Principal& principal,
                                     absl::string_view what);

// Opens a transaction on the tenant with this slug, or the caller's own where
// it is empty. NOT_FOUND where there is none, or it isn't the caller's to name.
absl::StatusOr<AdminTransaction> BeginFor(storage::Database* db,
                                          const CallScope& scope,
                                          const std::string& tenant_slug);

// Return the one row of an id, or of a name or an email. NOT_FOUND: there is
// none; FAILED_PRECONDITION: several agents have the name.
absl::StatusOr<storage::DirectoryAgent> FindAgent(storage::Transaction& tx,
                                                  const std::string& agent);
absl::StatusOr<storage::DirectoryMember> FindMember(storage::Transaction& tx,
                                                    const std::string& member);

// Commits, unless nobody waits for the answer any more.
absl::Status CommitFor(const CallScope& scope, storage::Transaction& tx);

// Collects what is wrong with the texts of a request.
class TextChecks {
 public:
  // `min` to `max` characters, none of them NUL.
  TextChecks& Check(absl::string_view field, absl::string_view text, size_t min,
                    size_t max);
  TextChecks& Add(absl::string_view field, absl::string_view description);
  // Returns OK, or a BadFields status that names all of them.
  absl::Status Finish() const;

 private:
  std::vector<FieldError> errors_;
};

}  // namespace sgl::engine

#endif  // ENGINE_ADMIN_SCOPE_H_
