// Effects on integrations: whether they are connected. Tokens come another way
// (engine/integration_tokens.h).

#include "engine/effects/families.h"

namespace sgl::engine {

std::vector<EffectDecl> IntegrationEffects() {
  return {
      {.intent_type = "INTEGRATION_CONNECT",
       .summary = "Marks a provider as connected, with these scopes.",
       .fields = {{"provider", "string"}, {"scopes", "list<string>"}},
       .output = {"integration_id"},
       .tables = {"integrations"}},
      {.intent_type = "INTEGRATION_DISCONNECT",
       .summary = "Marks a provider as not connected, and drops its tokens.",
       .fields = {{"provider", "string"}},
       .output = {"integration_id"},
       .missing = "`provider` names no integration of this tenant",
       .tables = {"integrations"}},
  };
}

}  // namespace sgl::engine
