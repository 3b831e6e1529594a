// The statements of effects, one a file of queries/effects, by intent type.
// Generated from them. Internal to storage/.

#ifndef STORAGE_EFFECT_STATEMENTS_H_
#define STORAGE_EFFECT_STATEMENTS_H_

#include <span>

namespace sgl::storage {

struct EffectStatement {
  // The file's name in capitals.
  const char* intent_type;
  const char* sql;
};

std::span<const EffectStatement> EffectStatements();

}  // namespace sgl::storage

#endif  // STORAGE_EFFECT_STATEMENTS_H_
