// What looks into sets, ranges and lists: `in`, any, all and count.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "policy/check/checker.h"
#include "policy/limits.h"

namespace sgl {

Checked Checker::CheckIn(const Expr& node) {
  const ExprId subject = ast().child(node, 0);
  const ExprId whole_id = ast().child(node, 1);
  const Expr& whole = expr(whole_id);
  Checked in;
  Const* named = nullptr;
  if (whole.kind == ExprKind::kPath && whole.step_count == 1) {
    named = FindConst(ast().step(whole, 0).text);
  }
  if (whole.kind == ExprKind::kSet) {
    in = CheckInSet(node, subject, SetMembers(whole_id), nullptr);
  } else if (whole.kind == ExprKind::kRange) {
    in = CheckInRange(node, subject, SetMembers(whole_id));
  } else if (named != nullptr && named->kind == ConstKind::kSet) {
    in = CheckInSet(node, subject, named->members, named);
  } else if (named != nullptr && named->kind == ConstKind::kRange) {
    in = CheckInRange(node, subject, named->members);
  } else if (named != nullptr && named->kind == ConstKind::kError) {
    CheckExpr(subject, kErrorType);
    return {};
  } else {
    in = CheckInList(node, subject, whole_id);
  }
  if (in.failed() || node.kind == ExprKind::kIn) return in;
  return MakeNode(Op::kNot, kBoolType, 0, node.span, {in.node});
}

Checked Checker::CheckInSet(const Expr& node, ExprId subject_id,
                            const std::vector<Constant>& members,
                            Const* named) {
  const TypeId hint = members.empty() ? TypeId::kNone : members[0].value.type;
  const Checked subject = CheckExpr(subject_id, hint);
  if (subject.failed()) return {};
  const TypeKind kind = KindOf(subject.type);
  if (kind == TypeKind::kList || kind == TypeKind::kRecord) {
    return Mismatch(expr(subject_id).span, "one value left of `in`",
                    subject.type);
  }
  int32_t set = -1;
  const std::pair key(subject.type, IsIntentType(subject));
  if (named != nullptr && named->resolved.contains(key)) {
    set = named->resolved[key];
    if (set < 0) return {};
  } else {
    const std::optional<int32_t> resolved =
        ResolveSet(members, subject.type, key.second);
    set = resolved.value_or(-1);
    if (named != nullptr) named->resolved[key] = set;
    if (set < 0) return {};
  }
  return MakeNode(Op::kInSet, kBoolType, set, node.span, {subject.node});
}

Checked Checker::CheckInRange(const Expr& node, ExprId subject_id,
                              const std::vector<Constant>& ends) {
  const Checked subject = CheckExpr(subject_id, TypeId::kNone);
  if (subject.failed() || ends.size() != 2) return {};
  const std::optional<int32_t> range =
      ResolveRange(ends, subject.type, expr(ast().child(node, 1)).span);
  if (!range.has_value()) return {};
  return MakeNode(Op::kInRange, kBoolType, *range, node.span, {subject.node});
}

// `element in list` and `list contains element`.
Checked Checker::CheckInList(const Expr& node, ExprId element_id,
                             ExprId list_id) {
  if (expr(list_id).kind == ExprKind::kError) return {};
  const Checked list = CheckListOperand(list_id);
  TypeId element_type = kErrorType;
  if (!list.failed()) {
    element_type = policy_.types.Required(policy_.types[list.type].element);
  }
  if (ReportSet(
          element_id, "a list `contains` one value",
          absl::StrCat("for several write `any x in ",
                       sources_.TextAt(expr(list_id).span), ": x in …`"))) {
    return {};
  }
  const Checked element = CheckExpr(element_id, element_type);
  if (list.failed() || element.failed()) return {};
  const TypeKind kind = KindOf(element_type);
  if (kind == TypeKind::kList || kind == TypeKind::kRecord) {
    return Mismatch(expr(list_id).span, "a list of single values", list.type);
  }
  if (element.type != element_type) {
    Report(DiagnosticKind::kTypeMismatch, node.op_span,
           absl::StrCat("cannot look for ", Describe(element.type), " in ",
                        Describe(list.type)));
    return {};
  }
  return MakeNode(Op::kInList, kBoolType, 0, node.span,
                  {element.node, list.node});
}

// Checks an operand that must be a path to a list.
Checked Checker::CheckListOperand(ExprId id) {
  const Expr& list = expr(id);
  const std::optional<Constant> constant = TryConstant(id);
  if (constant.has_value() && constant->is_bare) {
    ReportUnknownName(*constant, TypeId::kNone);
    return {};
  }
  const Checked checked = CheckExpr(id, TypeId::kNone);
  if (checked.failed()) return {};
  if (KindOf(checked.type) != TypeKind::kList) {
    return Mismatch(list.span, "a list", checked.type);
  }
  return checked;
}

Checked Checker::CheckQuantifier(const Expr& node) {
  const ExprId list_id = ast().child(node, 0);
  Checked list;
  if (!ReportSet(list_id,
                 absl::StrCat("`", sources_.TextAt(node.op_span),
                              "` takes a list of the request"),
                 "for several endings write `matches /(a|b)$/`")) {
    list = CheckListOperand(list_id);
  }
  TypeId element = kErrorType;
  if (!list.failed()) {
    element = policy_.types[list.type].element;
    // INVARIANT: every expression of a list type is a kPath.
    const Node& path_node = policy_.node(list.node);
    const Path& path = policy_.paths[static_cast<size_t>(path_node.index)];
    if (!scope_.variables.empty() &&
        (path.root != PathRoot::kVariable ||
         path.index != scope_.variables.back().number)) {
      Report(DiagnosticKind::kNestedList, expr(list_id).span,
             "a loop inside a loop walks a list outside the element")
          .Help(absl::StrCat("walk a list inside `",
                             scope_.variables.back().name,
                             "`, or name the inner condition with `def`"));
    }
  }
  if (!BindVariable(ast().step(node, 0), element)) return {};
  const bool counts = node.kind == ExprKind::kCount;
  const Checked body = CheckCondition(ast().child(node, 1));
  const int32_t number = scope_.variables.back().number;
  scope_.variables.pop_back();
  if (list.failed() || body.failed()) return {};
  const Op op = counts                        ? Op::kCount
                : node.kind == ExprKind::kAny ? Op::kAny
                                              : Op::kAll;
  return MakeNode(op, counts ? kIntType : kBoolType, number, node.span,
                  {list.node, body.node});
}

// Makes a variable visible to the body of its loop.
bool Checker::BindVariable(const Name& name, TypeId element) {
  if (scope_.variables.size() >= static_cast<size_t>(kVariablesMax)) {
    Report(
        DiagnosticKind::kTooMany, name.span,
        absl::StrFormat("more than %d loops inside each other", kVariablesMax));
    return false;
  }
  Span taken;
  for (const Variable& variable : scope_.variables) {
    if (variable.name == name.text) taken = variable.span;
  }
  const auto item = scope_.file->const_index.find(name.text);
  if (item != scope_.file->const_index.end()) {
    taken = scope_.file->consts[item->second].syntax->name.span;
  }
  const auto def = scope_.file->def_index.find(name.text);
  if (def != scope_.file->def_index.end()) {
    taken = scope_.file->defs[def->second].syntax->name.span;
  }
  if (taken.file != FileId::kNone && !name.text.empty()) {
    Report(DiagnosticKind::kNameCollision, name.span,
           absl::StrCat("`", name.text, "` has a meaning here already"))
        .Note(taken, "declared here");
  }
  Variable variable;
  variable.name = name.text;
  variable.span = name.span;
  variable.number = static_cast<int32_t>(scope_.variables.size());
  variable.type = element;
  variable.key = next_key_++;
  policy_.variables_max = std::max(policy_.variables_max, variable.number + 1);
  scope_.variables.push_back(std::move(variable));
  return true;
}

}  // namespace sgl
