// Paths: what they lead to, and whether it is there. `has` and `??`.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "policy/check/checker.h"
#include "policy/diagnostics/suggest.h"

namespace sgl {
namespace {

struct FixedField {
  absl::string_view root;
  absl::string_view name;
  RootField field;
  TypeId type;
};

constexpr FixedField kFixedFields[] = {
    {"intent", "id", RootField::kIntentId, kStringType},
    {"intent", "type", RootField::kIntentType, kSymbolType},
    {"intent", "requested_by", RootField::kIntentRequestedBy, kStringType},
    {"intent", "spend", RootField::kIntentSpend, kUsdType},
    {"intent", "data_class", RootField::kIntentDataClass, kDataClassType},
    {"intent", "created_at", RootField::kIntentCreatedAt, kTimestampType},
    {"agent", "known", RootField::kAgentKnown, kBoolType},
    {"agent", "id", RootField::kAgentId, kStringType},
    {"agent", "name", RootField::kAgentName, kStringType},
    {"agent", "role", RootField::kAgentRole, kStringType},
    {"agent", "status", RootField::kAgentStatus, kStringType},
    {"agent", "tier", RootField::kAgentTier, kIntType},
    {"agent", "labels", RootField::kAgentLabels, kStringListType},
    {"tenant", "id", RootField::kTenantId, kStringType},
    {"tenant", "slug", RootField::kTenantSlug, kStringType},
    {"tenant", "seat", RootField::kTenantSeat, kSeatType},
    {"budget", "exists", RootField::kBudgetExists, kBoolType},
    {"budget", "remaining", RootField::kBudgetRemaining, kUsdType},
    {"budget", "used", RootField::kBudgetUsed, kDecimalType},
};

constexpr GuardKey kPayloadKey = 0;

bool IsFixedRoot(absl::string_view word) {
  return word == "intent" || word == "agent" || word == "tenant" ||
         word == "budget";
}

}  // namespace

bool IsIntentField(absl::string_view name) {
  return std::any_of(std::begin(kFixedFields), std::end(kFixedFields),
                     [name](const FixedField& field) {
                       return field.root == "intent" && field.name == name;
                     });
}

GuardKey Checker::KeyOf(GuardKey parent, absl::string_view name) {
  const auto [found, is_new] =
      keys_.try_emplace({parent, std::string(name)}, next_key_);
  if (is_new) ++next_key_;
  return found->second;
}

// Returns the path as its author would write it.
std::string Checker::Written(const ResolvedPath& path) const {
  return path.names.empty() ? "" : path.names.back();
}

// Checks a bare name or a path, where its value is wanted.
Checked Checker::CheckName(ExprId id, TypeId wanted) {
  const Expr& path = expr(id);
  if (path.step_count == 0) return {};
  const std::string& name = ast().step(path, 0).text;
  if (name.empty()) return {};
  if (path.step_count > 1 || IsReservedWord(name)) return CheckPath(id);
  for (const Variable& variable : scope_.variables) {
    if (variable.name == name) return CheckPath(id);
  }
  const std::optional<Constant> constant = TryConstant(id);
  if (constant.has_value()) return CheckConstant(*constant, wanted);
  if (const Const* item = FindConst(name); item != nullptr) {
    if (item->kind != ConstKind::kError) {
      Report(DiagnosticKind::kNotAConstant, path.span,
             absl::StrCat("the const `", name, "` is ",
                          item->kind == ConstKind::kSet     ? "a set"
                          : item->kind == ConstKind::kRange ? "a range"
                                                            : "a regex"))
          .Help(item->kind == ConstKind::kRegex
                    ? "use it right of `matches`, or in `scan`"
                    : "use it right of `in`");
    }
    return {};
  }
  if (Def* def = FindDef(name); def != nullptr) {
    return CheckDefUse(*def, path.span);
  }
  return {};
}

Checked Checker::CheckPath(ExprId id) {
  const ResolvedPath path = ResolvePath(id);
  if (!path.ok) return {};
  return UsePath(path, expr(id).span, true);
}

// Makes the node that reads a path; its guards must hold unless the reader
// tolerates that it is missing.
Checked Checker::UsePath(const ResolvedPath& path, Span span,
                         bool must_be_there) {
  if (must_be_there) RequirePath(path, span);
  const TypeId type = policy_.types.Required(path.type);
  if (type == kErrorType) return {};
  return MakeNode(Op::kPath, type, AddPath(path), span, {});
}

// Holds a path against the guards that stand left of it.
void Checker::RequirePath(const ResolvedPath& path, Span span) {
  std::vector<Requirement> requirements;
  for (const auto& [key, written] : path.optionals) {
    requirements.push_back({key, span, Written(path), written, path.type});
  }
  MeetRequirements(requirements);
}

int32_t Checker::AddPath(const ResolvedPath& path) {
  Path added;
  added.root = path.root;
  added.index = path.index;
  added.type = policy_.types.Required(path.type);
  if (path.root == PathRoot::kPayload) {
    PayloadSlot slot;
    slot.type = added.type;
    // INVARIANT: names[0] is `payload`'s first field; the last entry is the
    // written form.
    slot.names.assign(path.names.begin(), path.names.end() - 1);
    added.index = nodes_.AddSlot(slot);
  } else {
    added.steps = path.steps;
  }
  return nodes_.AddPath(added);
}

Checked Checker::CheckHas(const Expr& node) {
  const ExprId id = ast().child(node, 0);
  if (expr(id).kind != ExprKind::kPath) return {};
  const ResolvedPath path = ResolvePath(id);
  if (!path.ok) return {};
  if (path.optionals.empty() && scope_.requirements_or_null == nullptr &&
      path.type != kErrorType) {
    Report(DiagnosticKind::kNoEffect, node.span,
           absl::StrCat("`", Written(path), "` is always there"));
  }
  if (path.type == kErrorType) return {};
  Checked checked = MakeNode(Op::kHas, kBoolType, AddPath(path), node.span, {});
  checked.if_true = path.prefixes;
  return checked;
}

Checked Checker::CheckCoalesce(const Expr& node, TypeId wanted) {
  const ExprId left_id = ast().child(node, 0);
  const ExprId right_id = ast().child(node, 1);
  if (expr(left_id).kind == ExprKind::kError) {
    CheckExpr(right_id, wanted == TypeId::kNone ? kErrorType : wanted);
    return {};
  }
  ResolvedPath path;
  if (expr(left_id).kind == ExprKind::kPath) {
    path = ResolvePath(left_id);
  } else {
    Report(DiagnosticKind::kNotAPath, expr(left_id).span,
           "the left side of `??` is a path that may be missing");
  }
  if (!path.ok || path.type == kErrorType) {
    CheckExpr(right_id, kErrorType);
    return {};
  }
  if (path.optionals.empty() && scope_.requirements_or_null == nullptr) {
    Report(DiagnosticKind::kNoEffect, node.op_span,
           absl::StrCat("`", Written(path), "` is always there"));
  }
  const Checked left = UsePath(path, expr(left_id).span, false);
  const Checked right = CheckExpr(right_id, left.type);
  if (left.failed() || right.failed()) return {};
  if (left.type != right.type) {
    ReportSides(node, "the sides of `??` differ:", left.type, right.type);
    return {};
  }
  return MakeNode(Op::kCoalesce, left.type, 0, node.span,
                  {left.node, right.node});
}

// Resolves a path expression, through defs that name paths.
ResolvedPath Checker::ResolvePath(ExprId id) {
  const Expr& path = expr(id);
  if (path.kind != ExprKind::kPath || path.step_count == 0) return {};
  const absl::Span<const Name> steps = ast().steps_of(path);
  for (const Name& step : steps) {
    if (step.text.empty()) return {};
  }
  return ResolveSteps(steps, path.span);
}

ResolvedPath Checker::ResolveSteps(absl::Span<const Name> steps, Span span) {
  const std::string& root = steps[0].text;
  if (root == "now" || IsFixedRoot(root)) return ResolveFixed(steps);
  if (root == "payload") return ResolvePayload(steps);

  ResolvedPath path;
  for (const Variable& variable : scope_.variables) {
    if (variable.name != root) continue;
    path.root = PathRoot::kVariable;
    path.index = variable.number;
    path.type = variable.type;
    path.key = variable.key;
    path.names = {root};
    path.prefixes = {variable.key};
    if (policy_.types.is_optional(variable.type)) {
      path.optionals.emplace_back(variable.key, root);
    }
    path.ok = ResolveFields(steps.subspan(1), path);
    return path;
  }
  Def* def = FindDef(root);
  const Expr* value = def == nullptr ? nullptr : &expr(def->syntax->value);
  if (value != nullptr && value->kind == ExprKind::kPath && alias_depth_ < 64) {
    // A def that names a path: its fields are the path's. It sees none of the
    // variables here.
    std::vector<Variable> variables;
    std::swap(variables, scope_.variables);
    ++alias_depth_;
    path = ResolvePath(def->syntax->value);
    --alias_depth_;
    std::swap(variables, scope_.variables);
    if (path.ok) path.ok = ResolveFields(steps.subspan(1), path);
    return path;
  }
  if (value != nullptr) {
    if (value->kind != ExprKind::kError) {
      Report(DiagnosticKind::kNotAPath, span,
             absl::StrCat("the def `", root, "` is not a path"));
    }
    return path;
  }
  const Const* item = FindConst(root);
  if (item != nullptr) {
    Report(DiagnosticKind::kNotAPath, span,
           absl::StrCat("the const `", root, "` is not a path"));
    return path;
  }
  Constant unknown;
  unknown.span = steps[0].span;
  unknown.value.text = root;
  ReportUnknownName(unknown, TypeId::kNone);
  return path;
}

// intent, agent, tenant, budget and now.
ResolvedPath Checker::ResolveFixed(absl::Span<const Name> steps) {
  ResolvedPath path;
  const std::string& root = steps[0].text;
  if (root == "now") {
    path.index = static_cast<int32_t>(RootField::kNow);
    path.type = kTimestampType;
    path.names = {root};
    path.ok = ResolveFields(steps.subspan(1), path);
    return path;
  }
  std::vector<std::string> names;
  for (const FixedField& field : kFixedFields) {
    if (field.root != root) continue;
    names.emplace_back(field.name);
    if (steps.size() < 2 || steps[1].text != field.name) continue;
    path.index = static_cast<int32_t>(field.field);
    path.type = field.type;
    path.names = {absl::StrCat(root, ".", field.name)};
    path.ok = ResolveFields(steps.subspan(2), path);
    return path;
  }
  if (steps.size() < 2) {
    Report(DiagnosticKind::kTypeMismatch, steps[0].span,
           absl::StrCat("`", root, "` is not a value by itself"))
        .Help(absl::StrCat("its fields are ", absl::StrJoin(names, ", ")));
    return path;
  }
  auto report = Report(
      DiagnosticKind::kUnknownField, steps[1].span,
      absl::StrCat("unknown field `", steps[1].text, "` of `", root, "`"));
  const std::string near = Suggest(steps[1].text, names);
  report.Help(near.empty()
                  ? absl::StrCat("its fields are ", absl::StrJoin(names, ", "))
                  : absl::StrCat("did you mean `", near, "`?"));
  return path;
}

ResolvedPath Checker::ResolvePayload(absl::Span<const Name> steps) {
  ResolvedPath path;
  path.root = PathRoot::kPayload;
  if (steps.size() < 2) {
    Report(DiagnosticKind::kTypeMismatch, steps[0].span,
           "`payload` is not a value by itself")
        .Help("name a field, `payload.FIELD`; `scan(payload, …)` reads all");
    return path;
  }
  path.type = FindPayloadField(steps[1]);
  path.key = KeyOf(kPayloadKey, steps[1].text);
  path.prefixes = {path.key};
  const std::string written =
      steps[1].is_quoted ? absl::StrCat("payload[\"", steps[1].text, "\"]")
                         : absl::StrCat("payload.", steps[1].text);
  path.names = {steps[1].text, written};
  if (policy_.types.is_optional(path.type)) {
    path.optionals.emplace_back(path.key, written);
  }
  path.ok = ResolveFields(steps.subspan(2), path);
  return path;
}

// Follows field names through records. The last entry of path.names is the
// path as written.
bool Checker::ResolveFields(absl::Span<const Name> steps, ResolvedPath& path) {
  for (const Name& step : steps) {
    const Type& type = policy_.types[path.type];
    if (type.kind == TypeKind::kError) return false;
    if (type.kind != TypeKind::kRecord) {
      auto report =
          Report(DiagnosticKind::kUnknownField, step.span,
                 absl::StrCat("`", Written(path), "` is of type ",
                              Describe(path.type), " and has no fields"));
      if (type.kind == TypeKind::kList) {
        report.Help("look at its elements with `any x in … : …`");
      }
      return false;
    }
    const int field = type.FindField(step.text);
    if (field < 0) {
      std::vector<std::string> names;
      for (const Field& known : type.fields) names.push_back(known.name);
      auto report = Report(DiagnosticKind::kUnknownField, step.span,
                           absl::StrCat("unknown field `", step.text, "` of `",
                                        Written(path), "`"));
      const std::string near = Suggest(step.text, names);
      if (!near.empty()) {
        report.Help(absl::StrCat("did you mean `", near, "`?"));
      } else if (!names.empty() && names.size() <= 10) {
        report.Help(
            absl::StrCat("its fields are ", absl::StrJoin(names, ", ")));
      }
      return false;
    }
    path.type = type.fields[static_cast<size_t>(field)].type;
    path.key = KeyOf(path.key, step.text);
    path.prefixes.push_back(path.key);
    std::string written =
        step.is_quoted ? absl::StrCat(Written(path), "[\"", step.text, "\"]")
                       : absl::StrCat(Written(path), ".", step.text);
    if (path.root == PathRoot::kPayload) {
      path.names.back() = step.text;
      path.names.push_back(std::move(written));
    } else {
      path.names.back() = std::move(written);
      path.steps.push_back(field);
    }
    if (policy_.types.is_optional(path.type)) {
      path.optionals.emplace_back(path.key, Written(path));
    }
  }
  return true;
}

}  // namespace sgl
