// The flags that say whose rules a verb of `policies` is about.

#ifndef TOOLS_INTENTCTL_SCOPE_FLAGS_H_
#define TOOLS_INTENTCTL_SCOPE_FLAGS_H_

#include <CLI/App.hpp>

#include "intent/v1/policy_service.pb.h"

namespace sgl::tools {

struct ScopeFlags {
  bool tenant = false;
  bool platform = false;

  void Add(CLI::App& verb) {
    CLI::Option* own = verb.add_flag(
        "--tenant", tenant,
        "your tenant's own layer (the default, but for the system tenant)");
    verb.add_flag("--platform", platform,
                  "the platform's rules (the default for the system tenant)")
        ->excludes(own);
  }
  intent::v1::PolicyScope scope() const {
    if (tenant) return intent::v1::POLICY_SCOPE_TENANT;
    return platform ? intent::v1::POLICY_SCOPE_PLATFORM
                    : intent::v1::POLICY_SCOPE_UNSPECIFIED;
  }
};

}  // namespace sgl::tools

#endif  // TOOLS_INTENTCTL_SCOPE_FLAGS_H_
