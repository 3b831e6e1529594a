// The families of effects, each with its declarations in a file of its own.
// Within a family, what makes rows stands before what changes them: a batch is
// applied in this order. Internal to engine/effects.

#ifndef ENGINE_EFFECTS_FAMILIES_H_
#define ENGINE_EFFECTS_FAMILIES_H_

#include <vector>

#include "engine/effects/decl.h"

namespace sgl::engine {

std::vector<EffectDecl> TicketEffects();
std::vector<EffectDecl> KnowledgeBaseEffects();
std::vector<EffectDecl> CrmEffects();
std::vector<EffectDecl> AssetEffects();
std::vector<EffectDecl> MoneyEffects();
std::vector<EffectDecl> DirectoryEffects();
std::vector<EffectDecl> IntegrationEffects();

}  // namespace sgl::engine

#endif  // ENGINE_EFFECTS_FAMILIES_H_
