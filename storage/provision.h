// Makes a place for the engine on a cluster of one's own: a database, the role
// that owns it, and the role that the engine logs in as. What `intentd dev`
// and the tests do once before they deploy the schema.

#ifndef STORAGE_PROVISION_H_
#define STORAGE_PROVISION_H_

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include <string>

namespace sgl::storage {

struct Place {
  std::string database = {};
  // Owns the database and may make roles; no superuser. DIRECT_URL's.
  std::string owner_role = {};
  // May log in, and nothing else yet (GrantRuntime). DATABASE_URL's.
  std::string runtime_role = {};
};

// Creates what is missing of the place, as the superuser of `admin_url`. What
// exists is left as it is, so twice is fine; two at once are not.
absl::Status Provision(absl::string_view admin_url,
                       const Place& place) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_PROVISION_H_
