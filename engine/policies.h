// The active policy as this process has it: compiled once, shared by all
// evaluations in flight, replaced as a whole when another set becomes active.
//
// What is active is said by the database. A decision taken under a set that
// was replaced meanwhile is refused when it is settled (storage/settlement.h);
// whoever gets that refusal calls Reload and decides again.

#ifndef ENGINE_POLICIES_H_
#define ENGINE_POLICIES_H_

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "policy/policy.h"
#include "storage/database.h"

namespace sgl::engine {

// Immutable.
struct ActivePolicy {
  // Of the whole set: what settlements are compared by.
  std::string digest;
  std::shared_ptr<const Program> program;
};

// Thread-safe. Owned by the engine; borrows the database.
class Policies {
 public:
  explicit Policies(storage::Database* db);
  Policies(const Policies&) = delete;
  Policies& operator=(const Policies&) = delete;

  // Returns the active policy; null where there is none, or none that this
  // build can compile. Then nothing is claimed and submissions are refused.
  std::shared_ptr<const ActivePolicy> active() const;

  // Asks the database what is active, and compiles it where that is another
  // set than before. One reload runs at a time. FAILED_PRECONDITION: the
  // active set does not compile here; active() is null then.
  absl::Status Reload();

 private:
  absl::Status ReloadLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(reload_mutex_);
  void Replace(std::shared_ptr<const ActivePolicy> policy);

  storage::Database* const db_;
  // LOCK ORDER: reload_mutex_ before mutex_.
  Mutex reload_mutex_;
  // The set that did not compile; so that it is not tried over and over.
  std::string broken_digest_ ABSL_GUARDED_BY(reload_mutex_);
  mutable Mutex mutex_;
  std::shared_ptr<const ActivePolicy> active_ ABSL_GUARDED_BY(mutex_);
};

// Returns the refusal of whoever needs a policy where none is active.
absl::Status NoActivePolicy();

// What to do when `--policy` names another set than the active one.
enum class OnOtherPolicy { kRefuse, kActivate };

// Stores the files' set and activates it where none is active; where another
// one is, as `on_other` says. Compiles first: a set with errors is never
// stored. INVALID_ARGUMENT: the rendered diagnostics. FAILED_PRECONDITION:
// another set is active, with both digests and the ways out.
absl::Status InstallPolicy(storage::Database& db,
                           const std::vector<SourceFile>& sources,
                           OnOtherPolicy on_other);

}  // namespace sgl::engine

#endif  // ENGINE_POLICIES_H_
