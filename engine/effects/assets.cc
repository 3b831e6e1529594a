// Effects on assets.

#include "engine/effects/families.h"

namespace sgl::engine {

std::vector<EffectDecl> AssetEffects() {
  return {
      {.intent_type = "ASSET_REGISTER",
       .summary = "Registers an asset, without metrics yet.",
       .fields = {{"type", "string"},
                  {"name", "string"},
                  {"url", "string?"},
                  {"platform", "string?"}},
       .output = {"asset_id"},
       .tables = {"assets"}},
      {.intent_type = "ASSET_METRICS_UPDATE",
       .summary = "Sets metrics of an asset; those of other names stay.",
       .fields = {{"asset_id", "string"}, {"metrics", "{}"}},
       .output = {"asset_id"},
       .missing = "`asset_id` names no asset of this tenant",
       .tables = {"assets"}},
  };
}

}  // namespace sgl::engine
