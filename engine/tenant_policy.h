// What one tenant's intents are decided under: the platform's active set and,
// where it has one, the tenant's own active layer, compiled together.

#ifndef ENGINE_TENANT_POLICY_H_
#define ENGINE_TENANT_POLICY_H_

#include <memory>
#include <string>
#include <vector>

#include "policy/policy.h"

namespace sgl::engine {

// Immutable.
struct TenantPolicy {
  // Null where the tenant's layer does not fit the platform's set (which was
  // replaced since the layer was checked): then everything is blocked for this
  // tenant, and for no other, until it has a layer that fits.
  std::shared_ptr<const Program> program = {};
  // The digest of the platform's set.
  std::string platform_digest = {};
  // The digest of the tenant's own version; empty where it has none. A
  // settlement is refused where that is another by then.
  std::string layer_digest = {};
  // Where there is no program: what decisions carry, and why.
  std::string digest = {};
  std::string problem = {};
};

// A set of files, and the digest that it is stored under.
struct PolicyFileSet {
  std::string digest = {};
  std::vector<SourceFile> sources = {};
};

// Compiles a tenant's layer together with the platform's set. Where they don't
// fit each other, or the layer's files are not those of its digest, there is
// no program but a problem, which is logged.
TenantPolicy CompileTenantPolicy(const PolicyFileSet& platform,
                                 const PolicyFileSet& layer,
                                 const std::string& tenant_slug);

}  // namespace sgl::engine

#endif  // ENGINE_TENANT_POLICY_H_
