#include "policy/compile/payload_plan.h"

#include <string>
#include <utility>

namespace sgl {
namespace {

RecordPlan PlanRecord(const Type& type) {
  RecordPlan plan;
  std::vector<std::string> names;
  for (const Field& field : type.fields) {
    names.push_back(field.name);
    plan.types.push_back(static_cast<int32_t>(field.type));
  }
  plan.fields = MemberTable(std::move(names));
  return plan;
}

}  // namespace

PayloadPlan MakePayloadPlan(const TypeTable& types) {
  PayloadPlan plan;
  plan.types.resize(static_cast<size_t>(types.size()));
  for (int i = 0; i < types.size(); ++i) {
    const Type& type = types[static_cast<TypeId>(i)];
    if (type.is_optional) continue;
    TypePlan& made = plan.types[static_cast<size_t>(i)];
    made.kind = type.kind;
    if (type.kind == TypeKind::kList) {
      made.number = static_cast<int32_t>(type.element);
    } else if (type.kind == TypeKind::kRecord) {
      made.number = static_cast<int32_t>(plan.records.size());
      plan.records.push_back(PlanRecord(type));
    } else if (type.kind == TypeKind::kEnum) {
      made.number = static_cast<int32_t>(plan.enums.size());
      plan.enums.push_back(MemberTable(type.members));
    }
  }
  for (int i = 0; i < types.size(); ++i) {
    const Type& type = types[static_cast<TypeId>(i)];
    if (!type.is_optional) continue;
    TypePlan& made = plan.types[static_cast<size_t>(i)];
    made = plan.type(type.required);
    made.is_optional = true;
  }
  return plan;
}

}  // namespace sgl
