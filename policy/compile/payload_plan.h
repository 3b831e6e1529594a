// The declared types as reading JSON wants them: flat, by number, and every
// name behind a table.
//
// Part of the decision program, made once with it. A type's number is its
// TypeId.
//
// Internal to the policy layer.

#ifndef POLICY_COMPILE_PAYLOAD_PLAN_H_
#define POLICY_COMPILE_PAYLOAD_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "policy/check/types.h"
#include "policy/compile/member_table.h"

namespace sgl {

struct TypePlan {
  // Of the type itself, were it not optional.
  TypeKind kind = TypeKind::kError;
  bool is_optional = false;
  // kList: the type of its elements. kRecord and kEnum: into
  // PayloadPlan::records and ::enums.
  int32_t number = -1;
};

struct RecordPlan {
  MemberTable fields;
  std::vector<int32_t> types;  // by field
};

struct PayloadPlan {
  std::vector<TypePlan> types;  // by TypeId
  std::vector<RecordPlan> records;
  std::vector<MemberTable> enums;

  const TypePlan& type(TypeId id) const {
    return types[static_cast<size_t>(id)];
  }
};

PayloadPlan MakePayloadPlan(const TypeTable& types);

}  // namespace sgl

#endif  // POLICY_COMPILE_PAYLOAD_PLAN_H_
