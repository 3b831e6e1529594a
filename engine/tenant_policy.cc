#include "engine/tenant_policy.h"

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "base/log.h"
#include "engine/policy_files.h"

namespace sgl::engine {
namespace {

// What decisions of a tenant carry whose layer does not fit.
std::string DigestWithLayer(const PolicyFileSet& platform,
                            const PolicyFileSet& layer,
                            const std::string& tenant_slug) {
  std::vector<SourceFile> sources = layer.sources;
  const std::vector<std::string> slugs = LayersNamed(platform.sources);
  for (size_t i = 0; i < slugs.size(); ++i) {
    if (slugs[i].empty() || slugs[i] == tenant_slug) {
      sources.push_back(platform.sources[i]);
    }
  }
  return SetDigest(sources);
}

// A problem is shown to whoever asks for an intent, so it is kept short.
std::string FirstLine(absl::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

}  // namespace

TenantPolicy CompileTenantPolicy(const PolicyFileSet& platform,
                                 const PolicyFileSet& layer,
                                 const std::string& tenant_slug) {
  TenantPolicy policy;
  policy.platform_digest = platform.digest;
  policy.layer_digest = layer.digest;
  if (SetDigest(layer.sources) != layer.digest) {
    policy.problem = "the stored files are not those of the digest";
  } else {
    std::vector<SourceFile> sources = layer.sources;
    sources.insert(sources.end(), platform.sources.begin(),
                   platform.sources.end());
    const absl::StatusOr<std::shared_ptr<const Program>> program =
        CompilePolicy(sources);
    if (program.ok()) {
      policy.program = *program;
    } else {
      policy.problem = FirstLine(program.status().message());
    }
  }
  if (policy.program == nullptr) {
    policy.digest = DigestWithLayer(platform, layer, tenant_slug);
    LogError("the layer {} of tenant `{}` does not fit policy {}: {}",
             layer.digest, tenant_slug, platform.digest, policy.problem);
  }
  return policy;
}

}  // namespace sgl::engine
